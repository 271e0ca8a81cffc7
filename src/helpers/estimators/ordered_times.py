"""Times of the patients of many cohorts in order, and what is summed along them."""

from __future__ import annotations

import numpy as np


class OrderedTimes:
    """Times in ascending order, a row for each cohort.

    Parameters
    ----------
    time : ndarray of shape (n_cohort, n)
        In the order of the patients. NaN, a time that is not known, is last.

    Attributes
    ----------
    time : ndarray of shape (n_cohort, n)
        In ascending order.
    """

    def __init__(self, time):
        self._order = np.argsort(time, axis=1, kind="stable")
        self.time = np.take_along_axis(time, self._order, axis=1)
        begins = np.ones(time.shape, bool)
        begins[:, 1:] = self.time[:, 1:] != self.time[:, :-1]
        first = np.maximum.accumulate(np.where(begins, np.arange(time.shape[1]), 0), axis=1)
        self._cell = (first + time.shape[1] * np.arange(len(time))[:, None]).ravel()

    def sum_ties(self, values) -> np.ndarray:
        """Sum values, one a patient, over those of equal times; at the first of each, else zero.

        Parameters
        ----------
        values : ndarray of shape (n_cohort, n)
            In the order of the patients.
        """
        ordered = np.take_along_axis(values, self._order, axis=1)
        return np.bincount(self._cell, ordered.ravel(), values.size).reshape(values.shape)


def from_then_on(values) -> np.ndarray:
    """The sum of values at each time and later, along the last axis."""
    return np.cumsum(values[..., ::-1], axis=-1)[..., ::-1]
