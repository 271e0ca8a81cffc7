"""A cohort while it is being filled."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.reconstruct.matching import association_scores
from helpers.reconstruct.printed import PrintedNumbers


class Filling:
    """The patients of a frame, and what is known of them so far.

    Parameters
    ----------
    frame : DataFrame
        See `helpers.reconstruct.patients.fill_patients`.
    ledger : DataFrame
    study : Study
    seed : int

    Attributes
    ----------
    arms : ndarray of str
        Key of each patient's arm.
    known : dict of str to ndarray
        One number a patient, under the names of `helpers.cohort.Cohort.data`: what the
        associations of the study file can refer to. A level counts by its place, the reference
        first.
    columns : dict of str to list
        The cohort file that is being made.
    """

    def __init__(self, frame, ledger, study, seed):
        self.frame = frame.reset_index(drop=True)
        self.printed = PrintedNumbers(ledger)
        self.study = study
        self.seed = seed
        self.arms = self.frame[study.arm.column].to_numpy(dtype=str)
        self.sizes = {arm: int((self.arms == arm).sum()) for arm in study.arm.levels}
        self.known = {}
        self.columns = {}

    def rng(self, name) -> np.random.Generator:
        """A generator of this name's own, so that no column depends on another's draws."""
        return np.random.default_rng([self.seed, *name.encode()])

    def scores(self, *names, exact=False) -> np.ndarray:
        """Order of the patients for a column, by the associations under any of its names."""
        associations = {}
        for name in names:
            associations |= self.study.associations.get(name, {})
        early = sorted(set(associations) - set(self.known))
        if early:
            raise ValueError(
                f"associations: {names[0]} goes with {', '.join(early)}, of which nothing is "
                "known when it is filled; turn the association round"
            )
        rng = self.rng(f"scores of {names[0]}")
        return association_scores(associations, self.known, self.arms, rng, exact=exact)

    def write(self, column, cells):
        """Write a column of the cohort file; what is nowhere printed is an empty one."""
        self.columns[column] = list(cells)

    def write_empty(self, column):
        self.write(column, [None] * len(self.arms))

    def to_frame(self) -> pd.DataFrame:
        """The columns so far, identifiers first."""
        identifiers = {}
        if self.study.identifier:
            n = len(self.arms)
            names = [f"P{number:0{len(str(n))}d}" for number in range(1, n + 1)]
            identifiers = {self.study.identifier: names}
        return pd.DataFrame(identifiers | self.columns)


def codes(levels, keys) -> list:
    """Level keys as the cohort file writes them."""
    return [key if levels[key].code is None else levels[key].code for key in keys]
