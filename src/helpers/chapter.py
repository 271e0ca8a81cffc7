"""What every notebook opens with: its cohort, its results, and the printed numbers."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers.cohort import Cohort, load_cohort
from helpers.parameters import Parameters
from helpers.published import compare, load_ledger
from helpers.results import write_results
from helpers.sections import SECTIONS
from helpers.study import Study, load_study


@dataclass(frozen=True)
class Chapter:
    """One section of a study.

    Attributes
    ----------
    name : str
        The notebook's name, as in `helpers.sections.SECTIONS`.
    parameters : Parameters
    study : Study
    cohort : Cohort
    results : DataFrame
        Every number that the chapter computes.
    comparison : DataFrame or None
        The printed numbers of the same analyses, each with its verdict; None without a ledger.
    """

    name: str
    parameters: Parameters
    study: Study
    cohort: Cohort
    results: pd.DataFrame
    comparison: pd.DataFrame | None

    def has(self, analysis) -> bool:
        """Whether the study gives any result of `analysis`."""
        return bool((self.results["analysis"] == analysis).any())


def open_chapter(name, parameters) -> Chapter:
    """Load what the parameters name, compute the chapter's results, compare, and file them.

    Parameters
    ----------
    name : str
        A key of `helpers.sections.SECTIONS`.
    parameters : Parameters
        Where `out` names a folder, the results are left there as ``{name}.csv``.

    Raises
    ------
    InputError
        The study file, the cohort or the ledger is not fit.
    """
    study = load_study(parameters.study)
    cohort = load_cohort(parameters.cohort, study)
    results = SECTIONS[name](cohort)
    comparison = None
    if parameters.ledger:
        ledger = load_ledger(parameters.ledger)
        own = ledger["analysis"].isin(results["analysis"].unique())
        comparison = compare(results, ledger[own])
    if parameters.out:
        folder = Path(parameters.out)
        folder.mkdir(parents=True, exist_ok=True)
        write_results(results, folder / f"{name}.csv")
    return Chapter(name, parameters, study, cohort, results, comparison)
