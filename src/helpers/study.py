"""What the columns of a cohort mean: the study file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from helpers.errors import InputError

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Level(_Strict):
    """One level of a categorical column.

    Attributes
    ----------
    label : str
        As shown to a reader.
    code : str, int or None
        As written in the cohort file; the level's key where it is not given.
    """

    label: str
    code: str | int | None = None
    description: str = ""


def _codes(levels) -> list[str]:
    return [str(key if level.code is None else level.code) for key, level in levels.items()]


def _refuse_repeated_codes(levels):
    codes = _codes(levels)
    repeated = sorted({code for code in codes if codes.count(code) > 1})
    if repeated:
        raise ValueError(f"two levels have the code {', '.join(repeated)}")


class Leveled(_Strict):
    """A label and named levels, in the order in which they are shown."""

    label: str
    levels: dict[Key | str, Level]

    @model_validator(mode="after")
    def _check_codes(self):
        _refuse_repeated_codes(self.levels)
        return self

    def codes(self) -> dict[str, str]:
        """Map each code, as text, to the key of its level."""
        return dict(zip(_codes(self.levels), self.levels, strict=True))


class Arm(Leveled):
    """The groups that are compared; `reference` is the denominator of each hazard ratio."""

    column: str = "arm"
    reference: str

    @model_validator(mode="after")
    def _check(self):
        if self.reference not in self.levels:
            raise ValueError(f"reference {self.reference!r} is not one of the levels")
        if len(self.levels) < 2:
            raise ValueError("at least two arms are needed")
        return self


class Time(_Strict):
    """The unit in which the book states every time."""

    unit: Literal["days", "weeks", "months", "years"] = "months"
    days_per_month: float = Field(30.4375, gt=0)

    def per(self, unit: str) -> float:
        """Number of `unit` in one unit of the book."""
        days = {"days": 1.0, "weeks": 7.0, "months": self.days_per_month}
        days["years"] = 12 * self.days_per_month
        return days[self.unit] / days[unit]


Code = str | int


class Endpoint(_Strict):
    """A time to an event.

    Attributes
    ----------
    time : str or None
        Column with the time in `unit`; or else
    start, end : str or None
        columns with the dates from which and to which time is counted.
    event : str or None
        Column that says how follow-up ended, by `event_codes` and `censored_codes`; or else
    event_dates : list of str
        columns with the days of events, empty where none happened. The first of them ends
        follow-up; `end` is the last contact of the others.
    competing : dict
        Other events after which this one cannot happen, each with its code in `event`. They
        count as censored, except for the cumulative incidence.
    entry : str or None
        Column with the time, or the date where time is counted from dates, after which a
        patient was under observation (left truncation); from time zero where the cell is empty.
    """

    label: str
    abbreviation: str
    time: str | None = None
    start: str | None = None
    end: str | None = None
    event: str | None = None
    event_dates: list[str] = []
    unit: Literal["days", "weeks", "months", "years"] = "months"
    origin: str = ""
    event_label: str = "event"
    event_codes: list[Code] = Field([1], min_length=1)
    censored_codes: list[Code] = Field([0], min_length=1)
    competing: dict[Key, Level] = {}
    entry: str | None = None

    @model_validator(mode="after")
    def _check(self):
        if (self.time is None) == (self.start is None) or (self.start is None) != (
            self.end is None
        ):
            raise ValueError("give either the column of the time, or those of start and end")
        if (self.event is None) != bool(self.event_dates):
            raise ValueError("give either the column of the event, or event_dates")
        if self.event_dates and (self.time is not None or self.competing):
            raise ValueError("event_dates go with start and end, and without competing events")
        codes = [str(code) for code in (*self.event_codes, *self.censored_codes)]
        codes += _codes(self.competing)
        repeated = sorted({code for code in codes if codes.count(code) > 1})
        if repeated:
            raise ValueError(f"code {', '.join(repeated)} means two things")
        return self

    @property
    def counted_from_dates(self) -> bool:
        """Whether times are the days between two dates."""
        return self.time is None

    @property
    def event_column(self) -> str:
        """The column, or the first of those, by which an event is known."""
        return self.event or self.event_dates[0]

    def causes(self) -> dict[str, int]:
        """Map each code, as text, to 0 (censored), 1 (the event), 2 and on (competing)."""
        causes = {str(code): 0 for code in self.censored_codes}
        causes |= {str(code): 1 for code in self.event_codes}
        return causes | {code: n for n, code in enumerate(_codes(self.competing), start=2)}


class Covariate(_Strict):
    """A baseline characteristic, categorical or continuous.

    Attributes
    ----------
    column : str
        Column of the cohort file; the covariate's key where it is not given.
    cutoff : float or None
        Makes two levels of a numeric column: below the cut-off, and at or above it.
    summary : {'mean_sd', 'median_iqr'}
        How a continuous covariate is described, hence how it is tested.
    decimals : int
        Decimals to which a continuous covariate is shown.
    per : float
        How many units of a continuous covariate its hazard ratio is for.
    """

    kind: Literal["categorical", "continuous"]
    label: str
    column: str | None = None
    unit: str = ""
    levels: dict[str, Level] = {}
    reference: str | None = None
    cutoff: float | None = None
    summary: Literal["mean_sd", "median_iqr"] = "median_iqr"
    decimals: int = Field(1, ge=0, le=6)
    per: float = Field(1, gt=0)

    @model_validator(mode="after")
    def _check(self):
        _refuse_repeated_codes(self.levels)
        if self.kind == "categorical":
            if len(self.levels) < 2:
                raise ValueError("a categorical covariate needs at least two levels")
            if self.reference not in self.levels:
                raise ValueError(f"reference {self.reference!r} is not one of the levels")
            if self.cutoff is not None and len(self.levels) != 2:
                raise ValueError("a cut-off makes two levels")
        elif self.levels or self.reference or self.cutoff is not None:
            raise ValueError("levels, reference and cutoff belong to a categorical covariate")
        return self

    def codes(self) -> dict[str, str]:
        """Map each code, as text, to the key of its level."""
        return Leveled(label=self.label, levels=self.levels).codes()


class Condition(_Strict):
    """A covariate at one of its levels."""

    variable: str
    level: str


class Criterion(_Strict):
    """An eligibility criterion: at least one of its conditions holds."""

    label: str
    any_of: list[Condition]


class FlowStep(_Strict):
    """A step of the way into the cohort; `n` is None where the count is not known."""

    label: str
    n: int | None = Field(None, ge=0)


class Exposure(Leveled):
    """A treatment received, with its duration; empty cells were not recorded.

    Attributes
    ----------
    until : str or None
        Endpoint that ends the treatment by the protocol.
    """

    column: str
    duration: str | None = None
    unit: Literal["days", "weeks", "months", "years"] = "months"
    until: str | None = None


class Rate(_Strict):
    """A response rate: the share of patients in the named categories."""

    label: str
    categories: list[str]


class Response(_Strict):
    """Best response, and the rates that are made from it."""

    label: str = "Best response"
    column: str
    criteria: str = ""
    categories: dict[str, Level]
    rates: dict[Key, Rate]

    @model_validator(mode="after")
    def _check(self):
        _refuse_repeated_codes(self.categories)
        for key, rate in self.rates.items():
            if key in self.categories:
                raise ValueError(f"rate {key!r} has the key of a category; choose another")
            unknown = sorted(set(rate.categories) - set(self.categories))
            if unknown:
                raise ValueError(f"rate {key!r} names unknown categories {unknown}")
        return self

    def codes(self) -> dict[str, str]:
        """Map each code, as text, to the key of its category."""
        return Leveled(label=self.label, levels=self.categories).codes()


class Measurement(_Strict):
    """A laboratory value before and after treatment.

    Attributes
    ----------
    above : float or None
        Only patients whose baseline value exceeds it are described.
    """

    label: str
    unit: str = ""
    baseline: str
    followup: str
    above: float | None = None
    scale: Literal["linear", "log"] = "linear"
    interval: str = ""


class AdverseEvent(_Strict):
    """One adverse event: a column with the patient's highest grade, 0 for none."""

    label: str
    column: str | None = None
    description: str = ""


