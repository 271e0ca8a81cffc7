"""The first study file in words: entries that follow from the file, and what to decide."""

from __future__ import annotations

import re

import numpy as np
import yaml

from helpers.draft.columns import ENDPOINTS, is_number, key_of
from helpers.draft.endpoints import guess_codes, guess_unit
from helpers.draft.roles import RESPONSES

EVENTS_PER_VARIABLE = 10
SKEWED = 1.0
MOSTLY_NUMBERS = 0.2  # of the cells are something else
WITH_UNIT = r"(.*\S)\s*[(\[]([^()\[\]]+)[)\]]"
CONTROL = {"control", "placebo", "observation", "obs", "standard", "none", "no", "old", "reference"}
HEADER = """\
# yaml-language-server: $schema=study.schema.json
# A first draft of the study file of {name}: {n} patients, {columns} columns.
# Lines that say DECIDE are guesses: check them and correct them. The rest follows from the file.
# Then: rhcc check {name} --study THIS_FILE"""


def write_study_file(roles, columns, path, sheet):
    """Yield the lines of a study file.

    Parameters
    ----------
    roles : Roles
    columns : list of Column
        All of the file.
    path : Path
    sheet : str or None
    """
    yield HEADER.format(name=" ".join(path.name.split()), n=columns[0].n, columns=len(columns))
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
    bare = all(is_number(column.described(code)) for code in keys)
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
        known = endpoint.kind
        key = _unique(known or "event_free", used)
        label = ENDPOINTS.get(known, "Event-free survival")
        yield f"  {key}:"
        yield f"    label: {_flow(label)}" + ("" if known else "  # DECIDE")
        yield f"    abbreviation: {_flow(key.upper() if known else 'EFS')}"
        if endpoint.time is None:
            start, end = _flow(endpoint.start.name), _flow(endpoint.end.name)
            where = " where no event happened" if endpoint.event_dates else ""
            yield f"    start: {start}  # DECIDE: time is counted from this date"
            yield f"    end: {end}  # DECIDE: to this one{where}"
        else:
            unit, sure = guess_unit(endpoint.time)
            yield f"    time: {_flow(endpoint.time.name)}"
            yield f"    unit: {unit}" + ("" if sure else "  # DECIDE: days, weeks, months or years")
        if endpoint.event_dates:
            names = [column.name for column in endpoint.event_dates]
            yield f"    event_dates: {_flow(names)}  # DECIDE: the first that is filled ends it"
        else:
            yield f"    event: {_flow(endpoint.event.name)}"
            yield from _write_codes(endpoint.event, endpoint.time)
        yield "    origin: ''  # DECIDE: what time is counted from, for instance randomization"


def _write_codes(event, time):
    happened, censored, competing, note = guess_codes(event, time)
    if (happened, censored, competing, note) == (["1"], ["0"], [], ""):
        return
    happened, censored = ([_code(code) for code in codes] for codes in (happened, censored))
    yield f"    event_codes: {_flow(happened)}" + (f"  # {note}" if note else "")
    yield f"    censored_codes: {_flow(censored)}"
    if competing:
        keys = _level_keys(event)
        yield "    competing:  # DECIDE: events after which this one cannot happen"
        for code in competing:
            yield f"      {keys[code]}: {_flow({'label': event.described(code), 'code': code})}"


def _code(text):
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]*", text) else text


def _write_covariates(columns, keys):
    yield "covariates:"
    for key, column in zip(keys, columns, strict=True):
        stated = None if column.is_category else re.fullmatch(WITH_UNIT, column.label)
        label, unit = stated.groups() if stated else (column.label, "")
        yield f"  {key}:"
        yield f"    kind: {'categorical' if column.is_category else 'continuous'}"
        yield f"    label: {_flow(label)}"
        yield from [f"    column: {_flow(column.name)}"] if column.name != key else []
        if column.is_category:
            levels = _level_keys(column)
            yield f"    reference: {_flow(next(iter(levels.values())))}"
            yield from _write_levels(column, levels, "    ")
            continue
        summary = "mean_sd" if abs(column.numbers.skew()) < SKEWED else "median_iqr"
        yield f"    unit: {_flow(unit)}" + ("" if stated else "  # DECIDE")
        yield f"    summary: {summary}"
        yield f"    decimals: {_decimals(column)}"


def _write_models(roles, keys):
    first = roles.endpoints[0]
    event = first.columns[-1]
    count = len(event.cells)
    if not first.event_dates:
        count = int(event.cells.isin(guess_codes(event, first.time)[0]).sum())
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
    return {code: _unique(key_of(column.described(code), "level"), used) for code in codes}


def _keys(columns, instead=()):
    used = {"arm", "any", "response", "interruption"}
    names = [dict(instead).get(column.name, column.name) for column in columns]
    return [_unique(key_of(name, "column"), used) for name in names]


def _decimals(column):
    seen = column.cells.str.extract(r"[.,]([0-9]+)$")[0].str.len().max()
    return 0 if np.isnan(seen) else int(min(seen, 2))


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
