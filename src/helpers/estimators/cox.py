"""The Cox proportional hazards model."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

MONOTONE = 12.0  # a log hazard ratio per standard deviation that no data supports


@dataclass(frozen=True)
class CoxFit:
    """A fitted model.

    Attributes
    ----------
    coef, std_error : ndarray of shape (p,)
        Log hazard ratios and their standard errors; NaN where the fit does not exist.
    variance : ndarray of shape (p, p)
    log_likelihood, null_log_likelihood : float
    n, n_event : int
    problem : str
        Why the fit does not exist; empty if it does.
    method : str
    """

    coef: np.ndarray
    std_error: np.ndarray
    variance: np.ndarray
    log_likelihood: float
    null_log_likelihood: float
    n: int
    n_event: int
    problem: str
    method: str

    def wald_p(self) -> np.ndarray:
        """Two-sided p value of each coefficient."""
        return 2 * stats.norm.sf(np.abs(self.coef / self.std_error))

    def joint_p(self, which) -> float:
        """Wald p value of the coefficients at the positions `which` together."""
        coef = self.coef[which]
        if np.isnan(coef).any():
            return math.nan
        statistic = coef @ np.linalg.solve(self.variance[np.ix_(which, which)], coef)
        return float(stats.chi2.sf(statistic, len(which)))

    def interval(self, conf_level) -> tuple[np.ndarray, np.ndarray]:
        """Limits of the log hazard ratios."""
        spread = stats.norm.ppf((1 + conf_level) / 2) * self.std_error
        return self.coef - spread, self.coef + spread


@dataclass(frozen=True)
class RiskSet:
    """Who is at risk at one event time, in one step of the handling of ties.

    Attributes
    ----------
    time : float
    members : ndarray
        Positions of those at risk.
    share : ndarray
        What each counts in the denominator: 1, or less for tied events in Efron's steps.
    dead : ndarray
        Positions of those with the event, in the first step of each time; empty in the others.
    weight : float
        Weight of the step: the mean weight of the events at this time.
    """

    time: float
    members: np.ndarray
    share: np.ndarray
    dead: np.ndarray
    weight: float


def risk_sets(time, event, *, ties, strata=None, weights=None, entry=None) -> list[RiskSet]:
    """List the risk sets of a partial likelihood, one for each event.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
    ties : {'efron', 'breslow'}
    strata, weights, entry : ndarray of shape (n,), optional

    References
    ----------
    Efron B. J Am Stat Assoc 1977;72:557-565. Breslow N. Biometrics 1974;30:89-99.
    """
    if ties not in ("efron", "breslow"):
        raise ValueError(f"unknown ties {ties!r}")
    since = np.full(len(time), -np.inf) if entry is None else np.asarray(entry, float)
    stratum = np.zeros(len(time)) if strata is None else np.asarray(strata)
    weights = np.ones(len(time)) if weights is None else np.asarray(weights, float)
    found = []
    for own in np.unique(stratum):
        inside = stratum == own
        for when in np.unique(time[inside & event]):
            members = np.flatnonzero(inside & (time >= when) & (since < when))
            dead = np.flatnonzero(inside & (time == when) & event)
            mean_weight = float(weights[dead].mean())
            tied = np.isin(members, dead)
            for step in range(len(dead)):
                gone = step / len(dead) if ties == "efron" else 0.0
                share = np.where(tied, 1 - gone, 1.0)
                found.append(
                    RiskSet(when, members, share, dead if step == 0 else dead[:0], mean_weight)
                )
    return found


def fit_cox(
    time,
    event,
    covariates,
    *,
    ties,
    strata=None,
    weights=None,
    entry=None,
    engine="lifelines",
    penalty="none",
) -> CoxFit:
    """Fit a Cox model by partial likelihood.

    Parameters
    ----------
    time, event : array_like of shape (n,)
    covariates : array_like of shape (n, p)
    ties : {'efron', 'breslow'}
    strata, weights, entry : array_like of shape (n,), optional
        Baseline hazards of their own; case weights; times after which patients are at risk.
    engine : {'lifelines', 'newton'}
        Who maximizes. lifelines knows Efron's ties only; for Breslow's it is Newton's method.
    penalty : {'none', 'firth'}
        Firth's penalty keeps estimates finite where a level has no event.

    Returns
    -------
    CoxFit
        With NaN and a `problem` where no event was seen, a covariate does not vary among
        those at risk, or the likelihood has no maximum (a level without events).

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187-220. Heinze G, Schemper M. Biometrics 2001;57:114-119.
    """
    time = np.asarray(time, float)
    event = np.asarray(event, bool)
    x = np.asarray(covariates, float).reshape(len(time), -1)
    name = f"cox, {ties} ties" + (", Firth's penalty" if penalty == "firth" else "")
    if not event.any():
        return _no_fit(time, event, x, "no event", name)
    spread = x.std(axis=0)
    if (spread == 0).any() or np.linalg.matrix_rank(x - x.mean(axis=0)) < x.shape[1]:
        return _no_fit(time, event, x, "a covariate does not vary, or repeats another", name)
    sets = risk_sets(time, event, ties=ties, strata=strata, weights=weights, entry=entry)
    weights = np.ones(len(time)) if weights is None else np.asarray(weights, float)
    if penalty == "none" and _is_monotone(x, sets):
        return _no_fit(time, event, x, "a level without events, or with all of them first", name)
    null = _likelihood(np.zeros(x.shape[1]), x, weights, sets)[0]
    plain = strata is None and entry is None and np.all(weights == 1) and penalty == "none"
    if engine == "lifelines" and ties == "efron" and plain:
        coef, converged = _lifelines(time, event, x), True
        name += ", lifelines"
    else:
        coef, converged = _newton(x, weights, sets, penalty)
    if not converged or (np.abs(coef) * spread > MONOTONE).any():
        return _no_fit(time, event, x, "the likelihood has no maximum", name)
    log_likelihood, _, information = _likelihood(coef, x, weights, sets)
    variance = np.linalg.inv(information)
    return CoxFit(
        coef,
        np.sqrt(np.diag(variance)),
        variance,
        float(log_likelihood),
        float(null),
        len(time),
        int(event.sum()),
        "",
        name,
    )


def concordance(time, event, score) -> float:
    """Share of comparable pairs in which the higher score has the earlier event.

    A pair is comparable where the earlier time is an event, an event before a censoring at
    the same time. Equal scores count one half.

    References
    ----------
    Harrell FE et al. JAMA 1982;247:2543-2546.
    """
    time, event, score = np.asarray(time, float), np.asarray(event, bool), np.asarray(score, float)
    agreeing = comparable = 0.0
    for index in np.flatnonzero(event):
        later = (time > time[index]) | ((time == time[index]) & ~event)
        comparable += later.sum()
        agreeing += (score[later] < score[index]).sum() + (score[later] == score[index]).sum() / 2
    return agreeing / comparable if comparable else math.nan


def _no_fit(time, event, x, problem, name):
    p = x.shape[1]
    return CoxFit(
        np.full(p, math.nan),
        np.full(p, math.nan),
        np.full((p, p), math.nan),
        math.nan,
        math.nan,
        len(time),
        int(event.sum()),
        problem,
        f"none: {problem} ({name})",
    )


def _is_monotone(x, sets):
    """Whether one covariate alone orders the events: always the highest, or the lowest, at risk."""
    highest = np.ones(x.shape[1], bool)
    lowest = np.ones(x.shape[1], bool)
    for each in sets:
        if len(each.dead):
            at_risk, dead = x[each.members], x[each.dead]
            highest &= (dead >= at_risk.max(axis=0)).all(axis=0)
            lowest &= (dead <= at_risk.min(axis=0)).all(axis=0)
    return bool((highest | lowest).any())


def _lifelines(time, event, x):
    from lifelines import CoxPHFitter

    frame = pd.DataFrame(x).rename(columns=str).assign(time=time, event=event)
    options = {"precision": 1e-12, "r_precision": 1e-15, "max_steps": 200}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitter = CoxPHFitter().fit(frame, "time", "event", fit_options=options)
    return fitter.params_.to_numpy(float)


def _likelihood(coef, x, weights, sets):
    with np.errstate(over="ignore"):
        hazard = weights * np.exp(x @ coef)
    value, score = 0.0, np.zeros(len(coef))
    information = np.zeros((len(coef), len(coef)))
    for each in sets:
        at_risk = x[each.members]
        effective = hazard[each.members] * each.share
        total = effective.sum()
        share = effective / total
        mean = share @ at_risk
        centred = at_risk - mean
        value -= each.weight * math.log(total)
        score -= each.weight * mean
        information += each.weight * (centred.T * share) @ centred
        if len(each.dead):
            value += weights[each.dead] @ (x[each.dead] @ coef)
            score += weights[each.dead] @ x[each.dead]
    return value, score, information


def _firth(coef, x, weights, sets):
    """Half the log determinant of the information, and its gradient."""
    _, _, information = _likelihood(coef, x, weights, sets)
    hazard = weights * np.exp(x @ coef)
    third = np.zeros((len(coef),) * 3)
    for each in sets:
        at_risk = x[each.members]
        effective = hazard[each.members] * each.share
        share = effective / effective.sum()
        centred = at_risk - share @ at_risk
        third += each.weight * np.einsum("i,ij,ik,il->jkl", share, centred, centred, centred)
    inverse = np.linalg.inv(information)
    gradient = 0.5 * np.einsum("jk,jkl->l", inverse, third)
    return 0.5 * np.linalg.slogdet(information)[1], gradient


def _objective(coef, x, weights, sets, penalty):
    value, score, information = _likelihood(coef, x, weights, sets)
    if penalty == "firth":
        extra, gradient = _firth(coef, x, weights, sets)
        value, score = value + extra, score + gradient
    return value, score, information


def _newton(x, weights, sets, penalty, most=100, precision=1e-11):
    coef = np.zeros(x.shape[1])
    value, score, information = _objective(coef, x, weights, sets, penalty)
    for _ in range(most):
        try:
            step = np.linalg.solve(information, score)
        except np.linalg.LinAlgError:
            return coef, False
        if np.abs(step).max() < precision:
            return coef + step, True
        for _ in range(30):
            new = _objective(coef + step, x, weights, sets, penalty)
            if np.isfinite(new[0]) and new[0] >= value - 1e-12 * abs(value):
                break
            step = step / 2
        coef = coef + step
        value, score, information = new
    return coef, bool(np.abs(step).max() < 1e-8)
