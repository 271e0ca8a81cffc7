"""Prognostic factors: Cox models one covariate at a time, and together."""

import math

import numpy as np
import pandas as pd

from helpers.condensed import condense, count
from helpers.estimators.compiling import LARGE
from helpers.estimators.cox import MONOTONE
from helpers.estimators.firth import fit_firth, profile_firth, wald_profile
from helpers.imputation import fit_imputed
from helpers.regression import (
    check_hazards,
    coefficient_rows,
    design_model,
    fit_model,
    p_rows,
    terms_of,
)
from helpers.results import OVERALL, collect_results, result_row

COEFFICIENT = (
    "hazard_ratio",
    "hazard_ratio_conf_low",
    "hazard_ratio_conf_high",
    "p_wald",
    "coef",
    "std_error",
)


def summarize_prognostic_factors(cohort) -> pd.DataFrame:
    """Fit the Cox models of each endpoint.

    Returns
    -------
    DataFrame
        Results of ``cox_univariable`` (each covariate alone), ``cox_multivariable`` (those
        whose univariable Wald test is below the screening threshold, all levels jointly),
        ``cox_full`` (all) and ``cox_firth`` (with Firth's penalty, those that entered and those
        whose own likelihood has no maximum), and of ``cox_imputed`` (all, by multiple
        imputation) where the conventions ask for it. A model is fitted to the patients in whom
        its covariates, time and event are known. A covariate that was screened out has NaN.
    """
    return collect_results(
        row for endpoint in cohort.study.endpoints for row in _endpoint_rows(cohort, endpoint)
    )


def _endpoint_rows(cohort, endpoint):
    study, everyone = cohort.study, cohort.observed(endpoint)
    cohort = condense(everyone, endpoint, study.prognostic)
    tests = {}
    for variable in study.prognostic:
        alone = condense(cohort, endpoint, [variable])
        yield from _level_rows(alone, endpoint, variable)
        design = design_model(alone, endpoint, [variable])
        fit = fit_model(design, study.conventions)
        tests[variable] = fit.wald_test(design.places(variable))
        keys = {"analysis": "cox_univariable", "endpoint": endpoint}
        yield from _model_rows(study, design, fit, variable=variable, **keys)
        yield from _screening_rows(tests[variable], study, variable=variable, **keys)
    threshold = study.conventions.screening_threshold
    entered = [variable for variable, test in tests.items() if test.p < threshold]
    endless = [v for v, test in tests.items() if test.method == f"none: {MONOTONE}"]
    models = {
        "cox_multivariable": entered,
        "cox_full": study.prognostic,
        "cox_firth": [v for v in study.prognostic if v in entered or v in endless],
    }
    if study.conventions.missing == "mice":
        models["cox_imputed"] = study.prognostic
    for analysis, variables in models.items():
        keys = {"analysis": analysis, "endpoint": endpoint}
        design = design_model(cohort, endpoint, variables)
        if not variables:
            reason = "none: no covariate to enter"
            yield result_row(statistic="n_coefficient", value=0, method=reason, **keys)
        elif analysis == "cox_firth":
            yield from _penalized_rows(study, design, **keys)
        elif analysis == "cox_imputed":
            design, fit = fit_imputed(everyone, endpoint, variables)
            limits = fit.interval(study.conventions.confidence_level)
            yield from coefficient_rows(design, fit, limits, **keys)
            yield from _fit_rows(fit, **keys)
        else:
            yield from _model_rows(study, design, fit_model(design, study.conventions), **keys)
        test = "p_likelihood_ratio" if analysis == "cox_firth" else "p_proportional_hazards"
        for variable in study.prognostic:
            if variable not in variables:
                method = f"none: screened out, {_screening_result(tests[variable])}"
                yield from _absent_rows(
                    study, variable, (*COEFFICIENT, test), method=method, **keys
                )


def _level_rows(cohort, endpoint, variable):
    if cohort.study.reference(variable) is None:
        return
    patients = cohort.data
    for level in cohort.study.levels(variable):
        has = patients[variable] == level
        keys = {"endpoint": endpoint, "variable": variable, "level": level, "group": OVERALL}
        n_event = count(patients, has & (patients[f"{endpoint}_event"] == 1))
        yield result_row("cox_univariable", "n", count(patients, has), **keys)
        yield result_row("cox_univariable", "n_event", n_event, **keys)


def _screening_rows(test, study, **keys):
    threshold = study.conventions.screening_threshold
    yield result_row(statistic="p_screening", value=test.p, method=test.method, **keys)
    yield result_row(
        statistic="entered",
        value=test.p < threshold,
        method=f"p_screening below {threshold:g}",
        **keys,
    )


def _screening_result(test):
    return f"p {test.p:.3g}" if test.p == test.p else test.method.replace("none:", "no p:")


def _model_rows(study, design, fit, **keys):
    conventions = study.conventions
    yield from coefficient_rows(design, fit, fit.interval(conventions.confidence_level), **keys)
    checked = check_hazards(fit, conventions)
    names = {"analysis": keys["analysis"], "endpoint": keys["endpoint"]}
    yield from p_rows("p_proportional_hazards", design, checked.tests, **names)
    overall = checked.overall
    yield result_row(
        statistic="p_proportional_hazards", value=overall.p, method=overall.method, **keys
    )
    yield from _fit_rows(fit, **keys)


def _penalized_rows(study, design, **keys):
    conventions = study.conventions
    fit = fit_firth(*design.arrays, ties=conventions.ties, **design.options)
    find_limits = profile_firth if fit.n < LARGE else wald_profile
    profile = find_limits(fit, conf_level=conventions.confidence_level)
    for row in coefficient_rows(design, fit, (profile.conf_low, profile.conf_high), **keys):
        limit = row["statistic"].endswith(("conf_low", "conf_high"))
        yield row | {"method": profile.method} if limit else row
    yield from p_rows("p_likelihood_ratio", design, profile.tests, **keys)
    yield from _fit_rows(fit, **keys)


def _fit_rows(fit, **keys):
    n_coefficient = int(np.sum(~np.isnan(fit.coef)))
    for statistic, value in (
        ("n", fit.n),
        ("n_event", fit.n_event),
        ("n_coefficient", n_coefficient),
        ("events_per_variable", fit.n_event / n_coefficient if n_coefficient else math.nan),
        ("concordance", fit.concordance),
        ("log_likelihood", fit.log_likelihood),
    ):
        yield result_row(statistic=statistic, value=value, method=fit.method, **keys)


def _absent_rows(study, variable, statistics, **keys):
    for term in terms_of(study, variable):
        for group in term.directions:
            here = {"variable": variable, "group": group, **keys}
            for statistic in statistics:
                yield result_row(statistic=statistic, value=math.nan, **here)