class AdverseEvents(_Strict):
    """The adverse events and how they are graded."""

    criteria: str = ""
    severe_from: int = Field(3, ge=1, le=5)
    interruption: str | None = None
    events: dict[Key, AdverseEvent] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self):
        if "any" in self.events:
            raise ValueError("'any' is the name of all events together; choose another key")
        return self

    def column(self, event: str) -> str:
        """Column of the cohort file that holds the grades of `event`."""
        return self.events[event].column or f"ae_{event}"


class Conventions(_Strict):
    """Each statistical choice, by name."""

    confidence_level: float = Field(0.95, gt=0.5, lt=1)
    significance_level: float = Field(0.05, gt=0, lt=0.5)
    rounding: Literal["half_up"] = "half_up"
    ties: Literal["efron", "breslow"] = "efron"
    median_conf_type: Literal["log", "log_log", "plain"] = "log"
    median_at_half: Literal["midpoint", "first"] = "midpoint"
    baseline_quantile: int = Field(7, ge=1, le=9)
    measurement_quantile: int = Field(7, ge=1, le=9)
    categorical_test: Literal[
        "fisher_if_observed_below_5",
        "fisher_if_expected_below_5",
        "chi_square",
        "chi_square_yates",
        "fisher",
    ] = "fisher_if_expected_below_5"
    mean_test: Literal["student_t", "welch_t"] = "student_t"
    rank_test: Literal["mann_whitney", "mann_whitney_continuity"] = "mann_whitney_continuity"
    subgroup_test: Literal["logrank", "wald"] = "logrank"
    screening_threshold: float = Field(0.1, gt=0, le=1)
    missing: Literal["complete_case", "mice"] = "complete_case"
    imputations: int = Field(20, ge=2, le=200)
    imputation_seed: int = Field(1, ge=0)
    proportional_hazards: Literal["score_km", "score_identity", "score_log", "score_rank"] = (
        "score_km"
    )

    @property
    def interval_name(self) -> str:
        """The name of an interval, for instance ``95% CI``."""
        return f"{100 * self.confidence_level:g}% CI"


