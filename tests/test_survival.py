from math import inf, log

import numpy as np
import pandas as pd
import pytest
from three_arms import DESIGNS, PATIENTS, assert_equals_r, three_arms

from helpers import survival
from helpers.estimators.cox import MONOTONE, NO_EVENT
from helpers.results import select, value_of
from helpers.survival import (
    estimate_at_risk,
    estimate_curves,
    estimate_log_minus_log,
    estimate_schoenfeld_residuals,
    summarize_survival,
)


@pytest.fixture(scope="module")
def results():
    return summarize_survival(three_arms())


@pytest.mark.parametrize("design", DESIGNS)
def test_equals_r(design):
    assert_equals_r(summarize_survival(three_arms(design)), design, "survival")


def test_an_arm_without_events_has_no_hazard_ratio_and_says_why(results):
    rows = select(results, endpoint="pfs", group="large_vs_squamous")
    ratios = select(rows, statistic=["hazard_ratio", "hazard_ratio_conf_low", "p_wald", "coef"])
    assert ratios["value"].isna().all() and len(ratios) == 4
    assert (ratios["method"] == f"none: {MONOTONE}").all()
    assert value_of(results, endpoint="pfs", group="large", statistic="median") == inf
    assert value_of(results, endpoint="pfs", group="large", statistic="followup_median") < inf
    assert 0 < value_of(results, endpoint="pfs", statistic="p_logrank") < 1
    assert not np.isnan(value_of(rows, statistic="rmst_difference"))


def test_methods_name_the_conventions(results):
    def methods(**keys):
        return set(select(results, endpoint="os", **keys)["method"])

    assert methods(statistic="p_logrank") == {"logrank"}
    assert methods(statistic="p_proportional_hazards") == {"score_km"}
    assert methods(statistic="hazard_ratio") == {"cox, efron ties, lifelines"}
    median = "kaplan_meier, at one half: midpoint, log interval"
    assert methods(statistic="median") == {median}
    assert methods(statistic="followup_median") == {f"reverse {median}"}


def test_the_two_directions_of_a_contrast_are_reciprocals(results):
    there, back = (
        select(results, endpoint="os", group=group).set_index("statistic")["value"]
        for group in ("large_vs_squamous", "squamous_vs_large")
    )
    assert there["hazard_ratio"] * back["hazard_ratio"] == pytest.approx(1)
    assert there["hazard_ratio_conf_low"] * back["hazard_ratio_conf_high"] == pytest.approx(1)
    assert there["p_wald"] == back["p_wald"]


@pytest.mark.parametrize(
    ("convention", "default", "other", "statistic"),
    [
        ("ties", "efron", "breslow", "hazard_ratio"),
        ("median_conf_type", "log", "log_log", "median_conf_low"),
        ("median_conf_type", "log", "plain", "survival_conf_low"),
        ("proportional_hazards", "score_km", "score_rank", "p_proportional_hazards"),
        ("confidence_level", 0.95, 0.9, "rmst_difference_conf_low"),
    ],
)
def test_each_convention_is_obeyed(results, convention, default, other, statistic):
    def values(results):
        return select(results, endpoint="os", statistic=statistic)["value"].to_numpy()

    named, changed = (
        values(summarize_survival(three_arms(conventions={convention: name})))
        for name in (default, other)
    )
    assert (named == values(results)).all()
    assert not np.isclose(changed, named, rtol=1e-6).all()


@pytest.mark.parametrize(("at_half", "median"), [("midpoint", 2.5), ("first", 2)])
def test_median_where_the_curve_is_flat_at_one_half(at_half, median):
    cohort = three_arms(
        rows=PATIENTS["id"].isin([1, 2, 3, 4, 40, 100]), conventions={"median_at_half": at_half}
    )
    data = cohort.data.assign(os_time=[1.0, 2, 3, 4, 5, 6], os_event=1)
    results = summarize_survival(type(cohort)(data, cohort.study))
    assert value_of(results, endpoint="os", group="squamous", statistic="median") == median


