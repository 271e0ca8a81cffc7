"""What the chapter about the making of a synthetic cohort opens with."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from helpers.audit.printed import Printed
from helpers.audit.report import load_printed
from helpers.cohort import Cohort
from helpers.parameters import resolve
from helpers.prepared import open_cohort, results_of
from helpers.published import compare, load_ledger
from helpers.reconstruct.cohort import trace_path
from helpers.sections import SECTIONS
from helpers.study import Study, load_study
from helpers.tables.comparison import labels_of


@dataclass(frozen=True)
class Reconstruction:
    """A synthetic cohort beside the print that it was made from.

    Attributes
    ----------
    study : Study
    ledger : DataFrame
    printed : Printed
    cohort : Cohort
    results : DataFrame
    comparison : DataFrame
        Every printed number with its verdict.
    trace : DataFrame
        Numbers hit by leg of the search and block.
    """

    study: Study
    ledger: pd.DataFrame
    printed: Printed
    cohort: Cohort
    results: pd.DataFrame
    comparison: pd.DataFrame
    trace: pd.DataFrame


def open_reconstruction(
    cohort="data/cohort.csv", study="data/study.yml", ledger="data/published.csv"
) -> Reconstruction:
    """Load a cohort, its print and the trace of its search, and compare.

    Parameters
    ----------
    cohort, study, ledger : path-like
        Looked for in the working directory and the folders above it.

    Raises
    ------
    InputError
        One of them is not fit.
    """
    path, described = resolve(cohort), load_study(resolve(study))
    rows = load_ledger(resolve(ledger))
    patients = open_cohort(path, described)
    results = results_of(path, patients, list(SECTIONS))
    printed = load_printed(resolve(ledger))
    return Reconstruction(
        described,
        rows,
        Printed(printed, described.conventions, labels_of(described)),
        patients,
        results,
        compare(results, rows),
        pd.read_csv(trace_path(path)),
    )
