"""How far the smallest change of an order moves a Cox model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.audit.hazard_ratios import hazard_ratios
from helpers.audit.printed import sides
from helpers.estimators.compiled_cox import fit_batch


def summarize_exchanges(cohort, printed) -> pd.DataFrame:
    """Let two patients who leave one after the other change places, and fit again.

    Only exchanges that can change a model are made: of an exposed patient with one who is not,
    one of them with the event at least.

    Parameters
    ----------
    cohort : Cohort
    printed : Printed

    Returns
    -------
    DataFrame
        One row a univariable hazard ratio of the print: ``endpoint``, ``variable``,
        ``n_exchange``, and the median change of the coefficient and of the standard error,
        ``coef`` and ``std_error``, each in half-widths of the range that prints alike.
    """
    rows = []
    ties = cohort.study.conventions.ties
    for row in hazard_ratios(printed, ("cox_univariable",)):
        endpoint, variable = row.ratio.endpoint, row.ratio.variable
        if not len(row.corners) or sides(row.ratio.group) is None:
            continue
        data = cohort.data.dropna(subset=[variable, f"{endpoint}_time"])
        data = data.sort_values(f"{endpoint}_time", kind="stable")
        exposed = (data[variable] == sides(row.ratio.group)[0]).to_numpy(dtype=float)
        event = data[f"{endpoint}_event"].to_numpy() == 1
        first = np.flatnonzero((exposed[1:] != exposed[:-1]) & (event[1:] | event[:-1]))
        orders = np.tile(np.arange(len(data)), (len(first) + 1, 1))
        for number, place in enumerate(first, start=1):
            orders[number, [place, place + 1]] = place + 1, place
        time = np.tile(np.arange(1.0, len(data) + 1), (len(orders), 1))
        coef, variance, _ = fit_batch(time, event[orders], exposed[orders][:, :, None], ties=ties)
        error = np.sqrt(variance[:, :, 0])
        beta = row.corners[:, 0]
        widths = np.ptp(beta) / 2, np.ptp(row.std_error) / 2
        moved = np.abs(coef[1:, 0] - coef[0, 0]), np.abs(error[1:, 0] - error[0, 0])
        rows.append(
            {
                "endpoint": endpoint,
                "variable": variable,
                "n_exchange": len(first),
                "coef": float(np.median(moved[0]) / widths[0]),
                "std_error": float(np.median(moved[1]) / widths[1]),
            }
        )
    return pd.DataFrame(rows)
