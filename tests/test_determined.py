"""What a print determines: orders compared, ranges judged, the stored ensemble."""

import math

import numpy as np
import pandas as pd
import pytest
from small_book import ROOT

from helpers.cohort import Cohort
from helpers.determined import (
    ABSENT,
    COHORT,
    DRAW,
    OPEN,
    PINNED,
    UNMOVED,
    belongs_to,
    cohort_of_draw,
    compare_spreads,
    compare_starts,
    count_verdicts,
    holds_print,
    judge,
    read_ensemble,
    summarize_ranges,
    unlikeness,
    write_ensemble,
)
from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.prognostic import summarize_prognostic_factors
from helpers.published import load_ledger
from helpers.reconstruct.ensemble import draw_cohort, prepare_origin
from helpers.results import KEYS, collect_results, result_row, value_of
from helpers.subgroups import summarize_subgroups
from helpers.survival import summarize_survival
from helpers.tables.determined import describe_number, table_e_values, table_ranges
from helpers.unprinted import summarize_unprinted

TREATMENT = "tace_tc_vs_tace_t"


@pytest.fixture(scope="module")
def unprinted(cohort):
    return summarize_unprinted(cohort)


def test_numbers_that_chapters_have_too_are_theirs(cohort, unprinted):
    shared = 0
    for results in (
        summarize_survival(cohort),
        summarize_subgroups(cohort),
        summarize_prognostic_factors(cohort),
    ):
        both = unprinted.merge(results, on=KEYS)
        assert len(both)
        np.testing.assert_allclose(both["value_x"], both["value_y"], rtol=1e-7)
        shared += len(both)
    # events, follow-up, survival at 4 times, the test of hazards; subgroups; the full model
    assert shared == 2 * (2 * (2 + 4) + 1) + 2 * 2 * 3 + 2 * 3


def test_restricted_means_and_their_difference(cohort, unprinted):
    # the area under a curve, from its steps
    keys = {"analysis": "survival", "endpoint": "os", "variable": "arm", "level": "24"}
    means = {}
    for arm in cohort.arms:
        data = cohort.data[cohort.data["arm"] == arm].sort_values("os_time")
        at_risk, height, area, last = len(data), 1.0, 0.0, 0.0
        for time, event in zip(data["os_time"], data["os_event"], strict=True):
            if time > 24:
                break
            area += height * (time - last)
            height *= 1 - event / at_risk
            at_risk, last = at_risk - 1, time
        means[arm] = area + height * (24 - last)
        found = value_of(unprinted, statistic="rmst", group=arm, **keys)
        assert found == pytest.approx(means[arm], abs=1e-9)
    difference = value_of(unprinted, statistic="rmst_difference", group=TREATMENT, **keys)
    assert difference == pytest.approx(means["tace_tc"] - means["tace_t"], abs=1e-9)


def test_the_ratio_of_hazard_ratios_is_that_of_the_subgroups(unprinted):
    # exactly so only with a baseline hazard for each subgroup: nearly here
    keys = {"analysis": "subgroup", "endpoint": "os", "variable": "mvi"}
    ratio = value_of(
        unprinted, statistic="interaction_ratio", group="positive_vs_negative", **keys
    )
    positive, negative = (
        value_of(unprinted, statistic="hazard_ratio", level=level, group=TREATMENT, **keys)
        for level in ("positive", "negative")
    )
    assert ratio == pytest.approx(positive / negative, rel=0.35)


def four(study, arms, order):
    data = pd.DataFrame({"arm": pd.Categorical(arms, ["tace_t", "tace_tc"])})
    return Cohort(data.assign(os_time=order), study.model_copy(update={"prognostic": ["arm"]}))


def test_unlikeness_by_hand(study):
    one = four(study, ["tace_t", "tace_t", "tace_tc", "tace_tc"], [1, 2, 3, 4])
    same = four(study, ["tace_tc", "tace_t", "tace_t", "tace_tc"], [4, 1, 2, 3])
    turned = four(study, ["tace_tc", "tace_tc", "tace_t", "tace_t"], [1, 2, 3, 4])
    half = four(study, ["tace_t", "tace_tc", "tace_t", "tace_tc"], [1, 2, 3, 4])
    assert unlikeness(one, same, "os") == 0
    assert unlikeness(one, turned, "os") == 2  # all places differ, half would by chance
    assert unlikeness(one, half, "os") == 1


