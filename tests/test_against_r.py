"""The whole study recomputed by R from the same cohort, number by number."""

from pathlib import Path

import numpy as np
import pytest

from helpers.cohort import load_cohort
from helpers.results import KEYS, read_results
from helpers.sections import summarize_all
from helpers.study import load_study

ROOT = Path(__file__).parents[1]
HINT = "after a change of data/cohort.csv run tests/reference/synthetic_cohort.R again"


@pytest.fixture(scope="module")
def pairs():
    reference = read_results(ROOT / "tests/reference/synthetic_cohort.csv")
    cohort = load_cohort(ROOT / "data/cohort.csv", load_study(ROOT / "data/study.yml"))
    computed = summarize_all(cohort)
    return reference.merge(computed, on=KEYS, how="left", suffixes=("_r", ""), indicator=True)


def test_every_number_of_r_is_computed_here(pairs):
    absent = pairs.loc[pairs["_merge"] != "both", KEYS]
    assert len(pairs) > 2000
    assert absent.empty, f"{HINT}\n{absent.to_string()}"


def test_every_number_equals_that_of_r(pairs):
    close = np.isclose(pairs["value"], pairs["value_r"], rtol=1e-8, atol=1e-8, equal_nan=True)
    differing = pairs.loc[~close, [*KEYS, "value_r", "value"]]
    assert differing.empty, f"{HINT}\n{differing.to_string()}"
