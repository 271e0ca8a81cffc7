"""The calculations by hand against R, and against fractions worked out on paper."""

import math
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from helpers.cohort import load_cohort
from helpers.study import load_study
from helpers.teaching.by_hand import (
    area_steps,
    band_steps,
    count_pairs,
    first_at_half,
    kaplan_meier_steps,
    likelihood_steps,
    log_likelihood,
    logrank_steps,
    naive_estimates,
    newton_steps,
    redistribute,
)

DATA = Path(__file__).parents[2] / "data"
Z = stats.norm.ppf(0.975)


@pytest.fixture(scope="module")
def r():
    values = pd.read_csv(DATA / "ten_patients_r.csv", float_precision="round_trip")
    return dict(zip(values["quantity"], values["value"], strict=True))


@pytest.fixture(scope="module")
def ten():
    return load_cohort(DATA / "ten_patients.csv", load_study(DATA / "ten_patients.yml")).data


@pytest.fixture(scope="module")
def times(ten):
    return ten["os_time"], ten["os_event"].astype(int)


@pytest.fixture(scope="module")
def treated(ten):
    return (ten["arm"] == "treated").astype(int)


def groups(ten):
    yield "overall", ten
    yield from ten.groupby("arm", observed=True)


def test_the_curve_is_that_of_r(ten, r):
    for name, group in groups(ten):
        steps = kaplan_meier_steps(group["os_time"], group["os_event"])
        for row in steps.itertuples():
            assert row.survival == pytest.approx(r[f"survival.{name}.{row.time:g}"], abs=1e-12)
            error = r[f"greenwood.{name}.{row.time:g}"]
            assert row.std_error == pytest.approx(error, abs=1e-12, nan_ok=True)


def test_the_factors_are_the_fractions_on_paper(times):
    steps = kaplan_meier_steps(*times)
    falls = steps.loc[steps["n_event"] > 0, "factor"]
    assert falls.tolist() == [9 / 10, 8 / 9, 5 / 7, 3 / 4, 2 / 3, 1 / 2]
    assert steps.loc[steps["n_event"] == 0, "time"].tolist() == [6, 10, 22]


def test_the_bands_and_the_medians_are_those_of_r(ten, r):
    checked = 0
    for name, group in groups(ten):
        for kind in ("log", "log_log", "plain"):
            band = band_steps(group["os_time"], group["os_event"], kind, Z)
            for row in band.itertuples():
                for end in ("low", "high"):
                    expected = r[f"band.{name}.{kind}.{row.time:g}.{end}"]
                    assert getattr(row, f"conf_{end}") == pytest.approx(expected, abs=1e-12)
                    checked += 1
            for end in ("low", "high"):
                found = first_at_half(band["time"], band[f"conf_{end}"])
                expected = r[f"median.{name}.{kind}.{end}"]
                assert found == (math.inf if math.isnan(expected) else expected)
    assert checked > 50


def test_weights_are_the_falls_of_the_curve(times):
    weights = redistribute(*times)
    assert weights["weight"].sum() == pytest.approx(1)
    steps = kaplan_meier_steps(*times)
    falls = steps.set_index("time")["survival"].diff().fillna(-0.1)
    by_time = weights[weights["event"] == 1].groupby("time")["weight"].sum()
    for when, weight in by_time.items():
        assert weight == pytest.approx(-falls[when])


def test_the_logrank_test_is_that_of_r(times, treated, r):
    sums = logrank_steps(*times, treated).sum()
    assert sums["observed"] == r["logrank.observed.arm=treated"]
    assert sums["expected"] == pytest.approx(r["logrank.expected.arm=treated"], abs=1e-12)
    assert sums["variance"] == pytest.approx(r["logrank.variance"], abs=1e-12)
    chi_square = (sums["observed"] - sums["expected"]) ** 2 / sums["variance"]
    assert chi_square == pytest.approx(r["logrank.chisq"], abs=1e-12)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_partial_likelihood_is_that_of_r(times, treated, r, ties):
    climb = newton_steps(*times, treated, ties, n_step=9)
    top = climb.iloc[-1]
    assert top["coef"] == pytest.approx(r[f"cox.{ties}.coef"], abs=1e-9)
    assert 1 / math.sqrt(top["information"]) == pytest.approx(r[f"cox.{ties}.error"], abs=1e-9)
    assert top["log_likelihood"] == pytest.approx(r[f"cox.{ties}.loglik"], abs=1e-9)
    assert climb["log_likelihood"][0] == pytest.approx(r[f"cox.{ties}.null"], abs=1e-12)
    score = climb["score"][0] ** 2 / climb["information"][0]
    assert score == pytest.approx(r[f"cox.{ties}.score"], abs=1e-9)


def test_three_patients_have_the_square_root_of_two():
    climb = newton_steps([1, 2, 3], [1, 1, 1], [0, 1, 0], n_step=9)
    assert math.exp(climb["coef"].iloc[-1]) == pytest.approx(math.sqrt(2), abs=1e-12)
    at_two = log_likelihood([1, 2, 3], [1, 1, 1], [0, 1, 0], math.log(2))
    assert at_two == pytest.approx(math.log(1 / 4 * 2 / 3))


def test_late_entries_are_those_of_r(times, treated, r):
    climb = newton_steps(*times, treated, entry=4 * treated, n_step=9)
    assert climb["coef"].iloc[-1] == pytest.approx(r["late.coef"], abs=1e-9)
    first = likelihood_steps(*times, treated, -1.0, entry=4 * treated).iloc[0]
    assert first["factor"] == 1 / 5


def test_residuals_are_those_of_r(times, treated, r):
    steps = likelihood_steps(*times, treated, r["cox.efron.coef"])
    for place, residual in enumerate(steps["residual"], start=1):
        assert residual == pytest.approx(r[f"schoenfeld.{place}"], abs=1e-9)


def test_unknown_ties_are_refused(times, treated):
    with pytest.raises(ValueError, match="unknown ties 'exact'; they are efron, breslow"):
        likelihood_steps(*times, treated, 0.0, "exact")


def test_pairs_and_areas_are_those_of_r(ten, treated, r):
    pairs = count_pairs(ten["os_time"], ten["os_event"], -treated)
    assert pairs == {"concordant": 15, "discordant": 3, "tied": 15}
    assert r["concordance"] == pytest.approx(22.5 / 33)
    for name, group in groups(ten):
        areas = area_steps(group["os_time"], group["os_event"], 12)
        assert areas["area"].sum() == pytest.approx(r[f"restricted_mean.{name}"], abs=1e-12)


def test_three_mistakes_and_the_estimate():
    found = naive_estimates([1, 2, 3, 4], [1, 0, 1, 0], 3)
    assert found == {
        "dropped": 1 / 3,
        "dead": 1 / 4,
        "alive": 1 / 2,
        "kaplan_meier": 3 / 4 * 1 / 2,
    }
