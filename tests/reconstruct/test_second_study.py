"""A second study with known patients: its tables printed, rebuilt, and compared."""

import numpy as np
import pandas as pd
import pytest
from small_book import ROOT

from helpers.cohort import load_cohort
from helpers.published import REPRODUCED, load_ledger
from helpers.reconstruct.chapter import open_reconstruction
from helpers.reconstruct.misses import summarize_misses
from helpers.reconstruct.publication import compare_unprinted, publish_tables
from helpers.reconstruct.survival_targets import read_survival_targets
from helpers.sections import summarize_all
from helpers.study import load_study

DATA = ROOT / "data"


@pytest.fixture(scope="module")
def study():
    return load_study(DATA / "invented.yml")


@pytest.fixture(scope="module")
def truth(study):
    return load_cohort(DATA / "invented.csv", study)


@pytest.fixture(scope="module")
def results(truth):
    return summarize_all(truth)


@pytest.fixture(scope="module")
def made():
    files = ("invented_rebuilt.csv", "invented.yml", "invented_published.csv")
    return open_reconstruction(*(DATA / name for name in files))


def test_the_ledger_is_what_an_article_would_print(results, study):
    stored = load_ledger(DATA / "invented_published.csv")
    pd.testing.assert_frame_equal(publish_tables(results, study), stored)
    assert not (stored["group"] == "overall")[stored["analysis"] == "survival"].any()
    ratios = stored[stored["statistic"] == "hazard_ratio"]
    assert set(ratios["group"]) == {
        "spa_vs_rest",
        "ever_vs_never",
        "winter_vs_summer",
        "severe_vs_mild",
    }


def test_printed_numbers_are_those_of_the_true_patients():
    stored = load_ledger(DATA / "invented_published.csv")
    keys = {"variable": "smoking", "level": "ever", "group": "spa", "statistic": "n"}
    smokers = stored[(stored[list(keys)] == list(keys.values())).all(axis=1)]
    cells = pd.read_csv(DATA / "invented.csv")
    expected = ((cells["regimen"] == "S") & (cells["smoking"] == "ever")).sum()
    assert smokers["printed"].tolist() == [str(expected)]


def test_the_engine_takes_its_windows_from_any_ledger(study):
    targets = read_survival_targets(load_ledger(DATA / "invented_published.csv"), study)
    assert targets.sizes == {"rest": 28, "spa": 32}
    assert targets.variables == ("arm", "smoking", "season", "severity")
    assert targets.n_event == {"survival": 38, "flare": 52}


def test_counts_come_back_exactly(made):
    counts = made.comparison[made.comparison["statistic"] == "n"]
    assert len(counts) > 15
    assert (counts["verdict"] == REPRODUCED).all()


def test_numbers_come_back_within_a_few_units_of_the_last_digit(made):
    medians = made.comparison[made.comparison["statistic"].str.startswith("median")]
    assert len(medians) == 36
    assert (medians["verdict"] == REPRODUCED).all()
    assert summarize_misses(made.comparison)["units"].abs().max() <= 10


def test_events_come_back_and_the_rest_is_near(made, results):
    found = compare_unprinted(results, made.results, made.ledger)
    events = found[(found["statistic"] == "n_event") & (found["group"] == "overall")]
    assert events["truth"].tolist() == events["rebuilt"].tolist() == [38, 52]
    survival = found[found["statistic"] == "survival"]
    assert len(survival) > 10
    assert np.abs(survival["truth"] - survival["rebuilt"]).max() < 0.25
