import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from test_demographics import STUDY
from three_arms import DESIGNS, PATIENTS, assert_equals_r, three_arms

from helpers.cohort import cohort_from_frame
from helpers.estimators.cox import MONOTONE, NO_INFORMATION
from helpers.results import select, value_of
from helpers.study import Study
from helpers.subgroups import summarize_subgroups

STAGE = {
    "kind": "categorical",
    "label": "Stage",
    "reference": "low",
    "levels": {"low": {"label": "Low"}, "high": {"label": "High"}},
}


@pytest.fixture(scope="module")
def results():
    return summarize_subgroups(three_arms())


@pytest.mark.parametrize("design", DESIGNS)
def test_equals_r(design):
    assert_equals_r(summarize_subgroups(three_arms(design)), design, "subgroup")


def test_patients_with_a_missing_value_are_in_no_subgroup(results):
    rows = select(results, endpoint="os", variable="age", group="overall", statistic="n")
    assert rows["value"].sum() == PATIENTS["age"].notna().sum() == 102


def test_p_is_by_the_convention(results):
    rows = select(results, endpoint="os", variable="prior", level="no")
    p = {name: value_of(rows, statistic=name) for name in ("p", "p_logrank")}
    assert p["p"] == p["p_logrank"]
    wald = summarize_subgroups(three_arms(conventions={"subgroup_test": "wald"}))
    rows = select(wald, endpoint="os", variable="prior", level="no")
    assert value_of(rows, statistic="p_logrank") == p["p_logrank"]
    found = select(rows, statistic="p")
    assert found["method"].tolist() == ["joint Wald test"]
    assert found["value"].iloc[0] != p["p"]


def test_interaction_by_hand():
    # All deaths at one time, of ten patients in each cell: by Breslow the likelihood is that of a
    # multinomial, and the test is the likelihood-ratio test of independence of the deaths.
    deaths = {("old", "low"): 6, ("new", "low"): 2, ("old", "high"): 3, ("new", "high"): 5}
    frame = pd.DataFrame(
        [(arm, level, int(n < died)) for (arm, level), died in deaths.items() for n in range(10)],
        columns=["group", "stage", "e"],
    )
    content = {key: STUDY[key] for key in ("title", "arm", "endpoints")}
    content |= {"covariates": {"stage": STAGE}, "subgroups": ["stage"]}
    study = Study.model_validate(content | {"conventions": {"ties": "breslow"}})
    results = summarize_subgroups(cohort_from_frame(frame.assign(t=1), study))
    observed = np.array([[6, 2], [3, 5]])
    expected = np.array([[8 * 9, 8 * 7], [8 * 9, 8 * 7]]) / 16
    statistic = 2 * np.sum(observed * np.log(observed / expected))
    assert value_of(results, statistic="p_interaction") == pytest.approx(chi2.sf(statistic, 1))


def test_adjusted_by_hand(results):
    raw = select(results, statistic="p")["value"].to_numpy()
    n = np.sum(~np.isnan(raw))
    assert n == 8
    for name in ("p_holm", "p_benjamini_hochberg"):
        rows = select(results, statistic=name)
        assert (rows["value"].dropna() >= 0).all()
        levels = rows[rows["level"] != ""]["value"].to_numpy()
        order = np.argsort(raw)
        if name == "p_holm":
            by_hand = np.maximum.accumulate(np.minimum(raw[order] * (n - np.arange(n)), 1))
        else:
            steps = raw[order] * n / np.arange(1, n + 1)
            by_hand = np.minimum.accumulate(steps[::-1])[::-1]
        assert levels[order] == pytest.approx(by_hand)


def test_a_test_that_does_not_exist_is_not_counted_among_those_adjusted_for(results):
    interactions = select(results, level="", statistic="p_holm")
    existing = interactions["value"].notna()
    assert existing.sum() == 2
    assert set(interactions.loc[existing, "method"]) == {"holm over 2 tests"}
    assert set(interactions.loc[~existing, "method"]) == {f"none: {MONOTONE}"}


def test_a_subgroup_with_one_arm_or_without_patients():
    one_arm = PATIENTS["cell"].eq("squamous") | PATIENTS["prior"].eq("no")
    results = summarize_subgroups(three_arms(rows=one_arm))
    rows = select(results, endpoint="os", variable="prior", level="yes")
    assert value_of(rows, group="smallcell", statistic="n") == 0
    assert np.isnan(value_of(rows, group="smallcell", statistic="median"))
    assert set(select(rows, statistic="hazard_ratio")["method"]) == {f"none: {NO_INFORMATION}"}
    assert select(rows, statistic="p")["method"].tolist() == [
        "none: no event with two groups at risk"
    ]
    assert np.isnan(value_of(results, endpoint="os", variable="prior", statistic="p_interaction"))
    nobody = summarize_subgroups(three_arms(rows=PATIENTS["prior"] == "no"))
    rows = select(nobody, endpoint="os", variable="prior", level="yes")
    assert (select(rows, statistic=["n", "n_event"])["value"] == 0).all()
    assert select(rows, statistic="hazard_ratio")["value"].isna().all()