@pytest.mark.parametrize(
    ("statistic", "level", "low", "high", "verdict"),
    [
        ("p_interaction", "", 0.01, 0.049, PINNED),
        ("p_interaction", "", 0.01, 0.05, OPEN),
        ("hazard_ratio", "", 0.5, 0.55, PINNED),
        ("hazard_ratio", "", 0.5, 0.551, OPEN),
        ("interaction_ratio", "", 1.0, 1.2, OPEN),
        ("n_event", "", 30, 31, PINNED),
        ("n_event", "", 30, 32, OPEN),
        ("rmst_difference", "24", 0.1, 1.3, PINNED),
        ("rmst_difference", "24", -1.3, -0.1, PINNED),
        ("rmst_difference", "24", -0.6, 0.6, OPEN),
        ("interaction_ratio", "", 0.98, 1.02, OPEN),
        ("interaction_ratio", "", 1.0, 1.1, PINNED),
        ("rmst", "24", 18, 19.3, OPEN),
        ("followup_median", "", 40, 42, PINNED),
        ("followup_median", "", 40, 42.1, OPEN),
        ("survival", "12", 0.5, 0.549, PINNED),
        ("concordance", "", 0.6, 0.66, OPEN),
    ],
)
def test_the_rule_of_what_is_pinned_down(statistic, level, low, high, verdict):
    assert judge(statistic, level, low, high, 0.05) == verdict


def ensemble_of(values):
    n = len(values)
    facts = {name: np.arange(1, n + 1) for name in DRAW}
    facts["energy"] = np.arange(n) + 0.5
    name = f"cox_full/os/arm//{TREATMENT}/hazard_ratio"
    return pd.DataFrame(facts | {COHORT: "0" * 64, name: values})


def one_result(value=0.5):
    keys = {"endpoint": "os", "variable": "arm", "group": TREATMENT}
    return collect_results([result_row("cox_full", "hazard_ratio", value, **keys)])


def test_a_number_that_no_walk_moves_is_not_called_pinned_down(study):
    ranges = summarize_ranges(ensemble_of([0.5] * 9), one_result(), study)
    assert ranges["verdict"].tolist() == [UNMOVED]
    assert count_verdicts(ranges)[PINNED] == 0


def test_ranges_hold_the_middle_of_the_draws(study):
    values = np.linspace(0.4, 0.6, 201)
    (row,) = summarize_ranges(ensemble_of(values), one_result(), study).to_dict("records")
    found = [row[name] for name in ("least", "low", "median", "high", "most")]
    assert found == pytest.approx([0.4, 0.405, 0.5, 0.595, 0.6])
    assert (row["value"], row["n"], row["verdict"]) == (0.5, 201, OPEN)


@pytest.mark.parametrize(("known", "verdict"), [(4, ABSENT), (50, OPEN), (96, PINNED)])
def test_numbers_that_some_draws_do_not_have(study, known, verdict):
    values = np.where(np.arange(100) < known, 0.5, math.nan)
    ranges = summarize_ranges(ensemble_of(values), one_result(), study)
    assert ranges.loc[0, ["n", "verdict"]].tolist() == [known, verdict]
    assert count_verdicts(ranges)[verdict] == 1


def test_spread_of_the_nearest_half():
    values = [1.0, 3.0, 0.0, 4.0]  # nearest first: standard deviations root 2 and root 10/3
    (ratio,) = compare_spreads(ensemble_of(values))
    assert ratio == pytest.approx(math.sqrt(2 / (10 / 3)))


