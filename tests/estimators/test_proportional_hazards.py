from math import sqrt

import numpy as np
import pandas as pd
import pytest
from survival_samples import COVARIATES, REFERENCE, assert_equals_r, expected, model_data

from helpers.estimators.cox import MONOTONE, NO_EVENT, NO_INFORMATION, fit_cox
from helpers.estimators.proportional_hazards import (
    TRANSFORMS,
    proportional_hazards,
    schoenfeld_residuals,
)


def check(arrays, ties="efron", transform="score_km", engine="newton", **options):
    fit = fit_cox(*arrays, ties=ties, engine=engine, **options)
    return proportional_hazards(fit, transform=transform)


def residuals_of(arrays, **options):
    return schoenfeld_residuals(fit_cox(*arrays, ties="efron", engine="newton", **options))


@pytest.mark.parametrize("engine", ["newton", "counts"])
@pytest.mark.parametrize(
    ("sample", "variant", "ties", "values"), expected("proportional_hazards.csv")
)
def test_equals_r(sample, variant, ties, values, engine):
    arrays, options = model_data(sample, variant)
    found = {}
    for transform in TRANSFORMS:
        checked = check(arrays, ties, transform, engine, **options)
        name = transform.removeprefix("score_")
        assert [test.df for test in (*checked.tests, checked.overall)] == [1, 1, 1, 3]
        tests = zip([*COVARIATES, "GLOBAL"], [*checked.tests, checked.overall], strict=True)
        found |= {f"{name}_{x}": test.statistic for x, test in tests}
    assert_equals_r(found, values)


RESIDUALS = pd.read_csv(REFERENCE / "schoenfeld.csv", float_precision="round_trip")


@pytest.mark.parametrize(("sample", "rows"), list(RESIDUALS.groupby("sample")))
def test_residuals_equal_r(sample, rows):
    arrays, options = model_data(sample, rows["variant"].iloc[0])
    found = residuals_of(arrays, **options)
    assert (found.time == rows["time"].to_numpy()).all()
    values = rows[["X1", "X2", "X3"]].to_numpy()
    # Events tied at a time have no order: R and we may list them differently.
    ours, theirs = (x[np.lexsort([*x.T.round(6), found.time])] for x in (found.values, values))
    assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-8)


def test_by_hand():
    # The model worked by hand in test_cox: r = exp(coef) is the root of one half; of the third
    # event alone nothing is learnt. Time minus its mean is -1, 0, 1.
    arrays = [1, 2, 3], [1, 1, 1], np.array([[1], [0], [1]])
    r = sqrt(0.5)
    first, second = 2 * r / (2 * r + 1), r / (r + 1)
    information = [share * (1 - share) for share in (first, second)]
    score = -(1 - first)
    variance = information[0] - information[0] ** 2 / sum(information)
    checked = check(arrays, transform="score_identity")
    assert checked.tests[0].statistic == pytest.approx(score**2 / variance)
    assert checked.overall.statistic == pytest.approx(score**2 / variance)
    assert checked.tests[0].method == "score_identity"
    raw = np.array([1 - first, -second, 0])
    residuals = residuals_of(arrays).values
    assert residuals[:, 0] == pytest.approx(raw * 3 / sum(information) + np.log(r))
    assert residuals.mean() == pytest.approx(np.log(r))


def test_transforms_of_equal_order_agree_only_by_name():
    arrays, _ = model_data("veteran", "plain")
    found = {name: check(arrays, transform=name).tests[1].statistic for name in TRANSFORMS}
    assert len({round(value, 6) for value in found.values()}) == 4
    stretched = (np.exp(arrays[0] / 100), *arrays[1:])
    logarithm = check(stretched, transform="score_log").tests[1].statistic
    assert logarithm == pytest.approx(found["score_identity"])


def test_a_covariate_without_information_has_no_test():
    (time, event, x), _ = model_data("ovarian", "plain")
    checked, wider = check((time, event, x)), (time, event, np.insert(x, 1, 5, axis=1))
    wide = check(wider)
    assert wide.tests[1].method == f"none: {NO_INFORMATION}"
    assert wide.tests[2].p == pytest.approx(checked.tests[1].p)
    assert wide.overall.p == pytest.approx(checked.overall.p)
    assert wide.overall.df == 3
    assert np.isnan(residuals_of(wider).values[:, 1]).all()


@pytest.mark.parametrize(
    ("event", "x", "reason"),
    [
        ([0, 0, 0, 0], [0, 1, 0, 1], NO_EVENT),
        ([1, 1, 1, 1], [1, 1, 1, 1], NO_INFORMATION),
        ([1, 1, 1, 1], [1, 1, 0, 0], MONOTONE),
        ([1, 0, 0, 0], [1, 0, 0, 0], MONOTONE),
    ],
)
def test_without_an_estimate_there_is_no_test(event, x, reason):
    arrays = [1, 2, 3, 4], event, np.array(x)[:, None]
    checked = check(arrays)
    assert np.isnan([checked.tests[0].p, checked.overall.p]).all()
    assert checked.overall.method == checked.tests[0].method == f"none: {reason}"
    assert residuals_of(arrays).values.shape == (0, 1)


def test_one_time_of_events_says_nothing_about_a_course():
    checked = check(([1, 1, 2, 2], [1, 1, 0, 0], np.array([[0], [1], [1], [0]])))
    assert checked.overall.method == "none: all events at one time"


def test_time_zero_has_no_logarithm():
    arrays = [0, 1, 2, 3], [1, 1, 1, 1], np.array([[0], [1], [1], [0]])
    checked = check(arrays, transform="score_log")
    assert checked.tests[0].method == "none: an event at time zero has no logarithm"
    assert np.isfinite(check(arrays, transform="score_rank").tests[0].p)


def test_after_a_time_at_which_nothing_varies_there_is_no_course():
    # At the second event only patients with 0 are at risk.
    arrays = [1, 1, 1, 1, 2, 3], [1, 1, 0, 0, 1, 0], np.array([[1], [0], [1], [0], [0], [0]])
    checked = check(arrays)
    assert checked.tests[0].method == checked.overall.method == "none: too few events"
    assert len(residuals_of(arrays).values) == 3


def test_unknown_transform_is_an_error():
    with pytest.raises(ValueError, match="unknown transform 'km'"):
        check(([1, 2, 3], [1, 1, 1], np.array([[1], [0], [1]])), transform="km")
