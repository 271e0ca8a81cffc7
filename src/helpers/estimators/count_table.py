"""Risk sets of many patients with few distinct covariates: counts by time and pattern."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.estimators.compiling import LARGE
from helpers.estimators.risk_sets import last_before

MOST_LEVELS = 64  # distinct values beyond which a covariate is not discrete
SAMPLED = 10_000  # patients who are asked first
CELLS_PER_PATIENT = 16  # beyond which a table does not pay
LARGEST = 2**31  # number of a pattern before those that nobody has are left out
MOST_CELLS = 4_000_000  # of a table, beyond which it takes more memory than the patients


class CountTable:
    """Risk sets as `helpers.estimators.risk_sets.RiskSets` has them, whose rows are patterns.

    Patients with equal covariates have equal hazards: their weights are summed once, and
    each sum over a risk set is then a sum over patterns.

    Attributes
    ----------
    patterns : ndarray of shape (n_pattern, p)
        The distinct rows of the covariates.
    n_patient : ndarray of shape (n_pattern,)
    time, n_event, weight : ndarray of shape (n_time,)
    event_weight : ndarray of shape (n_pattern,)
    """

    def __init__(
        self,
        time,
        event,
        covariates,
        pattern,
        *,
        strata=None,
        weights=None,
        entry=None,
        n_patient=None,
    ):
        first = np.full(pattern.max(initial=-1) + 1, -1)
        first[pattern[::-1]] = np.arange(len(pattern))[::-1]
        self.patterns = covariates[first]
        self.n_patient = np.bincount(pattern, n_patient)
        code, moments = pd.factorize(time, sort=True)
        stratum, strata = (0, [0]) if strata is None else pd.factorize(strata)
        shape = (len(strata), len(moments), len(first))
        cell = np.ravel_multi_index((np.broadcast_to(stratum, code.shape), code, pattern), shape)

        def count(cells, weights=None):
            return np.bincount(cells, weights, np.prod(shape)).reshape(shape)

        def from_then_on(counts):
            return np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]

        if n_patient is None:
            n_event, number = event, weights
        else:
            n_event = event * n_patient
            number = n_patient if weights is None else weights * n_patient
        counts = count(cell, n_event)
        at_risk = from_then_on(count(cell, number))
        last = last_before(moments, time, entry)
        late = last >= 0
        if late.any():
            entered = cell[late] + (last - code)[late] * shape[2]
            those = None if number is None else number[late]
            at_risk = at_risk - from_then_on(count(entered, those))
        there = counts.any(axis=2)
        self._counts = counts[there]
        self._at_risk = at_risk[there].astype(float)
        self._events = self._counts if weights is None else count(cell, number * event)[there]
        self.time = np.broadcast_to(moments, shape[:2])[there]
        self.n_event = self._counts.sum(axis=1).astype(int)
        self.weight = self._events.sum(axis=1) / self.n_event
        self.event_weight = self._events.sum(axis=0)

    def at_risk(self, values) -> np.ndarray:
        """Sum `values`, one row a pattern, over those at risk at each time."""
        return self._at_risk @ values

    def with_event(self, values) -> np.ndarray:
        """Sum `values`, one row a pattern, over those who have the event at each time."""
        return self._events @ values

    def exposures(self, at_risk, with_event) -> np.ndarray:
        """What falls to each pattern: `at_risk` of each time at risk, less `with_event` at events.

        Parameters
        ----------
        at_risk, with_event : ndarray of shape (n_time, ...)
        """
        return self._at_risk.T @ at_risk - self._events.T @ with_event

    def list_events(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place of the time, pattern and number of the events of each cell, by time."""
        place, pattern = np.nonzero(self._counts)
        return place, pattern, self._counts[place, pattern].astype(int)

    def concordance(self, score) -> float:
        """As `helpers.estimators.concordance.concordance`, of a score for each pattern."""
        rank = np.unique(score, return_inverse=True)[1]
        order = np.argsort(rank, kind="stable")
        first = np.flatnonzero(np.diff(rank[order], prepend=-1))
        events, later = (
            np.add.reduceat(counts[:, order], first, axis=1)
            for counts in (self._events, self._at_risk - self._events)
        )
        not_above = np.cumsum(later, axis=1)
        agreeing = (events * (not_above - later / 2)).sum()
        comparable = events.sum(axis=1) @ later.sum(axis=1)
        return agreeing / comparable if comparable else np.nan


def tabulate(time, event, covariates, *, strata=None, weights=None, entry=None):
    """Count patients by time and pattern, where a table pays.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
    covariates : ndarray of shape (n, p)
    strata, weights, entry : ndarray of shape (n,), optional

    Returns
    -------
    CountTable or None
        None for few patients, or many times and patterns.
    """
    if len(time) < LARGE:
        return None
    if any(len(np.unique(column[:SAMPLED])) > MOST_LEVELS for column in covariates.T):
        return None
    pattern = number_patterns(covariates)
    n_stratum = 1 if strata is None else len(pd.unique(strata))
    n_cell = (pattern.max() + 1) * len(pd.unique(time)) * n_stratum
    if n_cell > min(MOST_CELLS, CELLS_PER_PATIENT * len(time)):
        return None
    return CountTable(time, event, covariates, pattern, strata=strata, weights=weights, entry=entry)


def number_patterns(covariates) -> np.ndarray:
    """Number the distinct rows of the covariates, in the order in which they appear."""
    pattern, size = np.zeros(len(covariates), np.int64), 1
    for column in covariates.T:
        code, levels = pd.factorize(column)
        if size * len(levels) > LARGEST:
            pattern = pd.factorize(pattern)[0]
            size = len(pattern)
        pattern = pattern * len(levels) + code
        size *= len(levels)
    return pd.factorize(pattern)[0]
