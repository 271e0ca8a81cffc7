import itertools

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort, random_frame
from test_damaged_files import study as toy_study

from helpers.cohort import cohort_from_frame
from helpers.demographics import summarize_demographics
from helpers.disclosure import (
    COUNTS,
    hide_steps,
    round_at_risk,
    shown_at,
    suppress,
    without_hidden,
)
from helpers.results import collect_results, result_row, select
from helpers.safety import summarize_safety
from helpers.sections import summarize_all
from helpers.survival import estimate_at_risk, estimate_curves, summarize_survival

BELOW = 5


def study():
    return toy_study(baseline=["sex", "marker"], suppress_below=BELOW)


def results_of(cohort):
    rows = [summarize_demographics(cohort), summarize_safety(cohort), summarize_survival(cohort)]
    return collect_results(row for part in rows for row in part.to_dict("records"))


@pytest.mark.parametrize("seed", range(4))
def test_no_small_count_is_shown_or_follows_from_the_others(seed):
    """The ways to fill the hidden cells of sex by arm leave a small cell four values at least."""
    cohort = random_cohort(study(), n=34, seed=seed, missing=0.12)
    before = results_of(cohort)
    after = suppress(before, study())
    counts = after[after["statistic"].isin(COUNTS)]
    assert not ((counts["value"] > 0) & (counts["value"] < BELOW)).any()
    shown, true = (
        select(results, analysis="baseline", variable="sex", statistic=["n", "n_missing"])
        for results in (after, before)
    )
    totals = select(after, analysis="cohort", statistic="n").set_index("group")["value"]
    arms = ["old", "new"]
    for arm in arms:
        cells = shown[shown["group"] == arm].set_index(["level", "statistic"])["value"]
        real = true[true["group"] == arm].set_index(["level", "statistic"])["value"]
        possible = possible_cells(cells, int(totals[arm]))
        for cell in cells.index[cells.isna()]:
            if 0 < real[cell] < BELOW:
                assert len({one[cell] for one in possible}) >= BELOW - 1


def possible_cells(cells, total):
    hidden = list(cells.index[cells.isna()])
    rest = total - int(cells.sum())
    for values in itertools.product(range(1, rest + 1), repeat=len(hidden)):
        if sum(values) == rest:
            yield dict(zip(hidden, values, strict=True))


@pytest.mark.parametrize(("second", "is_shown"), [(1, False), (3, False), (4, True)])
def test_two_hidden_counts_are_not_bounded_by_their_sum(second, is_shown):
    """Grades of 1, `second` and 20 patients: the first two alone would be 1 to `third` each."""
    levels = {grade: {"label": grade.upper(), "code": grade} for grade in ("a", "b", "c")}
    grade = {"kind": "categorical", "label": "Grade", "reference": "a", "levels": levels}
    described = toy_study(
        covariates={"grade": grade}, baseline=["grade"], suppress_below=BELOW, adverse_events=None
    )
    n_new = 1 + second + 20
    frame = pd.DataFrame(
        {
            "id": range(40 + n_new),
            "group": [1] * 40 + [2] * n_new,
            "days": 10.0,
            "dead": 0,
            "grade": ["a"] * 20 + ["b"] * 10 + ["c"] * 10 + ["a"] + ["b"] * second + ["c"] * 20,
        }
    )
    results = summarize_demographics(cohort_from_frame(frame, described))
    after = select(suppress(results, described), analysis="baseline", group="new", statistic="n")
    value = after.set_index("level")["value"]
    assert np.isnan(value["a"])
    assert np.isnan(value["b"])
    assert value.notna()["c"] == is_shown


@pytest.mark.parametrize(("both", "is_shown"), [(0, False), (3, True)])
def test_a_hidden_event_does_not_follow_from_those_with_any_event(both, is_shown):
    """Of 40 three have a rash, six fever, nine either: as both are at least nine, three is known.

    With three who have both, six have either, and a rash can be one to six.
    """
    events = {event: {"label": event, "column": event} for event in ("rash", "fever")}
    described = toy_study(
        covariates={}, adverse_events={"events": events, "severe_from": 3}, suppress_below=BELOW
    )
    frame = pd.DataFrame({"id": range(80), "group": np.repeat([1, 2], 40), "days": 10.0, "dead": 0})
    patient = np.arange(80) - 40
    frame["rash"] = ((patient >= 0) & (patient < 3)).astype(int)
    frame["fever"] = ((patient >= 3 - both) & (patient < 9 - both)).astype(int)
    results = summarize_safety(cohort_from_frame(frame, described))
    after = select(suppress(results, described), statistic="n", level="any_grade", group="new")
    value = after.set_index("variable")["value"]
    assert np.isnan(value["rash"])
    assert value[["fever", "any"]].notna().all() == is_shown


