"""The Aalen-Johansen estimate of cumulative incidence with competing events."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.estimate import Estimate, no_estimate

PATIENTS_AT_ONCE = 512  # whose influences are held in memory


@dataclass(frozen=True)
class Incidence:
    """A cumulative incidence at each distinct time, in ascending order.

    Attributes
    ----------
    time : ndarray
        Times at which any event or a censoring happened.
    n_risk : ndarray
        At risk just before each time.
    value : ndarray
        Probability of the event up to and including each time.
    std_error : ndarray
        Robust (infinitesimal jackknife) standard error.
    conf_low, conf_high : ndarray
        Pointwise limits, symmetric on the log scale.
    """

    time: np.ndarray
    n_risk: np.ndarray
    value: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


def cumulative_incidence(time, cause, of, *, conf_level, entry=None) -> Incidence:
    """Estimate the probability that one kind of event has happened, others competing.

    Parameters
    ----------
    time : array_like of shape (n,)
    cause : array_like of shape (n,)
        0 for censored, otherwise the kind of event.
    of : int
        The kind whose incidence is estimated.
    conf_level : float
    entry : array_like of shape (n,), optional
        Time after which a patient is at risk.

    References
    ----------
    Aalen OO, Johansen S. Scand J Stat 1978;5:141-150. The standard error is that of R's
    survfit: Therneau TM, Grambsch PM. Modeling Survival Data, 2000, section 7.3.
    """
    time, cause = np.asarray(time, float), np.asarray(cause, int)
    entry = np.full(len(time), -np.inf) if entry is None else np.asarray(entry, float)
    times, place = np.unique(time, return_inverse=True)
    late = len(entry) - np.searchsorted(np.sort(entry), times, side="left")
    n_risk = len(time) - np.searchsorted(np.sort(time), times, side="left") - late
    n_any = np.bincount(place, cause > 0, len(times))
    n_of = np.bincount(place, cause == of, len(times))
    hazard, hazard_of = (_ratio(n, n_risk) for n in (n_any, n_of))
    survival = np.cumprod(1 - hazard)
    before = np.concatenate([[1.0], survival[:-1]])
    value = np.cumsum(before * hazard_of)
    variance = np.zeros(len(times))
    for first in range(0, len(time), PATIENTS_AT_ONCE):
        some = slice(first, first + PATIENTS_AT_ONCE)
        at_risk = (entry[some, None] < times) & (times <= time[some, None])
        leaves = times == time[some, None]
        any_ = _influence(leaves & (cause[some, None] > 0), at_risk, hazard, n_risk)
        own = _influence(leaves & (cause[some, None] == of), at_risk, hazard_of, n_risk)
        share = any_ * _ratio(np.ones(len(times)), 1 - hazard)
        lost = np.concatenate([np.zeros((len(share), 1)), np.cumsum(share, axis=1)[:, :-1]], axis=1)
        variance += (np.cumsum(before * (own - lost * hazard_of), axis=1) ** 2).sum(axis=0)
    std_error = np.sqrt(variance)
    spread = stats.norm.ppf((1 + conf_level) / 2) * _ratio(std_error, value)
    low, high = value * np.exp(-spread), np.minimum(value * np.exp(spread), 1.0)
    return Incidence(times, n_risk, value, std_error, low, high)


def _influence(happened, at_risk, hazard, n_risk):
    """What each patient's weight does to a hazard at each time."""
    return _ratio(happened - at_risk * hazard, n_risk)


def _ratio(over, under):
    under = np.broadcast_to(under, np.shape(over))
    return np.divide(over, under, out=np.zeros(np.shape(over)), where=under > 0)


def incidence_at(incidence, when) -> Estimate:
    """The incidence at a time with its interval; beyond the last observation it does not exist."""
    if not len(incidence.time):
        return no_estimate("no patient")
    if when > incidence.time[-1]:
        return no_estimate("beyond the last observation")
    last = int(np.searchsorted(incidence.time, when, side="right")) - 1
    if last < 0 or incidence.value[last] == 0:
        return Estimate(0.0, math.nan, math.nan, "aalen_johansen, no event yet")
    heights = (incidence.value, incidence.conf_low, incidence.conf_high)
    return Estimate(*(float(height[last]) for height in heights), "aalen_johansen, log interval")
