from pathlib import Path

import pandas as pd
import pytest
from random_cohort import random_cohort
from three_arms import PATIENTS, three_arms

from helpers.cohort import cohort_from_frame
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


def test_who_has_no_outcome_is_counted_and_left_out_of_that_endpoint():
    study = three_arms().study.model_copy(update={"baseline": ["age", "karno"]})
    unknown = PATIENTS.index.isin([3, 40, 41, 80])
    frame = PATIENTS.assign(
        os_days=PATIENTS["os_days"].mask(unknown & (PATIENTS.index < 41)),
        died=PATIENTS["died"].mask(unknown & (PATIENTS.index > 3)),
    )
    found, without, full = (
        summarize_all(cohort_from_frame(cohort, study)).set_index(KEYS)["value"]
        for cohort in (frame, PATIENTS[~unknown], PATIENTS)
    )
    missing = found.xs("n_missing", level="statistic").xs("os", level="endpoint")
    arms = PATIENTS.loc[unknown, "cell"].value_counts()
    by_group = missing.droplevel(["analysis", "variable", "level"]).to_dict()
    assert by_group == {"overall": 4, **arms.reindex(list(study.arm.levels), fill_value=0)}
    endpoint = found.index.get_level_values("endpoint")
    statistic = found.index.get_level_values("statistic")
    depends = statistic.isin(["n_missing", "p_holm", "p_benjamini_hochberg"])
    for part, expected in (("os", without), ("pfs", full), ("", full)):
        rows = found[(endpoint == part) & ~depends]
        assert len(rows) > 10
        pd.testing.assert_series_equal(rows, expected[rows.index], rtol=1e-9)


def test_each_section_is_a_notebook():
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("0[1-6]_*.ipynb")}
    assert notebooks == set(SECTIONS)
