"""The log-rank test."""

import numpy as np
from scipy import stats

from helpers.estimators.estimate import PValue, no_test


def logrank(time, event, group, *, strata=None, entry=None) -> PValue:
    """Compare survival between groups by observed and expected events.

    Parameters
    ----------
    time, event, group : array_like of shape (n,)
    strata : array_like of shape (n,), optional
        Observed and expected events are summed over strata.
    entry : array_like of shape (n,), optional
        Time after which a patient is at risk.

    Returns
    -------
    PValue
        NaN with fewer than two groups or where the variance is singular.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163-170. Peto R, Peto J. J R Stat Soc A
    1972;135:185-206.
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    groups, member = np.unique(np.asarray(group), return_inverse=True)
    if len(groups) < 2:
        return no_test("one group")
    stratum = np.zeros(len(time), int)
    if strata is not None:
        stratum = np.unique(np.asarray(strata), return_inverse=True)[1]
    since = np.full(len(time), -np.inf) if entry is None else np.asarray(entry, float)
    difference = np.zeros(len(groups))
    variance = np.zeros((len(groups), len(groups)))
    for own in range(stratum.max() + 1):
        inside = stratum == own
        for when in np.unique(time[inside & event]):
            at_risk = inside & (time >= when) & (since < when)
            dead = at_risk & (time == when) & event
            n = np.bincount(member[at_risk], minlength=len(groups))
            observed = np.bincount(member[dead], minlength=len(groups))
            share, d, total = n / n.sum(), observed.sum(), n.sum()
            difference += observed - d * share
            if total > 1:
                spread = np.diag(share) - np.outer(share, share)
                variance += d * (total - d) / (total - 1) * spread
    used = np.diag(variance) > 0
    used[np.argmax(used)] = False  # the differences sum to zero
    if not used.any():
        return no_test("no event while two groups were at risk")
    kept = difference[used]
    statistic = kept @ np.linalg.solve(variance[np.ix_(used, used)], kept)
    return PValue(float(stats.chi2.sf(statistic, used.sum())), "logrank")
