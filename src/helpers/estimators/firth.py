"""A Cox model with Firth's penalty, whose estimates stay finite where a level has no event."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.cox import (
    NO_EVENT,
    NO_INFORMATION,
    CoxFit,
    describe_fit,
    fit_without_events,
    prepare_model,
)

PRECISION = 1e-12  # of the coefficients, relative
RESIDUAL = 1e-8  # of the equations that they solve
NEWTON_STEPS = 5  # that are enough for many patients; with few, the penalty bends the way
SHORT = 1e-9  # step that is the last

WALD = "Wald, as the profile is with many patients"
NO_MAXIMUM = "the search found no maximum"


@dataclass(frozen=True)
class Profile:
    """What the profile of a penalized likelihood says about each coefficient.

    Attributes
    ----------
    conf_low, conf_high : ndarray of shape (p,)
        Limits of the log hazard ratios; NaN where there is none, or none was found.
    tests : tuple of ChiSquare
        Penalized likelihood-ratio tests that a coefficient is zero.
    method : str
    """

    conf_low: np.ndarray
    conf_high: np.ndarray
    tests: tuple[ChiSquare, ...]
    method: str


class _Penalized:
    """Partial likelihood plus half the log determinant of its information.

    Its value is infinitely low, and its score NaN, where the information is singular.
    """

    def __init__(self, model, coef):
        with np.errstate(all="ignore"):
            there = model.at(coef)
            self.information = there.information()
            sign, log_determinant = np.linalg.slogdet(self.information)
            self.value = there.value + log_determinant / 2 if sign > 0 else -math.inf
            self.score = np.full(len(coef), math.nan)
            if math.isfinite(self.value):
                self.score = there.score + self._gradient(there) / 2

    def _gradient(self, there):
        """Gradient of the log determinant: third central moments against the variance."""
        x, sets = there.covariates, there.sets
        variance = np.linalg.inv(self.information)
        length = ((x @ variance) * x).sum(axis=1)
        one, two, three = (
            [(sets.weight * there.moment(power, degree))[:, None] for degree in range(power + 1)]
            for power in (1, 2, 3)
        )
        risk, tied = there.sums(x)
        risk_length, tied_length = (values[:, None] for values in there.sums(length))

        third = x.T @ (there.hazard * length * sets.exposures(one[0], one[1])[:, 0])
        leaning = sets.exposures(two[0] * risk - two[1] * tied, two[1] * risk - two[2] * tied)
        second = x.T @ (there.hazard * ((leaning @ variance) * x).sum(axis=1))

        def across(left, right):
            return ((left @ variance) * right).sum(axis=1, keepdims=True)

        both, crossed, own = across(risk, risk), across(risk, tied), across(tied, tied)
        cubed = (
            three[0] * risk * both
            - three[1] * (tied * both + 2 * risk * crossed)
            + three[2] * (risk * own + 2 * tied * crossed)
            - three[3] * tied * own
        )
        stretched = (
            two[0] * risk * risk_length
            - two[1] * (risk * tied_length + tied * risk_length)
            + two[2] * tied * tied_length
        )
        return third - 2 * second + (2 * cubed - stretched).sum(axis=0)


def fit_firth(time, event, covariates, *, ties, **options) -> CoxFit:
    """Fit a Cox model by partial likelihood with Firth's penalty.

    Parameters
    ----------
    time, event, covariates, ties, **options
        As of `helpers.estimators.cox.fit_cox`, but for the engine.

    Returns
    -------
    CoxFit
        With penalized log likelihoods; standard errors from the unpenalized information.

    References
    ----------
    Firth D. Biometrika 1993;80:27-38. Heinze G, Schemper M. Biometrics 2001;57:114-119.
    """
    model = prepare_model(time, event, covariates, ties=ties, **options)
    if model.sets is None:
        return fit_without_events(model)
    origin = np.zeros(len(model.used))
    found = _solve(model, origin)
    coef = origin if found is None else found
    to_given_scale = np.log(model.scale).sum()
    return describe_fit(
        model,
        coef,
        np.full(len(coef), NO_MAXIMUM if found is None else ""),
        log_likelihood=_Penalized(model, coef).value + to_given_scale,
        null_log_likelihood=_Penalized(model, origin).value + to_given_scale,
        score_test=no_chi_square("the likelihood is penalized"),
        method=f"cox, {ties} ties, Firth's penalty",
    )


def profile_firth(fit, *, conf_level) -> Profile:
    """Limits and tests from the profile of the penalized likelihood.

    A limit is where the likelihood, maximized over the other coefficients, has fallen by half
    the quantile of the chi-squared distribution; better than Wald's with few events.

    Parameters
    ----------
    fit : CoxFit
        By `fit_firth`.
    conf_level : float

    References
    ----------
    Heinze G, Schemper M. Biometrics 2001;57:114-119. Venzon DJ, Moolgavkar SH. Appl Stat
    1988;37:87-94.
    """
    model = fit.model
    low, high = np.full((2, model.n_covariate), math.nan)
    for reason in (NO_EVENT, NO_MAXIMUM):
        if reason in fit.reasons:
            tests = (no_chi_square(reason),) * model.n_covariate
            return Profile(low, high, tests, f"none: {reason}")
    tests = [no_chi_square(NO_INFORMATION)] * model.n_covariate
    method = "profile penalized likelihood"
    profile = _Profile(model, fit.coef[model.used] * model.scale)
    quantile = stats.chi2.ppf(conf_level, 1)
    for own, place in enumerate(model.used):
        low[place], high[place] = (
            profile.limit(own, side * math.sqrt(quantile)) / model.scale[own] for side in (-1, 1)
        )
        gain = 2 * profile.fall_at_zero(own)
        known = math.isfinite(gain)
        tests[place] = chi_square(gain, 1, method) if known else no_chi_square(NO_MAXIMUM)
    return Profile(low, high, tuple(tests), method)


def wald_profile(fit, *, conf_level) -> Profile:
    """Limits and tests of Wald, which those of the profile come to with many patients.

    Parameters
    ----------
    fit : CoxFit
        By `fit_firth`.
    conf_level : float
    """
    tests = [
        no_chi_square(reason) if reason else chi_square(z**2, 1, WALD)
        for reason, z in zip(fit.reasons, fit.coef / fit.std_error, strict=True)
    ]
    return Profile(*fit.interval(conf_level), tuple(tests), WALD)


class _Profile:
    """The likelihood as a function of one coefficient, maximized over the others."""

    def __init__(self, model, coef):
        best = _Penalized(model, coef)
        self._model, self._coef, self._best = model, coef, best.value
        self._variance = np.linalg.inv(best.information)

    def _towards(self, own, distance):
        """Where the maximum over the others nearly is."""
        return self._coef + distance * self._variance[own] / self._variance[own, own]

    def limit(self, own, z):
        """The coefficient at which the likelihood has fallen by half the square of `z`."""

        def at_height(coef, there):
            return there.value - self._best + z**2 / 2, there.score

        start = self._towards(own, z * math.sqrt(self._variance[own, own]))
        found = _solve(self._model, start, own, at_height)
        beyond = found is not None and (found[own] - self._coef[own]) * z > 0
        return found[own] if beyond else math.nan

    def fall_at_zero(self, own):
        """How much lower the likelihood is where the coefficient is zero."""
        direction = np.eye(len(self._coef))[own]
        start = self._towards(own, -self._coef[own])
        found = _solve(self._model, start, own, lambda coef, there: (coef[own], direction))
        if found is None:
            return math.nan
        return max(self._best - _Penalized(self._model, found).value, 0.0)


def _solve(model, start, own=None, condition=None):
    """Coefficients at which the score is zero, or None if the search finds none.

    The equation of the coefficient `own` gives way to a condition: a function of coefficients
    and likelihood that returns a value to become zero, and its gradient.
    """
    if not len(start):
        return start

    def equations(coef):
        there = _Penalized(model, coef)
        values, slopes = there.score, -there.information
        if condition:
            values = values.copy()
            values[own], slopes[own] = condition(coef, there)
        return values, slopes

    coef = start
    for _ in range(NEWTON_STEPS):
        values, slopes = equations(coef)
        try:
            step = np.linalg.solve(slopes, -values)
        except np.linalg.LinAlgError:
            break
        coef = coef + step
        if np.abs(step).max() < SHORT:
            return coef
    found = optimize.root(equations, start, jac=True, options={"xtol": PRECISION})
    return found.x if (np.abs(found.fun) < RESIDUAL).all() else None
