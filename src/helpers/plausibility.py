"""What a cohort is allowed to hold and yet is odd: warnings before an analysis."""

from __future__ import annotations

import itertools

import numpy as np

from helpers.cohort import Cohort, check_cells
from helpers.cohort_files import read_cohort_file
from helpers.errors import Problem, problems_where

FEW_PATIENTS = 5
LONGEST_YEARS = 40  # of follow-up, beyond which the unit is doubted
FAR_OUT = 10  # interquartile ranges from the quartiles
MOSTLY_MISSING = 0.5
FEWEST_TO_JUDGE = 20  # patients
LATER = 1.5  # times the median time of the censored
SHOWN_GROUPS = 5  # of rows that are the same
CENSORING = ("cnsr", "cens")
DEATH = "os"


def check_cohort(path, study) -> tuple[Cohort, list[Problem]]:
    """Load a cohort and list what is odd about it.

    Parameters
    ----------
    path : path-like
    study : Study

    Returns
    -------
    cohort : Cohort
    warnings : list of Problem
        Each with rows of the file where it has any.

    Raises
    ------
    InputError
        With every problem that prevents an analysis.
    """
    cells = read_cohort_file(path, study.sheet).cells
    data = check_cells(cells, study, path)
    warnings = [
        *_odd_endpoints(data, study),
        *_odd_order(data, study, cells),
        *_odd_covariates(data, study),
        *_repeated_patients(cells, study),
    ]
    return Cohort(data.reset_index(drop=True), study), warnings


def _odd_endpoints(data, study):
    for key, endpoint in study.endpoints.items():
        unknown = data[f"{key}_time"].isna()
        yield from problems_where(
            unknown,
            f"time or event is not known: left out of {endpoint.label}",
            endpoint.event_column,
        )
        time, event = (data.loc[~unknown, f"{key}_{part}"] for part in ("time", "event"))
        for arm, level in study.arm.levels.items():
            here = event[data["arm"] == arm]
            if not here.any():
                yield Problem(
                    f"none of the {len(here)} patients in {level.label!r} has the event "
                    f"({endpoint.event_label}): its hazard ratio does not exist",
                    column=endpoint.event_column,
                )
        if event.all():
            yield Problem(
                "every patient has the event, none is censored", column=endpoint.event_column
            )
        place = endpoint.time or endpoint.end
        yield from problems_where(time.eq(0) & event.eq(1), "has the event at time 0", place)
        yield from problems_where(
            time.eq(0) & event.eq(0), "is censored at time 0: counts for nothing", place
        )
        yield from _odd_unit(time, endpoint, study)
        yield from _odd_coding(time, event, endpoint)


def _odd_unit(time, endpoint, study):
    if endpoint.counted_from_dates:
        return
    longest = time.max() * study.time.per(endpoint.unit)
    years = time.max() * study.time.per("years")
    if years > LONGEST_YEARS:
        yield Problem(
            f"the longest time is {longest:g} {endpoint.unit}, {years:.0f} years: is the unit "
            f"{_smaller(endpoint.unit)}?",
            column=endpoint.time,
        )
    declared = (time * study.time.per(endpoint.unit)).round(6)
    if endpoint.unit == "days" and (declared % 1 > 0).mean() > 0.5:
        yield Problem(
            "most times are not whole, but the unit is days: are these months?",
            column=endpoint.time,
        )


def _smaller(unit):
    return {"years": "months or days", "months": "days", "weeks": "days"}.get(unit, "hours")


def _odd_coding(time, event, endpoint):
    name = endpoint.event_column.casefold()
    stated = {"event_dates", "event_codes", "censored_codes"} & endpoint.model_fields_set
    if not stated and any(word in name for word in CENSORING):
        yield Problem(
            "the name says that 1 is censored (CDISC's CNSR is 0 for an event), but 1 is read as "
            "an event: state event_codes and censored_codes",
            column=endpoint.event_column,
        )
    happened, censored = time[event == 1], time[event == 0]
    many = len(time) >= FEWEST_TO_JUDGE and 2 * min(len(happened), len(censored)) >= FEWEST_TO_JUDGE
    if many and happened.median() > LATER * censored.median():
        yield Problem(
            "those with the event were observed longer than those censored (medians): "
            "is the coding inverted?",
            column=endpoint.event_column,
        )


def _odd_order(data, study, cells):
    """Who dies has no later event: no other endpoint outlasts overall survival.

    A time in whole tenths of a month may fall short of one counted in days by its rounding.
    """
    death = next(
        (k for k, e in study.endpoints.items() if e.abbreviation.casefold() == DEATH), None
    )
    if death is None:
        return
    for key, endpoint in study.endpoints.items():
        if key != death:
            survival = study.endpoints[death]
            rounded = [e for e in (endpoint, survival) if not e.counted_from_dates]
            allowed = _half_step(rounded[0], study, cells) if len(rounded) == 1 else 0
            longer = data[f"{key}_time"] > data[f"{death}_time"] + allowed + 1e-9
            yield from problems_where(
                longer,
                f"{endpoint.abbreviation} is longer than {survival.abbreviation}",
                endpoint.time or endpoint.end,
            )


def _half_step(endpoint, study, cells):
    """Half the last decimal in which the times of an endpoint are written, in the book's unit."""
    decimals = cells[endpoint.time].astype(str).str.extract(r"[.,]([0-9]+)$")[0].str.len().max()
    return 0.5 / 10 ** (0 if np.isnan(decimals) else decimals) / study.time.per(endpoint.unit)


def _odd_covariates(data, study):
    for key, covariate in study.covariates.items():
        values, column = data[key], study.covariate_column(key)
        if values.isna().mean() > MOSTLY_MISSING:
            yield Problem(
                f"{values.isna().sum()} of {len(values)} patients have no value", column=column
            )
        if covariate.kind == "continuous":
            yield from problems_where(
                _far_out(values), "is far from all others: a slip of typing?", column
            )
            if values.nunique() == 1:
                yield Problem("has one value: it can explain nothing", column=column)
            continue
        for level, n in values.value_counts(sort=False).items():
            label = covariate.levels[level].label
            if n == 0:
                yield Problem(f"no patient is at level {label!r}", column=column)
            elif n < FEW_PATIENTS:
                yield Problem(f"level {label!r} has {n} patient{'s' * (n > 1)}", column=column)


def _far_out(values):
    low, high = values.quantile([0.25, 0.75])
    width = FAR_OUT * (high - low)
    return (values < low - width) | (values > high + width) if width > 0 else values.isin([np.inf])


def _repeated_patients(cells, study):
    rest = cells.drop(columns=[study.identifier] if study.identifier else [])
    repeated = rest[rest.duplicated(keep=False)]
    patterns = repeated.astype(object).groupby(list(rest.columns), sort=False)
    for _, rows in itertools.islice(patterns, SHOWN_GROUPS):
        yield Problem("are the same in every column: one patient twice?", list(rows.index))
    if patterns.ngroups > SHOWN_GROUPS:
        yield Problem(f"{patterns.ngroups - SHOWN_GROUPS} more groups of rows that are the same")
