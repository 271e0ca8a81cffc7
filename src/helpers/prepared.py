"""A cohort that is checked once and computed once, for all notebooks of a run.

A run leaves a folder beside the cohort file: the checked patients as binary columns, and the
results of each section. A notebook that finds the folder reads it; any other loads the file and
computes.
"""

import pandas as pd
from pyarrow import feather

from helpers.cohort import Cohort, load_cohort
from helpers.results import join_results, read_results, write_results
from helpers.sections import summarize_sections

PATIENTS = "patients.arrow"


def folder_of(path):
    """The folder beside a cohort file in which it is prepared."""
    return path.with_name(f"{path.name}.prepared")


def write_patients(cohort, path) -> None:
    """Keep the checked patients of the cohort file `path` in its folder."""
    folder = folder_of(path)
    folder.mkdir(exist_ok=True)
    feather.write_feather(cohort.data, folder / PATIENTS, compression="uncompressed")


def write_sections(results, folder) -> None:
    """Keep the results of each section in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in results.items():
        write_results(own, folder / f"{name}.csv")


def open_cohort(path, study) -> Cohort:
    """Read the prepared patients of a cohort file, or load the file itself.

    Parameters
    ----------
    path : Path
    study : Study

    Raises
    ------
    InputError
        The file is not fit, see `helpers.cohort.load_cohort`.
    """
    prepared = folder_of(path) / PATIENTS
    if not prepared.is_file():
        return load_cohort(path, study)
    table = feather.read_table(prepared, memory_map=True)
    return Cohort(table.to_pandas(split_blocks=True), study)


def results_of(path, cohort, names) -> pd.DataFrame:
    """Read the prepared results of some sections, or compute them.

    Parameters
    ----------
    path : Path
        The cohort file.
    cohort : Cohort
        Its patients.
    names : sequence of str
        Keys of `helpers.sections.SECTIONS`.
    """
    prepared = [folder_of(path) / f"{name}.csv" for name in names]
    if not all(file.is_file() for file in prepared):
        return summarize_sections(cohort, names)
    return join_results(map(read_results, prepared))
