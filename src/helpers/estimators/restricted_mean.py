"""Restricted mean survival time."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.estimate import Estimate, PValue, no_estimate, no_test


@dataclass(frozen=True)
class RestrictedMean(Estimate):
    """An area under a survival curve, with its interval.

    Attributes
    ----------
    std_error : float
    """

    std_error: float


def common_horizon(curves) -> float:
    """The latest time to which all curves are known: the smallest of their last times."""
    return float(min(curve.time[-1] for curve in curves))


def restricted_mean(curve, horizon, *, conf_level) -> RestrictedMean:
    """Area under a Kaplan-Meier curve from zero up to a horizon.

    Parameters
    ----------
    curve : Curve
    horizon : float
    conf_level : float

    Returns
    -------
    RestrictedMean
        Its variance sums over the events the squared area to their right times Greenwood's
        term. NaN for a horizon beyond the last observation of a curve that is not zero.

    References
    ----------
    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., 2003, section 4.5. Royston P, Parmar
    MKB. BMC Med Res Methodol 2013;13:152.
    """
    if not len(curve.time) or (horizon > curve.time[-1] and curve.survival[-1] > 0):
        return RestrictedMean(**vars(no_estimate("horizon beyond the data")), std_error=math.nan)
    inside = curve.time <= horizon
    edges = np.concatenate([[0.0], curve.time[inside], [horizon]])
    areas = np.diff(edges) * np.concatenate([[1.0], curve.survival[inside]])
    mean = float(areas.sum())
    beyond = np.cumsum(areas[:0:-1])[::-1]
    n_risk, n_event = curve.n_risk[inside], curve.n_event[inside]
    n_left = n_risk - n_event
    terms = np.divide(n_event, n_risk * n_left, out=np.zeros(len(n_left)), where=n_left > 0)
    std_error = math.sqrt(beyond**2 @ terms)
    spread = stats.norm.ppf((1 + conf_level) / 2) * std_error
    method = f"area under kaplan_meier to {horizon:g}"
    return RestrictedMean(mean, mean - spread, mean + spread, method, std_error)


def restricted_mean_difference(mean, reference, *, conf_level) -> tuple[Estimate, PValue]:
    """Difference of two restricted means with the same horizon, with its interval and p value.

    Parameters
    ----------
    mean, reference : RestrictedMean
    conf_level : float
    """
    difference = mean.value - reference.value
    std_error = math.hypot(mean.std_error, reference.std_error)
    if math.isnan(std_error):
        return no_estimate("horizon beyond the data"), no_test("horizon beyond the data")
    spread = stats.norm.ppf((1 + conf_level) / 2) * std_error
    method = "difference of restricted means, normal approximation"
    estimate = Estimate(difference, difference - spread, difference + spread, method)
    if std_error == 0:
        return estimate, no_test("no event before the horizon")
    return estimate, PValue(float(2 * stats.norm.sf(abs(difference) / std_error)), method)
