"""The ledger of a study whose patients are known, as its article would print it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.formats import NOT_REACHED, round_half_up
from helpers.published import COLUMNS
from helpers.results import KEYS, OVERALL

PRINTED = {  # decimals of what is printed, by analysis and statistic
    "cohort": {"n": 0},
    "baseline": {"n": 0, "mean": 1, "sd": 1, "median": 1, "q1": 1, "q3": 1},
    "survival": {"median": 1, "median_conf_low": 1, "median_conf_high": 1},
    "subgroup": {"median": 1, "median_conf_low": 1, "median_conf_high": 1, "p": 3},
}
RATIO = {"hazard_ratio": 3, "hazard_ratio_conf_low": 3, "hazard_ratio_conf_high": 3, "p_wald": 3}
PRINTED |= {"cox_univariable": RATIO, "cox_multivariable": RATIO}
PLACES = {
    "cohort": "Table 1",
    "baseline": "Table 1",
    "survival": "Figure 1",
    "subgroup": "Figure 2",
    "cox_univariable": "Table 2",
    "cox_multivariable": "Table 2",
}


def publish_tables(results, study) -> pd.DataFrame:
    """Round results as an article prints them, and leave out what articles leave out.

    Printed are sizes and baseline values, medians of each arm with their intervals, all Cox
    models and the tests of subgroups. A Cox model is printed in one direction, against the
    reference level.

    Parameters
    ----------
    results : DataFrame
        See `helpers.sections.summarize_all`.
    study : Study

    Returns
    -------
    DataFrame
        A ledger, see `helpers.published.load_ledger`.
    """
    rows = []
    for row in results.to_dict("records"):
        decimals = PRINTED.get(row["analysis"], {}).get(row["statistic"])
        if decimals is None or np.isnan(row["value"]) or _is_left_out(row, study):
            continue
        printed = NOT_REACHED
        if np.isfinite(row["value"]):
            printed = f"{round_half_up(row['value'], decimals)}"
        found = {name: row[name] for name in KEYS} | {
            "id": f"row{len(rows)}",
            "printed": printed,
            "decimals": str(decimals),
            "precision": str(decimals),
            "place": PLACES[row["analysis"]],
            "section": PLACES[row["analysis"]],
            "class": "cohort",
        }
        rows.append(found)
    return pd.DataFrame(rows).reindex(columns=COLUMNS, fill_value="")


def _is_left_out(row, study):
    """Medians of the arms together, and Cox models against another level than the reference."""
    if row["analysis"] in ("survival", "subgroup"):
        return row["group"] == OVERALL
    if row["analysis"] in ("cox_univariable", "cox_multivariable"):
        return not row["group"].endswith(f"_vs_{study.reference(row['variable'])}")
    return False


def compare_unprinted(truth, rebuilt, ledger) -> pd.DataFrame:
    """Set survival that a ledger does not print beside that of patients made from it.

    Parameters
    ----------
    truth, rebuilt : DataFrame
        Results of the true patients and of those made from the ledger.
    ledger : DataFrame

    Returns
    -------
    DataFrame
        Events, medians and survival at the milestones: the keys of the results, ``truth`` and
        ``rebuilt``.
    """
    joined = truth.merge(rebuilt, on=KEYS, suffixes=("", "_rebuilt"))
    joined = joined.merge(ledger[KEYS], how="left", on=KEYS, indicator=True)
    chosen = (
        (joined["analysis"] == "survival")
        & joined["statistic"].isin(["n_event", "median", "survival"])
        & (joined["_merge"] == "left_only")
    )
    found = joined.loc[chosen, [*KEYS, "value", "value_rebuilt"]]
    names = {"value": "truth", "value_rebuilt": "rebuilt"}
    return found.rename(columns=names).reset_index(drop=True)
