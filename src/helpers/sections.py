"""The sections of the book, in order."""

import pandas as pd

from helpers import demographics, prognostic, response, safety, subgroups, survival
from helpers.results import collect_results

SECTIONS = {
    "01_demographics": demographics.summarize_demographics,
    "02_survival": survival.summarize_survival,
    "03_response": response.summarize_response,
    "04_prognostic_factors": prognostic.summarize_prognostic_factors,
    "05_subgroups": subgroups.summarize_subgroups,
    "06_safety": safety.summarize_safety,
}


def summarize_all(cohort) -> pd.DataFrame:
    """Compute every result of a cohort, section after section.

    Returns
    -------
    DataFrame
        Rows in the schema of `helpers.results`.

    Raises
    ------
    ValueError
        Two sections gave a result with the same keys.
    """
    return collect_results(
        row for summarize in SECTIONS.values() for row in summarize(cohort).to_dict("records")
    )
