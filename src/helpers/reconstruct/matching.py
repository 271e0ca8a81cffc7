"""Which patient gets which value: ranks that go together as the study file assumes."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata


def normal_scores(values) -> np.ndarray:
    """Standardized normal scores of ranks; equal values share the mean of their ranks."""
    scores = ndtri((rankdata(values) - 0.5) / len(values))
    spread = scores.std()
    return scores / spread if spread > 0 else scores


def association_scores(associations, known, arms, rng, *, exact=False) -> np.ndarray:
    """Scores whose order within an arm goes with other columns by given correlations.

    Parameters
    ----------
    associations : dict of str to float
        Correlation with each column, -1 to 1; the squares add up to at most 1.
    known : dict of str to ndarray
        One number a patient for each column that is filled already.
    arms : ndarray of str
    rng : Generator
    exact : bool
        Whether chance only decides between patients whom the associations leave equal.

    Returns
    -------
    ndarray
        No two patients of an arm have the same score.
    """
    scores = np.empty(len(arms))
    explained = 1.0 if exact else sum(r * r for r in associations.values())
    for arm in dict.fromkeys(arms):
        inside = np.flatnonzero(arms == arm)
        noise = normal_scores(rng.permutation(len(inside)))
        score = np.sqrt(max(0.0, 1.0 - explained)) * noise
        for name, correlation in associations.items():
            score = score + correlation * normal_scores(known[name][inside])
        order = np.lexsort([noise, score])
        scores[inside[order]] = normal_scores(np.arange(len(inside)))
    return scores


def give(values, scores, arms, strata=None) -> np.ndarray:
    """Give the values of each arm to its patients, the lowest value to the lowest score.

    Parameters
    ----------
    values : dict of str to sequence
        As many values for each arm as it has patients.
    scores : ndarray
    arms : ndarray of str
    strata : ndarray, optional
        Patients of a higher stratum get higher values whatever their score.
    """
    strata = np.zeros(len(arms)) if strata is None else strata
    given = np.empty(len(arms), dtype=np.result_type(*map(np.asarray, values.values())))
    for arm, of_arm in values.items():
        inside = np.flatnonzero(arms == arm)
        order = np.lexsort([scores[inside], strata[inside]])
        given[inside[order]] = np.sort(of_arm)
    return given
