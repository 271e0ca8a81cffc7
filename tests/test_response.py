from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort
from scipy.stats import norm
from test_demographics import STUDY

from helpers import response
from helpers.cohort import cohort_from_frame
from helpers.published import load_ledger
from helpers.response import list_pairs, summarize_response
from helpers.results import KEYS, select, value_of
from helpers.study import Study, load_study

DATA = Path(__file__).parents[1] / "data"
COMMON = {key: STUDY[key] for key in ("title", "arm", "endpoints")}
MEASUREMENT = {"label": "Marker", "baseline": "before", "followup": "after"}
RESPONSE = {
    "column": "best",
    "categories": {key: {"label": key} for key in ("full", "part", "none")},
    "rates": {"any": {"label": "Any", "categories": ["full", "part"]}},
}


def measured(before, after, arms=None, conventions=None, **options):
    content = {"measurements": {"marker": MEASUREMENT | options}, "conventions": conventions or {}}
    frame = pd.DataFrame({"before": before, "after": after})
    frame["group"] = arms or ["old", "new"] * (len(before) // 2)
    cohort = cohort_from_frame(frame.assign(t=1, e=0), Study.model_validate(COMMON | content))
    return summarize_response(cohort)


@pytest.fixture(scope="module")
def responses():
    best = ["full"] * 2 + ["part"] * 9 + ["none"] * 31 + ["part"] * 22 + ["none"] * 24 + [None]
    frame = pd.DataFrame({"group": ["old"] * 42 + ["new"] * 47, "best": best})
    study = Study.model_validate(COMMON | {"response": RESPONSE})
    return summarize_response(cohort_from_frame(frame.assign(t=1, e=0), study))


@pytest.mark.parametrize(
    ("group", "statistic", "expected"),
    [
        ("new", "n", 22),
        ("new", "percent", 2200 / 46),
        ("old", "percent", 1100 / 42),
        ("overall", "percent", 3300 / 88),
        # R: chisq.test, fisher.test of the same table, see reference/contingency.csv
        ("between_arms", "p", 0.036260381941114223),
        ("between_arms", "p_pearson", 0.036260381941114223),
        ("between_arms", "p_yates", 0.060989038514473577),
        ("between_arms", "p_fisher", 0.047841122732075136),
        ("new_vs_old", "risk_difference", 21.635610766045549),
        ("new_vs_old", "risk_difference_conf_low", 1.4096187881268429),
        ("new_vs_old", "odds_ratio", 2.5833333333333335),
        ("new_vs_old", "odds_ratio_conf_high", 6.3462579998929876),
    ],
)
def test_rate_equals_r(responses, group, statistic, expected):
    found = value_of(responses, variable="any", group=group, statistic=statistic)
    assert found == pytest.approx(expected, rel=1e-8)


def test_patients_who_were_not_evaluated_are_counted(responses):
    assert value_of(responses, variable="", group="new", statistic="n") == 46
    assert value_of(responses, variable="", group="new", statistic="n_missing") == 1


def test_all_categories_are_tested_together(responses):
    found = select(responses, variable="", statistic="p")
    assert list(found["method"]) == ["fisher"]
    assert found["value"].item() < 0.05


def test_measurement_by_hand():
    results = measured([10, 10, 20, 20, 40, 40], [20, 5, 40, 10, 80, 20], scale="log")
    for group, level, statistic, expected in (
        ("overall", "baseline", "n", 6),
        ("old", "baseline", "median", 20),
        ("old", "followup", "median", 40),
        ("old", "change", "median", 2),
        ("new", "change", "q1", 0.5),
        ("overall", "change", "median", 1),
    ):
        found = value_of(results, group=group, level=level, statistic=statistic)
        assert found == pytest.approx(expected)


def test_equal_ratios_tie():
    # Ratios of 1/3 and of 3, although log 6 - log 2 is not log 9 - log 3 in binary.
    results = measured([3, 1, 9, 7, 6, 11], [1, 3, 3, 21, 2, 33], scale="log")
    between = value_of(results, level="change", group="between_arms", statistic="p")
    # U is 9, expected 4.5, variance 9/12 (7 - (24 + 24) / 30) = 4.05
    assert between == pytest.approx(2 * norm.sf(4 / np.sqrt(4.05)))


def test_only_patients_above_the_limit_are_described():
    results = measured([5, 7, 8, 9, 10, None], [1, 1, 1, 1, None, 1], above=7)
    assert value_of(results, level="baseline", group="overall", statistic="n") == 3
    assert value_of(results, level="followup", group="overall", statistic="n") == 2
    assert value_of(results, level="change", group="overall", statistic="n") == 2


def test_a_ratio_needs_positive_values():
    results = measured([0, 2, 4, 4], [1, 0, 8, 2], scale="log")
    assert value_of(results, level="change", group="overall", statistic="n") == 2
    assert value_of(results, level="baseline", group="overall", statistic="n") == 4


@pytest.mark.parametrize(("kind", "expected"), [(6, 1.25), (7, 1.75)])
def test_quantile_definition_is_a_convention(kind, expected):
    before = [1, 0, 2, 0, 3, 0, 4, 0]
    results = measured(before, before, conventions={"measurement_quantile": kind})
    found = select(results, level="baseline", group="old", statistic="q1")
    assert found["value"].item() == expected
    assert found["method"].item() == f"type_{kind}"


def test_no_change_has_no_test():
    results = measured([1, 2, 3, 4], [1, 2, 3, 4])
    tests = select(results, level="change", statistic="p")
    assert np.isnan(tests["value"]).all()
    assert tests["method"].str.startswith("none: ").all()


def test_a_study_without_response_gives_no_rows():
    study = Study.model_validate(STUDY)
    assert summarize_response(random_cohort(study, n=8)).empty


def test_every_printed_key_is_computed():
    results = summarize_response(random_cohort(load_study(DATA / "study.yml")))
    ledger = select(load_ledger(DATA / "published.csv"), analysis=["response", "measurement"])
    assert len(ledger) == 39
    keys = pd.MultiIndex.from_frame(results[KEYS])
    assert pd.MultiIndex.from_frame(ledger[KEYS]).isin(keys).all()


def test_of_many_pairs_some_are_drawn_evenly(monkeypatch):
    monkeypatch.setattr(response, "MOST_PAIRS", 4)
    frame = pd.DataFrame({"before": range(23), "group": ["old"] * 20 + ["new"] * 3, "after": 1})
    study = Study.model_validate(COMMON | {"measurements": {"marker": MEASUREMENT}})
    pairs = list_pairs(cohort_from_frame(frame.assign(t=1, e=0), study), "marker")
    assert pairs["baseline"].tolist() == [0, 5, 10, 15, 20, 21, 22]
