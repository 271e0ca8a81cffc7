from math import hypot, sqrt

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import restricted_mean_survival_time
from scipy.stats import norm
from survival_samples import PATIENTS, expected

from helpers.estimators.kaplan_meier import kaplan_meier
from helpers.estimators.restricted_mean import (
    common_horizon,
    restricted_mean,
    restricted_mean_difference,
)

Z = norm.ppf(0.975)
CASES = [
    case
    for case in expected("groups.csv", ["sample", "entry", "group"])
    if "rmst_0.5_value" in case.values[3].index
]


def curve_of(time, event, entry=None):
    return kaplan_meier(time, event, conf_level=0.95, conf_type="log", entry=entry)


@pytest.mark.parametrize(("sample", "entry", "group", "values"), CASES)
def test_equals_r(sample, entry, group, values):
    patients = PATIENTS[sample]
    curves = {
        name: curve_of(rows["time"], rows["event"], rows["entry"] if entry else None)
        for name, rows in patients.groupby("group")
    }
    horizon = common_horizon(curves.values())
    for part in (0.5, 1):
        found = restricted_mean(curves[float(group)], horizon * part, conf_level=0.95)
        assert found.value == pytest.approx(values[f"rmst_{part:g}_value"], rel=1e-8)
        std_error = values[f"rmst_{part:g}_std_error"]
        assert found.std_error == pytest.approx(std_error, rel=1e-8, abs=1e-12)
        assert found.conf_low == pytest.approx(found.value - Z * std_error)
        assert found.conf_high == pytest.approx(found.value + Z * std_error)


def test_by_hand():
    # Survival 1 to time 1, 3/4 to 2, 1/2 to 4 (the third is censored at 3).
    curve = curve_of([1, 2, 3, 5], [1, 1, 0, 1])
    mean = restricted_mean(curve, 4, conf_level=0.95)
    # Area beyond the event at 1: 3/4 + 1; beyond that at 2: 1. Greenwood: 1/12, 1/6.
    assert mean.value == pytest.approx(1 + 3 / 4 + 2 / 2)
    assert mean.std_error == pytest.approx(sqrt(1.75**2 / 12 + 1 / 6))
    assert mean.method == "area under kaplan_meier to 4"


def test_without_censoring_it_is_the_mean_of_times_cut_off():
    time = np.array([1, 2, 4, 7, 9, 12, 15])
    mean = restricted_mean(curve_of(time, np.ones(7)), 10, conf_level=0.95)
    cut = np.minimum(time, 10)
    assert mean.value == pytest.approx(cut.mean())
    assert mean.std_error == pytest.approx(cut.std() / sqrt(7))


def test_equals_lifelines():
    patients = PATIENTS["veteran"]
    fitter = KaplanMeierFitter().fit(patients["time"], patients["event"])
    found = restricted_mean(curve_of(patients["time"], patients["event"]), 300, conf_level=0.95)
    assert found.value == pytest.approx(restricted_mean_survival_time(fitter, t=300))


def test_difference_by_hand():
    curves = curve_of([1, 2, 3, 5], [1, 1, 0, 1]), curve_of([2, 4], [1, 1])
    first, second = (restricted_mean(curve, 4, conf_level=0.95) for curve in curves)
    assert (second.value, second.std_error) == pytest.approx((3, sqrt(1 / 2)))
    difference, test = restricted_mean_difference(first, second, conf_level=0.95)
    std_error = hypot(first.std_error, sqrt(1 / 2))
    assert difference.value == pytest.approx(-1 / 4)
    assert difference.conf_low == pytest.approx(-1 / 4 - Z * std_error)
    assert difference.conf_high == pytest.approx(-1 / 4 + Z * std_error)
    assert test.p == pytest.approx(2 * norm.sf(1 / 4 / std_error))


def test_horizon_is_the_earliest_last_time():
    assert common_horizon([curve_of([1, 9], [1, 0]), curve_of([3, 4], [0, 1])]) == 4


def test_beyond_the_data_it_exists_only_where_nobody_is_left():
    alive = restricted_mean(curve_of([1, 2], [1, 0]), 3, conf_level=0.95)
    assert np.isnan([alive.value, alive.std_error]).all()
    assert alive.method == "none: horizon beyond the data"
    dead = restricted_mean(curve_of([1, 2], [1, 1]), 3, conf_level=0.95)
    assert (dead.value, dead.std_error) == pytest.approx((1.5, sqrt(1 / 8)))
    assert np.isnan(restricted_mean(curve_of([], []), 3, conf_level=0.95).value)
    estimate, test = restricted_mean_difference(alive, dead, conf_level=0.95)
    assert np.isnan([estimate.value, test.p]).all()


def test_without_events_there_is_nothing_to_test():
    mean = restricted_mean(curve_of([3, 4], [0, 0]), 3, conf_level=0.95)
    assert (mean.value, mean.std_error) == (3, 0)
    difference, test = restricted_mean_difference(mean, mean, conf_level=0.95)
    assert (difference.value, difference.conf_low) == (0, 0)
    assert test.method == "none: no event before the horizon"
