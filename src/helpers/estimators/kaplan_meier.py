"""The Kaplan-Meier estimate, its band, its median, and what is read off it."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.estimate import Estimate

TOLERANCE = 1.5e-8  # survival this close to a level is at it, as in R


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier estimate at each distinct time, in ascending order.

    Attributes
    ----------
    time : ndarray
        Times at which an event or a censoring happened.
    n_risk, n_event, n_censored : ndarray
        At risk just before each time, with the event at it, censored at it.
    survival : ndarray
    log_variance : ndarray
        Greenwood's variance of log survival; infinite where survival is zero.
    conf_low, conf_high : ndarray
        Pointwise band; NaN where survival is zero.
    """

    time: np.ndarray
    n_risk: np.ndarray
    n_event: np.ndarray
    n_censored: np.ndarray
    survival: np.ndarray
    log_variance: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


def kaplan_meier(time, event, *, conf_level, conf_type, entry=None) -> Curve:
    """Estimate survival by the product limit.

    Parameters
    ----------
    time, event : array_like of shape (n,)
        Time of the event (1) or of censoring (0). Who is censored at a time is at risk at it.
    conf_level : float
    conf_type : {'log', 'log_log', 'plain'}
        Scale on which the band is symmetric.
    entry : array_like of shape (n,), optional
        Time after which a patient is at risk (left truncation).

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. Kalbfleisch JD, Prentice RL. The
    Statistical Analysis of Failure Time Data, 2nd ed., 2002, section 1.4.
    """
    time = np.asarray(time, float)
    event = np.asarray(event, bool)
    times, place = np.unique(time, return_inverse=True)
    n_event = np.bincount(place, weights=event, minlength=len(times))
    n_leaving = np.bincount(place, minlength=len(times))
    n_risk = len(time) - np.concatenate([[0], np.cumsum(n_leaving)[:-1]])
    if entry is not None:
        n_risk = n_risk - np.sum(np.asarray(entry, float)[:, None] >= times, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.cumprod(1 - np.where(n_event > 0, n_event / n_risk, 0))
        steps = np.where(n_event > 0, n_event / (n_risk * (n_risk - n_event)), 0)
    log_variance = np.cumsum(steps)
    low, high = _band(survival, log_variance, conf_level, conf_type)
    return Curve(times, n_risk, n_event, n_leaving - n_event, survival, log_variance, low, high)


def reverse_kaplan_meier(time, event, **options) -> Curve:
    """Estimate the time under observation: censoring is the event, the event censors.

    References
    ----------
    Schemper M, Smith TL. Control Clin Trials 1996;17:343-346.
    """
    return kaplan_meier(time, 1 - np.asarray(event), **options)


def _band(survival, log_variance, conf_level, conf_type):
    z = stats.norm.ppf((1 + conf_level) / 2)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        error = np.sqrt(log_variance)
        if conf_type == "log":
            low, high = survival * np.exp(-z * error), survival * np.exp(z * error)
        elif conf_type == "log_log":
            spread = z * error / np.log(survival)
            low = survival ** np.exp(-spread)
            high = survival ** np.exp(spread)
        elif conf_type == "plain":
            low, high = survival - z * survival * error, survival + z * survival * error
        else:
            raise ValueError(f"unknown conf_type {conf_type!r}")
    known = (survival > 0) & (log_variance > 0)
    low = np.where(known, np.maximum(low, 0), np.where(survival == 1, 1, math.nan))
    high = np.where(known, np.minimum(high, 1), np.where(survival == 1, 1, math.nan))
    return low, high


def median(curve, *, at_half) -> Estimate:
    """Read the median survival time and its interval off a curve and its band.

    Parameters
    ----------
    curve : Curve
    at_half : {'midpoint', 'first'}
        Where the curve runs flat at exactly one half: the middle of the stretch (R) or its
        beginning (lifelines).

    Returns
    -------
    Estimate
        ``inf`` where the curve, or the limit of its band, stays above one half.

    References
    ----------
    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    value, low, high = (
        _crossing(curve.time, height, at_half)
        for height in (curve.survival, curve.conf_low, curve.conf_high)
    )
    return Estimate(value, low, high, f"kaplan_meier, at one half: {at_half}")


def _crossing(time, height, at_half):
    if not len(time):
        return math.nan
    known = ~np.isnan(height)
    below = known & (height <= 0.5 + TOLERANCE)
    if not below.any():
        return math.inf
    first = int(np.argmax(below))
    if at_half == "first" or height[first] < 0.5 - TOLERANCE:
        return float(time[first])
    lower = known & (height < 0.5 - TOLERANCE)
    end = time[int(np.argmax(lower))] if lower.any() else time[-1]
    return float((time[first] + end) / 2)


def survival_at(curve, when) -> Estimate:
    """Survival at a time with its interval; NaN beyond the last observation."""
    if not len(curve.time) or when > curve.time[-1]:
        return Estimate(math.nan, math.nan, math.nan, "none: beyond the last observation")
    last = int(np.searchsorted(curve.time, when, side="right")) - 1
    if last < 0:
        return Estimate(1.0, 1.0, 1.0, "kaplan_meier")
    heights = (curve.survival, curve.conf_low, curve.conf_high)
    return Estimate(*(float(height[last]) for height in heights), "kaplan_meier")


def count_at(time, event, when, entry=None) -> tuple[int, int]:
    """Number at risk just before a time, and number of events up to it."""
    time = np.asarray(time, float)
    at_risk = time >= when
    if entry is not None:
        at_risk &= np.asarray(entry, float) < max(when, np.nextafter(0, 1))
    return int(at_risk.sum()), int(np.sum((time <= when) & np.asarray(event, bool)))
