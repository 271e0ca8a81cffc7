"""Cox models of cohorts with missing covariates, by multiple imputation."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from helpers.cohort import Cohort
from helpers.regression import design_model, fit_model, times

FIRST_ROUNDS, ROUNDS = 10, 5  # of the chained equations before the first data set, and between
DONORS = 5  # patients among whom predictive mean matching chooses


@dataclass(frozen=True)
class PooledFit:
    """Fits to imputed data sets, pooled; the attributes are those of `CoxFit`.

    Attributes
    ----------
    coef, std_error : ndarray of shape (p,)
    freedom : ndarray of shape (p,)
        Degrees of freedom of the t distribution.
    reasons : tuple of str
        Why a coefficient does not exist; empty if it does.
    n, n_event : int
    method : str
    """

    coef: np.ndarray
    std_error: np.ndarray
    freedom: np.ndarray
    reasons: tuple[str, ...]
    n: int
    n_event: int
    method: str
    concordance: float = math.nan
    log_likelihood: float = math.nan

    def method_of(self, place) -> str:
        """The method of a coefficient, or why it does not exist."""
        return f"none: {self.reasons[place]}" if self.reasons[place] else self.method

    def wald_p(self) -> np.ndarray:
        """Two-sided p value of each coefficient."""
        return 2 * stats.t.sf(np.abs(self.coef / self.std_error), self.freedom)

    def interval(self, conf_level) -> tuple[np.ndarray, np.ndarray]:
        """Limits of the log hazard ratios."""
        spread = stats.t.ppf((1 + conf_level) / 2, self.freedom) * self.std_error
        return self.coef - spread, self.coef + spread


def fit_imputed(cohort, endpoint, variables):
    """Fit a Cox model to each of several imputed cohorts and pool the fits.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    variables : list of str
        Covariates of the model, which are also those that impute each other, beside the arm,
        the event and the cumulative hazard.

    Returns
    -------
    design : Design
        Of the first imputed cohort.
    fit : PooledFit

    References
    ----------
    Rubin DB. Multiple Imputation for Nonresponse in Surveys, 1987. White IR, Royston P. Stat
    Med 2009;28:1982-1998.
    """
    study = cohort.study
    designs = [
        design_model(imputed, endpoint, variables)
        for imputed in impute(cohort, endpoint, variables)
    ]
    fits = [fit_model(design, study.conventions) for design in designs]
    return designs[0], pool(fits)


def pool(fits) -> PooledFit:
    """Pool fits by Rubin's rules.

    Parameters
    ----------
    fits : list of CoxFit
    """
    coefs = np.array([fit.coef for fit in fits])
    within = np.mean([fit.std_error**2 for fit in fits], axis=0)
    between = coefs.var(axis=0, ddof=1) if len(fits) > 1 else np.zeros(coefs.shape[1])
    between = (1 + 1 / len(fits)) * between
    freedom = np.full(coefs.shape[1], np.inf)
    spread = between > 0
    freedom[spread] = (len(fits) - 1) * (1 + within[spread] / between[spread]) ** 2
    reasons = tuple(
        next((fit.reasons[place] for fit in fits if fit.reasons[place]), "")
        for place in range(coefs.shape[1])
    )
    method = f"{fits[0].method}, {len(fits)} imputations, Rubin's rules"
    if len(fits) == 1:
        method = f"{fits[0].method}, nothing to impute"
    return PooledFit(
        coefs.mean(axis=0),
        np.sqrt(within + between),
        freedom,
        reasons,
        fits[0].n,
        fits[0].n_event,
        method,
    )


def impute(cohort, endpoint, variables):
    """Yield cohorts whose missing values of `variables` are filled by chained equations.

    Each value is taken from one of the patients with the nearest predicted means, so that
    levels stay levels. The cohort itself, where nothing can be imputed; a covariate with one
    value is neither imputed nor does it impute.
    """
    study = cohort.study
    data = cohort.data
    varying = [name for name in variables if data[name].nunique() > 1]
    if data[varying].notna().all(axis=None):
        yield cohort
        return
    from statsmodels.imputation.mice import MICEData

    columns = {f"x{n}": name for n, name in enumerate(varying)}
    if "arm" not in variables:
        columns["arm"] = "arm"
    numbers = pd.DataFrame({key: _as_number(data[name]) for key, name in columns.items()})
    numbers["event"] = data[f"{endpoint}_event"].astype(float)
    numbers["hazard"] = _cumulative_hazard(*times(data, endpoint))
    terms = {
        key: f"C({key})" if key in columns and _n_level(data[columns[key]]) > 2 else key
        for key in numbers
    }
    chain = MICEData(numbers, k_pmm=DONORS, rng=study.conventions.imputation_seed)
    for key in numbers:
        if numbers[key].isna().any():
            others = [term for name, term in terms.items() if name != key]
            chain.set_imputer(key, formula=" + ".join(others), k_pmm=DONORS)
    for number in range(study.conventions.imputations):
        chain.update_all(ROUNDS if number else FIRST_ROUNDS)
        filled = {name: _as_before(chain.data[key], data[name]) for key, name in columns.items()}
        yield Cohort(data.assign(**filled), study)


def _as_number(values):
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.codes.astype(float).where(values.notna())
    return values.astype(float)


def _as_before(numbers, values):
    if isinstance(values.dtype, pd.CategoricalDtype):
        codes = numbers.round().astype(int).to_numpy()
        return pd.Categorical.from_codes(codes, dtype=values.dtype)
    return numbers.to_numpy()


def _n_level(values):
    return values.nunique() if isinstance(values.dtype, pd.CategoricalDtype) else 0


def _cumulative_hazard(time, event):
    """The Nelson-Aalen estimate at the time of each patient."""
    moments, place = np.unique(time, return_inverse=True)
    n_event = np.bincount(place, event, len(moments))
    n_risk = np.cumsum(np.bincount(place, minlength=len(moments))[::-1])[::-1]
    return np.cumsum(n_event / n_risk)[place]
