"""Prognostic factors: Cox models one covariate at a time, and together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.estimators.cox import concordance, fit_cox
from helpers.estimators.proportional_hazards import proportional_hazards
from helpers.results import OVERALL, collect_results, result_row
from helpers.survival import ratio_rows, times


@dataclass(frozen=True)
class Term:
    """One coefficient of a model: a level against the reference, or a unit of a covariate."""

    variable: str
    level: str | None


@dataclass(frozen=True)
class Model:
    """The complete cases of some covariates, as arrays."""

    terms: tuple[Term, ...]
    time: np.ndarray
    event: np.ndarray
    design: np.ndarray

    def places(self, variable) -> list[int]:
        """Positions of the coefficients of a covariate."""
        return [place for place, term in enumerate(self.terms) if term.variable == variable]


def summarize_prognostic_factors(cohort) -> pd.DataFrame:
    """Fit the Cox models of each endpoint.

    Returns
    -------
    DataFrame
        Results of ``cox_univariable`` (each covariate alone), ``cox_multivariable`` (those
        whose univariable Wald p is below the screening threshold), ``cox_full`` (all) and
        ``cox_firth`` (the screened ones with Firth's penalty). A model is fitted to the
        patients in whom its covariates are known.
    """
    return collect_results(
        row for endpoint in cohort.study.endpoints for row in _endpoint_rows(cohort, endpoint)
    )


def design_model(cohort, endpoint, variables) -> Model:
    """Take the complete cases of `variables` and code the levels against their references."""
    study = cohort.study
    complete = cohort.data[list(variables)].notna().all(axis=1)
    patients = cohort.data[complete]
    terms, columns = [], []
    for variable in variables:
        values = patients[variable]
        reference = study.reference(variable)
        if reference is None:
            terms.append(Term(variable, None))
            columns.append(values.to_numpy(float))
            continue
        for level in study.levels(variable):
            if level != reference:
                terms.append(Term(variable, level))
                columns.append((values == level).to_numpy(float))
    design = np.column_stack(columns) if columns else np.empty((len(patients), 0))
    return Model(tuple(terms), *times(patients, endpoint), design)


def fit_model(model, conventions, penalty="none"):
    """Fit a model by the study's conventions."""
    engine = "newton" if penalty == "firth" else "lifelines"
    return fit_cox(
        model.time,
        model.event,
        model.design,
        ties=conventions.ties,
        engine=engine,
        penalty=penalty,
    )


def _endpoint_rows(cohort, endpoint):
    study = cohort.study
    conventions = study.conventions
    entered = []
    for variable in study.prognostic:
        yield from _count_rows(cohort, endpoint, variable)
        model = design_model(cohort, endpoint, [variable])
        fit = fit_model(model, conventions)
        yield from _model_rows(model, fit, study, "cox_univariable", endpoint)
        p = fit.joint_p(model.places(variable))
        enters = p < conventions.screening_threshold
        if enters:
            entered.append(variable)
        for statistic, value in (("p_screening", p), ("entered", enters)):
            yield result_row(
                "cox_univariable",
                statistic,
                value,
                endpoint=endpoint,
                variable=variable,
                method=f"joint Wald p below {conventions.screening_threshold:g}",
            )
    for analysis, variables, penalty in (
        ("cox_multivariable", entered, "none"),
        ("cox_full", study.prognostic, "none"),
        ("cox_firth", entered, "firth"),
    ):
        if variables:
            model = design_model(cohort, endpoint, variables)
            fit = fit_model(model, conventions, penalty)
            yield from _model_rows(model, fit, study, analysis, endpoint)
            yield from _quality_rows(model, fit, analysis, endpoint)


def _count_rows(cohort, endpoint, variable):
    keys = {"endpoint": endpoint, "variable": variable, "group": OVERALL}
    if cohort.study.reference(variable) is None:
        return
    for level in cohort.study.levels(variable):
        patients = cohort.data[cohort.data[variable] == level]
        events = patients[f"{endpoint}_event"].sum()
        yield result_row("cox_univariable", "n", len(patients), level=level, **keys)
        yield result_row("cox_univariable", "n_event", events, level=level, **keys)


def _model_rows(model, fit, study, analysis, endpoint):
    conventions = study.conventions
    checked = proportional_hazards(
        fit,
        model.time,
        model.event,
        model.design,
        ties=conventions.ties,
        transform=conventions.proportional_hazards,
    )
    for place, term in enumerate(model.terms):
        keys = {"analysis": analysis, "endpoint": endpoint, "variable": term.variable}
        if term.level is None:
            rows = list(ratio_rows(fit, place, "unit", "", conventions.confidence_level, **keys))
            rows = [row | {"group": "per_unit"} for row in rows[: len(rows) // 2]]
            group = "per_unit"
        else:
            reference = study.reference(term.variable)
            rows = list(
                ratio_rows(
                    fit, place, term.level, reference, conventions.confidence_level, **keys
                )
            )
            group = rows[0]["group"]
        yield from rows
        for statistic, value in (
            ("coef", fit.coef[place]),
            ("std_error", fit.std_error[place]),
            ("p_proportional_hazards", checked.p[place]),
        ):
            yield result_row(
                statistic=statistic, value=value, group=group, method=fit.method, **keys
            )


def _quality_rows(model, fit, analysis, endpoint):
    score = model.design @ fit.coef
    known = not np.isnan(score).any()
    for statistic, value in (
        ("n", fit.n),
        ("n_event", fit.n_event),
        ("n_coefficient", len(model.terms)),
        ("events_per_variable", fit.n_event / len(model.terms)),
        ("concordance", concordance(model.time, model.event, score) if known else np.nan),
        ("log_likelihood", fit.log_likelihood),
    ):
        yield result_row(analysis, statistic, value, endpoint=endpoint, method=fit.method)
