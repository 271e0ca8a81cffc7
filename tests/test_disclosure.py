import itertools

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort, random_frame
from test_damaged_files import study as toy_study

from helpers.cohort import cohort_from_frame
from helpers.demographics import summarize_demographics
from helpers.disclosure import COUNTS, hide_steps, round_at_risk, suppress
from helpers.results import collect_results, select
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
    assert value[["median", "hazard_ratio"]].notna().all()


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


def test_curves_fall_by_enough_events_and_numbers_at_risk_are_rounded():
    cohort = random_cohort(study(), n=80, seed=2)
    curves = estimate_curves(cohort, "os")
    full = estimate_curves(random_cohort(toy_study(), n=80, seed=2), "os")
    for arm in cohort.arms:
        times = curves.loc[curves["group"] == arm, "time"]
        events = full[full["group"] == arm].set_index("time")["n_event"].cumsum()
        steps = np.diff(events.loc[times].to_numpy())
        assert len(steps) >= 3
        assert (steps >= BELOW).all()
        assert (curves.loc[curves["time"] > 0, "n_risk"] >= BELOW).all()
    assert not curves["n_censored"].any()
    at_risk = estimate_at_risk(cohort, "os", [0, 200, 400, 800])
    assert (at_risk[["n_risk", "n_event"]] % BELOW == 0).all(axis=None)


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
            "time": [0, 1, 2, 3, 4],
            "n_risk": [6, 6, 5, 4, 3],
            "n_event": [0, 1, 1, 1, 1],
            "n_censored": [0, 0, 0, 1, 0],
        }
    )
    assert hide_steps(curve, 2)["time"].tolist() == [0, 2, 4]
    assert hide_steps(curve, 4)["time"].tolist() == [0]
    assert hide_steps(curve, 0) is curve
    at_risk = pd.DataFrame({"group": "a", "time": [0], "n_risk": [11], "n_event": [4]})
    assert round_at_risk(at_risk, 5)[["n_risk", "n_event"]].iloc[0].tolist() == [10, 0]
