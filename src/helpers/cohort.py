"""The patients: read, checked, and named by the keys of the study file."""

from __future__ import annotations

import difflib
import functools
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandas.util import hash_array

from helpers.cohort_files import PIECE, encode, read_cohort_file
from helpers.errors import InputError, Problem, problems_where
from helpers.results import OVERALL
from helpers.study import Study

MISSING = {"", "NA", "N/A", "#N/A", "n/a", "NaN", "nan", "NULL", "null", "."}
SHOWN_VALUES = 5  # of a column that are named before the rest is counted
MOST_REPEATED = 100  # identifiers that are named
NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
DATES = {
    "iso": "2024-03-31",
    "day_first": "31.3.2024",
    "month_first": "3/31/2024",
}


@dataclass(frozen=True)
class Cohort:
    """Patients as rows, with the study that says what the columns mean.

    Attributes
    ----------
    data : DataFrame
        ``arm`` and categorical covariates as ordered categories of level keys; continuous
        covariates as floats; ``{endpoint}_time`` in the study's unit and
        ``{endpoint}_event`` (0, 1), ``{endpoint}_entry`` (in the same unit) where the study
        names an entry, ``{endpoint}_cause`` (0 censored, 1 the event, 2 and on the competing
        events) where it names any; ``{exposure}`` and ``{exposure}_duration``;
        ``response``; ``{measurement}_baseline`` and ``_followup``; ``ae_{event}`` (highest
        grade); ``interruption`` (0, 1). Time and event of an endpoint are both known or both
        missing. What the study file does not name, and every date, is not kept.
    study : Study
    """

    data: pd.DataFrame
    study: Study

    @property
    def arms(self) -> list[str]:
        """Keys of the arms, in the study's order."""
        return list(self.study.arm.levels)

    @property
    def compared_arms(self) -> list[str]:
        """The arms that are compared with the reference arm."""
        return [arm for arm in self.arms if arm != self.study.arm.reference]

    def sizes(self) -> pd.Series:
        """Number of patients in the whole cohort and in each arm, by key."""
        n_patient = self.data["arm"].value_counts(sort=False).reindex(self.arms, fill_value=0)
        return pd.Series({OVERALL: len(self.data), **n_patient})

    def groups(self):
        """Iterate over ``(key, patients)`` of the whole cohort and of each arm."""
        return self._groups.items()

    @functools.cached_property
    def _groups(self):
        return self.split(self.data)

    def split(self, values) -> dict:
        """One value a patient, or any number of columns: of all, and of each arm, by key."""
        return {OVERALL: values} | {arm: values[self.data["arm"] == arm] for arm in self.arms}

    def observed(self, endpoint) -> Cohort:
        """The cohort of the patients whose time and event of `endpoint` are known."""
        return self.subset(self.data[f"{endpoint}_time"].notna())

    def subset(self, rows) -> Cohort:
        """The cohort of the patients at which the boolean `rows` holds."""
        return self if rows.all() else Cohort(self.data[rows], self.study)


@dataclass(frozen=True)
class _Field:
    """One use of a column of the file."""

    column: str
    name: str
    check: pa.Check
    convert: object
    nullable: bool = True


def load_cohort(path, study) -> Cohort:
    """Read a cohort file and check it against its study.

    Parameters
    ----------
    path : path-like
        One patient a row, in a format that `helpers.cohort_files` reads.
    study : Study

    Returns
    -------
    Cohort

    Raises
    ------
    InputError
        With every problem of the file: row, column, what was found, what to do.
    """
    needed = _columns(_fields(study), study)
    data = check_cells(read_cohort_file(path, study.sheet, needed).cells, study, path)
    data.index = pd.RangeIndex(len(data))
    return Cohort(data, study)


def cohort_from_frame(frame, study, source="cohort") -> Cohort:
    """Check a data frame as `load_cohort` checks a file."""
    cells = pd.DataFrame({name: encode(values) for name, values in frame.items()})
    cells.index = range(2, len(cells) + 2)
    return Cohort(check_cells(cells, study, source).reset_index(drop=True), study)


