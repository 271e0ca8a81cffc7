"""Whether synthetic patients could be patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

DAYS_PER_WEEK = 7.0


def summarize_plausibility(cohort, endpoints, visit_weeks, accrual_years) -> pd.DataFrame:
    """Count the patients who meet what holds for every patient.

    Parameters
    ----------
    cohort : Cohort
    endpoints : (str, str)
        The outer one, and the inner one that ends no later.
    visit_weeks : (float, float)
        Shortest and longest time between two visits.
    accrual_years : float
        From the first patient to the end of accrual.

    Returns
    -------
    DataFrame
        ``check``, ``n`` who meet it, ``of`` how many, ``must`` (False where a patient may be
        an exception).
    """
    data, study = cohort.data, cohort.study
    outer, inner = (data[f"{key}_time"] for key in endpoints)
    died, progressed = (data[f"{key}_event"] == 1 for key in endpoints)
    days = {key: _days(data[f"{key}_time"], study) for key in endpoints}
    names = [study.endpoints[key].abbreviation for key in endpoints]
    rows = [
        (f"{names[0]} and {names[1]} are whole days", _whole(days), True),
        (f"{names[1]} ends no later than {names[0]}", inner <= outer, True),
        (f"who has the event of {names[0]} has that of {names[1]}", progressed[died], True),
        (
            f"who has no event of {names[1]} is censored in {names[0]}",
            ~died[~progressed],
            True,
        ),
        (
            f"observed for no longer than the {accrual_years:g} years of accrual",
            outer * study.time.per("years") <= accrual_years,
            True,
        ),
        ("meets every criterion of eligibility", _eligible(data, study), True),
        *_grades(data, study),
    ]
    alone = progressed & ~((inner == outer) & died)
    seen = _at_visit(days[endpoints[1]][alone], visit_weeks)
    low, high = (f"{week:g}" for week in visit_weeks)
    rows.append(
        (f"progression on a day that visits every {low} to {high} weeks reach", seen, False)
    )
    found = [(check, int(np.sum(met)), len(met), must) for check, met, must in rows]
    return pd.DataFrame(found, columns=["check", "n", "of", "must"])


def _days(time, study):
    return time * study.time.per("days")


def _whole(days):
    stacked = np.stack([values.to_numpy() for values in days.values()])
    return (np.abs(stacked - np.round(stacked)) < 1e-6).all(axis=0)


def _eligible(data, study):
    met = np.ones(len(data), bool)
    for criterion in study.eligibility:
        met &= np.any([data[one.variable] == one.level for one in criterion.any_of], axis=0)
    return met


def _grades(data, study):
    if study.adverse_events is None:
        return []
    grades = np.stack([data[f"ae_{key}"].to_numpy() for key in study.adverse_events.events])
    whole = (grades == np.round(grades)) & (grades >= 0) & (grades <= 5)
    return [("each adverse event has one grade, from 0 to 5", whole.all(axis=0), True)]


def _at_visit(days, visit_weeks):
    """Whether some number of visits reaches a day, each after the shortest to the longest time."""
    days = np.asarray(days, float)
    shortest, longest = (DAYS_PER_WEEK * week for week in visit_weeks)
    fewest = np.ceil(days / longest - 1e-9)
    return (fewest >= 1) & (fewest * shortest <= days + 1e-9)


def summarize_skew(cohort) -> pd.DataFrame:
    """Skewness of each continuous covariate, and of its logarithm where it is positive.

    Returns
    -------
    DataFrame
        ``variable``, ``n``, ``skewness``, ``skewness_log``.
    """
    rows = []
    for name, covariate in cohort.study.covariates.items():
        if covariate.kind == "continuous" and cohort.data[name].notna().sum() > 2:
            values = cohort.data[name].dropna().to_numpy(float)
            logs = stats.skew(np.log(values)) if values.min() > 0 else np.nan
            rows.append((name, len(values), float(stats.skew(values)), float(logs)))
    return pd.DataFrame(rows, columns=["variable", "n", "skewness", "skewness_log"])


def summarize_associations(cohort) -> pd.DataFrame:
    """Rank correlations that the study file assumes, and those of the cohort.

    Spearman's, of patients of an arm, averaged over the arms by their sizes; only between
    columns that `helpers.cohort.Cohort.data` has under both names.

    Returns
    -------
    DataFrame
        ``variable``, ``with``, ``assumed``, ``found``.
    """
    rows = []
    for name, others in cohort.study.associations.items():
        for other, assumed in others.items():
            if {name, other} <= set(cohort.data):
                found = _rank_correlation(cohort, name, other)
                rows.append((name, other, assumed, found))
    return pd.DataFrame(rows, columns=["variable", "with", "assumed", "found"])


def _rank_correlation(cohort, name, other):
    total = weights = 0.0
    for arm in cohort.arms:
        pair = cohort.data.loc[cohort.data["arm"] == arm, [name, other]].dropna()
        one, two = (_as_numbers(pair[key], cohort.study, key) for key in (name, other))
        if np.ptp(one) and np.ptp(two):
            total += len(pair) * stats.spearmanr(one, two).statistic
            weights += len(pair)
    return total / weights if weights else np.nan


def _as_numbers(values, study, name):
    """Levels count by their place, the reference first."""
    if values.dtype != "category":
        return values.to_numpy(float)
    codes = values.cat.codes.to_numpy(float)
    reference = study.reference(name) if name in study.covariates else None
    first = list(values.cat.categories).index(reference) if reference else 0
    return -codes if first else codes
