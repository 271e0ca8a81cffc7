"""The numbers that are computed of many cohorts at once."""

from __future__ import annotations

import numpy as np

from helpers.batch.cohorts import Wanted
from helpers.batch.description import DURATION, describe_batch
from helpers.batch.survival import COEFFICIENT, MEDIAN, MULTIVARIABLE, summarize_survival_batch

SHARE = ("n", "percent", "n_missing", "p")
SAMPLE = ("mean", "sd", "q1", "median", "q3")
ARMS = ("n", "n_event", *MEDIAN, "p_logrank", *COEFFICIENT)
CURVE = tuple(
    f"{name}{limit}"
    for name in ("survival", "followup_median")
    for limit in ("", "_conf_low", "_conf_high")
)
COMPUTED = {  # what a batch gives of each analysis
    "cohort": ("n",),
    "baseline": (*SHARE, *SAMPLE),
    "eligibility": SHARE,
    "exposure": (*SHARE, *DURATION),
    "response": (*SHARE, "p_pearson", "p_yates", "p_fisher"),
    "measurement": ("n", "q1", "median", "q3"),
    "adverse_event": SHARE,
    "interruption": SHARE,
    "survival": (*ARMS, *CURVE, "n_missing"),
    "subgroup": (*ARMS, "p"),
    "cox_univariable": (*COEFFICIENT, "n", "n_event", "p_screening"),
    **dict.fromkeys(MULTIVARIABLE, COEFFICIENT),
}


class Numbers:
    """Computes some numbers of each cohort of a batch, as `helpers.sections.summarize_all` does.

    Parameters
    ----------
    study : Study
    keys : iterable of tuple
        Of the numbers, in the order of `helpers.results.KEYS`, none twice; of `COMPUTED`.

    Raises
    ------
    ValueError
        The study has strata, or patients who enter late.
    """

    def __init__(self, study, keys):
        if study.strata or any(endpoint.entry for endpoint in study.endpoints.values()):
            raise ValueError("cohorts with strata or late entries are not computed in a batch")
        self._places = {key: place for place, key in enumerate(keys)}
        self._wanted = Wanted(self._places)

    def compute(self, batch) -> tuple[np.ndarray, np.ndarray]:
        """Compute the numbers.

        Returns
        -------
        values : ndarray of shape (n_cohort, n_number)
            NaN where a cohort does not give the number.
        exists : ndarray of shape (n_cohort, n_number)
            Whether it does; a test that does not exist is a number that is NaN.
        """
        shape = (batch.n_cohort, len(self._places))
        values, exists = np.full(shape, np.nan), np.zeros(shape, bool)
        for summarize in (describe_batch, summarize_survival_batch):
            for key, own, given in summarize(batch, self._wanted):
                place = self._places.get(key)
                if place is not None:
                    values[:, place] = own
                    exists[:, place] = True if given is None else given
        values[~exists] = np.nan
        return values, exists
