"""A yes or no of each patient as results: its share of each group, its test, its contrasts."""

import numpy as np
import pandas as pd

from helpers.estimators import contingency
from helpers.results import BETWEEN_ARMS, OVERALL, contrast, result_row


def count_levels(cohort, values) -> pd.DataFrame:
    """Count the patients at each level, in the whole cohort and in each arm.

    Parameters
    ----------
    cohort : Cohort
    values : Series
        One categorical or nullable boolean value a patient; missing values are not counted.

    Returns
    -------
    DataFrame
        Levels as rows, groups as columns.
    """
    if values.dtype == "boolean":
        values = values.astype(pd.CategoricalDtype([False, True]))
    shape = len(cohort.arms), len(values.cat.categories) + 1
    arm = pd.Categorical(cohort.data["arm"], categories=cohort.arms).codes
    cell = np.ravel_multi_index((arm, values.cat.codes + 1), shape)
    counts = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)[:, 1:]
    levels = pd.CategoricalIndex(values.cat.categories, dtype=values.dtype)
    by_arm = dict(zip(cohort.arms, counts, strict=True))
    return pd.DataFrame({OVERALL: counts.sum(axis=0), **by_arm}, index=levels)


def missing_rows(cohort, counts, **keys):
    """Yield ``n_missing`` of each group for counts that `count_levels` made."""
    n_missing = cohort.sizes() - counts.sum()
    for group, n in n_missing.items():
        yield result_row(statistic="n_missing", value=n, group=group, **keys)


def level_rows(counts, level, conf_level, /, **keys):
    """Yield ``n`` and ``percent``, with its exact interval, of one level in each group.

    The denominator is the patients with a value. A group without any has no rows.

    Parameters
    ----------
    counts : DataFrame
        Made by `count_levels`.
    level
        Row of `counts`.
    conf_level : float
    **keys
        Keys of the results other than group and statistic.
    """
    for group, column in counts.items():
        n_known = column.sum()
        if n_known == 0:
            continue
        share = contingency.proportion(column[level], n_known, conf_level)
        yield result_row(statistic="n", value=column[level], group=group, **keys)
        for statistic, value, method in (
            ("percent", share.value, ""),
            ("percent_conf_low", share.conf_low, share.method),
            ("percent_conf_high", share.conf_high, share.method),
        ):
            yield result_row(
                statistic=statistic, value=100 * value, group=group, method=method, **keys
            )


def comparison_rows(counts, rules, **keys):
    """Yield a p value between the arms for each rule of `rules`, by statistic."""
    table = counts.drop(columns=OVERALL).to_numpy()
    for statistic, rule in rules.items():
        test = contingency.categorical_test(table, rule)
        yield result_row(
            statistic=statistic, value=test.p, group=BETWEEN_ARMS, method=test.method, **keys
        )


def contrast_rows(cohort, counts, **keys):
    """Yield risk difference (percentage points) and odds ratio of each arm with the reference.

    Parameters
    ----------
    cohort : Cohort
    counts : DataFrame
        Of a yes or no, made by `count_levels`.
    **keys
        Keys of the results other than group and statistic.
    """
    reference = cohort.study.arm.reference
    conf_level = cohort.study.conventions.confidence_level
    totals = counts.sum()
    for arm in cohort.compared_arms:
        table = counts.loc[True, arm], totals[arm], counts.loc[True, reference], totals[reference]
        for name, estimate, unit in (
            ("risk_difference", contingency.risk_difference(*table, conf_level), 100),
            ("odds_ratio", contingency.odds_ratio(*table, conf_level), 1),
        ):
            for statistic, value in (
                (name, estimate.value),
                (f"{name}_conf_low", estimate.conf_low),
                (f"{name}_conf_high", estimate.conf_high),
            ):
                yield result_row(
                    statistic=statistic,
                    value=unit * value,
                    group=contrast(arm, reference),
                    method=estimate.method,
                    **keys,
                )