class SearchedEndpoint(_Strict):
    """What the print leaves open about an endpoint of a synthetic cohort.

    Attributes
    ----------
    n_event : int
        Number of events.
    shortest, longest : int
        Range of the times, in the unit of the endpoint.
    weights : dict
        How much the univariable row of a covariate counts in the search, if not 1: less where
        it is known to contradict other numbers.
    ratio_alone : list of str
        Covariates in no joint model of whose univariable row the hazard ratio alone is sought in
        the end, as the limits and the p value cannot be had with all else.
    """

    n_event: int = Field(ge=1)
    shortest: int = Field(1, ge=1)
    longest: int = Field(ge=1)
    weights: dict[str, float] = {}
    ratio_alone: list[str] = []


class Reconstruction(_Strict):
    """How a synthetic cohort is searched for.

    Attributes
    ----------
    endpoints : dict
        Two endpoints. The second ends no later than the first, and whoever has an event of the
        first has one of the second.
    """

    endpoints: dict[Key, SearchedEndpoint]


class Study(_Strict):
    """A study file: arms, endpoints, covariates and conventions.

    The keys of `covariates`, `endpoints` and the rest are the names under which a result
    is filed; the columns of the cohort file may be named otherwise.

    Attributes
    ----------
    sheet : str or None
        The sheet of a spreadsheet; needed where several have content.
    date_format : {'iso', 'day_first', 'month_first'}
        How a date of digits is written in a text file: 2024-03-31, 31.3.2024 or 3/31/2024.
    decimal_mark : {'point', 'comma'}
        How a text file writes one half: 0.5 or 0,5.
    strata : list of str
        Covariates whose levels have baseline hazards of their own.
    suppress_below : int
        Counts from 1 to one less are hidden, with all from which they could be computed.
    associations : dict
        For a synthetic cohort: how the ranks of a variable go with those of others within an
        arm (correlations, by the names of `helpers.cohort.Cohort.data`), where the print does
        not tell.
    """

    title: str
    source: str = ""
    synthetic: bool = False
    sheet: str | None = None
    date_format: Literal["iso", "day_first", "month_first"] = "iso"
    decimal_mark: Literal["point", "comma"] = "point"
    identifier: str | None = None
    arm: Arm
    time: Time = Time()
    endpoints: dict[Key, Endpoint]
    milestones: list[float] = []
    covariates: dict[Key, Covariate] = {}
    baseline: list[str] = []
    prognostic: list[str] = []
    subgroups: list[str] = []
    strata: list[str] = []
    suppress_below: int = Field(0, ge=0)
    flow: list[FlowStep] = []
    eligibility: list[Criterion] = []
    exposures: dict[Key, Exposure] = {}
    response: Response | None = None
    measurements: dict[Key, Measurement] = {}
    adverse_events: AdverseEvents | None = None
    reconstruction: Reconstruction | None = None
    associations: dict[str, dict[str, float]] = {}
    conventions: Conventions = Conventions()
    chapters: dict[str, str] = {}

    @model_validator(mode="after")
    def _check(self):
        problems = []
        if "arm" in self.covariates:
            problems.append("covariates: 'arm' is the name of the treatment; choose another")
        names = [*self.covariates, *self._derived_names()]
        for name in sorted({name for name in names if names.count(name) > 1}):
            problems.append(f"{name!r} names two things of this file; rename one")
        known = set(self.covariates)
        categorical = {k for k, c in self.covariates.items() if c.kind == "categorical"}
        for field, allowed in (
            ("baseline", known),
            ("prognostic", known | {"arm"}),
            ("subgroups", categorical),
            ("strata", categorical),
        ):
            for name in getattr(self, field):
                if name not in allowed:
                    problems.append(f"{field}: {name!r} is not a fitting covariate of this file")
        for name in sorted({*self.strata} & {*self.prognostic, *self.subgroups}):
            problems.append(f"strata: {name!r} is a prognostic factor or a subgroup too")
        for criterion in self.eligibility:
            for condition in criterion.any_of:
                covariate = self.covariates.get(condition.variable)
                if covariate is None or condition.level not in covariate.levels:
                    problems.append(
                        f"eligibility: {condition.variable!r} has no level {condition.level!r}"
                    )
        for key, exposure in self.exposures.items():
            if exposure.until is not None and exposure.until not in self.endpoints:
                problems.append(f"exposures: {key!r} ends with an unknown endpoint")
        problems += self._problems_of_associations(set(names))
        problems += self._problems_of_reconstruction()
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _problems_of_associations(self, names):
        settled = {f"{key}_{part}" for key in self.endpoints for part in ("time", "event")}
        settled |= {f"{key}{part}" for key in self.exposures for part in ("", "_duration")}
        for name, others in self.associations.items():
            for unknown in sorted({name, *others} - names):
                yield f"associations: {unknown!r} is not a name of this file"
            if name in settled | {"interruption"}:
                yield f"associations: {name!r} follows from other columns; remove it"
            if sum(correlation**2 for correlation in others.values()) > 1:
                yield f"associations: the squares of {name!r} add up to more than 1"

    def _problems_of_reconstruction(self):
        searched = self.reconstruction.endpoints if self.reconstruction else {}
        for key, endpoint in searched.items():
            if key not in self.endpoints:
                yield f"reconstruction: {key!r} is no endpoint of this file"
            for name in sorted({*endpoint.weights, *endpoint.ratio_alone} - {*self.prognostic}):
                yield f"reconstruction: {name!r} is no prognostic factor of this file"

    def _derived_names(self):
        for key in self.endpoints:
            yield from self.names_of(key)
        for key, exposure in self.exposures.items():
            yield from (key, f"{key}_duration") if exposure.duration else (key,)
        for key in self.measurements:
            yield from (f"{key}_baseline", f"{key}_followup")
        if self.response:
            yield "response"
        if self.adverse_events:
            yield from (f"ae_{event}" for event in self.adverse_events.events)
            yield from ["interruption"] if self.adverse_events.interruption else []

    @staticmethod
    def names_of(endpoint: str) -> list[str]:
        """Names that `helpers.cohort.Cohort.data` can have for an endpoint."""
        return [f"{endpoint}_{part}" for part in ("time", "event", "entry", "cause")]

    def covariate_column(self, key: str) -> str:
        """Column of the cohort file that holds covariate `key`."""
        return self.covariates[key].column or key

    def label(self, variable: str) -> str:
        """Label of a covariate, or of the treatment for ``'arm'``."""
        return self.arm.label if variable == "arm" else self.covariates[variable].label

    def levels(self, variable: str) -> dict[str, Level]:
        """Levels of a categorical covariate, or the arms for ``'arm'``."""
        return self.arm.levels if variable == "arm" else self.covariates[variable].levels

    def describe_level(self, variable: str, level: str) -> str:
        """A covariate's label with the label of one of its levels."""
        return f"{self.label(variable)}: {self.levels(variable)[level].label}"

    def describe_step(self, variable: str) -> str:
        """A continuous covariate with the step that its hazard ratio is for."""
        covariate = self.covariates[variable]
        unit = f" ({covariate.unit})" if covariate.unit else ""
        return f"{covariate.label}{unit}, per {covariate.per:g}"

    def reference(self, variable: str) -> str | None:
        """Reference level of a categorical covariate, or the reference arm for ``'arm'``."""
        return self.arm.reference if variable == "arm" else self.covariates[variable].reference


