"""Who is at risk at each event: the sums that a partial likelihood is made of."""

import numpy as np
from scipy import sparse

TIES = ("efron", "breslow")


class RiskSets:
    """Risk sets of a partial likelihood, one step for each event.

    Events tied at a time make one step each. With Efron's ties the tied patients count less
    from step to step; with Breslow's they count in full in all of them.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
        Who is censored at a time is at risk at it.
    ties : {'efron', 'breslow'}
    strata : ndarray of shape (n,), optional
        Patients are at risk only within their own stratum.
    weights : ndarray of shape (n,), optional
        Case weights.
    entry : ndarray of shape (n,), optional
        Time after which a patient is at risk.

    Attributes
    ----------
    time : ndarray of shape (n_step,)
        Time of each step, ascending within strata.
    weight : ndarray of shape (n_step,)
        Mean weight of the events at that time.
    patient : ndarray of shape (n_step,)
        Position of the patient whose event it is.
    first_of_ties : ndarray of shape (n_time,)
        Position of the first step at each time.

    References
    ----------
    Efron B. J Am Stat Assoc 1977;72:557-565. Breslow N. Biometrics 1974;30:89-99.
    """

    def __init__(self, time, event, *, ties, strata=None, weights=None, entry=None):
        if ties not in TIES:
            raise ValueError(f"unknown ties {ties!r}; they are one of {', '.join(TIES)}")
        n = len(time)
        weights = np.ones(n) if weights is None else weights
        entry = np.full(n, -np.inf) if entry is None else entry
        if (entry >= time).any():
            raise ValueError("an entry is not before its time")
        stratum = np.zeros(n, int)
        if strata is not None:
            stratum = np.unique(strata, return_inverse=True)[1]
        moments, code = np.unique(np.concatenate([entry, time]), return_inverse=True)
        entered, left = (stratum * len(moments) + part for part in np.split(code, 2))
        events, counts = np.unique(left[event], return_counts=True)
        self._first = np.searchsorted(events, entered, side="right")
        self._after = np.searchsorted(events, left, side="right")
        self._place = np.where(event, self._after - 1, len(events))
        self.first_of_ties = np.cumsum(counts) - counts
        self._group = np.repeat(np.arange(len(events)), counts)
        self.patient = np.flatnonzero(event)[np.argsort(left[event], kind="stable")]
        order = np.arange(len(self.patient)) - self.first_of_ties[self._group]
        self._gone = order / counts[self._group] if ties == "efron" else np.zeros(len(order))

        seen = np.flatnonzero(self._after > self._first)
        late = seen[self._first[seen] > 0]
        rows = np.concatenate([self._after[seen], self._first[late]]) - 1
        signs = np.repeat([1.0, -1.0], [len(seen), len(late)])
        shape = (len(events), n)
        self._changes = sparse.csr_array((signs, (rows, np.concatenate([seen, late]))), shape=shape)
        self._tied = sparse.csr_array(
            (np.ones(len(self.patient)), (self._group, self.patient)), shape=shape
        )
        self.time = time[self.patient]
        self.weight = (self._tied @ weights / counts)[self._group]

    def sums(self, values) -> np.ndarray:
        """Sum `values`, one row a patient, over those at risk in each step."""
        at_risk = np.cumsum((self._changes @ values)[::-1], axis=0)[::-1]
        tied = self._tied @ values
        gone = self._gone.reshape(-1, *[1] * (values.ndim - 1))
        return at_risk[self._group] - gone * tied[self._group]

    def exposures(self, values) -> np.ndarray:
        """Sum `values`, one a step, over the steps in which each patient is at risk."""
        by_time = np.add.reduceat(values, self.first_of_ties)
        gone = np.append(np.add.reduceat(self._gone * values, self.first_of_ties), 0.0)
        total = np.concatenate([[0.0], np.cumsum(by_time)])
        return total[self._after] - total[self._first] - gone[self._place]

    def means_of_ties(self, values) -> np.ndarray:
        """Mean of `values`, one row a step, over the steps at the same time."""
        counts = np.diff(np.append(self.first_of_ties, len(values)))
        means = np.add.reduceat(values, self.first_of_ties, axis=0) / counts[:, None]
        return means[self._group]