def _fields(study):
    arm_codes = study.arm.codes()
    yield _categorical(study.arm.column, "arm", arm_codes, nullable=False)
    for key, endpoint in study.endpoints.items():
        yield from _endpoint_fields(key, endpoint, study)
    for key, covariate in study.covariates.items():
        column = study.covariate_column(key)
        if covariate.kind == "continuous":
            yield _number(column, key, study)
        elif covariate.cutoff is not None:
            yield _cut(column, key, covariate, study)
        else:
            yield _categorical(column, key, covariate.codes())
    for key, exposure in study.exposures.items():
        yield _categorical(exposure.column, key, exposure.codes())
        if exposure.duration:
            yield _number(exposure.duration, f"{key}_duration", study, lower=0, what="a duration")
    if study.response:
        yield _categorical(study.response.column, "response", study.response.codes())
    for key, measurement in study.measurements.items():
        for moment in ("baseline", "followup"):
            yield _number(getattr(measurement, moment), f"{key}_{moment}", study)
    if study.adverse_events:
        grades = {text: grade for grade in range(6) for text in (f"{grade}", f"{grade}.0")}
        for event in study.adverse_events.events:
            column = study.adverse_events.column(event)
            yield _coded(column, f"ae_{event}", grades, "a grade is 0 (none) to 5")
        if study.adverse_events.interruption:
            yield _flag(study.adverse_events.interruption, "interruption", "an interruption")


def _endpoint_fields(key, endpoint, study):
    positive = {"lower": 0, "scale": study.time.per(endpoint.unit)}
    if endpoint.counted_from_dates:
        yield _date(endpoint.start, f"{key}_start", study)
        yield _date(endpoint.end, f"{key}_end", study)
    else:
        yield _number(endpoint.time, f"{key}_time", study, what="a time", **positive)
    if endpoint.entry and endpoint.counted_from_dates:
        yield _date(endpoint.entry, f"{key}_entry", study)
    elif endpoint.entry:
        yield _number(endpoint.entry, f"{key}_entry", study, what="an entry", **positive)
    for number, column in enumerate(endpoint.event_dates):
        yield _date(column, f"{key}_event_date_{number}", study)
    if endpoint.event_dates:
        return
    causes = endpoint.causes()
    meaning = _event_meaning(endpoint)
    happened = {code: int(cause == 1) for code, cause in causes.items()}
    yield _coded(endpoint.event, f"{key}_event", happened, meaning)
    if endpoint.competing:
        yield _coded(endpoint.event, f"{key}_cause", causes, meaning)


def _event_meaning(endpoint):
    names = [
        ("an event", endpoint.event_codes),
        ("censored", endpoint.censored_codes),
        *(
            (f"{level.label}", [key if level.code is None else level.code])
            for key, level in endpoint.competing.items()
        ),
    ]
    if (endpoint.event_codes, endpoint.censored_codes, endpoint.competing) == ([1], [0], {}):
        return "an event is 1, its absence 0"
    said = ", ".join(f"{name} is {' or '.join(map(str, codes))}" for name, codes in names)
    return f"{said} by the study file"


def _categorical(column, name, codes, nullable=True):
    known = ", ".join(codes)
    categories = list(dict.fromkeys(codes.values()))

    check = pa.Check(
        lambda cells: _decode(cells, codes).notna(),
        error=f"not a level of the study file; its levels are {known}",
    )

    def convert(cells):
        return pd.Categorical(_decode(cells, codes), categories=categories, ordered=True)

    return _Field(column, name, check, convert, nullable)


def _decode(cells, codes):
    return cells.map(lambda cell: codes.get(cell, codes.get(_without_zeros(cell))))


def _without_zeros(cell):
    """The code 1 where a program wrote 1.0 or 1,0."""
    return None if cell is None else re.sub(r"^([+-]?[0-9]+)[.,]0+$", r"\1", cell)


def _coded(column, name, codes, meaning):
    def values(cells):
        return _decode(cells, codes).astype(float)

    check = pa.Check(lambda cells: values(cells).notna(), error=meaning)
    return _Field(column, name, check, values)


def _flag(column, name, what):
    return _coded(column, name, {"0": 0, "1": 1}, f"{what} is 1, its absence 0")


def _as_number(cells, study):
    cells = cells.astype("string")
    if study.decimal_mark == "comma":
        cells = cells.str.replace(r"^([+-]?[0-9]*),([0-9]+)$", r"\1.\2", regex=True)
    return pd.to_numeric(cells.where(cells.str.fullmatch(NUMBER)), errors="coerce").astype(float)


def _number(column, name, study, lower=None, scale=1.0, what="a value"):
    def valid(cells):
        numbers = _as_number(cells, study)
        return np.isfinite(numbers) & (True if lower is None else numbers >= lower)

    sign = "" if lower is None else ", not negative"
    mark = study.decimal_mark
    meaning = f"{what} must be a number{sign}, with a decimal {mark}, no unit"
    check = pa.Check(valid, error=meaning)
    return _Field(column, name, check, lambda cells: _as_number(cells, study) / scale)


