"""The treatment effect within subgroups, and whether it differs between them."""

import math

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from helpers.estimators.cox import fit_cox
from helpers.results import BETWEEN_ARMS, collect_results, result_row
from helpers.survival import arm_rows, times

ADJUSTMENTS = {"p_holm": "holm", "p_benjamini_hochberg": "fdr_bh"}


def summarize_subgroups(cohort) -> pd.DataFrame:
    """Compare the arms within each level of the subgroups.

    Returns
    -------
    DataFrame
        Results of the analysis ``subgroup``: by level what `survival` gives for all patients,
        ``p`` by the study's convention and adjusted for the number of subgroup tests; by
        variable the likelihood-ratio test of interaction, ``p_interaction``.
    """
    rows = [
        row
        for endpoint in cohort.study.endpoints
        for variable in cohort.study.subgroups
        for row in _variable_rows(cohort, endpoint, variable)
    ]
    return collect_results([*rows, *_adjusted_rows(rows)])


def _variable_rows(cohort, endpoint, variable):
    keys = {"analysis": "subgroup", "variable": variable}
    for level in cohort.study.levels(variable):
        patients = cohort.subset(cohort.data[variable] == level)
        rows = list(arm_rows(patients, endpoint, level=level, **keys))
        yield from rows
        yield _test_row(rows, cohort.study.conventions.subgroup_test)
    p, method = interaction_p(cohort, endpoint, variable)
    yield result_row(
        statistic="p_interaction",
        value=p,
        group=BETWEEN_ARMS,
        endpoint=endpoint,
        method=method,
        **keys,
    )


def _test_row(rows, test):
    """The p value that the study's convention calls the subgroup's."""
    statistic = {"logrank": "p_logrank", "wald": "p_wald"}[test]
    chosen = next(row for row in rows if row["statistic"] == statistic)
    return chosen | {"statistic": "p", "group": BETWEEN_ARMS}


def interaction_p(cohort, endpoint, variable) -> tuple[float, str]:
    """Likelihood-ratio test of the interaction of treatment and a categorical covariate.

    The model with treatment, covariate and their products against the one without products.

    Returns
    -------
    p : float
        NaN where one of the models does not exist.
    method : str
    """
    study = cohort.study
    patients = cohort.data[cohort.data[variable].notna()]
    levels = [level for level in study.levels(variable) if level != study.reference(variable)]
    treated = [(patients["arm"] == arm).to_numpy(float) for arm in cohort.compared_arms]
    at_level = [(patients[variable] == level).to_numpy(float) for level in levels]
    products = [one * other for one in treated for other in at_level]
    observed = times(patients, endpoint)
    ties = study.conventions.ties
    plain = fit_cox(*observed, np.column_stack([*treated, *at_level]), ties=ties)
    crossed = fit_cox(*observed, np.column_stack([*treated, *at_level, *products]), ties=ties)
    for fit in (plain, crossed):
        if fit.problem:
            return math.nan, fit.method
    gain = 2 * (crossed.log_likelihood - plain.log_likelihood)
    return float(stats.chi2.sf(max(gain, 0), len(products))), "likelihood ratio"


def _adjusted_rows(rows):
    tests = [row for row in rows if row["statistic"] == "p" and not math.isnan(row["value"])]
    if not tests:
        return
    for statistic, method in ADJUSTMENTS.items():
        adjusted = multipletests([row["value"] for row in tests], method=method)[1]
        for row, p in zip(tests, adjusted, strict=True):
            yield row | {
                "statistic": statistic,
                "value": float(p),
                "method": f"{method} of {len(tests)} tests",
            }
