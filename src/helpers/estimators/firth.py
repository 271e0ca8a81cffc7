"""A Cox model with Firth's penalty, whose estimates stay finite where a level has no event."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.cox import (
    NO_EVENT,
    NO_INFORMATION,
    climb,
    describe_fit,
    fit_without_events,
    prepare_model,
)

PRECISION = 1e-11  # of a coefficient per standard deviation of its covariate
MOST_STEPS = 500
MOST_DOUBLINGS = 20  # of the distance at which a limit is sought


@dataclass(frozen=True)
class Profile:
    """What the profile of a penalized likelihood says about each coefficient.

    Attributes
    ----------
    conf_low, conf_high : ndarray of shape (p,)
        Limits of the log hazard ratios; NaN where there is none.
    tests : tuple of ChiSquare
        Penalized likelihood-ratio tests that a coefficient is zero.
    method : str
    """

    conf_low: np.ndarray
    conf_high: np.ndarray
    tests: tuple[ChiSquare, ...]
    method: str


class _Penalized:
    """Partial likelihood plus half the log determinant of its information."""

    def __init__(self, model, coef):
        there = model.at(coef)
        self.information = there.information()
        sign, log_determinant = np.linalg.slogdet(self.information)
        self.value = there.value + log_determinant / 2 if sign > 0 else -math.inf
        if math.isfinite(self.value):
            self.score = there.score + self._gradient(model, there) / 2

    def _gradient(self, model, there):
        """Gradient of the log determinant: third central moments against the variance."""
        x, sets, means = model.covariates, model.sets, there.means
        variance = np.linalg.inv(self.information)
        hazard, total = there.hazard[:, None], there.total[:, None]
        products = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        second = sets.sums(hazard * products) / total
        second = second.reshape(-1, *variance.shape)
        length = ((x @ variance) * x).sum(axis=1, keepdims=True)
        mean_length = sets.sums(hazard * length) / total
        third = sets.sums(hazard * length * x) / total
        leaned = np.einsum("sjk,sk->sj", second, means @ variance)
        across = ((means @ variance) * means).sum(axis=1, keepdims=True)
        moments = third - 2 * leaned + 2 * means * across - means * mean_length
        return sets.weight @ moments


def fit_firth(time, event, covariates, *, ties, strata=None, weights=None, entry=None):
    """Fit a Cox model by partial likelihood with Firth's penalty.

    Parameters
    ----------
    time, event, covariates, ties, strata, weights, entry
        As of `helpers.estimators.cox.fit_cox`.

    Returns
    -------
    CoxFit
        With penalized log likelihoods; standard errors from the unpenalized information.

    References
    ----------
    Firth D. Biometrika 1993;80:27-38. Heinze G, Schemper M. Biometrics 2001;57:114-119.
    """
    model = prepare_model(
        time, event, covariates, ties=ties, strata=strata, weights=weights, entry=entry
    )
    if model.sets is None:
        return fit_without_events(model)
    origin = np.zeros(len(model.used))
    coef, best = _maximize(model, origin, np.arange(len(origin)))
    to_given_scale = np.log(model.scale).sum()
    return describe_fit(
        model,
        coef,
        np.zeros(len(coef), bool),
        log_likelihood=best.value + to_given_scale,
        null_log_likelihood=_Penalized(model, origin).value + to_given_scale,
        score_test=no_chi_square("the likelihood is penalized"),
        method=f"cox, {ties} ties, Firth's penalty",
    )


def profile_firth(
    time, event, covariates, *, ties, conf_level, strata=None, weights=None, entry=None
) -> Profile:
    """Limits and tests from the profile of the penalized likelihood.

    A limit is where the likelihood, maximized over the other coefficients, has fallen by half
    the quantile of the chi-squared distribution; better than Wald's with few events.

    Parameters
    ----------
    time, event, covariates, ties, strata, weights, entry
        As of `helpers.estimators.cox.fit_cox`.
    conf_level : float

    References
    ----------
    Heinze G, Schemper M. Biometrics 2001;57:114-119.
    """
    model = prepare_model(
        time, event, covariates, ties=ties, strata=strata, weights=weights, entry=entry
    )
    low, high = np.full((2, model.n_covariate), math.nan)
    reason = NO_EVENT if model.sets is None else NO_INFORMATION
    tests = [no_chi_square(reason)] * model.n_covariate
    if model.sets is None:
        return Profile(low, high, tuple(tests), f"none: {reason}")
    every = np.arange(len(model.used))
    coef, best = _maximize(model, np.zeros(len(every)), every)
    std_error = np.sqrt(np.diag(np.linalg.inv(best.information)))
    drop = stats.chi2.ppf(conf_level, 1) / 2
    method = "profile penalized likelihood"
    for own, place in enumerate(model.used):
        others = np.delete(every, own)
        fallen = _Fall(model, coef, best.value, own, others)
        tests[place] = chi_square(max(2 * fallen(-coef[own]), 0.0), 1, method)
        low[place], high[place] = (
            (coef[own] + fallen.reaches(drop, side * std_error[own])) / model.scale[own]
            for side in (-1, 1)
        )
    return Profile(low, high, tuple(tests), method)


class _Fall:
    """How far the profile of one coefficient has fallen at a distance from its estimate."""

    def __init__(self, model, coef, top, own, others):
        self._model, self._coef, self._top = model, coef, top
        self._own, self._others = own, others

    def __call__(self, distance):
        start = self._coef.copy()
        start[self._own] += distance
        return self._top - _maximize(self._model, start, self._others)[1].value

    def reaches(self, drop, distance):
        """The distance at which the fall is `drop`; infinite where it never is."""
        for _ in range(MOST_DOUBLINGS):
            if self(distance) > drop:
                return optimize.brentq(
                    lambda there: self(there) - drop, 0.0, distance, xtol=1e-12, rtol=1e-12
                )
            distance *= 2
        return math.copysign(math.inf, distance)


def _maximize(model, coef, free):
    """Maximize over the coefficients at the positions `free`; the others stay."""
    there = _Penalized(model, coef)
    for _ in range(MOST_STEPS if len(free) else 0):
        step = np.zeros(len(coef))
        step[free] = np.linalg.solve(there.information[np.ix_(free, free)], there.score[free])
        if np.abs(step).max() < PRECISION:
            break
        coef, there = climb(lambda coef: _Penalized(model, coef), coef, step, there)
    return coef, there
