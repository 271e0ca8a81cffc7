from pathlib import Path

import pandas as pd
import pytest
from random_cohort import random_cohort

from helpers.published import COMPARED, load_ledger
from helpers.results import COLUMNS, KEYS
from helpers.sections import SECTIONS, summarize_all
from helpers.study import load_study

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def results():
    study = load_study(ROOT / "data" / "study.yml")
    return summarize_all(random_cohort(study, n=400))


def test_all_sections_are_one_data_set(results):
    assert list(results.columns) == COLUMNS
    assert not results.duplicated(KEYS).any()


def test_every_printed_key_is_computed(results):
    ledger = load_ledger(ROOT / "data" / "published.csv")
    compared = ledger[ledger["class"].isin(COMPARED)]
    computed = pd.MultiIndex.from_frame(results[KEYS])
    absent = compared[~pd.MultiIndex.from_frame(compared[KEYS]).isin(computed)]
    assert absent["id"].tolist() == []


def test_each_section_is_a_notebook():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("0[1-6]_*.ipynb")}
    assert notebooks == set(SECTIONS)