def test_what_is_computed_from_a_hidden_count_is_hidden():
    cohort = random_cohort(study(), n=30, seed=3)
    after = suppress(results_of(cohort), study())
    rash = select(after, analysis="adverse_event", variable="rash", level="severe")
    hidden = set(rash.loc[rash["value"].isna() & (rash["statistic"] == "n"), "group"])
    assert hidden
    for group in hidden:
        assert (
            rash.loc[rash["group"] == group, "value"]
            .drop(rash.index[rash["statistic"] == "n_missing"], errors="ignore")
            .isna()
            .all()
        )
    assert select(rash, statistic="p")["value"].isna().all()
    assert select(rash, statistic="p")["method"].iloc[0] == "hidden: a count below 5"


def test_how_many_have_no_outcome_does_not_follow():
    described = study().model_copy(update={"prognostic": ["arm", "sex"], "subgroups": ["sex"]})
    frame = random_frame(described, n=60, seed=5)
    second = frame.index[frame["group"] == "2"][:2]
    frame.loc[second, "days"] = np.nan
    after = suppress(summarize_all(cohort_from_frame(frame, described)), described)
    models = after[after["analysis"].str.startswith("cox_") & (after["statistic"] == "n")]
    of_all = models[models["level"].eq("") & models["group"].eq("")]
    assert len(of_all) > 2
    assert of_all["value"].isna().all()
    number = models[models["variable"].eq("arm")].set_index("level")["value"]
    assert number.drop("").isna().to_dict() == {"old": False, "new": True}
    left_out = frame.loc[second, "sex"].str.lower()
    by_sex = models[models["variable"].eq("sex") & models["level"].isin(left_out)]
    assert len(by_sex) == left_out.nunique()
    assert by_sex["value"].isna().all()
    rows = select(after, analysis="survival", endpoint="os", level="")
    value = rows.set_index(["statistic", "group"])["value"]
    assert value["n"].isna().to_dict() == {"overall": True, "old": False, "new": True}
    assert value["n_missing"].isna().to_dict() == {"overall": True, "old": False, "new": True}
    assert value["hazard_ratio"].notna().all()


def test_who_is_censored_does_not_follow_from_events_given_elsewhere():
    """Of 30 patients one is censored in the new arm, and three of ten women in the old."""
    described = study().model_copy(update={"prognostic": ["arm", "sex"], "subgroups": ["sex"]})
    frame = pd.DataFrame(
        {
            "id": range(60),
            "group": np.repeat([1, 2], 30),
            "days": np.arange(60) % 30 + 1.0,
            "dead": np.tile([0, 1], 30),
            "sex": np.tile(["Male", "Male", "Female"], 20),
            "marker": np.arange(60) / 10,
            "ae_rash": 0,
        }
    )
    new, women = frame["group"].eq(2), frame["sex"].eq("Female")
    frame.loc[new, "dead"] = (np.arange(30) > 0).astype(int)
    frame.loc[~new, "dead"] = np.arange(30) % 2
    frame.loc[~new & women, "dead"] = (np.arange(10) > 2).astype(int)
    cohort = cohort_from_frame(frame, described)
    after = suppress(summarize_all(cohort), described)
    events = select(after, statistic="n_event", endpoint="os")
    whole = events[events["analysis"].eq("survival")].set_index("group")["value"]
    model = select(events, analysis="cox_univariable", variable="arm").set_index("level")["value"]
    assert whole.isna().to_dict() == {"overall": False, "old": True, "new": True}
    assert model[["old", "new"]].isna().all()

    frame.loc[new, "dead"] = np.arange(30) % 2
    after = suppress(summarize_all(cohort_from_frame(frame, described)), described)
    events = select(after, statistic="n_event", endpoint="os")
    assert events.loc[events["analysis"].eq("survival"), "value"].notna().all()
    by_sex = select(events, analysis="subgroup", group="old")
    assert by_sex["value"].isna().all()
    assert set(by_sex["level"]) == {"male", "female"}


def test_large_counts_stay():
    cohort = random_cohort(study(), n=400, seed=1)
    before, after = results_of(cohort), suppress(results_of(cohort), study())
    kept = select(after, analysis="baseline", variable="sex")
    pd.testing.assert_frame_equal(kept, select(before, analysis="baseline", variable="sex"))


def test_without_a_limit_nothing_is_hidden():
    cohort = random_cohort(toy_study(), n=20)
    results = results_of(cohort)
    assert suppress(results, toy_study()) is results


