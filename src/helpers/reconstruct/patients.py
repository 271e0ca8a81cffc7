"""Everything about the patients but how long they lived: columns from printed numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.reconstruct.adverse_events import fill_adverse_events
from helpers.reconstruct.categories import fill_covariates, fill_response
from helpers.reconstruct.exposures import fill_exposures
from helpers.reconstruct.filling import Filling, codes
from helpers.reconstruct.measurements import fill_measurements


def fill_patients(frame, ledger, study, seed) -> pd.DataFrame:
    """Complete a cohort of which covariates and survival times are known.

    Each printed statistic is first given back by a set of values for each arm; which patient
    has which of them follows the ``associations`` of the study file, and changes no statistic.

    Parameters
    ----------
    frame : DataFrame
        One row a patient: the arm's key in the column that the study file names, the time and
        event columns of every endpoint, and level keys of categorical covariates in columns
        named by the covariate's key (also where the file holds a number and a cut-off).
    ledger : DataFrame
        Printed numbers, see `helpers.published.load_ledger`.
    study : Study
    seed : int

    Returns
    -------
    DataFrame
        The cohort in the columns and codes of the study file. A column about which nothing is
        printed is empty.

    Raises
    ------
    SearchError
        No values were found that give back a printed statistic.
    ValueError
        Printed counts contradict each other, or an association goes with a later column.
    """
    filling = Filling(frame, ledger, study, seed)
    filling.write(study.arm.column, codes(study.arm.levels, filling.arms))
    _take_endpoints(filling)
    fill_covariates(filling)
    fill_response(filling)
    fill_measurements(filling)
    fill_exposures(filling)
    fill_adverse_events(filling)
    return filling.to_frame()


def _take_endpoints(filling):
    for key, endpoint in filling.study.endpoints.items():
        time = filling.frame[endpoint.time].to_numpy(dtype=float)
        event = filling.frame[endpoint.event].isin(endpoint.event_codes).to_numpy(dtype=float)
        filling.known[f"{key}_time"] = _expected_times(time, event, filling.arms)
        filling.known[f"{key}_event"] = event
        filling.write(endpoint.time, filling.frame[endpoint.time])
        filling.write(endpoint.event, filling.frame[endpoint.event])


def _expected_times(time, event, arms):
    """Times to the event; for a censored patient the mean of the later times of the arm."""
    expected = time.copy()
    for index in np.flatnonzero(event == 0):
        later = time[(arms == arms[index]) & (time >= time[index])]
        expected[index] = later.mean()
    return expected
