"""The Kaplan-Meier estimate, its band, its median, and what is read off it.

What is read off one curve is read off many at once, with a row for each.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.estimate import Estimate, no_estimate
from helpers.estimators.ordered_times import from_then_on

TOLERANCE = 1.5e-8  # survival this close to one half is at it, as in R
CONF_TYPES = ("log", "log_log", "plain")
AT_HALF = ("midpoint", "first")


@dataclass(frozen=True)
class Curve:
    """A Kaplan-Meier estimate at each distinct time, in ascending order.

    Many curves are rows of each array, and have as many times, at some of which nobody leaves.

    Attributes
    ----------
    time : ndarray
        Times at which an event or a censoring happened.
    n_risk, n_event, n_censored : ndarray
        At risk just before each time, with the event at it, censored at it.
    survival : ndarray
    std_error : ndarray
        Greenwood's standard error of survival; NaN where survival is zero.
    conf_low, conf_high : ndarray
        Pointwise band; NaN where survival is zero.
    """

    time: np.ndarray
    n_risk: np.ndarray
    n_event: np.ndarray
    n_censored: np.ndarray
    survival: np.ndarray
    std_error: np.ndarray
    conf_low: np.ndarray
    conf_high: np.ndarray


def kaplan_meier(time, event, *, conf_level, conf_type, entry=None, n_patient=None) -> Curve:
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
    n_patient : array_like of shape (n,), optional
        How many patients each row stands for.

    Raises
    ------
    ValueError
        Unknown `conf_type`.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. Kalbfleisch JD, Prentice RL. The
    Statistical Analysis of Failure Time Data, 2nd ed., 2002, section 1.4.
    """
    if conf_type not in CONF_TYPES:
        raise ValueError(f"unknown conf_type {conf_type!r}; it is one of {', '.join(CONF_TYPES)}")
    time = np.asarray(time, float)
    event = np.asarray(event).astype(bool)
    times, n_leaving = _count_values(time, n_patient)
    n_event = np.zeros(len(times))
    died, n_died = _count_values(time[event], None if n_patient is None else n_patient[event])
    n_event[np.searchsorted(times, died)] = n_died
    n_risk = np.cumsum(n_leaving[::-1])[::-1]
    if entry is not None:
        n_risk = n_risk - _count_from(np.asarray(entry, float), times, n_patient)
    return _product_limit(times, n_risk, n_event, n_leaving - n_event, conf_level, conf_type)


def kaplan_meier_batch(times, event, member, *, conf_level, conf_type) -> Curve:
    """Estimate survival of a group in each of many cohorts.

    Parameters
    ----------
    times : OrderedTimes
        Of all patients of each cohort.
    event, member : ndarray of shape (n_cohort, n)
        1 or 0, in the order of the patients: who has the event, and who is in the group.
    conf_level, conf_type
        See `kaplan_meier`.

    Returns
    -------
    Curve
        Arrays of shape (n_cohort, n), with each time as often as patients have it.
    """
    n_leaving = times.sum_ties(member)
    n_event = times.sum_ties(member * event)
    n_risk = from_then_on(n_leaving)
    n_censored = n_leaving - n_event
    return _product_limit(times.time, n_risk, n_event, n_censored, conf_level, conf_type)


def _product_limit(time, n_risk, n_event, n_censored, conf_level, conf_type):
    survival = np.cumprod(_ratio(n_risk - n_event, n_risk, at_zero=1.0), axis=-1)
    terms = _ratio(n_event, n_risk * (n_risk - n_event), at_zero=0.0)
    std_error = np.where(survival > 0, survival * np.sqrt(np.cumsum(terms, axis=-1)), math.nan)
    low, high = _band(survival, std_error, conf_level, conf_type)
    return Curve(time, n_risk, n_event, n_censored, survival, std_error, low, high)


def reverse_kaplan_meier(time, event, **options) -> Curve:
    """Estimate the time under observation: censoring is the event, the event censors.

    References
    ----------
    Schemper M, Smith TL. Control Clin Trials 1996;17:343-346.
    """
    return kaplan_meier(time, 1 - np.asarray(event, float), **options)


def _ratio(over, under, at_zero):
    return np.divide(over, under, out=np.full(np.shape(under), at_zero), where=under > 0)


def _count_values(values, n_patient):
    """The distinct values, ascending, and how many patients have each."""
    if n_patient is None:
        return np.unique(values, return_counts=True)
    distinct, code = np.unique(values, return_inverse=True)
    return distinct, np.bincount(code, n_patient, len(distinct)).astype(int)


def _count_from(values, when, n_patient=None):
    """How many patients have a value from each of `when` on."""
    distinct, n = _count_values(values, n_patient)
    before = np.append(0, np.cumsum(n))[np.searchsorted(distinct, when, side="left")]
    return n.sum() - before