def test_a_curve_tells_of_no_few_who_die_or_leave_or_remain():
    cohort = random_cohort(study(), n=150, seed=2)
    curves = estimate_curves(cohort, "os")
    full = estimate_curves(random_cohort(toy_study(), n=150, seed=2), "os")
    for arm in cohort.arms:
        shown = curves.loc[curves["group"] == arm, "time"].to_numpy()
        assert len(shown) >= 4
        every = full[full["group"] == arm].set_index("time")
        for earlier, later in itertools.pairwise(shown):
            died = every.loc[(every.index > earlier) & (every.index <= later), "n_event"].sum()
            left = every.loc[(every.index >= earlier) & (every.index < later), "n_censored"].sum()
            assert died >= BELOW
            assert left == 0 or left >= BELOW
        for when in shown[1:]:
            at_risk, n_event = every.loc[when, ["n_risk", "n_event"]]
            assert at_risk - n_event == 0 or at_risk - n_event >= BELOW
    assert not curves["n_censored"].any()


def test_a_milestone_is_a_point_of_the_curve():
    """From both, no few events between a milestone and a fall of the curve would follow."""
    described = study().model_copy(update={"milestones": [300, 600, 900]})
    cohort = random_cohort(described, n=300, seed=4)
    curves = estimate_curves(cohort, "os")
    rows = select(summarize_survival(cohort), analysis="survival", statistic="survival")
    rows = rows[rows["group"].isin(cohort.arms) & rows["value"].notna()]
    assert len(rows) >= 3
    for row in rows.itertuples():
        curve = curves[(curves["group"] == row.group) & (curves["time"] <= float(row.level))]
        assert curve["survival"].iloc[-1] == row.value


@pytest.mark.parametrize(
    ("n", "n_dead", "is_shown"), [(40, 40, True), (20, 20, False), (12, 12, False), (12, 2, True)]
)
def test_a_median_is_shown_where_its_limits_are_no_time_of_few(n, n_dead, is_shown):
    """All die one day after another, by hand: of twelve fewer than five die by day 4.

    Of twenty fewer than five are dead between the lower limit and day 10; of forty five are dead
    between the three times, and more before and after. Of two deaths in twelve none is reached.
    """
    frame = pd.DataFrame({"id": range(2 * n), "group": np.repeat([1, 2], n)})
    frame = frame.assign(days=np.tile(np.arange(n) + 1.0, 2), dead=(np.arange(2 * n) % n < n_dead))
    described = toy_study(covariates={}, adverse_events=None, suppress_below=BELOW)
    frame["dead"] = frame["dead"].astype(int)
    results = summarize_survival(cohort_from_frame(frame, described))
    rows = select(results, analysis="survival", group="old", level="")
    value = rows.set_index("statistic")["value"]
    for name in ("median", "median_conf_low", "median_conf_high"):
        assert bool(pd.notna(value[name])) == is_shown


def test_patients_leave_the_numbers_at_risk_by_fives():
    n_risk, n_event = round_at_risk(np.array([43, 42, 38, 11, 5, 4, 0]), np.arange(7) * 3, 43, 5)
    assert n_risk.tolist() == [43, 43, 38, 13, 8, 0, 0]
    assert n_event.tolist() == [0, 0, 5, 5, 10, 15, 15]
    cohort = random_cohort(study(), n=80, seed=2)
    at_risk = estimate_at_risk(cohort, "os", [0, 200, 400, 800])
    for arm, numbers in at_risk.groupby("group"):
        n = len(cohort.data[cohort.data["arm"] == arm])
        assert numbers["n_risk"].iloc[0] == n
        assert ((n - numbers["n_risk"]) % BELOW == 0)[numbers["n_risk"] > 0].all()
        assert (numbers["n_event"] % BELOW == 0).all()


def test_an_arm_whose_patients_or_events_are_hidden_has_no_curve():
    """One of 30 is censored in the new arm, which is hidden; with the total, so is the old one."""
    frame = pd.DataFrame({"id": range(60), "group": np.repeat([1, 2], 30), "days": 10.0})
    frame = frame.assign(days=np.arange(60) % 30 + 1.0, dead=1)
    frame.loc[31, "dead"] = 0
    described = toy_study(covariates={}, adverse_events=None, suppress_below=BELOW)
    cohort = cohort_from_frame(frame, described)
    results = suppress(summarize_survival(cohort), described)
    events = select(results, analysis="survival", statistic="n_event").set_index("group")["value"]
    assert np.isnan(events["new"])
    curves = estimate_curves(cohort, "os")
    assert set(curves["group"]) == {"old", "new"}
    kept = set(without_hidden(curves, results, "os")["group"])
    assert kept == {arm for arm in ("old", "new") if pd.notna(events[arm])}
    assert "new" not in kept


