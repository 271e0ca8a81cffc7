"""The results data set: every computed number is one row."""

import numpy as np
import pandas as pd

KEYS = ["analysis", "endpoint", "variable", "level", "group", "statistic"]
COLUMNS = [*KEYS, "value", "method"]

OVERALL = "overall"
BETWEEN_ARMS = "between_arms"
PER_UNIT = "per_unit"


def contrast(level, reference) -> str:
    """Name the group of a comparison of `level` with `reference`."""
    return f"{level}_vs_{reference}"


def result_row(
    analysis, statistic, value, *, endpoint="", variable="", level="", group="", method=""
) -> dict:
    """One computed number with its keys.

    Parameters
    ----------
    analysis, statistic : str
        What was computed.
    value : float
        ``inf`` where a survival time is not reached, NaN where the number does not exist.
    endpoint, variable, level, group : str
        What it was computed on; empty where the key does not apply.
    method : str
        The convention by which it was computed.
    """
    return {
        "analysis": analysis,
        "endpoint": endpoint,
        "variable": variable,
        "level": level,
        "group": group,
        "statistic": statistic,
        "value": float(value),
        "method": method,
    }


def collect_results(rows) -> pd.DataFrame:
    """Make the results data set from rows.

    Raises
    ------
    ValueError
        Two rows have the same keys.
    """
    results = pd.DataFrame(list(rows), columns=COLUMNS)
    repeated = results[results.duplicated(KEYS, keep=False)]
    if len(repeated):
        raise ValueError(f"results with the same keys:\n{repeated[KEYS].to_string(index=False)}")
    return results


def join_results(parts) -> pd.DataFrame:
    """Put results data sets below each other; the empty ones have no part in the columns' types.

    Parameters
    ----------
    parts : iterable of DataFrame
        One at least.
    """
    parts = list(parts)
    return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)


def read_results(path) -> pd.DataFrame:
    """Read a results data set that `write_results` wrote."""
    text = dict.fromkeys([*KEYS, "method"], str)
    return pd.read_csv(
        path,
        dtype=text,
        keep_default_na=False,
        na_values={"value": [""]},
        float_precision="round_trip",
    )


def write_results(results, target) -> None:
    """Write a results data set as CSV to a path or a file, numbers in their shortest exact form."""
    results.to_csv(target, index=False, lineterminator="\n")


def select(results, **keys) -> pd.DataFrame:
    """Rows of `results` whose keys equal `keys`; a list names alternatives."""
    chosen = np.ones(len(results), bool)
    for key, wanted in keys.items():
        column = results[key]
        is_one = isinstance(wanted, str)
        chosen &= column.to_numpy() == wanted if is_one else column.isin(list(wanted)).to_numpy()
    return results[chosen]


def value_of(results, **keys) -> float:
    """The one value of `results` with these keys; NaN if there is none.

    Raises
    ------
    ValueError
        More than one row has these keys.
    """
    values = select(results, **keys)["value"]
    if len(values) > 1:
        raise ValueError(f"{len(values)} results have the keys {keys}")
    return float(values.iloc[0]) if len(values) else float("nan")
