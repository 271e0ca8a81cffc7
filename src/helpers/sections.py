"""The sections of the book, in order."""

import pandas as pd

from helpers import demographics, prognostic, response, safety, subgroups, survival
from helpers.disclosure import suppress
from helpers.results import KEYS, collect_results, join_results

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


def summarize_sections(cohort, names) -> pd.DataFrame:
    """Compute the results of some sections, small counts hidden where the study says so.

    Parameters
    ----------
    cohort : Cohort
    names : sequence of str
        Keys of `SECTIONS`. What is hidden of them depends on the counts of every section.
    """
    if cohort.study.suppress_below < 2:
        return join_results(SECTIONS[name](cohort) for name in names)
    results = {name: summarize(cohort) for name, summarize in SECTIONS.items()}
    shown = hide_small_counts(results, cohort.study)
    return join_results(shown[name] for name in names)


def hide_small_counts(results, study) -> dict[str, pd.DataFrame]:
    """Hide small counts, and what would reveal them, in the results of every section.

    Parameters
    ----------
    results : dict of str to DataFrame
        By section, all of them.
    study : Study
    """
    everything = collect_results(
        row for section in results.values() for row in section.to_dict("records")
    )
    shown = suppress(everything, study)
    return {
        name: section[KEYS].merge(shown, on=KEYS, how="left", validate="one_to_one")
        for name, section in results.items()
    }
