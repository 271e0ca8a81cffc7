"""Many cohorts of one study as arrays, and the numbers that are computed from them."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from helpers.results import KEYS, OVERALL
from helpers.study import Study


@dataclass(frozen=True)
class Batch:
    """Cohorts of one study with as many patients each.

    Attributes
    ----------
    columns : dict of str to ndarray of shape (n_cohort, n)
        By the names of `helpers.cohort.Cohort.data`; of a categorical column the places of the
        levels. NaN where a value is missing.
    study : Study
    """

    columns: dict[str, np.ndarray]
    study: Study

    @property
    def n_cohort(self) -> int:
        """Number of cohorts."""
        return len(self.columns["arm"])

    @functools.cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Who is in the whole cohort, and in each arm, by key."""
        arm = self.columns["arm"]
        own = {key: arm == place for place, key in enumerate(self.study.arm.levels)}
        return {OVERALL: np.ones(arm.shape, bool)} | own

    @property
    def arms(self) -> list[np.ndarray]:
        """Who is in each arm."""
        return list(self.groups.values())[1:]

    def is_at(self, variable, level) -> np.ndarray:
        """Who is at a level of a covariate: 1, 0 or, where it is missing, NaN."""
        place = list(self.study.levels(variable)).index(level)
        return answer(self.columns[variable], self.columns[variable] == place)


def stack_cohorts(cohort, n_cohort) -> Batch:
    """Make a batch of cohorts whose patients follow each other, cohort after cohort.

    Parameters
    ----------
    cohort : Cohort
        Of all of them.
    n_cohort : int
    """
    columns = {name: _numbers(column).reshape(n_cohort, -1) for name, column in cohort.data.items()}
    return Batch(columns, cohort.study)


def _numbers(column):
    if column.dtype != "category":
        return column.to_numpy(float)
    codes = column.cat.codes.to_numpy(float)
    return np.where(codes < 0, np.nan, codes)


def answer(values, has) -> np.ndarray:
    """Whether something holds of `values`: 1, 0 or, where they are missing, NaN."""
    return np.where(np.isnan(values), np.nan, has)


def any_of(answers) -> np.ndarray:
    """1 where any answer is; else NaN where one is missing, else 0."""
    answers = np.array(answers)
    return np.where((answers == 1).any(axis=0), 1.0, answers.sum(axis=0) * 0)


def all_of(answers) -> np.ndarray:
    """0 where any answer is; else NaN where one is missing, else 1."""
    return 1 - any_of([1 - each for each in answers])


def batch_row(
    analysis, statistic, values, *, endpoint="", variable="", level="", group="", exists=None
) -> tuple:
    """One number of each cohort with its keys, see `helpers.results.result_row`.

    Parameters
    ----------
    values : ndarray of shape (n_cohort,)
    exists : ndarray of shape (n_cohort,), optional
        Which cohorts have the number, if not all.
    """
    return (analysis, endpoint, variable, level, group, statistic), values, exists


class Wanted:
    """Which numbers are asked for.

    Parameters
    ----------
    keys : iterable of tuple
        In the order of `helpers.results.KEYS`.
    """

    def __init__(self, keys):
        self._keys = [dict(zip(KEYS, key, strict=True)) for key in dict.fromkeys(keys)]
        self._known = {}

    def __call__(self, **keys) -> bool:
        """Whether any number with these keys is."""
        asked = tuple(keys.items())
        if asked not in self._known:
            self._known[asked] = any(keys.items() <= own.items() for own in self._keys)
        return self._known[asked]
