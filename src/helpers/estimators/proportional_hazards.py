"""Whether hazards are proportional: the score test of Grambsch and Therneau, and its residuals."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.cox import risk_sets
from helpers.estimators.kaplan_meier import kaplan_meier


@dataclass(frozen=True)
class ProportionalHazards:
    """Tests of a fitted Cox model.

    Attributes
    ----------
    p : ndarray of shape (p,)
        For each covariate, the test that its coefficient does not change with time.
    p_global : float
        The test of all together.
    time, residuals : ndarray of shape (d,), (d, p)
        Scaled Schoenfeld residuals of each event, the coefficient added: their mean is the
        coefficient, their course over time is its course.
    """

    p: np.ndarray
    p_global: float
    time: np.ndarray
    residuals: np.ndarray


def proportional_hazards(
    fit, time, event, covariates, *, ties, transform, entry=None
) -> ProportionalHazards:
    """Test a Cox model for coefficients that change with time.

    The model is extended by each covariate times a function of time, and its score at zero is
    tested with the exact information, as R does since survival 3.0.

    Parameters
    ----------
    fit : CoxFit
    time, event, covariates : array_like
        What the model was fitted to.
    ties : {'efron', 'breslow'}
    transform : {'score_km', 'score_identity', 'score_log', 'score_rank'}
        The function of time: one minus the Kaplan-Meier estimate just before, time itself,
        its logarithm, or its rank among all times.
    entry : array_like, optional

    References
    ----------
    Grambsch PM, Therneau TM. Biometrika 1994;81:515-526.
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    x = np.asarray(covariates, float).reshape(len(time), -1)
    n_covariates = x.shape[1]
    if fit.problem:
        nothing = np.full(n_covariates, np.nan)
        return ProportionalHazards(nothing, np.nan, np.empty(0), np.empty((0, n_covariates)))
    sets = risk_sets(time, event, ties=ties, entry=entry)
    hazard = np.exp(x @ fit.coef)
    moments = [_moments(each, x, hazard) for each in sets]
    scale = _time_scale(np.array([each.time for each in sets]), time, event, transform)
    score = np.zeros(n_covariates)
    plain, crossed, squared = (np.zeros((n_covariates, n_covariates)) for _ in range(3))
    at, expected = {}, {}
    for each, (mean, spread), height in zip(sets, moments, scale, strict=True):
        score += height * (x[each.dead].sum(axis=0) - mean)
        plain += spread
        crossed += height * spread
        squared += height**2 * spread
        expected.setdefault(each.time, []).append(mean)
        if len(each.dead):
            at[each.time] = each.dead
    information = np.block([[plain, crossed], [crossed, squared]])
    every = list(range(n_covariates))
    p = [_score_p(score, information, n_covariates, [index]) for index in every]
    p_global = _score_p(score, information, n_covariates, every)
    when, raw = [], []
    for moment, dead in at.items():
        centre = np.mean(expected[moment], axis=0)
        when += [moment] * len(dead)
        raw += list(x[dead] - centre)
    residuals = np.array(raw) @ fit.variance * len(raw) + fit.coef
    return ProportionalHazards(np.array(p), p_global, np.array(when), residuals)


def _moments(each, x, hazard):
    at_risk = x[each.members]
    effective = hazard[each.members] * each.share
    share = effective / effective.sum()
    mean = share @ at_risk
    centred = at_risk - mean
    return mean, (centred.T * share) @ centred


def _time_scale(when, time, event, transform):
    if transform == "score_km":
        curve = kaplan_meier(time, event, conf_level=0.95, conf_type="log")
        before = np.searchsorted(curve.time, when, side="left")
        scale = 1 - np.concatenate([[1.0], curve.survival])[before]
    elif transform == "score_identity":
        scale = when
    elif transform == "score_log":
        scale = np.log(when)
    elif transform == "score_rank":
        ranks = dict(zip(time, stats.rankdata(time), strict=True))
        scale = np.array([ranks[moment] for moment in when])
    else:
        raise ValueError(f"unknown transform {transform!r}")
    return scale - scale.mean()


def _score_p(score, information, n_covariates, which):
    chosen = [*range(n_covariates), *(n_covariates + index for index in which)]
    u = np.concatenate([np.zeros(n_covariates), score[which]])
    try:
        statistic = u @ np.linalg.solve(information[np.ix_(chosen, chosen)], u)
    except np.linalg.LinAlgError:
        return np.nan
    return float(stats.chi2.sf(statistic, len(which)))
