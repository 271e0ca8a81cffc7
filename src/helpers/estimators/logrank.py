"""The log-rank test."""

import numpy as np

from helpers.estimators.chi_square import ChiSquare, no_chi_square, quadratic_test
from helpers.estimators.risk_sets import RiskSets


def logrank(time, event, group, *, strata=None, entry=None) -> ChiSquare:
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
    ChiSquare
        NaN with fewer than two groups at risk, or where the variance is singular.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163-170. Peto R, Peto J. J R Stat Soc A
    1972;135:185-206.
    """
    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    groups, member = np.unique(np.asarray(group), return_inverse=True)
    if not event.any():
        return no_chi_square("no event")
    entry = None if entry is None else np.asarray(entry, float)
    sets = RiskSets(time, event, ties="breslow", strata=strata, entry=entry)
    inside = np.eye(len(groups))[member]
    first = sets.first_of_ties
    n_risk = sets.sums(inside)[first]
    n_event = np.diff(np.append(first, len(sets.time)))
    total = n_risk.sum(axis=1)
    share = n_risk / total[:, None]
    expected = n_event @ share
    at_risk = expected > 0
    if at_risk.sum() < 2:
        return no_chi_square("fewer than two groups at risk")
    spread = n_event * (total - n_event) / np.maximum(total - 1, 1)
    variance = np.diag(spread @ share) - (share.T * spread) @ share
    difference = inside[event].sum(axis=0) - expected
    kept = np.flatnonzero(at_risk)[1:]  # the differences sum to zero
    return quadratic_test(difference[kept], variance[np.ix_(kept, kept)], "logrank")
