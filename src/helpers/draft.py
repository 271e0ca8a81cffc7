"""A first study file for a cohort file: what its columns look like, and what is left to decide."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from helpers.cohort import MISSING, NUMBER, as_dates
from helpers.cohort_files import read_cohort_file
from helpers.errors import InputError

FEW_LEVELS = 6  # up to which a number is taken for a code
MOST_LEVELS = 12  # up to which a text is taken for a category
MOST_ARMS = 6
EVENTS_PER_VARIABLE = 10
SKEWED = 1.0
MOSTLY_NUMBERS = 0.2  # of the cells are something else
WITH_UNIT = r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]"
WHOLE = r"([+-]?[0-9]+)(?:[.,]0+)?"

ARM = ["trt01p", "trt01a", "arm", "arms", "armcd", "trt", "treatment", "treat", "rx", "regimen"]
ARM += ["therapy", "group", "randomization", "allocation", "cohort"]
IDENTIFIER = {"id", "pid", "pidnum", "patient", "patientid", "patid", "subject", "subjid"}
IDENTIFIER |= {"usubjid", "case", "mrn", "number", "no", "nr", "record", "recordid", "studyid"}
TIME = {"time", "days", "weeks", "months", "years", "os", "pfs", "dfs", "rfs", "efs", "ttp", "fu"}
TIME |= {"futime", "followup", "survival", "survtime", "surv", "aval", "duration", "ttr"}
EVENT = {"event", "status", "dead", "death", "died", "cens", "censor", "censored", "cnsr"}
EVENT |= {"relapse", "recurrence", "recur", "progression", "progressed", "progress", "failure"}
EVENT |= {"fail", "delta", "fustat", "vital"}
OF_WHOM = {"patient", "subject", "overall", "free", "follow", "up", "at", "last", "contact", "end"}
DEATH = {"death", "dead", "died", "deceased", "dth"}
PROGRESSION = {"progression", "progressed", "progress", "prog"}
RETURN = {"relapse", "recurrence", "recur"} | PROGRESSION
EVENT_OF = {
    "os": {"death", "dead", "died", "vital", "status", "event", "fustat"},
    "survival": {"death", "dead", "died", "vital", "status", "event", "fustat"},
    "pfs": PROGRESSION,
    "ttp": PROGRESSION,
    "rfs": {"recurrence", "recur", "relapse"},
    "dfs": {"recurrence", "recur", "relapse"},
    "efs": {"event", "failure", "fail"},
}
ENDPOINTS = {
    "os": "Overall survival",
    "pfs": "Progression-free survival",
    "dfs": "Disease-free survival",
    "rfs": "Recurrence-free survival",
    "efs": "Event-free survival",
    "ttp": "Time to progression",
}
SHORT = {"mon": "months", "mo": "months", "mos": "months", "m": "months", "d": "days", "dy": "days"}
SHORT |= {"yr": "years", "yrs": "years", "y": "years", "wk": "weeks", "wks": "weeks", "tm": "time"}
SHORT |= {"t": "time", "stat": "status", "sts": "status", "ev": "event", "evt": "event"}
SHORT |= {"cens": "cens", "cnsr": "cnsr", "dt": "date"}
RUN_TOGETHER = rf"({'|'.join(ENDPOINTS)})({'|'.join(sorted(SHORT, key=len, reverse=True))})"
OF_A_DATE = r"([a-z]{2,})dt"
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years"}
HAPPENED = {"yes", "y", "true", "dead", "died", "death", "deceased", "event", "progressed"}
HAPPENED |= {"progression", "relapse", "relapsed", "recurrence", "recurred", "failed", "failure"}
NOT_HAPPENED = {"no", "n", "false", "alive", "living", "censored", "censor", "none", "no event"}
CONTROL = {"control", "placebo", "observation", "obs", "standard", "none", "no", "old", "reference"}
BEGINS = {"start", "diagnosis", "diag", "randomization", "random", "rando", "treatment", "surgery"}
BEGINS |= {"baseline", "enrolment", "enrollment", "inclusion", "operation", "begin", "first"}
BEGINS |= {"randomisation", "randomised", "randomized", "rand", "trts"}
ENDS = {"last", "followup", "fu", "end", "death", "contact", "censoring", "exit", "event"}
ENDS |= {"lst", "lstalv", "lstfu"}
MOMENTS = [("baseline", "followup"), ("pre", "post"), ("before", "after"), ("bl", "fu")]
RESPONSES = {
    "cr": "Complete response",
    "pr": "Partial response",
    "sd": "Stable disease",
    "pd": "Progressive disease",
    "ne": "Not evaluable",
}
HEADER = """\
# yaml-language-server: $schema=study.schema.json
# A first draft of the study file of {name}: {n} patients, {columns} columns.
# Lines that say DECIDE are guesses: check them and correct them. The rest follows from the file.
# Then: rhcc check {name} --study THIS_FILE
"""


@dataclass(frozen=True)
class Profile:
    """What a column of the file looks like.

    Attributes
    ----------
    name, label : str
    cells : Series of str
        Those that are not missing; 1 where a program wrote 1.0 in a column of whole numbers.
    n : int
        Patients.
    labels : dict
        Labels of its codes.
    declared_date : bool
    decimal_comma : bool
    place : int
    """

    name: str
    label: str
    cells: pd.Series
    n: int
    labels: dict
    declared_date: bool
    decimal_comma: bool
    place: int

    @cached_property
    def words(self) -> list[str]:
        """The words of its name: parts of a_b, a.b, aB and OSMON."""
        return _words(self.name)

    @cached_property
    def all_words(self) -> list[str]:
        """The words of its name and of its label."""
        return [*self.words, *(word for word in _words(self.label) if word not in self.words)]

    @cached_property
    def codes(self) -> list[str]:
        """Its distinct values, numbers in their order."""
        found = list(dict.fromkeys([*self.labels, *self.cells])) if self.labels else None
        found = found or list(self.cells.unique())
        return sorted(found, key=lambda c: (0, float(c), c) if _is_number(c) else (1, 0.0, c))

    @cached_property
    def numbers(self) -> pd.Series:
        """Its values as numbers."""
        text = self.cells.str.replace(r"^([+-]?[0-9]*),([0-9]+)$", r"\1.\2", regex=True)
        return pd.to_numeric(text.where(text.str.fullmatch(NUMBER)), errors="coerce")

    @cached_property
    def is_numeric(self) -> bool:
        return len(self.cells) > 0 and bool(self.numbers.notna().all())

    @cached_property
    def is_date(self) -> bool:
        if self.declared_date:
            return True
        tried = [
            as_dates(self.cells, style).notna().all() for style in ("day_first", "month_first")
        ]
        return len(self.cells) > 0 and any(tried)

    @property
    def is_category(self) -> bool:
        """Whether it has few enough values to be levels."""
        if self.is_date or not 2 <= len(self.codes) <= MOST_LEVELS:
            return False
        return bool(self.labels) or len(self.codes) <= (
            FEW_LEVELS if self.is_numeric else MOST_LEVELS
        )

    def described(self, code) -> str:
        """The label of a code."""
        return self.labels.get(code, code)


def draft_study(path, sheet=None) -> str:
    """Write a first study file, with comments where a guess needs a decision.

    Parameters
    ----------
    path : path-like
        A cohort file that `helpers.cohort_files.read_cohort_file` reads.
    sheet : str, optional
        The sheet of a spreadsheet.

    Returns
    -------
    str
        YAML that `helpers.study.load_study` accepts.

    Raises
    ------
    InputError
        The file cannot be read, no column has groups to compare, or none has times or dates
        with an event.
    """
    path = Path(path)
    file = read_cohort_file(path, sheet)
    columns = [_profile(file, name, place) for place, name in enumerate(file.cells)]
    roles = _Roles([column for column in columns if len(column.cells)])
    problems = []
    if roles.arm is None:
        problems.append(f"no column has 2 to {MOST_ARMS} groups that could be compared")
    if not roles.endpoints:
        problems.append(
            "no column of times or dates goes with a column of events (two values, such as 0 and "
            "1); name them so, for instance os_months and os_event"
        )
    if problems:
        raise InputError(path, problems)
    name = " ".join(path.name.split())
    text = HEADER.format(name=name, n=len(file.cells), columns=len(columns))
    return text + "\n".join(_write(roles, columns, path, sheet)) + "\n"


def _profile(file, name, place):
    cells = file.cells[name].astype(object)
    known = cells[~cells.isin(MISSING)]
    label = file.column_labels.get(name, name.replace("_", " ").strip())
    label = " ".join(label.split()) or name
    is_whole = len(known) > 0 and known.str.fullmatch(WHOLE).all()
    return Profile(
        name,
        label[:1].upper() + label[1:],
        known.str.replace(WHOLE, r"\1", regex=True) if is_whole else known,
        len(cells),
        file.value_labels.get(name, {}),
        name in file.dates,
        bool(known.str.fullmatch(r"[+-]?[0-9]+,[0-9]+").any()),
        place,
    )


class _Roles:
    """Which column is what; `taken` holds those with a role."""

    def __init__(self, columns):
        self.columns = columns
        self.taken = set()
        self.dates = [column for column in columns if column.is_date]
        self._take(*self.dates)
        self.identifier = self._find_identifier()
        self._take(self.identifier)
        self.response = next((c for c in self._free() if _is_response(c)), None)
        self._take(self.response)
        self.adverse_events = [c for c in self._free() if _is_graded(c)]
        self._take(*self.adverse_events)
        self.arm, self.arm_is_named = self._find_arm()
        self._take(self.arm)
        self.measurements = self._find_measurements()
        self.endpoints = self._find_endpoints()
        for endpoint in self.endpoints:
            self._take(*endpoint)
        self.covariates = [c for c in self._free() if c.is_category or _is_amount(c)]
        self._take(*self.covariates)
        self.unused = [c for c in columns if c.name not in self.taken] + [
            c for c in self.dates if not any(c in endpoint for endpoint in self.endpoints)
        ]

    def _take(self, *columns):
        self.taken |= {column.name for column in columns if column is not None}

    def _free(self):
        return [column for column in self.columns if column.name not in self.taken]

    def _find_identifier(self):
        def fits(column):
            return len(column.cells) == column.n and column.cells.is_unique

        named = [c for c in self._free() if IDENTIFIER & set(c.words)]
        first = [c for c in self._free() if c.place == 0 and not c.is_numeric and c.n > MOST_LEVELS]
        return next(filter(fits, [*named, *first]), named[0] if named else None)

    def _find_arm(self):
        groups = [c for c in self._free() if c.is_category and 2 <= c.cells.nunique() <= MOST_ARMS]
        for word in ARM:
            for column in groups:
                if word in column.words:
                    return column, True
        for column in groups:
            if set(ARM) & set(column.all_words):
                return column, False
        others = [c for c in groups if not EVENT & set(c.words)]
        return (others[0] if others else None), False

    def _find_endpoints(self):
        events = [
            c for c in self._free() if c.cells.nunique() <= 4 and c.is_category and _is_event(c)
        ]
        times = [c for c in self._free() if _is_time(c)]
        pairs = []
        for time in times:
            scored = [(_affinity(time, event), event) for event in events]
            best = max(scored, key=lambda pair: pair[0], default=(0, None))
            if best[0] > 0:
                pairs.append((best[0], time, best[1]))
        chosen, used = [], set()
        for _, time, event in sorted(pairs, key=lambda pair: -pair[0]):
            if event.name not in used:
                chosen.append((time, event))
                used.add(event.name)
        chosen.sort(key=lambda pair: pair[0].place)
        dated = self._find_dated(events)
        if not chosen:
            return dated
        kinds = {_kind(endpoint) for endpoint in chosen}
        returns = set(ENDPOINTS) - {"os"}
        if None in kinds:
            return chosen
        missing = ("os" not in kinds, not kinds & returns)
        return chosen + [
            endpoint
            for endpoint in dated
            if endpoint[2].is_date and missing[0 if _kind(endpoint) == "os" else 1]
        ]

    def _find_dated(self, events):
        """Endpoints counted from dates: start, last contact, then the days of events."""
        days = [c for c in self.dates if (DEATH | RETURN) & set(c.all_words) and len(c.cells) < c.n]
        others = [c for c in self.dates if c not in days]
        begins = [c for c in others if BEGINS & set(c.all_words)]
        ends = [c for c in others if ENDS & set(c.all_words) and c not in begins]
        ends.sort(key=lambda c: not {"last", "lst", "lstalv"} & set(c.all_words))
        if begins and ends and days:
            deaths = [c for c in days if DEATH & set(c.all_words)]
            returns = [c for c in days if c not in deaths]
            dated = [deaths] if deaths else []
            dated += [[*returns, *deaths]] if returns else []
            return [(begins[0], ends[0], *found) for found in dated]
        return [(begins[0], ends[0], events[0])] if begins and ends and events else []

    def _find_measurements(self):
        by_name = {_slug(c.name): c for c in self._free() if _is_amount(c)}
        found = {}
        for before, after in MOMENTS:
            for name, column in by_name.items():
                stem = name.removesuffix(f"_{before}")
                if stem != name and f"{stem}_{after}" in by_name:
                    found[stem] = (column, by_name[f"{stem}_{after}"])
        for _, after in found.values():
            self._take(after)
        return found


def _is_response(column):
    codes = {column.described(code).lower() for code in column.cells.unique()}
    return len(codes & {"cr", "pr", "sd", "pd"}) >= 2 and codes <= set(RESPONSES)


def _is_graded(column):
    named = {"ae", "grade", "ctcae", "toxicity", "tox", "adverse"} & set(column.all_words)
    if named == {"grade"} and "0" not in column.codes:  # of a tumour
        return False
    return bool(named) and set(column.cells) <= {"0", "1", "2", "3", "4", "5"}


def _is_event(column):
    named = EVENT & set(column.all_words)
    if named == {"status"}:  # of the patient, not of a receptor or a performance
        return set(column.words) <= TIME | EVENT | OF_WHOM
    if {column.described(code).lower() for code in column.codes} <= HAPPENED | NOT_HAPPENED:
        return bool(named)
    return bool(named) or (set(column.codes) == {"0", "1"} and bool(TIME & set(column.all_words)))


def _is_time(column):
    if "age" in column.all_words:
        return False
    words = column.all_words
    named = TIME & set(words) or any(word.rstrip("s") in UNITS for word in words)
    return bool(named) and column.is_numeric and len(column.codes) > 2 and column.numbers.min() >= 0


def _is_amount(column):
    return column.is_numeric and len(column.codes) > 2


def _affinity(time, event):
    times, words = time.all_words, event.all_words
    shared = (set(times) & set(words) & (TIME | EVENT | PROGRESSION)) - {"time", "event"}
    of_kind = {e for word in times for e in EVENT_OF.get(word, ())} & set(words)
    specific = any(word in EVENT_OF for word in times)
    others = {e for events in EVENT_OF.values() for e in events if e in words}
    generic = not specific and not (others - EVENT_OF["os"])
    score = 3 * len(shared) + 2 * bool(of_kind) + (1 if generic else 0)
    return score and score + 1 / (1 + abs(time.place - event.place))


def _kind(endpoint):
    """The key in ENDPOINTS of what the columns of an endpoint seem to be, or None."""
    words = {word for column in endpoint for word in column.all_words}
    *_, event = endpoint
    if len(endpoint) > 2 and endpoint[2].is_date and RETURN & set(endpoint[2].all_words):
        return "pfs" if PROGRESSION & words else "rfs"
    named = next((word for word in ENDPOINTS if word in words), None)
    return named or ("os" if (DEATH | {"vital"}) & set(event.all_words) else None)


def _words(text):
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", _plain(text))
    words = re.findall(r"[a-z]+[0-9]*[a-z]?", split.lower())
    for word in list(words):
        if together := re.fullmatch(RUN_TOGETHER, word):
            words += [together[1], SHORT[together[2]]]
        elif together := re.fullmatch(OF_A_DATE, word):
            words += [together[1], "date"]
    return words + [word.rstrip("0123456789") for word in words]


def _write(roles, columns, path, sheet):
    yield f"title: {_flow(path.stem.replace('_', ' '))}  # DECIDE: as it stands on the front page"
    if sheet:
        yield f"sheet: {_flow(sheet)}"
    yield from _write_formats(columns)
    yield from _write_identifier(roles.identifier)
    yield ""
    yield from _write_arm(roles.arm, roles.arm_is_named)
    yield ""
    yield from _write_endpoints(roles.endpoints)
    yield "milestones: [12, 24]  # DECIDE: the times at which survival is stated"
    stems = {before.name: stem for stem, (before, _) in roles.measurements.items()}
    keys = _keys(roles.covariates, stems)
    if keys:
        yield ""
        yield from _write_covariates(roles.covariates, keys)
        yield from _write_models(roles, keys)
    if roles.response is not None:
        yield ""
        yield from _write_response(roles.response)
    if roles.measurements:
        yield ""
        yield "measurements:"
        for stem, (before, after) in roles.measurements.items():
            entry = {"label": before.label.rsplit(" ", 1)[0], "unit": ""}
            entry |= {"baseline": before.name, "followup": after.name, "scale": "linear"}
            yield f"  {stem}: {_flow(entry)}  # DECIDE: unit; scale: log for skewed values"
    if roles.adverse_events:
        yield ""
        yield "adverse_events:"
        yield "  criteria: CTCAE 5.0  # DECIDE"
        yield "  severe_from: 3"
        yield "  events:"
        for key, column in zip(_keys(roles.adverse_events), roles.adverse_events, strict=True):
            label = re.sub(r"^ae[ .-]+(.)", lambda rest: rest[1].upper(), column.label, flags=re.I)
            yield f"    {key}: {_flow({'label': label, 'column': column.name})}"
    if roles.unused:
        yield ""
        yield "# Not used, and never shown (dates, free text, or one value only):"
        yield from (f"#   {_comment(c.name)}{_almost_numbers(c)}" for c in roles.unused)


def _almost_numbers(column):
    """What keeps a column of numbers from being one."""
    others = column.cells[column.numbers.isna()] if not column.is_date else column.cells[:0]
    if not 0 < len(others) <= MOSTLY_NUMBERS * len(column.cells):
        return ""
    first = f"row {others.index[0]}: {_comment(others.iloc[0])}"
    return (
        f"  # DECIDE: numbers in all cells but {len(others)} ({first}); correct them, draft again"
    )


def _write_formats(columns):
    text = [c for c in columns if c.is_date and not c.declared_date]
    digits = [cell for c in text for cell in c.cells if re.match(r"[0-9]{1,2}[./-][0-9]", cell)]
    if digits:
        first, second = (
            max(int(re.split(r"[./-]", cell)[place]) for cell in digits) for place in (0, 1)
        )
        style = "month_first" if second > 12 else "day_first"
        sure = first > 12 or second > 12
        example = _comment(digits[0])
        yield f"date_format: {style}" + ("" if sure else f"  # DECIDE: {example} could be either")
    if any(column.is_numeric and column.decimal_comma for column in columns):
        yield "decimal_mark: comma"


def _write_identifier(column):
    if column is None:
        yield "# identifier: COLUMN  # DECIDE: with one, a patient who stands twice is found"
        return
    yield f"identifier: {_flow(column.name)}"
    if not column.cells.is_unique:
        yield (
            f"# DECIDE: {column.cells.nunique()} values in {column.n} rows. A cohort file has one "
            "row a patient; a table with one row an event or visit must be brought to that shape."
        )


def _write_arm(column, is_named):
    keys = _level_keys(column)
    words = {
        key: set(re.findall(r"[a-z]+", column.described(c).lower())) for c, key in keys.items()
    }
    controls = [key for key in words if CONTROL & words[key]]
    yield "arm:" + ("" if is_named else "  # DECIDE: no column is called arm, treatment or group")
    yield f"  column: {_flow(column.name)}"
    yield f"  label: {_flow(column.label)}"
    reference = controls[0] if len(controls) == 1 else next(iter(keys.values()))
    note = "" if len(controls) == 1 else "  # DECIDE: which arm the others are compared with"
    yield f"  reference: {_flow(reference)}{note}"
    yield from _write_levels(column, keys, "  ")


def _write_levels(column, keys, indent):
    bare = all(_is_number(column.described(code)) for code in keys)
    yield f"{indent}levels:" + ("  # DECIDE: labels in words" if bare else "")
    seen = {}
    for code, key in keys.items():
        label = column.described(code)
        entry = {"label": label[:1].upper() + label[1:]}
        if code != key:
            entry["code"] = code
        twin = seen.setdefault(label.casefold(), code)
        note = "" if twin == code else f"  # DECIDE: the same as {_comment(twin)}? Correct the file"
        yield f"{indent}  {_flow(key)}: {_flow(entry)}{note}"


def _write_endpoints(endpoints):
    yield "time: {unit: months}  # of every time in the book"
    yield "endpoints:"
    used = set()
    for endpoint in endpoints:
        dated = endpoint[2:] if len(endpoint) > 2 and endpoint[2].is_date else ()
        *times, event = endpoint
        known = _kind(endpoint)
        key = _unique(known or "event_free", used)
        label = ENDPOINTS.get(known, "Event-free survival")
        yield f"  {key}:"
        yield f"    label: {_flow(label)}" + ("" if known else "  # DECIDE")
        yield f"    abbreviation: {_flow(key.upper() if known else 'EFS')}"
        if len(endpoint) > 2:
            yield f"    start: {_flow(times[0].name)}  # DECIDE: time is counted from this date"
            note = "to this one where no event happened" if dated else "to this one"
            yield f"    end: {_flow(times[1].name)}  # DECIDE: {note}"
        else:
            unit, sure = _guess_unit(times[0])
            yield f"    time: {_flow(times[0].name)}"
            yield f"    unit: {unit}" + ("" if sure else "  # DECIDE: days, weeks, months or years")
        if dated:
            names = [column.name for column in dated]
            yield f"    event_dates: {_flow(names)}  # DECIDE: the first that is filled ends it"
        else:
            yield f"    event: {_flow(event.name)}"
            yield from _write_codes(event, times)
        yield "    origin: ''  # DECIDE: what time is counted from, for instance randomization"


def _guess_unit(column):
    for word in column.all_words:
        if word.rstrip("s") in UNITS:
            return UNITS[word.rstrip("s")], True
    longest = column.numbers.max()
    return ("days" if longest > 300 else "months" if longest > 25 else "years"), False


def _write_codes(column, times):
    codes = list(column.cells.unique())
    codes.sort(key=lambda c: column.codes.index(c))
    words = {code: column.described(code).lower() for code in codes}
    happened = [code for code in codes if words[code] in HAPPENED]
    censored = [code for code in codes if words[code] in NOT_HAPPENED]
    note = ""
    if not (happened and censored):
        happened, censored, note = _guess_codes(column, codes, times)
    competing = [code for code in codes if code not in (*happened, *censored)]
    if (happened, censored, competing) == (["1"], ["0"], []) and not note:
        return
    yield f"    event_codes: {_flow([_code(c) for c in happened])}{note}"
    yield f"    censored_codes: {_flow([_code(c) for c in censored])}"
    if competing:
        yield "    competing:  # DECIDE: events after which this one cannot happen"
        for code in competing:
            entry = {"label": column.described(code), "code": code}
            yield f"      {_level_keys(column)[code]}: {_flow(entry)}"


def _guess_codes(column, codes, times):
    if len(codes) == 1:
        other = "1" if codes[0] == "0" else "0"
        return ([codes[0]], [other], "  # DECIDE: the column has this value only")
    if "cnsr" in column.words and "0" in codes:
        rest = [code for code in codes if code != "0"]
        return ["0"], rest, "  # CDISC: CNSR is 0 for an event, anything else is censored"
    first, second = codes[:2]
    if (first, second) == ("1", "2"):
        return ["2"], ["1"], "  # DECIDE: 2 is the event, as R writes it"
    happened, censored, note = second, first, ""
    named_for_censoring = {"cens", "censor", "censored"} & set(column.words)
    if named_for_censoring and len(times) == 1:
        time = times[0].numbers
        median = {code: time[column.cells.index[column.cells == code]].median() for code in codes}
        happened = min((first, second), key=lambda code: median[code])
        censored = second if happened == first else first
        note = "  # DECIDE: guessed, as those with this code have the shorter times"
    elif len(codes) > 2 or (first, second) != ("0", "1"):
        note = "  # DECIDE"
    return [happened], [censored], note


def _code(text):
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]*", text) else text


def _write_covariates(columns, keys):
    yield "covariates:"
    for key, column in zip(keys, columns, strict=True):
        yield f"  {key}:"
        if column.is_category:
            levels = _level_keys(column)
            yield "    kind: categorical"
            yield f"    label: {_flow(column.label)}"
            yield from [f"    column: {_flow(column.name)}"] if column.name != key else []
            yield f"    reference: {_flow(next(iter(levels.values())))}"
            yield from _write_levels(column, levels, "    ")
            continue
        summary = "mean_sd" if abs(column.numbers.skew()) < SKEWED else "median_iqr"
        stated = re.fullmatch(WITH_UNIT, column.label)
        label, unit = stated.groups() if stated else (column.label, "")
        yield "    kind: continuous"
        yield f"    label: {_flow(label)}"
        yield from [f"    column: {_flow(column.name)}"] if column.name != key else []
        yield f"    unit: {_flow(unit)}" + ("" if stated else "  # DECIDE")
        yield f"    summary: {summary}"
        yield f"    decimals: {_decimals(column)}"


def _write_models(roles, keys):
    event = roles.endpoints[0][-1]
    count = len(event.cells) if event.is_date else event.cells.value_counts().min()
    yield ""
    yield f"baseline: {_flow(keys)}"
    yield (
        f"# DECIDE: the covariates of the Cox models; {EVENTS_PER_VARIABLE} events are wanted for "
        f"each coefficient, and {_comment(event.name)} has about {count}."
    )
    most = max(1, int(count // EVENTS_PER_VARIABLE))
    yield f"prognostic: {_flow(['arm', *keys[: most - 1]])}"
    yield "subgroups: []  # DECIDE: categorical covariates, chosen before looking"


def _write_response(column):
    codes = [code for code in column.codes if code in set(column.cells)]
    keys = {code: column.described(code).lower() for code in codes}
    order = sorted(codes, key=lambda code: list(RESPONSES).index(keys[code]))
    yield "response:"
    yield f"  column: {_flow(column.name)}"
    yield "  criteria: RECIST 1.1  # DECIDE"
    yield "  categories:"
    for code in order:
        entry = {"label": RESPONSES[keys[code]], "code": code}
        yield f"    {keys[code]}: {_flow(entry)}"
    yield "  rates:"
    for key, label, counted in (
        ("orr", "Objective response rate", ("cr", "pr")),
        ("dcr", "Disease control rate", ("cr", "pr", "sd")),
    ):
        present = [keys[code] for code in order if keys[code] in counted]
        if present:
            yield f"    {key}: {_flow({'label': label, 'categories': present})}"


def _level_keys(column):
    used = set()
    codes = [code for code in column.codes if code in set(column.cells) or code in column.labels]
    return {code: _unique(_slug(column.described(code), "level"), used) for code in codes}


def _keys(columns, instead=()):
    used = {"arm", "any", "response", "interruption"}
    names = [dict(instead).get(column.name, column.name) for column in columns]
    return [_unique(_slug(name, "column"), used) for name in names]


def _decimals(column):
    seen = column.cells.str.extract(r"[.,]([0-9]+)$")[0].str.len().max()
    return 0 if np.isnan(seen) else int(min(seen, 2))


def _is_number(text):
    return bool(re.fullmatch(NUMBER, text))


def _plain(text):
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _slug(text, empty="level"):
    slug = re.sub(r"[^a-z0-9]+", "_", _plain(text).lower()).strip("_")[:40]
    return slug if slug[:1].isalpha() else f"{'code' if slug else empty}_{slug}".strip("_")


def _unique(key, used):
    number, found = 2, key
    while found in used:
        found, number = f"{key}_{number}", number + 1
    used.add(found)
    return found


def _flow(value) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**9
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(text) -> str:
    return " ".join(_flow(" ".join(text.split())).split())
