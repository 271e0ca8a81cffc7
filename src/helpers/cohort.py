"""The patients: read, checked, and named by the keys of the study file."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from helpers.errors import InputError
from helpers.study import Study

MISSING = {"", "NA", "N/A", "NaN", "nan", "."}
SHOWN_ROWS = 5  # rows that one message names before it counts the rest


@dataclass(frozen=True)
class Cohort:
    """Patients as rows, with the study that says what the columns mean.

    Attributes
    ----------
    data : DataFrame
        ``arm`` and categorical covariates as ordered categories of level keys; continuous
        covariates as floats; ``{endpoint}_time`` in the study's unit and
        ``{endpoint}_event`` (0, 1); ``{exposure}`` and ``{exposure}_duration``;
        ``response``; ``{measurement}_baseline`` and ``_followup``; ``ae_{event}`` (highest
        grade); ``interruption`` (0, 1). What the study file does not name is not kept.
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

    def groups(self):
        """Yield ``(key, patients)`` for the whole cohort and for each arm."""
        yield "overall", self.data
        for arm in self.arms:
            yield arm, self.data[self.data["arm"] == arm]

    def subset(self, rows) -> Cohort:
        """The cohort of the patients at which the boolean `rows` holds."""
        return Cohort(self.data[rows], self.study)


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
        A CSV file, comma-separated, UTF-8, one patient a row.
    study : Study

    Returns
    -------
    Cohort

    Raises
    ------
    InputError
        With every problem of the file: row, column, what was found, what to do.
    """
    raw = _read_text(path)
    return Cohort(_checked(raw, study, path), study)


def cohort_from_frame(frame, study, source="cohort") -> Cohort:
    """Check a data frame as `load_cohort` checks a file."""
    text = frame.astype(object).where(frame.notna(), "").map(_plain)
    text.index = range(2, len(text) + 2)
    return Cohort(_checked(text, study, source), study)


def _plain(value) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _read_text(path):
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            numbered = enumerate(csv.reader(file), start=1)
            rows = {n: row for n, row in numbered if any(cell.strip() for cell in row)}
    except FileNotFoundError:
        raise InputError(path, ["there is no such file; give the path of a cohort file"]) from None
    except UnicodeDecodeError:
        raise InputError(path, ["is not UTF-8 text; save it as 'CSV UTF-8'"]) from None
    except (OSError, csv.Error) as error:
        raise InputError(path, [f"cannot be read: {error}"]) from None
    if not rows:
        raise InputError(path, ["is empty; a header and one row a patient are needed"])
    first, *patients = rows
    header = [name.strip() for name in rows[first]]
    problems = []
    if len(header) == 1:
        for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if mark in header[0]:
                problems.append(f"columns are separated by {name}; save it with commas")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        problems.append(f"row {first}: columns named twice: {', '.join(repeated)}; rename one")
    for number in patients:
        found = len(rows[number])
        if found != len(header):
            problems.append(f"row {number}: {found} cells where the header has {len(header)}")
    if not patients and not problems:
        problems.append("has a header but no patient")
    if problems:
        raise InputError(path, problems)
    cells = [rows[number] for number in patients]
    frame = pd.DataFrame(cells, index=patients, columns=header, dtype=object)
    return frame.map(str.strip)


def _fields(study):
    arm_codes = study.arm.codes()
    yield _categorical(study.arm.column, "arm", arm_codes, nullable=False)
    for key, endpoint in study.endpoints.items():
        factor = study.time.per(endpoint.unit)
        yield _number(
            endpoint.time, f"{key}_time", lower=0, nullable=False, scale=factor, what="a time"
        )
        yield _flag(endpoint.event, f"{key}_event", "an event", nullable=False)
    for key, covariate in study.covariates.items():
        column = study.covariate_column(key)
        if covariate.kind == "continuous":
            yield _number(column, key)
        elif covariate.cutoff is not None:
            yield _cut(column, key, covariate)
        else:
            yield _categorical(column, key, covariate.codes())
    for key, exposure in study.exposures.items():
        yield _categorical(exposure.column, key, exposure.codes())
        if exposure.duration:
            yield _number(exposure.duration, f"{key}_duration", lower=0, what="a duration")
    if study.response:
        yield _categorical(study.response.column, "response", study.response.codes())
    for key, measurement in study.measurements.items():
        for moment in ("baseline", "followup"):
            yield _number(getattr(measurement, moment), f"{key}_{moment}")
    if study.adverse_events:
        grades = {text: grade for grade in range(6) for text in (f"{grade}", f"{grade}.0")}
        for event in study.adverse_events.events:
            column = study.adverse_events.column(event)
            yield _coded(column, f"ae_{event}", grades, "a grade is 0 (none) to 5")
        if study.adverse_events.interruption:
            yield _flag(study.adverse_events.interruption, "interruption", "an interruption")


def _categorical(column, name, codes, nullable=True):
    known = ", ".join(codes)
    check = pa.Check(
        lambda cells: cells.isin(codes.keys()),
        error=f"not a level of the study file; its levels are {known}",
    )
    categories = list(dict.fromkeys(codes.values()))

    def convert(cells):
        return pd.Categorical(cells.map(codes), categories=categories, ordered=True)

    return _Field(column, name, check, convert, nullable)


def _coded(column, name, codes, meaning, nullable=True):
    check = pa.Check(lambda cells: cells.isin(codes.keys()), error=meaning)
    return _Field(column, name, check, lambda cells: cells.map(codes).astype(float), nullable)


def _flag(column, name, what, nullable=True):
    codes = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
    return _coded(column, name, codes, f"{what} is 1, its absence 0", nullable)


def _as_number(cells):
    return pd.to_numeric(cells, errors="coerce")


def _number(column, name, lower=None, nullable=True, scale=1.0, what="a value"):
    def valid(cells):
        numbers = _as_number(cells)
        return np.isfinite(numbers) & (True if lower is None else numbers >= lower)

    sign = "" if lower is None else ", not negative"
    check = pa.Check(valid, error=f"{what} must be a number{sign}, with a decimal point, no unit")
    return _Field(column, name, check, lambda cells: _as_number(cells) / scale, nullable)


def _cut(column, name, covariate):
    below, above = covariate.levels
    field = _number(column, name)

    def convert(cells):
        numbers = _as_number(cells)
        keys = np.where(numbers >= covariate.cutoff, above, below)
        keys = pd.Series(keys, index=cells.index).where(numbers.notna())
        return pd.Categorical(keys, categories=[below, above], ordered=True)

    return _Field(column, name, field.check, convert)


def _checked(raw, study, source):
    fields = list(_fields(study))
    columns = {field.column for field in fields}
    if study.identifier:
        columns.add(study.identifier)
    missing = sorted(columns - set(raw.columns))
    problems = [
        f"row 1: column {name!r} is missing; add it, or name another in the study file"
        + _similar(name, raw.columns)
        for name in missing
    ]
    if missing:
        problems.append(f"row 1: the columns of the file are {', '.join(raw.columns)}")
    text = raw.where(~raw.isin(MISSING), None)
    present = [field for field in fields if field.column not in missing]
    for field in present:
        problems += _violations(text[field.column], field)
    if study.identifier and study.identifier not in missing:
        problems += _repeated(text[study.identifier])
    if study.arm.column not in missing:
        codes = study.arm.codes()
        occupied = {codes.get(cell) for cell in text[study.arm.column]}
        problems += [
            f"column {study.arm.column!r}: no patient in arm {arm!r}; "
            "remove the arm from the study file or correct the column"
            for arm in study.arm.levels
            if arm not in occupied
        ]
    if problems:
        raise InputError(source, dict.fromkeys(problems))
    data = {field.name: field.convert(text[field.column]) for field in fields}
    return pd.DataFrame(data, index=text.index).reset_index(drop=True)


def _similar(name, columns):
    by_folded = {column.casefold(): column for column in columns}
    close = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f" (did you mean {by_folded[close[0]]!r}?)" if close else ""


def _violations(cells, field):
    column = pa.Column(object, checks=field.check, nullable=field.nullable)
    schema = pa.DataFrameSchema({field.column: column})
    try:
        schema.validate(cells.to_frame(), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases
    else:
        return
    empty = cases["check"] == "not_nullable"
    for meaning, group in (
        ("is empty; this column must be complete", cases[empty]),
        (field.check.error, cases[~empty]),
    ):
        found = group.drop_duplicates("index")
        for index, case in zip(found["index"][:SHOWN_ROWS], found["failure_case"], strict=False):
            what = meaning if pd.isna(case) else f"found {case!r}: {meaning}"
            yield f"row {index}, column {field.column!r}: {what}"
        if len(found) > SHOWN_ROWS:
            rest = len(found) - SHOWN_ROWS
            yield f"column {field.column!r}: {rest} more rows like these"


def _repeated(cells):
    for identifier, group in cells.groupby(cells, sort=False):
        if len(group) > 1:
            rows = ", ".join(map(str, group.index))
            yield (
                f"rows {rows}, column {cells.name!r}: identifier {identifier!r} stands "
                f"{len(group)} times; a patient has one row"
            )
    for index in cells.index[cells.isna()]:
        yield f"row {index}, column {cells.name!r}: is empty; each patient needs an identifier"
