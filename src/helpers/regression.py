"""Cox models of a cohort: their design, their fit, and their rows of results."""

from dataclasses import dataclass

import numpy as np

from helpers.condensed import N_PATIENT, condense, n_patient_of
from helpers.estimators.cox import CoxFit, fit_cox
from helpers.estimators.proportional_hazards import ProportionalHazards, proportional_hazards
from helpers.results import PER_UNIT, contrast, result_row


@dataclass(frozen=True)
class Term:
    """One coefficient: a level against the reference, or a step of a continuous covariate."""

    variable: str
    level: str | None = None
    reference: str | None = None
    step: float = 1.0

    @property
    def group(self) -> str:
        """The group under which its results are filed."""
        return PER_UNIT if self.level is None else contrast(self.level, self.reference)

    @property
    def directions(self) -> dict[str, int]:
        """The groups of its results: the contrast, and its reciprocal with the sign changed."""
        if self.level is None:
            return {self.group: 1}
        return {self.group: 1, contrast(self.reference, self.level): -1}


@dataclass(frozen=True)
class Design:
    """The patients in whom the covariates and the outcome of a model are known, as arrays.

    A row is a patient or, in a large cohort, all patients who are alike.

    Attributes
    ----------
    terms : tuple of Term
    time, event : ndarray of shape (n,)
    covariates : ndarray of shape (n, number of terms)
    options : dict
        ``entry``, ``strata`` and ``n_patient`` as the estimators take them, None where the
        study has none and where a row is a patient.
    """

    terms: tuple[Term, ...]
    time: np.ndarray
    event: np.ndarray
    covariates: np.ndarray
    options: dict

    @property
    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What an estimator takes."""
        return self.time, self.event, self.covariates

    def places(self, variable) -> list[int]:
        """Positions of the coefficients of a covariate."""
        return [place for place, term in enumerate(self.terms) if term.variable == variable]


def times(patients, endpoint) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of an endpoint as arrays."""
    time, event = patients[f"{endpoint}_time"], patients[f"{endpoint}_event"]
    return time.to_numpy(float), event.to_numpy(bool)


def entry_times(patients, endpoint) -> np.ndarray | None:
    """Times after which patients are at risk; None where all are from the start."""
    if f"{endpoint}_entry" not in patients:
        return None
    entry = patients[f"{endpoint}_entry"].to_numpy(float)
    return np.where(entry > 0, entry, -np.inf)


def strata_of(patients, study) -> np.ndarray | None:
    """Stratum of each patient, a combination of the levels of the study's strata."""
    if not study.strata:
        return None
    return patients.groupby(study.strata, observed=True, sort=False).ngroup().to_numpy()


def terms_of(study, variable) -> list[Term]:
    """The coefficients that a covariate has in a model."""
    reference = study.reference(variable)
    if reference is None:
        return [Term(variable, step=study.covariates[variable].per)]
    levels = study.levels(variable)
    return [Term(variable, level, reference) for level in levels if level != reference]


def design_model(cohort, endpoint, variables) -> Design:
    """Take the complete cases of an endpoint and `variables`; code levels against references."""
    variables = list(variables)
    needed = [*variables, *cohort.study.strata]
    names = dict.fromkeys([*needed, *cohort.study.names_of(endpoint), N_PATIENT])
    known = condense(cohort.observed(endpoint), endpoint, variables).data.filter(names)
    patients = known[known[needed].notna().all(axis=1)]
    terms = [term for variable in variables for term in terms_of(cohort.study, variable)]
    columns = [_column(patients, term) for term in terms]
    covariates = np.column_stack(columns) if columns else np.empty((len(patients), 0))
    options = {
        "entry": entry_times(patients, endpoint),
        "strata": strata_of(patients, cohort.study),
        "n_patient": n_patient_of(patients),
    }
    return Design(tuple(terms), *times(patients, endpoint), covariates, options)


def _column(patients, term):
    values = patients[term.variable]
    return (values / term.step if term.level is None else values == term.level).to_numpy(float)


def fit_model(design, conventions) -> CoxFit:
    """Fit a model by the study's conventions."""
    return fit_cox(*design.arrays, ties=conventions.ties, **design.options)


def check_hazards(fit, conventions) -> ProportionalHazards:
    """Test a fitted model for proportional hazards by the study's conventions."""
    return proportional_hazards(fit, transform=conventions.proportional_hazards)


def coefficient_rows(design, fit, log_limits, /, **keys):
    """Yield each coefficient: every contrast with the reference level, and its reciprocal.

    Parameters
    ----------
    design : Design
    fit : CoxFit
    log_limits : pair of ndarray
        Limits of the log hazard ratios.
    **keys
        Keys of the results other than variable, group and statistic; a `variable` among them
        replaces the term's.
    """
    low, high = log_limits
    p = fit.wald_p()
    for place, term in enumerate(design.terms):
        here = {"variable": term.variable, "method": fit.method_of(place), **keys}
        for group, sign in term.directions.items():
            values = directed(
                sign, fit.coef[place], fit.std_error[place], (low[place], high[place]), p[place]
            )
            for statistic, value in values.items():
                yield result_row(statistic=statistic, value=value, group=group, **here)


def directed(sign, coef, std_error, log_limits, p) -> dict:
    """The statistics of a coefficient in one of its directions.

    Parameters
    ----------
    sign : {1, -1}
    coef, std_error, p : float or ndarray
    log_limits : pair of float or ndarray
        The lower one first.
    """
    low, high = log_limits[::sign]
    return {
        "hazard_ratio": np.exp(sign * coef),
        "hazard_ratio_conf_low": np.exp(sign * low),
        "hazard_ratio_conf_high": np.exp(sign * high),
        "p_wald": p,
        "coef": sign * coef,
        "std_error": std_error,
    }


def p_rows(statistic, design, tests, /, **keys):
    """Yield the p value of a test of each coefficient, in both directions."""
    for term, test in zip(design.terms, tests, strict=True):
        for group in term.directions:
            yield result_row(
                statistic=statistic,
                value=test.p,
                variable=term.variable,
                group=group,
                method=test.method,
                **keys,
            )


def estimate_rows(statistic, estimate, method="", /, **keys):
    """Yield an estimate and the limits of its interval."""
    method = method or estimate.method
    yield result_row(statistic=statistic, value=estimate.value, method=method, **keys)
    for limit in ("conf_low", "conf_high"):
        value = getattr(estimate, limit)
        yield result_row(statistic=f"{statistic}_{limit}", value=value, method=method, **keys)