def _band(survival, std_error, conf_level, conf_type):
    z = stats.norm.ppf((1 + conf_level) / 2)
    low, high = np.where(survival == 1, 1.0, math.nan), np.where(survival == 1, 1.0, math.nan)
    inside = (survival > 0) & (survival < 1)
    s, error = survival[inside], std_error[inside]
    if conf_type == "log":
        low[inside], high[inside] = s * np.exp(-z * error / s), s * np.exp(z * error / s)
    elif conf_type == "log_log":
        spread = z * error / (s * np.log(s))
        low[inside], high[inside] = s ** np.exp(-spread), s ** np.exp(spread)
    else:
        low[inside], high[inside] = s - z * error, s + z * error
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def median(curve, *, at_half) -> Estimate:
    """Read the median survival time and its interval off a curve and its band.

    Parameters
    ----------
    curve : Curve
    at_half : {'midpoint', 'first'}
        Where the curve, or the limit of its band, runs flat at exactly one half: the middle
        of the stretch (R's survfit) or its beginning (lifelines). A stretch that no fall
        ends has no middle; its beginning counts, as R prints it.

    Returns
    -------
    Estimate
        ``inf`` where the curve, or the limit of its band, stays above one half. Of many curves,
        arrays of shape (n_curve,).

    Raises
    ------
    ValueError
        Unknown `at_half`.

    References
    ----------
    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    if at_half not in AT_HALF:
        raise ValueError(f"unknown at_half {at_half!r}; it is one of {', '.join(AT_HALF)}")
    if not curve.time.shape[-1]:
        return no_estimate("no patient")
    value, low, high = (
        _where_observed(curve, _crossing(curve.time, height, at_half))
        for height in (curve.survival, curve.conf_low, curve.conf_high)
    )
    return Estimate(value, low, high, f"kaplan_meier, at one half: {at_half}")


def _crossing(time, height, at_half):
    never = np.full((*time.shape[:-1], 1), math.inf)
    time, height = (np.concatenate([values, never], axis=-1) for values in (time, height))
    first = _first(height < 0.5 + TOLERANCE)
    at = _take(height, first)
    crossing = _take(time, first)
    if at_half == "midpoint":
        end = _take(time, _first(height < at[..., None]))
        is_flat = (np.abs(at - 0.5) < TOLERANCE) & np.isfinite(end)
        crossing = np.where(is_flat, (crossing + end) / 2, crossing)
    return crossing


def _first(condition):
    """The first place along the last axis at which a condition holds; the last if none."""
    return np.where(condition.any(axis=-1), condition.argmax(axis=-1), condition.shape[-1] - 1)


def _take(values, place):
    return np.take_along_axis(values, place[..., None], axis=-1)[..., 0]


def _where_observed(curve, values):
    """A number of one curve, or those of many, NaN for those without patients."""
    found = np.where(curve.n_risk[..., 0] > 0, values, math.nan)
    return found if found.ndim else float(found)


def survival_at(curve, when) -> Estimate:
    """Survival at a time with its interval; of many curves, arrays of shape (n_curve,).

    Beyond the last observation it is zero if all have died, and else does not exist.
    """
    if not curve.time.shape[-1]:
        return no_estimate("no patient")
    begun = (curve.time <= when).sum(axis=-1)
    ended = _take(curve.time, (curve.n_risk > 0).sum(axis=-1) - 1)
    is_known = (when <= ended) | (curve.survival[..., -1] == 0)

    def read_off(height):
        there = np.where(begun > 0, _take(height, begun - 1), 1.0)
        return _where_observed(curve, np.where(is_known, there, math.nan))

    heights = (curve.survival, curve.conf_low, curve.conf_high)
    value, low, high = (read_off(height) for height in heights)
    if np.ndim(value) == 0 and math.isnan(value):
        return no_estimate("beyond the last observation")
    return Estimate(value, low, high, "kaplan_meier")


def count_at(time, event, when, *, entry=None, n_patient=None) -> tuple[np.ndarray, np.ndarray]:
    """Numbers at risk just before each time, and numbers of events up to it.

    Parameters
    ----------
    time, event : array_like of shape (n,)
    when : array_like of shape (m,)
    entry : array_like of shape (n,), optional
        Who enters at time zero counts as at risk at it.
    n_patient : array_like of shape (n,), optional
        How many patients each row stands for.
    """
    time, when = np.asarray(time, float), np.asarray(when, float)
    n_risk = _count_from(time, when, n_patient)
    if entry is not None:
        opening = np.where(when > 0, when, np.nextafter(0, 1))
        n_risk = n_risk - _count_from(np.asarray(entry, float), opening, n_patient)
    event = np.asarray(event).astype(bool)
    died, n = _count_values(time[event], None if n_patient is None else n_patient[event])
    return n_risk, np.append(0, np.cumsum(n))[np.searchsorted(died, when, side="right")]
