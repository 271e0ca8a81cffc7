"""Restricted mean survival time."""

import math

import numpy as np
from scipy import stats

from helpers.estimators.estimate import Estimate, PValue, no_estimate


def restricted_mean(curve, horizon, *, conf_level) -> tuple[Estimate, float]:
    """Area under a Kaplan-Meier curve up to a horizon.

    Parameters
    ----------
    curve : Curve
    horizon : float
        No later than the last observation.
    conf_level : float

    Returns
    -------
    mean : Estimate
    std_error : float
        From the squared areas to the right of each event, weighted by Greenwood's terms.

    References
    ----------
    Klein JP, Moeschberger ML. Survival Analysis, 2nd ed., 2003, section 4.5. Royston P, Parmar
    MKB. BMC Med Res Methodol 2013;13:152.
    """
    if not len(curve.time) or horizon > curve.time[-1]:
        return no_estimate("horizon beyond the last observation"), math.nan
    inside = curve.time <= horizon
    edges = np.concatenate([[0.0], curve.time[inside], [horizon]])
    heights = np.concatenate([[1.0], curve.survival[inside]])
    areas = np.diff(edges) * heights
    beyond = areas.sum() - np.cumsum(areas)[:-1]
    n, d = curve.n_risk[inside], curve.n_event[inside]
    terms = np.divide(d, n * (n - d), out=np.zeros(len(n)), where=n > d)
    std_error = math.sqrt(float(np.sum(beyond**2 * terms)))
    mean = float(areas.sum())
    spread = stats.norm.ppf((1 + conf_level) / 2) * std_error
    return Estimate(mean, mean - spread, mean + spread, "area under kaplan_meier"), std_error


def restricted_mean_difference(curve, reference, horizon, *, conf_level):
    """Difference of two restricted means, with its interval and p value.

    Returns
    -------
    Estimate, PValue
    """
    mean, error = restricted_mean(curve, horizon, conf_level=conf_level)
    other, other_error = restricted_mean(reference, horizon, conf_level=conf_level)
    difference = mean.value - other.value
    std_error = math.hypot(error, other_error)
    method = "difference of areas, normal approximation"
    if math.isnan(std_error) or std_error == 0:
        return no_estimate("no common horizon"), PValue(math.nan, "none: no common horizon")
    spread = stats.norm.ppf((1 + conf_level) / 2) * std_error
    p = 2 * stats.norm.sf(abs(difference) / std_error)
    return (
        Estimate(difference, difference - spread, difference + spread, method),
        PValue(float(p), method),
    )
