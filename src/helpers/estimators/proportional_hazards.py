"""Whether hazards are proportional: a score test, and residuals to look at."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.cox import MONOTONE, NO_EVENT, NO_INFORMATION
from helpers.estimators.kaplan_meier import kaplan_meier
from helpers.estimators.partial_likelihood import PartialLikelihood
from helpers.estimators.risk_sets import RiskSets

TRANSFORMS = ("score_km", "score_identity", "score_log", "score_rank")
SINGULAR = 1e10  # condition number of an information that is none


@dataclass(frozen=True)
class ProportionalHazards:
    """Tests of a fitted Cox model.

    Attributes
    ----------
    tests : tuple of ChiSquare
        For each covariate, the test that its coefficient does not change with time.
    overall : ChiSquare
        The test of all together.
    time : ndarray of shape (n_event,)
    residuals : ndarray of shape (n_event, p)
        Scaled Schoenfeld residuals, the coefficient added: their mean is the coefficient,
        their course over time is its course. NaN where there is no coefficient.
    """

    tests: tuple[ChiSquare, ...]
    overall: ChiSquare
    time: np.ndarray
    residuals: np.ndarray


def proportional_hazards(
    fit, time, event, covariates, *, ties, transform, strata=None, weights=None, entry=None
) -> ProportionalHazards:
    """Test a Cox model for coefficients that change with time.

    The model is extended by each covariate times a function of time, and its score at zero is
    tested with the exact information, as R's cox.zph does since survival 3.0.

    Parameters
    ----------
    fit : CoxFit
    time, event, covariates, ties, strata, weights, entry
        What the model was fitted to, and how.
    transform : {'score_km', 'score_identity', 'score_log', 'score_rank'}
        The function of time: one minus the Kaplan-Meier estimate just before it, time itself,
        its logarithm, or its rank among all times.

    Raises
    ------
    ValueError
        Unknown `transform`.

    References
    ----------
    Grambsch PM, Therneau TM. Biometrika 1994;81:515-526.
    """
    if transform not in TRANSFORMS:
        raise ValueError(f"unknown transform {transform!r}; they are {', '.join(TRANSFORMS)}")
    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    x = np.asarray(covariates, float)
    used = np.flatnonzero([reason == "" for reason in fit.reasons])
    for reason in (NO_EVENT, MONOTONE, *([] if len(used) else [NO_INFORMATION])):
        if reason in fit.reasons:
            return _no_test(x.shape[1], reason)
    weights = np.ones(len(time)) if weights is None else np.asarray(weights, float)
    sets = RiskSets(time, event, ties=ties, strata=strata, weights=weights, entry=entry)
    centred = x[:, used] - x[:, used].mean(axis=0)
    there = PartialLikelihood(sets, centred, weights, fit.coef[used])
    height = _height(sets, time, event, entry, transform)
    if not np.isfinite(height).all():
        return _no_test(x.shape[1], "an event at time zero has no logarithm")
    if not height.any():
        return _no_test(x.shape[1], "all events at one time")
    plain, crossed, squared = (there.information(factor) for factor in (1.0, height, height**2))
    information = np.block([[plain, crossed], [crossed, squared]])
    score = np.concatenate([np.zeros(len(used)), height @ there.scores])

    def test(*extended):
        chosen = [*range(len(used)), *(len(used) + own for own in extended)]
        part = information[np.ix_(chosen, chosen)]
        size = np.sqrt(np.diag(part))
        with np.errstate(invalid="ignore"):
            correlation = part / np.outer(size, size)
        if not np.linalg.cond(correlation) < SINGULAR:
            return no_chi_square("too few events")
        slope = np.linalg.solve(correlation, score[chosen] / size)
        return chi_square(slope @ (score[chosen] / size), len(extended), transform)

    tests = [no_chi_square(reason) for reason in fit.reasons]
    for own, place in enumerate(used):
        tests[place] = test(own)
    overall = test(*range(len(used)))
    observed = centred[sets.patient] - sets.means_of_ties(there.means)
    residuals = np.full((len(sets.time), x.shape[1]), math.nan)
    residuals[:, used] = observed @ np.linalg.inv(plain) * len(sets.time) + fit.coef[used]
    order = np.argsort(sets.time, kind="stable")
    return ProportionalHazards(tuple(tests), overall, sets.time[order], residuals[order])


def _height(sets, time, event, entry, transform):
    """The function of time at each step, centred and scaled to at most one."""
    if transform == "score_km":
        curve = kaplan_meier(time, event, conf_level=0.95, conf_type="log", entry=entry)
        before = np.searchsorted(curve.time, sets.time, side="left")
        height = 1 - np.append(1.0, curve.survival)[before]
    elif transform == "score_identity":
        height = sets.time
    elif transform == "score_log":
        with np.errstate(divide="ignore"):
            height = np.log(sets.time)
    else:
        height = stats.rankdata(time)[sets.patient]
    with np.errstate(invalid="ignore"):
        centred = height - height.mean()
    largest = np.abs(centred).max()
    return centred / largest if largest > 0 else centred


def _no_test(n_covariate, reason):
    nothing = no_chi_square(reason)
    none = np.full((0, n_covariate), math.nan)
    return ProportionalHazards((nothing,) * n_covariate, nothing, np.empty(0), none)
