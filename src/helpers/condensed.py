"""Patients of a large cohort who are alike, as one row with their number."""

import numpy as np
import pandas as pd

from helpers.cohort import Cohort
from helpers.estimators.compiling import LARGE

N_PATIENT = "n_patient"
MOST_CELLS = 4_000_000  # combinations of values, beyond which counting takes too much memory
CELLS_PER_PATIENT = 8  # beyond which it does not pay


def condense(cohort, endpoint, variables) -> Cohort:
    """Count the patients of a large cohort who are alike in an endpoint and in covariates.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    variables : sequence of str
        Covariates, or ``arm``; the study's strata are always kept.

    Returns
    -------
    Cohort
        With the columns named, and ``n_patient``; each row stands for so many patients. The
        cohort itself where it is small, where too few of its patients are alike, or where it
        has these columns already.
    """
    data, study = cohort.data, cohort.study
    names = [*study.names_of(endpoint), *variables, *study.strata]
    names = [name for name in dict.fromkeys(names) if name in data]
    if {*names, N_PATIENT} == {*data.columns}:
        return cohort
    is_measured = any(
        name != "arm" and study.covariates[name].kind == "continuous"
        for name in (*variables, *study.strata)
    )
    if count(data) < LARGE or is_measured:
        return cohort
    coded = {name: _encode(data[name]) for name in names}
    shape = tuple(len(values) for _, values in coded.values())
    if np.prod(shape, dtype=float) > min(MOST_CELLS, CELLS_PER_PATIENT * count(data)):
        return cohort
    cell = np.ravel_multi_index([codes for codes, _ in coded.values()], shape)
    counts = np.bincount(cell, n_patient_of(data)).astype(int)
    rows = np.flatnonzero(counts)
    places = np.unravel_index(rows, shape)
    columns = {
        name: values.take(place)
        for (name, (_, values)), place in zip(coded.items(), places, strict=True)
    }
    return Cohort(pd.DataFrame({**columns, N_PATIENT: counts[rows]}), study)


def _encode(column):
    """Codes from zero of a column, and the values that they stand for, a missing one last."""
    if column.dtype == "category":
        codes, n_value = column.cat.codes.to_numpy(), len(column.cat.categories)
        values = pd.Categorical.from_codes([*range(n_value), -1], dtype=column.dtype)
    else:
        codes, values = pd.factorize(column.to_numpy(), sort=True)
        values, n_value = np.append(values, np.nan), len(values)
    if codes.min() < 0:
        return np.where(codes < 0, n_value, codes), values
    return codes, values[:n_value]


def n_patient_of(patients) -> np.ndarray | None:
    """How many patients each row stands for; None where it is one."""
    return patients[N_PATIENT].to_numpy() if N_PATIENT in patients else None


def count(patients, has=None) -> int:
    """Number of patients, or of those in whom the boolean or 0-1 `has` holds."""
    numbers = n_patient_of(patients)
    if has is None:
        return len(patients) if numbers is None else int(numbers.sum())
    return int(has.sum() if numbers is None else (has * numbers).sum())