def test_one_patient_in_an_arm_and_no_event_at_all():
    cohort = three_arms(rows=PATIENTS["id"].isin([1, 2, 3, 40, 100]))
    data = cohort.data.assign(os_event=0, pfs_event=0)
    results = summarize_survival(type(cohort)(data, cohort.study))
    ratios = select(results, statistic="hazard_ratio")
    assert ratios["value"].isna().all()
    assert (ratios["method"] == f"none: {NO_EVENT}").all()
    assert np.isnan(value_of(results, endpoint="os", statistic="p_logrank"))
    assert (select(results, statistic="median")["value"] == inf).all()
    assert (select(results, statistic="n", endpoint="os")["value"] == [5, 3, 1, 1]).all()


def test_the_cohort_is_not_changed():
    cohort = three_arms("stratified")
    before = cohort.data.copy()
    summarize_survival(cohort)
    assert cohort.data.equals(before)


def test_curves_start_at_one_and_count_every_patient():
    curves = estimate_curves(three_arms(), "os")
    assert curves["group"].unique().tolist() == ["squamous", "smallcell", "large"]
    first = curves.groupby("group", sort=False).first()
    assert (first["time"] == 0).all() and (first["survival"] == 1).all()
    assert first["n_risk"].tolist() == [35, 48, 27]
    left = curves.groupby("group", sort=False)[["n_event", "n_censored"]].sum().sum(axis=1)
    assert left.tolist() == [35, 48, 27]


def test_at_risk_by_hand():
    found = estimate_at_risk(three_arms(), "os", [0, 100, 1000]).set_index(["group", "time"])
    squamous = PATIENTS[PATIENTS["cell"] == "squamous"]
    assert found.loc[("squamous", 0)].tolist() == [35, 0]
    at_100 = [(squamous["os_days"] >= 100).sum(), (squamous["os_days"] <= 100) & squamous["died"]]
    assert found.loc[("squamous", 100)].tolist() == [at_100[0], at_100[1].sum()]
    assert found.loc[("large", 1000)].tolist() == [0, 26]


def test_late_entries_are_not_yet_at_risk():
    late = PATIENTS[PATIENTS["cell"] == "large"]
    found = estimate_at_risk(three_arms("stratified"), "os", [30]).set_index("group")
    inside = (late["os_days"] >= 30) & ((late["late"] < 30) | (late["late"] == 0))
    assert found.loc["large", "n_risk"] == inside.sum() < (late["os_days"] >= 30).sum()


def test_log_minus_log_by_hand():
    found = estimate_log_minus_log(three_arms(), "os")
    # The first of 27 patients with large cells dies: survival 26/27.
    first = found[found["group"] == "large"].iloc[0]
    assert first["log_minus_log"] == pytest.approx(log(-log(26 / 27)))
    assert estimate_log_minus_log(three_arms(), "pfs")["group"].unique().tolist() == [
        "squamous",
        "smallcell",
    ]


def test_residuals_average_to_the_coefficient(results):
    residuals = estimate_schoenfeld_residuals(three_arms(), "os")
    for group, rows in residuals.groupby("group"):
        coef = value_of(results, endpoint="os", group=group, statistic="coef")
        assert rows["residual"].mean() == pytest.approx(coef)
        assert rows["trend"].notna().all()
        assert len(rows) == PATIENTS["died"].sum()


def test_of_many_residuals_neighbours_are_averaged(results, monkeypatch):
    monkeypatch.setattr(survival, "MOST_RESIDUALS", 20)
    residuals = estimate_schoenfeld_residuals(three_arms(), "os")
    for group, rows in residuals.groupby("group"):
        coef = value_of(results, endpoint="os", group=group, statistic="coef")
        assert np.average(rows["residual"], weights=rows["n_event"]) == pytest.approx(coef)
        assert rows["n_event"].sum() == PATIENTS["died"].sum()
        assert len(rows) == 20
        assert rows["time"].is_monotonic_increasing


def test_residuals_of_one_time_stay_together(monkeypatch):
    monkeypatch.setattr(survival, "MOST_RESIDUALS", 3)
    residual = {"time": [1, 1, 1, 1, 2, 3], "n_event": 1, "residual": [2, 2, -2, -1, 1, 3]}
    found = survival._average(pd.DataFrame(residual))
    assert found.to_dict("list") == {
        "time": [1, 2.5],
        "residual": [0.25, 2],
        "n_event": [4, 2],
    }


def test_without_an_estimate_there_are_no_residuals():
    assert estimate_schoenfeld_residuals(three_arms(), "pfs").empty
