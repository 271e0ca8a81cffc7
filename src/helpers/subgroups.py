"""The treatment effect within subgroups, and whether it differs between them."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from helpers.condensed import condense
from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.cox import fit_cox
from helpers.regression import design_model, fit_model
from helpers.results import BETWEEN_ARMS, collect_results, result_row
from helpers.survival import comparison_rows, median_rows

ADJUSTMENTS = {"p_holm": "holm", "p_benjamini_hochberg": "fdr_bh"}


def summarize_subgroups(cohort) -> pd.DataFrame:
    """Compare the arms within each level of the subgroups.

    Returns
    -------
    DataFrame
        Results of the analysis ``subgroup``. By level: patients, events, medians, hazard
        ratios, and ``p`` by the study's convention. By variable: ``p_interaction``, a
        likelihood-ratio test. Both are also adjusted for the number of such tests over all
        endpoints and subgroups. The row of all patients is in the analysis ``survival``.
    """
    rows = [
        row
        for endpoint in cohort.study.endpoints
        for variable in cohort.study.subgroups
        for row in _variable_rows(cohort, endpoint, variable)
    ]
    for statistic in ("p", "p_interaction"):
        rows += _adjusted_rows([row for row in rows if row["statistic"] == statistic])
    return collect_results(rows)


def _variable_rows(cohort, endpoint, variable):
    keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
    cohort = condense(cohort.observed(endpoint), endpoint, ["arm", variable])
    conventions = cohort.study.conventions
    for level in cohort.study.levels(variable):
        patients = cohort.subset(cohort.data[variable] == level)
        yield from median_rows(patients, endpoint, level=level, **keys)
        compared = list(comparison_rows(patients, endpoint, level=level, **keys))
        yield from compared
        if conventions.subgroup_test == "logrank":
            yield next(row for row in compared if row["statistic"] == "p_logrank") | {
                "statistic": "p"
            }
        else:
            test = _wald_test(patients, endpoint)
            yield _between_arms_row("p", test, level=level, **keys)
    test = interaction_test(cohort, endpoint, variable)
    yield _between_arms_row("p_interaction", test, **keys)


def _between_arms_row(statistic, test, **keys):
    return result_row(
        statistic=statistic, value=test.p, group=BETWEEN_ARMS, method=test.method, **keys
    )


def _wald_test(cohort, endpoint):
    design = design_model(cohort, endpoint, ["arm"])
    return fit_model(design, cohort.study.conventions).wald_test(design.places("arm"))


def interaction_test(cohort, endpoint, variable) -> ChiSquare:
    """Likelihood-ratio test of the interaction of treatment and a categorical covariate.

    The model with treatment, covariate and their products against the one without products;
    none where a level of an arm has no patient or no event, as a coefficient is then infinite.

    Parameters
    ----------
    cohort : Cohort
    endpoint, variable : str
    """
    conventions = cohort.study.conventions
    design = design_model(cohort, endpoint, ["arm", variable])
    arms, levels = (design.covariates[:, design.places(name)] for name in ("arm", variable))
    products = (arms[:, :, None] * levels[:, None, :]).reshape(len(design.time), -1)
    plain = fit_model(design, conventions)
    crossed = fit_cox(
        design.time,
        design.event,
        np.column_stack([design.covariates, products]),
        ties=conventions.ties,
        **design.options,
    )
    for fit in (plain, crossed):
        if fit.problem:
            return no_chi_square(fit.problem)
    gain = 2 * (crossed.log_likelihood - plain.log_likelihood)
    return chi_square(max(gain, 0.0), products.shape[1], "likelihood-ratio test")


def _adjusted_rows(rows):
    """Adjust for the tests that exist; the others stay NaN."""
    values = np.array([row["value"] for row in rows], float)
    known = ~np.isnan(values)
    for statistic, method in ADJUSTMENTS.items():
        adjusted = values.copy()
        if known.any():
            adjusted[known] = multipletests(values[known], method=method)[1]
        for row, value in zip(rows, adjusted, strict=True):
            how = row["method"] if np.isnan(value) else f"{method} over {known.sum()} tests"
            yield row | {"statistic": statistic, "value": float(value), "method": how}
