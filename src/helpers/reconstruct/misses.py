"""What a synthetic cohort does not give back, and how far it is off."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.published import DIFFERS, NOT_TESTABLE, REPRODUCED, WITHIN_ROUNDING
from helpers.reconstruct.search import TRACE

SIZES = (1.5, 2.5, 5.5, 10.5)  # units of the last printed digit


def summarize_misses(comparison) -> pd.DataFrame:
    """The printed numbers that a cohort does not give back, the farthest last.

    Parameters
    ----------
    comparison : DataFrame
        Made by `helpers.published.compare`.

    Returns
    -------
    DataFrame
        Its rows of numbers that are not reproduced, with ``units``: how far the computed
        number, rounded as the print is, is off in units of the last printed digit; infinite
        where one of the two is not reached.
    """
    missed = comparison[comparison["verdict"].isin([WITHIN_ROUNDING, DIFFERS])].copy()
    difference = pd.to_numeric(missed["computed"], errors="coerce") - pd.to_numeric(
        missed["printed"], errors="coerce"
    )
    unit = 10.0 ** -pd.to_numeric(missed["precision"])
    missed["units"] = (difference / unit).round().fillna(np.inf)
    return missed.sort_values("units", key=np.abs, kind="stable", ignore_index=True)


def count_misses(comparison) -> pd.DataFrame:
    """Count the numbers of each section that differ, by how many units of the last digit.

    Returns
    -------
    DataFrame
        One row a section of the article, and a last one for all: ``reproduced``, one column
        for each range of `SIZES` and beyond, ``total``.
    """
    compared = comparison[comparison["verdict"] != NOT_TESTABLE]
    missed = summarize_misses(comparison)
    bins = pd.cut(missed["units"].abs(), [0, *SIZES, np.inf], labels=size_labels())
    counts = pd.crosstab(missed["section"], bins)
    counts = counts.reindex(index=compared["section"].unique(), columns=size_labels(), fill_value=0)
    sections = compared.groupby("section")
    reproduced = sections["verdict"].agg(lambda verdicts: int((verdicts == REPRODUCED).sum()))
    counts.insert(0, "reproduced", reproduced.reindex(counts.index))
    counts["total"] = sections.size().reindex(counts.index)
    counts.loc["All"] = counts.sum()
    return counts


def size_labels() -> list[str]:
    """The ranges of `SIZES` in words."""
    ends = [int(size) for size in SIZES]
    firsts = [1, *(end + 1 for end in ends)]
    inside = [str(a) if a == b else f"{a} to {b}" for a, b in zip(firsts, ends, strict=False)]
    return [*inside, f"more than {ends[-1]}"]


def count_missing(trace) -> pd.DataFrame:
    """How many printed numbers are still missed after each leg of a search.

    Parameters
    ----------
    trace : DataFrame
        Left by `helpers.reconstruct.search.search_survival`.

    Returns
    -------
    DataFrame
        One row for each number of steps, one column a block.
    """
    missed = trace[TRACE].assign(missed=trace["n_printed"] - trace["n_hit"])
    return missed.pivot_table(index="steps", columns="block", values="missed", sort=False)
