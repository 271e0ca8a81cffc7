"""Who is at risk at each time of an event: the sums that a partial likelihood is made of."""

import numpy as np
from scipy import sparse


class RiskSets:
    """Risk sets of the patients, one for each time at which an event happens.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
        Who is censored at a time is at risk at it.
    strata : ndarray of shape (n,), optional
        Patients are at risk only within their own stratum.
    weights : ndarray of shape (n,), optional
        Case weights; all sums are weighted by them.
    entry : ndarray of shape (n,), optional
        Time after which a patient is at risk.

    Attributes
    ----------
    time : ndarray of shape (n_time,)
        Times of events, ascending within strata.
    n_event : ndarray of shape (n_time,)
        Events tied at each time.
    weight : ndarray of shape (n_time,)
        Their mean weight.
    event_weight : ndarray of shape (n,)
        Weight of each patient's event, zero without one.
    """

    def __init__(self, time, event, *, strata=None, weights=None, entry=None):
        n = len(time)
        weights = np.ones(n) if weights is None else weights
        moments, code = np.unique(time, return_inverse=True)
        start = 0 if strata is None else np.unique(strata, return_inverse=True)[1] * len(moments)
        left = start + code
        events, self.n_event = np.unique(left[event], return_counts=True)
        self._after = np.searchsorted(events, left, side="right")
        self._first = np.zeros(n, int)
        if strata is not None or entry is not None:
            entered = start + last_before(moments, time, entry)
            self._first = np.searchsorted(events, entered, side="right")
        self._row = np.flatnonzero(event)
        self._place = self._after[self._row] - 1
        self._weights = weights

        shape = (len(events), n)
        seen = np.flatnonzero(self._after > self._first)
        late = seen[self._first[seen] > 0]
        rows = np.concatenate([self._after[seen], self._first[late]]) - 1
        changes = np.concatenate([weights[seen], -weights[late]])
        columns = np.concatenate([seen, late])
        self._changes = sparse.csr_array((changes, (rows, columns)), shape=shape)
        self._events = sparse.csr_array((weights[event], (self._place, self._row)), shape=shape)
        self.time = moments[events % len(moments)]
        self.event_weight = weights * event
        self.weight = self._events @ np.ones(n) / self.n_event

    def at_risk(self, values) -> np.ndarray:
        """Sum `values`, one row a patient, over those at risk at each time."""
        return np.cumsum((self._changes @ values)[::-1], axis=0)[::-1]

    def with_event(self, values) -> np.ndarray:
        """Sum `values`, one row a patient, over those who have the event at each time."""
        return self._events @ values

    def exposures(self, at_risk, with_event) -> np.ndarray:
        """What falls to each patient: `at_risk` of each time at risk, less `with_event` at its own.

        Parameters
        ----------
        at_risk, with_event : ndarray of shape (n_time, ...)
        """
        total = np.concatenate([np.zeros((1, *at_risk.shape[1:])), np.cumsum(at_risk, axis=0)])
        exposure = total[self._after] - total[self._first]
        exposure[self._row] -= with_event[self._place]
        return (self._weights * exposure.T).T

    def list_events(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Place of the time, row of the patient and number of each event, by time."""
        order = np.argsort(self._place, kind="stable")
        return self._place[order], self._row[order], np.ones(len(order), int)


def last_before(moments, time, entry) -> np.ndarray:
    """Position of the last of the `moments` at which each patient is not yet at risk; -1 if none.

    Raises
    ------
    ValueError
        An entry is not before its time.
    """
    if entry is None:
        return np.full(len(time), -1)
    if (entry >= time).any():
        raise ValueError("an entry is not before its time")
    return np.searchsorted(moments, entry, side="right") - 1
