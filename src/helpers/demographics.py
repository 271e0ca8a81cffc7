"""The patients: how many, who they were, whom the criteria let in, what they were given."""

import functools
import operator

import pandas as pd

from helpers.distributions import mean_rows, quartile_rows
from helpers.estimators import contingency, location
from helpers.results import BETWEEN_ARMS, collect_results, contrast, result_row
from helpers.shares import comparison_rows, count_levels, level_rows, missing_rows

EVERY_CRITERION = "all"


def summarize_demographics(cohort) -> pd.DataFrame:
    """Describe the patients of each group, and how alike the arms are.

    Returns
    -------
    DataFrame
        Results of the analyses ``cohort``, ``baseline``, ``eligibility`` and ``exposure``.
    """
    return collect_results(_rows(cohort))


def _rows(cohort):
    for group, n in cohort.sizes().items():
        yield result_row("cohort", "n", n, group=group)
    for variable in cohort.study.baseline:
        if cohort.study.covariates[variable].kind == "categorical":
            yield from _categorical_rows(cohort, variable)
        else:
            yield from _continuous_rows(cohort, variable)
    yield from _eligibility_rows(cohort)
    for variable in cohort.study.exposures:
        yield from _exposure_rows(cohort, variable)


def _categorical_rows(cohort, variable):
    keys = {"analysis": "baseline", "variable": variable}
    conventions = cohort.study.conventions
    counts = count_levels(cohort, cohort.data[variable])
    for level in counts.index:
        yield from level_rows(counts, level, conventions.confidence_level, level=level, **keys)
    yield from missing_rows(cohort, counts, **keys)
    yield from comparison_rows(counts, {"p": conventions.categorical_test}, **keys)
    for arm in cohort.compared_arms:
        difference = contingency.standardized_difference(
            counts[arm], counts[cohort.study.arm.reference]
        )
        yield _balance_row(cohort, arm, difference, "yang_dalton", keys)


def _continuous_rows(cohort, variable):
    keys = {"analysis": "baseline", "variable": variable}
    conventions = cohort.study.conventions
    described_by_mean = cohort.study.covariates[variable].summary == "mean_sd"
    values = {}
    for group, own in cohort.split(cohort.data[variable]).items():
        values[group] = own.dropna().to_numpy()
        n_missing = len(own) - len(values[group])
        yield result_row(statistic="n", value=len(values[group]), group=group, **keys)
        yield result_row(statistic="n_missing", value=n_missing, group=group, **keys)
        if described_by_mean:
            yield from mean_rows(values[group], group=group, **keys)
        else:
            yield from quartile_rows(
                values[group], conventions.baseline_quantile, group=group, **keys
            )
    test = location.location_test(
        [values[arm] for arm in cohort.arms],
        conventions.mean_test if described_by_mean else conventions.rank_test,
    )
    yield result_row(statistic="p", value=test.p, group=BETWEEN_ARMS, method=test.method, **keys)
    for arm in cohort.compared_arms:
        difference = location.standardized_mean_difference(
            values[arm], values[cohort.study.arm.reference]
        )
        yield _balance_row(cohort, arm, abs(difference), "pooled_sd", keys)


def _balance_row(cohort, arm, difference, method, keys):
    group = contrast(arm, cohort.study.arm.reference)
    return result_row(statistic="smd", value=difference, group=group, method=method, **keys)


def _eligibility_rows(cohort):
    met = {}
    for number, criterion in enumerate(cohort.study.eligibility, start=1):
        conditions = [_holds(cohort.data[c.variable], c.level) for c in criterion.any_of]
        met[str(number)] = functools.reduce(operator.or_, conditions)
    if met:
        met[EVERY_CRITERION] = functools.reduce(operator.and_, met.values())
    for variable, answers in met.items():
        keys = {"analysis": "eligibility", "variable": variable}
        counts = count_levels(cohort, answers)
        yield from level_rows(counts, True, cohort.study.conventions.confidence_level, **keys)
        yield from missing_rows(cohort, counts, **keys)


def _holds(values, level):
    return (values == level).astype("boolean").mask(values.isna())


def _exposure_rows(cohort, variable):
    keys = {"analysis": "exposure", "variable": variable}
    conventions = cohort.study.conventions
    counts = count_levels(cohort, cohort.data[variable])
    for level in counts.index:
        yield from level_rows(counts, level, conventions.confidence_level, level=level, **keys)
    yield from missing_rows(cohort, counts, **keys)
    if cohort.study.exposures[variable].duration is None:
        return
    for group, patients in cohort.split(cohort.data[[variable, f"{variable}_duration"]]).items():
        durations = patients[f"{variable}_duration"].dropna()
        received = patients.loc[durations.index, variable]
        for level in ["", *counts.index]:
            chosen = (durations[received == level] if level else durations).to_numpy()
            here = {"level": level, "group": group, **keys}
            yield result_row(statistic="duration_n", value=len(chosen), **here)
            yield from mean_rows(chosen, prefix="duration_", **here)
            median = location.quantile(chosen, 0.5, conventions.baseline_quantile)
            yield result_row(
                statistic="duration_median",
                value=median,
                method=f"type_{conventions.baseline_quantile}",
                **here,
            )