NAMED_ENTRIES = {"covariates", "endpoints", "exposures", "measurements"}
ANY = {  # for an entry that cannot be left out
    "title": "",
    "arm": {"label": "", "reference": "a", "levels": {"a": {"label": ""}, "b": {"label": ""}}},
    "endpoints": {},
}


class _UniqueKeys(yaml.SafeLoader):
    """A loader that rejects a key given twice, where YAML would keep the last."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_study(path) -> Study:
    """Read and check a study file.

    Parameters
    ----------
    path : path-like
        A YAML file.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        The file is missing or not YAML, or its entries are unknown, missing or inconsistent;
        all of them are named at once.
    """
    path = Path(path)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except FileNotFoundError:
        raise InputError(path, ["there is no such file; give the path of a study file"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, [f"cannot be read: {error}"]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(path, [f"{where}not valid YAML: {error.problem}"]) from None
    if not isinstance(content, dict):
        raise InputError(path, ["is empty or not a mapping; see data/study.yml for an example"])
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        problems = _problems_of(error) + _problems_across(content, error)
        raise InputError(path, dict.fromkeys(problems)) from None


def _problems_of(error) -> list[str]:
    return [line for item in error.errors() for line in _describe(item).split("\n")]


def _problems_across(content, error) -> list[str]:
    """Problems between the entries that have none of their own."""
    sound, damaged = copy.deepcopy(content) | {"associations": {}}, set()
    for field, *rest in (item["loc"] for item in error.errors() if item["loc"]):
        entries = sound.get(field)
        if field in NAMED_ENTRIES and rest and isinstance(entries, dict):
            entries.pop(rest[0], None)
            damaged.add(rest[0])
        elif field in ANY:
            sound[field] = ANY[field]
        elif sound.pop(field, None) is not None:
            damaged.add(field)
    try:
        Study.model_validate(sound)
    except ValidationError as across:
        found = _problems_of(across)
        return [line for line in found if not any(repr(name) in line for name in damaged)]
    return []


def _describe(item) -> str:
    found = item.get("input")
    what = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return what
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{where}: unknown entry; check its spelling or remove it"
    if item["type"] == "missing":
        return f"{where}: missing; add it"
    shown = "" if isinstance(found, (dict, list, BaseModel)) else f" (found {found!r})"
    return f"{where}: {what}{shown}"
