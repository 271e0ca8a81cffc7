"""Many cohorts at once, against the estimators that take one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.cohort import load_cohort
from helpers.errors import InputError
from helpers.estimators.cox import fit_cox
from helpers.estimators.kaplan_meier import AT_HALF, kaplan_meier, median
from helpers.estimators.logrank import logrank
from helpers.study import load_study
from helpers.teaching.simulate import (
    delay_treatment,
    draw_cohort,
    fit_many,
    median_many,
    permute,
    permuted_logrank,
    resample,
    survival_many,
)

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def patients():
    rng = np.random.default_rng(5)
    time = rng.exponential(20, 60).round() + 1
    event = (rng.random(60) < 0.7).astype(int)
    return time, event, rng.integers(0, 2, (60, 2)).astype(float)


def test_weighted_fits_are_those_of_the_repeated_patients(patients):
    time, event, x = patients
    counts = resample(60, 3, seed=1)
    coef, error = fit_many(time, event, x, counts)
    for drawn, found, its_error in zip(counts.astype(int), coef, error, strict=True):
        rows = np.repeat(np.arange(60), drawn)
        fit = fit_cox(time[rows], event[rows], x[rows], ties="breslow", engine="newton")
        np.testing.assert_allclose(found, fit.coef, atol=1e-7)
        np.testing.assert_allclose(its_error, fit.std_error, atol=1e-6)


def test_fits_of_other_covariates_share_the_times(patients):
    time, event, x = patients
    arms = permute(x[:, 0], 3, seed=2)
    assert (arms.sum(axis=1) == x[:, 0].sum()).all()
    coef, _ = fit_many(time, event, arms[..., None])
    for arm, found in zip(arms, coef, strict=True):
        fit = fit_cox(time, event, arm[:, None], ties="breslow", engine="newton")
        np.testing.assert_allclose(found, fit.coef, atol=1e-7)


def test_resampling_keeps_the_size_of_each_stratum():
    strata = np.repeat(["a", "b"], [10, 4])
    counts = resample(14, 50, seed=3, strata=strata)
    assert (counts[:, :10].sum(axis=1) == 10).all()
    assert (counts[:, 10:].sum(axis=1) == 4).all()
    assert (counts == resample(14, 50, seed=3, strata=strata)).all()


def test_curves_and_medians_are_those_of_the_estimator(patients):
    time, event, _ = patients
    counts = resample(60, 4, seed=4)
    times, survival = survival_many(time, event, counts)
    medians = {rule: median_many(time, event, counts, rule) for rule in AT_HALF}
    for draw, (drawn, height) in enumerate(zip(counts.astype(int), survival, strict=True)):
        rows = np.repeat(np.arange(60), drawn)
        curve = kaplan_meier(time[rows], event[rows], conf_level=0.95, conf_type="log")
        last = np.searchsorted(curve.time, times, side="right") - 1
        expected = np.where(last < 0, 1.0, curve.survival[np.maximum(last, 0)])
        np.testing.assert_allclose(height, expected, atol=1e-12)
        for rule, found in medians.items():
            assert found[draw] == median(curve, at_half=rule).value


def test_a_median_at_exactly_one_half_follows_the_rule():
    time, event = [6, 9, 13, 18, 22], [0, 1, 1, 1, 0]
    weights = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 1], [1, 0, 0, 0, 1]]
    weights = np.array(weights, float)
    assert median_many(time, event, weights, "first").tolist() == [13, 13, np.inf]
    assert median_many(time, event, weights, "midpoint").tolist() == [15.5, 13, np.inf]


def test_a_shuffled_logrank_statistic_is_that_of_the_test(patients):
    time, event, x = patients
    drawn = permuted_logrank(time, event, x[:, 0], 5, seed=6)
    for arm, found in zip(permute(x[:, 0], 5, seed=6), drawn, strict=True):
        assert found == pytest.approx(logrank(time, event, arm).statistic)


def test_nobody_is_treated_who_left_before_the_treatment_began(patients):
    time, _, x = patients
    at_once = delay_treatment(time, x[:, 0], 0, 20, seed=7)
    late = delay_treatment(time, x[:, 0], 10, 20, seed=7)
    assert (late[:, time <= 10] == 0).all()
    assert (late[:, time > 10] == at_once[:, time > 10]).all()


def test_a_delay_makes_a_treatment_without_effect_look_good(patients):
    time, event, x = patients
    ratios = []
    for delay in (0, 10):
        drawn = delay_treatment(time, x[:, 0], delay, 300, seed=8)
        ratios.append(np.exp(np.median(fit_many(time, event, drawn[..., None])[0])))
    assert ratios[0] == pytest.approx(1, abs=0.06)
    assert ratios[1] < 0.6


def test_each_seed_draws_a_cohort_of_its_own(tmp_path):
    study = load_study(DATA / "ten_patients.yml")
    source = DATA / "ten_patients.csv"
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert draw_cohort(source, tmp_path / f"{name}.csv", study, seed) == 10
    first, second, third = (pd.read_csv(tmp_path / f"{name}.csv") for name in "abc")
    assert first.equals(second)
    assert not first["months"].equals(third["months"])
    assert first["patient"].tolist() == [f"1-{number}" for number in range(1, 11)]
    assert (first["arm"] == "treated").sum() == 5
    assert set(first["months"]) <= {3, 5, 6, 9, 10, 13, 14, 18, 22}
    assert len(load_cohort(tmp_path / "a.csv", study).data) == 10
    with pytest.raises(InputError, match="is there already; give another name"):
        draw_cohort(source, tmp_path / "a.csv", study, 1)