@pytest.mark.parametrize(
    ("n_event", "n_fallen", "is_shown"), [(6, 0, False), (6, 5, True), (0, 0, True)]
)
def test_an_arm_with_events_whose_curve_does_not_fall_has_none(n_event, n_fallen, is_shown):
    numbers = [
        (analysis, variable, arm, statistic, value)
        for arm, events in (("old", 10), ("new", n_event))
        for analysis, variable, statistic, value in (
            ("survival", "arm", "n", 30),
            ("survival", "arm", "n_event", events),
            ("cumulative_incidence", "death", "n_event", events),
            ("cumulative_incidence", "other", "n_event", 5),
        )
    ]
    results = collect_results(
        result_row(analysis, statistic, value, endpoint="os", variable=variable, group=arm)
        for analysis, variable, arm, statistic, value in numbers
    )
    curves = pd.DataFrame(
        {
            "group": ["old", "old", "new", "new"],
            "time": [0.0, 4.0, 0.0, 5.0],
            "n_event": [0.0, 5.0, 0.0, n_fallen],
        }
    )
    assert ("new" in set(without_hidden(curves, results, "os")["group"])) == is_shown
    assert "old" in set(without_hidden(curves, results, "os")["group"])
    causes = pd.concat([curves.assign(cause="death"), curves.assign(cause="other")])
    causes.loc[(causes["cause"] == "other").to_numpy(), "n_event"] = 5.0
    kept = without_hidden(causes, results, "os")
    assert (("new", "death") in set(zip(kept["group"], kept["cause"], strict=True))) == is_shown
    assert ("new", "other") in set(zip(kept["group"], kept["cause"], strict=True))


def test_survival_is_read_off_only_where_enough_events_have_happened():
    """By hand: 3, 4 and 10 deaths up to the milestones in one arm; 6, 6 and 8 in the other."""
    described = toy_study(
        adverse_events=None,
        milestones=[10, 20, 30],
        covariates={},
        endpoints={
            "os": {"label": "Survival", "abbreviation": "OS", "time": "days", "event": "dead"}
            | {"unit": "days", "competing": {"other": {"label": "Other", "code": 2}}}
        },
    )
    days = [1, 2, 3, 15, *range(21, 27), *[40] * 20, *range(1, 7), 22, 23, *[40] * 20]
    events = [1, 1, 1, 1, *[1] * 6, *[0] * 20, *[1] * 6, 1, 1, *[0] * 20]
    frame = pd.DataFrame({"id": range(58), "group": [1] * 30 + [2] * 28})
    frame = frame.assign(days=days, dead=events)
    shown = {"old": [False, False, True], "new": [True, True, False], "overall": [False] * 3}
    for below in (0, BELOW):
        study = described.model_copy(update={"suppress_below": below})
        results = summarize_survival(cohort_from_frame(frame, study))
        for analysis, variable in (("survival", "arm"), ("cumulative_incidence", "event")):
            rows = select(results, analysis=analysis, variable=variable)
            for group, is_shown in shown.items():
                found = rows[rows["statistic"].isin(["survival", "incidence"])]
                found = found[found["group"] == group]
                assert found["level"].tolist() == ["10", "20", "30"]
                assert found["value"].notna().tolist() == (is_shown if below else [True] * 3)
        assert below == 0 or "hidden: a count below 5" in set(results["method"])


def test_a_curve_by_hand():
    curve = pd.DataFrame(
        {
            "group": "a",
            "time": range(9),
            "n_risk": [12, 12, 11, 10, 9, 7, 6, 5, 4],
            "n_event": [0, 1, 1, 1, 1, 1, 1, 1, 1],
            "n_censored": [0, 0, 0, 0, 1, 0, 0, 0, 0],
            "survival": 0.5,
            "conf_low": 0.4,
            "conf_high": 0.6,
        }
    )
    # One is censored at 4: after the fall at 4, before those that follow.
    assert hide_steps(curve, [], 2)["time"].tolist() == [0, 2, 4]
    assert hide_steps(curve, [], 3)["time"].tolist() == [0, 3]
    assert hide_steps(curve, [3.5], 2)["time"].tolist() == [0, 3]
    assert shown_at(curve, [0.5, 1, 3.5, 4, 7], 2) == [True, False, True, False, False]
    assert shown_at(curve, [0.5, 1, 3.5, 4, 7], 0) == [True] * 5
    # Between a time that is told and a fall there are two events too, or none.
    assert hide_steps(curve, [], 2, told=[3])["time"].tolist() == [0, 3]
    assert hide_steps(curve, [], 2, told=[4])["time"].tolist() == [0, 2, 4]
    assert hide_steps(curve, [], 0) is curve


def test_few_who_have_the_event_at_once_are_not_seen():
    curve = pd.DataFrame({"group": "a", "time": [0, 1], "n_risk": [20, 18], "n_event": [2, 6]})
    curve = curve.assign(n_censored=0, survival=[0.9, 0.6], conf_low=0.5, conf_high=0.95)
    shown = hide_steps(curve, [], 5)
    assert shown[["time", "survival", "conf_low"]].to_numpy().tolist() == [[0, 1, 1], [1, 0.6, 0.5]]
