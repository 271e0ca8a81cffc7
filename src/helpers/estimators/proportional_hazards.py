"""Whether hazards are proportional: a score test, and residuals to look at."""

import math
from dataclasses import dataclass

import numpy as np

from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.cox import MONOTONE, NO_EVENT, NO_INFORMATION
from helpers.estimators.kaplan_meier import kaplan_meier

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
    """

    tests: tuple[ChiSquare, ...]
    overall: ChiSquare


@dataclass(frozen=True)
class SchoenfeldResiduals:
    """Scaled Schoenfeld residuals of a fitted Cox model, in the order of time.

    Attributes
    ----------
    time : ndarray of shape (m,)
    n_event : ndarray of shape (m,)
        Events that share a residual: one, or those of a time and a pattern of covariates.
    values : ndarray of shape (m, p)
        The coefficient is added: their mean is the coefficient, their course over time is its
        course. NaN where there is no coefficient.
    """

    time: np.ndarray
    n_event: np.ndarray
    values: np.ndarray


def proportional_hazards(fit, *, transform) -> ProportionalHazards:
    """Test a Cox model for coefficients that change with time.

    The model is extended by each covariate times a function of time, and its score at zero is
    tested with the exact information, as R's cox.zph does since survival 3.0.

    Parameters
    ----------
    fit : CoxFit
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
    model, used = fit.model, fit.model.used
    if reason := _why_not(fit):
        return _no_test(len(fit.coef), reason)
    there = model.at(fit.coef[used] * model.scale)
    height = _height(model, transform)
    if not np.isfinite(height).all():
        return _no_test(len(fit.coef), "an event at time zero has no logarithm")
    if not height.any():
        return _no_test(len(fit.coef), "all events at one time")
    plain, crossed, squared = (there.information(factor) for factor in (1.0, height, height**2))
    information = np.block([[plain, crossed], [crossed, squared]])
    score = np.concatenate([np.zeros(len(used)), there.score_over_time(height)])

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
    return ProportionalHazards(tuple(tests), test(*range(len(used))))


def schoenfeld_residuals(fit) -> SchoenfeldResiduals:
    """Scaled Schoenfeld residuals of a Cox model; none where a coefficient is infinite.

    Parameters
    ----------
    fit : CoxFit

    References
    ----------
    Grambsch PM, Therneau TM. Biometrika 1994;81:515-526.
    """
    if _why_not(fit):
        nothing = np.empty(0)
        return SchoenfeldResiduals(nothing, nothing.astype(int), np.empty((0, len(fit.coef))))
    model, used = fit.model, fit.model.used
    there = model.at(fit.coef[used] * model.scale)
    moment, row, n_event = model.sets.list_events()
    observed = there.covariates[row] - there.means[moment]
    variance = np.linalg.inv(there.information()) * model.sets.n_event.sum()
    values = np.full((len(row), len(fit.coef)), math.nan)
    values[:, used] = observed @ variance / model.scale + fit.coef[used]
    time = model.sets.time[moment]
    order = np.argsort(time, kind="stable")
    return SchoenfeldResiduals(time[order], n_event[order], values[order])


def _why_not(fit):
    """Why a model cannot be extended; empty if it can."""
    reasons = (NO_EVENT, MONOTONE, *([] if len(fit.model.used) else [NO_INFORMATION]))
    return next((reason for reason in reasons if reason in fit.reasons), "")


def _height(model, transform):
    """The function of time at each time of an event, centred and scaled to at most one."""
    time = model.sets.time
    if transform == "score_km":
        how = {"conf_level": 0.95, "conf_type": "log"}
        rows = {"entry": model.entry, "n_patient": model.n_patient}
        curve = kaplan_meier(model.time, model.event, **how, **rows)
        before = np.searchsorted(curve.time, time, side="left")
        height = 1 - np.append(1.0, curve.survival)[before]
    elif transform == "score_identity":
        height = time
    elif transform == "score_log":
        with np.errstate(divide="ignore"):
            height = np.log(time)
    else:
        order = np.argsort(model.time, kind="stable")
        ordered = model.time[order]
        own = np.ones(len(order), int) if model.n_patient is None else model.n_patient[order]
        rank = np.append(0, np.cumsum(own))
        sides = (np.searchsorted(ordered, time, side=side) for side in ("left", "right"))
        height = sum(rank[place] for place in sides) / 2
    with np.errstate(invalid="ignore"):
        centred = height - np.average(height, weights=model.sets.n_event)
    largest = np.abs(centred).max()
    return centred / largest if largest > 0 else centred


def _no_test(n_covariate, reason):
    nothing = no_chi_square(reason)
    return ProportionalHazards((nothing,) * n_covariate, nothing)
