"""How many printed numbers each of many cohorts gives back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.batch.cohorts import stack_cohorts
from helpers.batch.numbers import COMPUTED, Numbers
from helpers.determined import cohort_of_draw
from helpers.published import COMPARED, NOT_TESTABLE, VERDICTS, Prints
from helpers.results import KEYS


@dataclass(frozen=True)
class Scores:
    """The printed numbers in many cohorts.

    Attributes
    ----------
    ids : list of str
        Of the rows of the ledger that are compared.
    values : ndarray of shape (n_cohort, n_printed)
        As computed; NaN where a cohort does not give the number.
    verdicts : ndarray of shape (n_cohort, n_printed)
        Places in `helpers.published.VERDICTS`.
    """

    ids: list[str]
    values: np.ndarray
    verdicts: np.ndarray

    def count(self) -> pd.DataFrame:
        """How many numbers of each cohort got each verdict."""
        columns = {name: (self.verdicts == n).sum(axis=1) for n, name in enumerate(VERDICTS)}
        return pd.DataFrame(columns)


class Scorer:
    """Compares the printed numbers of a study with those of its cohorts.

    Numbers and verdicts are those of `helpers.sections.summarize_all` and
    `helpers.published.compare`.

    Parameters
    ----------
    ledger : DataFrame
        See `helpers.published.load_ledger`.
    study : Study

    Raises
    ------
    ValueError
        A number is compared that is not computed in a batch; or the study has strata, or
        patients who enter late.
    """

    def __init__(self, ledger, study):
        rows = ledger[ledger["class"].isin(COMPARED)]
        strange = [
            row.id
            for row in rows.itertuples()
            if row.statistic not in COMPUTED.get(row.analysis, ())
        ]
        if strange:
            raise ValueError(f"not computed in a batch: {', '.join(strange)}")
        self._ids, self._prints = list(rows["id"]), Prints(rows)
        self._number_of, keys = pd.MultiIndex.from_frame(rows[KEYS]).factorize()
        self._numbers = Numbers(study, keys)

    def score(self, batch) -> Scores:
        """Compute and judge the printed numbers of each cohort of a batch."""
        values, exists = (each[:, self._number_of] for each in self._numbers.compute(batch))
        absent = VERDICTS.index(NOT_TESTABLE)
        return Scores(self._ids, values, np.where(exists, self._prints.judge(values), absent))


def score_draws(draws, study, scorer) -> pd.DataFrame:
    """Score the cohorts of an ensemble.

    Parameters
    ----------
    draws : DataFrame
        As of `helpers.reconstruct.ensemble_files.EnsembleFolder.read`.
    study : Study
    scorer : Scorer

    Returns
    -------
    DataFrame
        A row for each draw: ``draw``; how many printed numbers got each verdict; and by the id
        of each number its verdict.
    """
    numbers = draws["draw"].unique()
    of_all = study.model_copy(update={"identifier": None})  # draws share their identifiers
    scores = scorer.score(stack_cohorts(cohort_of_draw(draws, of_all), len(numbers)))
    verdicts = pd.DataFrame(np.array(VERDICTS)[scores.verdicts], columns=scores.ids)
    counts = scores.count()
    counts.insert(0, "draw", numbers)
    return counts.join(verdicts)