def _cut(column, name, covariate, study):
    below, above = covariate.levels
    field = _number(column, name, study)

    def convert(cells):
        numbers = _as_number(cells, study)
        keys = np.where(numbers >= covariate.cutoff, above, below)
        keys = pd.Series(keys, index=cells.index).where(numbers.notna())
        return pd.Categorical(keys, categories=[below, above], ordered=True)

    return _Field(column, name, field.check, convert)


def _date(column, name, study):
    example = DATES[study.date_format]
    check = pa.Check(
        lambda cells: as_dates(cells, study.date_format).notna(),
        error=f"not a day of the calendar written as {example}",
    )
    return _Field(column, name, check, lambda c: as_dates(c, study.date_format))


def as_dates(cells, date_format) -> pd.Series:
    """Read dates; NaT where a cell is none.

    Year-month-day and a month by name (31 Mar 2024) are read whatever `date_format`.

    Parameters
    ----------
    cells : Series of str
    date_format : {'iso', 'day_first', 'month_first'}
    """
    text = cells.astype("string").str.replace(r"[ T][0-9]{1,2}:[0-9:.]+$", "", regex=True)
    found = pd.to_datetime(
        text.where(text.str.fullmatch(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}")),
        format="%Y-%m-%d",
        errors="coerce",
    )
    named = text.str.replace(r"[ .-]", "", regex=True)
    named = named.where(named.str.fullmatch(r"[0-9]{1,2}[A-Za-z]{3}[0-9]{4}"))
    found = found.fillna(pd.to_datetime(named, format="%d%b%Y", errors="coerce"))
    if date_format == "iso":
        return found
    order = "%d-%m-%Y" if date_format == "day_first" else "%m-%d-%Y"
    digits = text.where(text.str.fullmatch(r"[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{4}"))
    digits = digits.str.replace(r"[./]", "-", regex=True)
    return found.fillna(pd.to_datetime(digits, format=order, errors="coerce"))


def check_cells(cells, study, source) -> pd.DataFrame:
    """Check the cells of a cohort file and name them by the study, row for row.

    Parameters
    ----------
    cells : DataFrame of str
        By `helpers.cohort_files.read_cohort_file`.
    study : Study
    source : path-like
        What an error names.

    Returns
    -------
    DataFrame
        As `Cohort.data`, with the index of `cells`.

    Raises
    ------
    InputError
        With every problem.
    """
    fields = list(_fields(study))
    missing = sorted(_columns(fields, study) - set(cells.columns))
    problems = [
        Problem(
            f"column {name!r} is missing; add it, or name another in the study file"
            + _similar(name, cells.columns),
            [1],
        )
        for name in missing
    ]
    if missing:
        problems.append(Problem(f"the columns of the file are {', '.join(cells.columns)}", [1]))
    columns = {}
    for field in fields:
        if field.column not in missing:
            text = _distinct(cells[field.column])
            problems += _violations(text, field)
            columns[field.name] = _convert(text, field)
    if study.identifier and study.identifier not in missing:
        problems += _repeated(cells[study.identifier])
    if study.arm.column not in missing:
        codes = study.arm.codes()
        found = _distinct(cells[study.arm.column]).cat.categories
        occupied = {codes.get(_without_zeros(cell)) for cell in found}
        problems += [
            Problem(
                f"no patient in arm {arm!r}; "
                "remove the arm from the study file or correct the column",
                column=study.arm.column,
            )
            for arm in study.arm.levels
            if arm not in occupied
        ]
    if missing:
        raise InputError(source, dict.fromkeys(problems))
    data = pd.DataFrame(columns, index=cells.index, copy=False)
    data, about_times = _derive_times(data, study)
    problems += about_times
    problems += [] if problems else _unobserved_arms(data, study)
    if problems:
        raise InputError(source, dict.fromkeys(problems))
    return data


def _columns(fields, study):
    """Columns of the file that the study file names."""
    return {field.column for field in fields} | ({study.identifier} - {None})


def _distinct(cells):
    """Cells as categories of text, each of which is checked and converted once."""
    cells = cells.astype("category")
    known = ~cells.cat.categories.isin(MISSING)
    codes = np.append(np.where(known, np.cumsum(known) - 1, -1), -1)[cells.cat.codes]
    known = pd.Categorical.from_codes(codes, cells.cat.categories[known])
    return pd.Series(known, index=cells.index, name=cells.name)


def _convert(cells, field):
    values = pd.Series(field.convert(pd.Series(cells.cat.categories, dtype=object)))
    values = values.array if values.dtype == "category" else values.to_numpy()
    return pd.api.extensions.take(values, cells.cat.codes.to_numpy(), allow_fill=True)


def _derive_times(data, study):
    """Count times from dates, and check that no patient leaves before the start or the entry."""
    problems = []
    for key, endpoint in study.endpoints.items():
        if endpoint.counted_from_dates:
            per_day = study.time.per("days")
            start, end = data.pop(f"{key}_start"), data.pop(f"{key}_end")
            columns = " and ".join(map(repr, [endpoint.start, endpoint.end, *endpoint.event_dates]))
            if endpoint.event_dates:
                names = [f"{key}_event_date_{n}" for n in range(len(endpoint.event_dates))]
                happened = data[names].min(axis=1)
                data = data.drop(columns=names)
                end = happened.fillna(end)
                data[f"{key}_event"] = happened.notna().astype(float)
            data[f"{key}_time"] = (end - start).dt.days / per_day
            early = data[f"{key}_time"] < 0
            problems += problems_where(early, f"columns {columns}: ends before it starts")
            if endpoint.entry:
                data[f"{key}_entry"] = (data[f"{key}_entry"] - start).dt.days / per_day
        if endpoint.entry:
            entry = data[f"{key}_entry"].fillna(0.0).clip(lower=0.0)
            late = entry.ge(data[f"{key}_time"]) & entry.gt(0)
            data[f"{key}_entry"] = entry
            problems += problems_where(
                late, f"column {endpoint.entry!r}: enters only when follow-up has ended"
            )
        outcome = [name for name in study.names_of(key) if name in data]
        known = data[f"{key}_time"].notna() & data[f"{key}_event"].notna()
        if not known.all():
            data[outcome] = data[outcome].where(known)
    return data, problems


def _unobserved_arms(data, study):
    for key, endpoint in study.endpoints.items():
        observed = data.loc[data[f"{key}_time"].notna(), "arm"]
        for arm, level in study.arm.levels.items():
            if not observed.eq(arm).any():
                yield Problem(
                    f"no patient of {level.label!r} has both time and event: remove the endpoint "
                    "from the study file, or the arm",
                    column=endpoint.event_column,
                )


def _similar(name, columns):
    by_folded = {column.casefold(): column for column in columns}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f" (did you mean {by_folded[close[0]]!r}?)" if close else ""


def _violations(cells, field):
    if not field.nullable:
        empty = "is empty; this column must be complete"
        yield from problems_where(cells.isna(), empty, field.column)
    distinct = pd.Series(cells.cat.categories, dtype=object).to_frame(field.column)
    schema = pa.DataFrameSchema({field.column: pa.Column(object, checks=field.check)})
    try:
        schema.validate(distinct, lazy=True)
    except pa.errors.SchemaErrors as error:
        wrong = cells[cells.isin(error.failure_cases["failure_case"])].astype(object)
        cases = list(wrong.unique())
        for case in cases[:SHOWN_VALUES]:
            said = f"found {_quoted(case)}: {field.check.error}"
            yield from problems_where(wrong == case, said, field.column)
        said = f"{len(cases) - SHOWN_VALUES} more values like these"
        yield from problems_where(wrong.isin(cases[SHOWN_VALUES:]), said, field.column)


def _quoted(case):
    hint = ""
    if re.fullmatch(r"[+-]?[0-9]+,[0-9]+", case):
        hint = " (if this is a decimal comma, say decimal_mark: comma in the study file)"
    return repr(case if len(case) <= 60 else case[:57] + "...") + hint


def _repeated(cells):
    if _all_differ(cells):
        return
    blank = cells.isin(MISSING)
    repeated = cells[cells.duplicated(keep=False) & ~blank].astype(object)
    groups = list(repeated.groupby(repeated, sort=False))
    for identifier, group in groups[:MOST_REPEATED]:
        yield Problem(
            f"identifier {identifier!r} stands {len(group)} times; a patient has one row",
            list(group.index),
            cells.name,
        )
    if len(groups) > MOST_REPEATED:
        rest = len(groups) - MOST_REPEATED
        yield Problem(f"{rest} more identifiers that stand several times", column=cells.name)
    empty = "is empty; each patient needs an identifier"
    yield from problems_where(blank, empty, cells.name)


def _all_differ(cells):
    """Whether all cells have hashes of their own and none is blank, which takes little memory."""
    if cells.isin(MISSING).any():
        return False
    hashes = np.empty(len(cells), np.uint64)
    for first in range(0, len(cells), PIECE):
        piece = slice(first, first + PIECE)
        hashes[piece] = hash_array(cells.iloc[piece].to_numpy(object), categorize=False)
    hashes.sort()
    return not (hashes[1:] == hashes[:-1]).any()
