import math

import numpy as np
import pytest

from helpers.audit.simulations import (
    Design,
    different_origins,
    exclusion_bias,
    fit_many,
    immortal_time,
    subgroup_tests,
)
from helpers.estimators.cox import fit_cox

DESIGN = Design(46, 42, median=25.0, follow_up=(12, 60), n_studies=600)


def test_many_fits_are_those_of_one_at_a_time():
    rng = np.random.default_rng(1)
    time = rng.exponential(1, (5, 60)).round(2)
    event, treated = rng.random((5, 60)) < 0.7, rng.random((5, 60)) < 0.5
    time[:, -4:] = np.inf
    coef, error = fit_many(time, event, treated)
    for i in range(5):
        inside = np.isfinite(time[i])
        fit = fit_cox(
            time[i][inside],
            event[i][inside],
            treated[i][inside][:, None],
            ties="efron",
            engine="newton",
        )
        assert coef[i] == pytest.approx(fit.coef[0], abs=0.02)
        assert error[i] == pytest.approx(fit.std_error[0], rel=0.01)


def test_distinct_times_give_the_same_fit_to_many_digits():
    rng = np.random.default_rng(2)
    time = rng.exponential(1, (3, 80))
    event, treated = rng.random((3, 80)) < 0.7, rng.random((3, 80)) < 0.5
    coef, error = fit_many(time, event, treated)
    for i in range(3):
        fit = fit_cox(time[i], event[i], treated[i][:, None], ties="breslow", engine="newton")
        assert coef[i] == pytest.approx(fit.coef[0], abs=1e-8)
        assert error[i] == pytest.approx(fit.std_error[0], rel=1e-8)


def test_an_arm_without_an_event_has_no_estimate():
    time = np.arange(1.0, 7.0)[None, :]
    event = np.array([[1, 1, 1, 0, 0, 0]], bool)
    coef, error = fit_many(time, event, np.array([[0, 0, 0, 1, 1, 1]], bool))
    assert math.isnan(coef[0]) and math.isnan(error[0])


def within(row, column, value, errors=4):
    assert abs(row[column] - value) < errors * row[f"{column}_error"]


def test_without_exclusion_or_delay_there_is_no_bias():
    for row in (
        exclusion_bias(DESIGN, 0.3, [0.0], [2.0]).loc[0],
        immortal_time(DESIGN, [0.0]).loc[0],
        different_origins(DESIGN, [(2.0, 2.0)]).loc[0],
    ):
        within(row, "hazard_ratio", 1.0)
        within(row, "rejected", 0.05)


def test_each_bias_has_its_direction():
    excluded = exclusion_bias(DESIGN, 0.3, [0.0, 0.1, 0.3], [3.0])["hazard_ratio"]
    assert list(excluded) == sorted(excluded, reverse=True)
    delayed = immortal_time(DESIGN, [1, 3, 6])
    moved = delayed.loc[delayed["early"] == "moved", "hazard_ratio"].to_numpy()
    left_out = delayed.loc[delayed["early"] == "left out", "hazard_ratio"].to_numpy()
    assert (np.diff(moved) < 0).all() and (np.diff(left_out) < 0).all()
    assert (moved < left_out).all()
    lagged = different_origins(DESIGN, [(3.0, 1.0)]).loc[0]
    assert lagged["hazard_ratio"] < 0.98
    assert lagged["median_shift"] == pytest.approx(2.0, abs=0.6)


def test_excluding_every_frail_patient_of_one_arm_by_hand():
    """All frail in both arms, against none: the hazard ratio is that of the frail, inverted."""
    row = exclusion_bias(DESIGN, 0.999, [0.999], [2.0]).loc[0]
    within(row, "hazard_ratio", 0.5)


def test_false_positive_rates_of_subgroup_tests():
    rates = subgroup_tests(DESIGN, [0.5, 0.5], math.log(2) / 15).set_index("outcome")
    # four tests of survival: at most 1 - 0.95^4, less since two covariates share patients
    assert 0.10 < rates.loc["any test of survival", "share"] < 0.20
    assert rates.loc["any test", "share"] > rates.loc["any test of survival", "share"]
    within(rates.loc["one level only"], "share", 2 * 0.05 * 0.95)


def test_the_same_seed_gives_the_same_numbers():
    one, other = (immortal_time(DESIGN, [3.0]) for _ in range(2))
    assert one.equals(other)
