"""The log-rank test."""

import math

import numpy as np
import pandas as pd
from scipy import stats

from helpers.estimators.chi_square import ChiSquare, chi_square, no_chi_square
from helpers.estimators.ordered_times import from_then_on
from helpers.estimators.risk_sets import last_before

SINGULAR = 1e-10  # variance of an event that is no variance


def logrank(time, event, group, *, strata=None, entry=None, n_patient=None) -> ChiSquare:
    """Compare survival between groups by observed and expected events.

    Parameters
    ----------
    time, event, group : array_like of shape (n,)
    strata : array_like of shape (n,), optional
        Observed and expected events are summed over strata.
    entry : array_like of shape (n,), optional
        Time after which a patient is at risk.
    n_patient : array_like of shape (n,), optional
        How many patients each row stands for.

    Returns
    -------
    ChiSquare
        Its degrees of freedom are the rank of the variance: one fewer than the groups, or
        less where groups are never at risk together. NaN if none are.

    References
    ----------
    Mantel N. Cancer Chemother Rep 1966;50:163-170. Peto R, Peto J. J R Stat Soc A
    1972;135:185-206.
    """
    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    member, groups = pd.factorize(pd.Series(group))
    if not event.any():
        return no_chi_square("no event")
    entry = None if entry is None else np.asarray(entry, float)
    place, moments = pd.factorize(time, sort=True)
    stratum = 0 if strata is None else pd.factorize(np.asarray(strata))[0]
    size = len(moments) + 1
    left = stratum * size + place + 1
    n_code = (np.max(stratum) + 1) * size

    def count(rows, codes=left):
        """Patients of some rows by code."""
        return np.bincount(codes[rows], None if n_patient is None else n_patient[rows], n_code)

    n_event = count(event)
    events = np.flatnonzero(n_event)
    n_event = n_event[events]
    end = (events // size + 1) * size

    def count_from_then_on(rows, codes=left):
        total = np.append(0, np.cumsum(count(rows, codes)))
        return total[end] - total[events]

    by_group = [member == number for number in range(len(groups))]
    n_risk = np.column_stack([count_from_then_on(rows) for rows in by_group])
    if entry is not None:
        entered = stratum * size + last_before(moments, time, entry) + 1
        n_risk -= np.column_stack([count_from_then_on(rows, entered) for rows in by_group])
    observed = [count(rows & event).sum() for rows in by_group]
    statistic, df = _compare(n_risk, n_event, np.array(observed))
    if not df:
        return no_chi_square("no event with two groups at risk")
    return chi_square(statistic, df, "logrank")


def logrank_batch(times, event, groups) -> np.ndarray:
    """Compare survival between groups in each of many cohorts.

    Parameters
    ----------
    times : OrderedTimes
        Of all patients of each cohort.
    event : ndarray of shape (n_cohort, n)
        1 or 0, in the order of the patients.
    groups : sequence of ndarray of shape (n_cohort, n)
        Who is in each group, 1 or 0. Who is in none has no part.

    Returns
    -------
    ndarray of shape (n_cohort,)
        p values; NaN where no groups are at risk together at an event.
    """
    events = [times.sum_ties(member * event) for member in groups]
    n_risk = [from_then_on(times.sum_ties(member)) for member in groups]
    observed = [own.sum(axis=1) for own in events]
    arrays = np.stack(n_risk, axis=-1), np.sum(events, axis=0), np.stack(observed, axis=-1)
    statistic, df = _compare(*arrays)
    return np.where(df > 0, stats.chi2.sf(statistic, np.maximum(df, 1)), math.nan)


def _compare(n_risk, n_event, observed):
    """The statistic and its degrees of freedom.

    Parameters
    ----------
    n_risk : ndarray of shape (..., n_time, n_group)
    n_event : ndarray of shape (..., n_time)
    observed : ndarray of shape (..., n_group)
    """
    total = n_risk.sum(axis=-1)
    share = n_risk / np.maximum(total, 1)[..., None]
    expected = (n_event[..., None, :] @ share)[..., 0, :]
    spread = n_event * (total - n_event) / np.maximum(total - 1, 1)
    variance = -(np.swapaxes(share, -1, -2) * spread[..., None, :]) @ share
    place = np.arange(share.shape[-1])
    variance[..., place, place] += (spread[..., None, :] @ share)[..., 0, :]
    sizes, directions = np.linalg.eigh(variance)
    along = ((observed - expected)[..., None, :] @ directions)[..., 0, :]
    compared = sizes > SINGULAR * n_event.sum(axis=-1)[..., None]  # the differences sum to zero
    terms = np.divide(along**2, sizes, out=np.zeros(sizes.shape), where=compared)
    return terms.sum(axis=-1), compared.sum(axis=-1)