def test_which_draws_hold_the_print():
    # 5 units are 10 half units: a mean square of 100, over 172 - 60 numbers
    ensemble = ensemble_of([0.5] * 3).assign(
        n_printed=172, n_curve=60, n_curve_hit=[60, 60, 59], energy=[11200.0, 11201.0, 0.0]
    )
    assert holds_print(ensemble).tolist() == [True, False, False]


def test_a_stored_ensemble_comes_back_and_knows_its_cohort(tmp_path):
    path = ROOT / "data/cohort.csv"
    ensemble = ensemble_of([0.5, 1 / 3]).assign(**{COHORT: digest_file(path)})
    write_ensemble(ensemble, tmp_path / "ensemble.csv")
    found = read_ensemble(tmp_path / "ensemble.csv")
    pd.testing.assert_frame_equal(found, ensemble, rtol=1e-7)
    assert belongs_to(found, path)
    assert not belongs_to(found, ROOT / "data/published.csv")


@pytest.mark.slow
def test_the_stored_ensemble_is_of_the_books_cohort_and_comes_again(study, cohort):
    path = ROOT / "data/cohort.csv"
    stored = read_ensemble(ROOT / "data/ensemble.csv")
    assert belongs_to(stored, path), "run: make ensemble"
    assert holds_print(stored).mean() > 0.9
    origin = prepare_origin(load_ledger(ROOT / "data/published.csv"), study, cohort, path)
    first = stored.iloc[0]
    patients, nearness = draw_cohort(origin, int(first["seed"]), 1)
    assert nearness.n_hit == first["n_hit"]
    results = summarize_unprinted(cohort_of_draw(patients, study))
    names = ["/".join(keys) for keys in results[KEYS].itertuples(index=False)]
    np.testing.assert_allclose(first[names].to_numpy(float), results["value"], rtol=1e-6)


def test_starts_are_compared_as_chains_are():
    name = "cox///{}//hazard_ratio".format
    draws = pd.DataFrame(
        {name("a"): [1, 3, 5, 7], name("b"): [1, 1, 2, 2], name("c"): [1, 2, 2, 1], name("d"): 3}
    )
    # a: means 2 and 6, of variance 8, and 2 within: (1 / 2 + 8 / 2) ** 0.5
    expected = {name("a"): 4.5**0.5, name("b"): np.inf, name("c"): 0.5**0.5}
    found = compare_starts(draws, pd.Series([0, 0, 1, 1]))
    assert found.to_dict() == pytest.approx(expected)


def test_what_is_no_ensemble_is_refused(tmp_path):
    with pytest.raises(InputError, match="make ensemble"):
        read_ensemble(tmp_path / "ensemble.csv")
    (tmp_path / "other.csv").write_text("draw,seed\n1,2\n")
    with pytest.raises(InputError, match="without n_hit, n_printed"):
        read_ensemble(tmp_path / "other.csv")


def test_every_number_has_a_name_of_its_own(study, unprinted):
    rows = unprinted.to_dict("records")
    for endpoint in study.endpoints:
        names = [describe_number(row, study) for row in rows if row["endpoint"] == endpoint]
        assert len(set(names)) == len(names)
    assert "Hazard ratio, Microvascular invasion Negative, TACE-TC against TACE-T" in names
    assert "Survival at 12 months, TACE-T" in names


def test_the_table_shows_value_range_and_verdict(study):
    ranges = summarize_ranges(ensemble_of(np.linspace(0.4, 0.6, 201)), one_result(), study)
    cells = table_ranges(ranges, study, 201).rows[1].cells
    assert cells == (
        "Hazard ratio, adjusted for all covariates",
        "0.50",
        "0.41 to 0.60",
        "0.40 to 0.60",
        "201",
        OPEN,
    )


def test_e_values_in_a_table():
    (row,) = table_e_values({"OS": (0.486, 0.284, 0.833)}).rows
    # risk ratio (1 - 0.5^sqrt(0.486)) / (1 - 0.5^sqrt(1 / 0.486)) = 0.3832 / 0.6300
    assert row.cells[2].startswith("0.61 (")
    assert row.cells[3] == "2.67"  # 1 / 0.6083 = 1.6440; + sqrt(1.6440 * 0.6440)
