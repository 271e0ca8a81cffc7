from math import exp, inf, log, nan, sqrt

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times
from scipy.stats import norm
from survival_samples import PATIENTS, REFERENCE, assert_equals_r, expected

from helpers.estimators.kaplan_meier import (
    CONF_TYPES,
    count_at,
    kaplan_meier,
    kaplan_meier_batch,
    median,
    reverse_kaplan_meier,
    survival_at,
)
from helpers.estimators.ordered_times import OrderedTimes

CURVES = pd.read_csv(REFERENCE / "kaplan_meier.csv", float_precision="round_trip")
GROUPS = [
    case for case in expected("groups.csv", ["sample", "entry", "group"]) if case.values[2] != "all"
]
Z = norm.ppf(0.975)
BAND = {"conf_level": 0.95, "conf_type": "log"}


@pytest.mark.parametrize(("sample", "rows"), list(CURVES.groupby("sample")))
def test_curve_equals_r(sample, rows):
    patients = PATIENTS[sample]
    entry = patients["entry"] if rows["entry"].iloc[0] else None
    for conf_type in CONF_TYPES:
        curve = kaplan_meier(
            patients["time"], patients["event"], conf_level=0.95, conf_type=conf_type, entry=entry
        )
        found = pd.DataFrame(vars(curve))
        names = {f"{conf_type}_low": "conf_low", f"{conf_type}_high": "conf_high"}
        values = rows.rename(columns=names)[list(found)].reset_index(drop=True)
        # Before the first event R has no log-log band; it is one here, as with the others.
        limits = ["conf_low", "conf_high"]
        values.loc[values["survival"] == 1, limits] = 1.0
        pd.testing.assert_frame_equal(
            found.astype(float), values.astype(float), check_exact=False, rtol=1e-8, atol=1e-12
        )


@pytest.mark.parametrize(("sample", "entry", "group", "values"), GROUPS)
def test_what_is_read_off_equals_r(sample, entry, group, values):
    patients = PATIENTS[sample]
    ends = patients.groupby("group")["time"].max().min()
    patients = patients[patients["group"] == float(group)]
    time, event = patients["time"], patients["event"]
    late = {"entry": patients["entry"]} if entry else {}
    found = {}
    for conf_type in CONF_TYPES:
        options = {"conf_level": 0.95, "conf_type": conf_type, **late}
        curve = kaplan_meier(time, event, **options)
        followup = reverse_kaplan_meier(time, event, **options)
        estimates = {
            f"median_{conf_type}": median(curve, at_half="midpoint"),
            f"followup_{conf_type}": median(followup, at_half="midpoint"),
        }
        for part in (0.25, 0.5):
            estimates[f"survival_{part}_{conf_type}"] = survival_at(curve, ends * part)
        for name, estimate in estimates.items():
            for which in ("value", "conf_low", "conf_high"):
                found[f"{name}_{which}"] = getattr(estimate, which)
    parts = ["0", "0.25", "0.5", "1"]
    n_risk, n_event = count_at(time, event, [ends * float(part) for part in parts], **late)
    found |= {f"n_risk_{part}": n for part, n in zip(parts, n_risk, strict=True)}
    found |= {f"n_event_{part}": n for part, n in zip(parts, n_event, strict=True)}
    values = values[~values.index.str.startswith("rmst")]
    one = values.index.str.contains("log_log_conf") & values.isna()
    whole = [f"{name.split('_log_log')[0]}_log_log_value" for name in values.index[one]]
    assert (values[whole] == 1).all()
    assert_equals_r(found, values.mask(one, 1.0))


def test_by_hand():
    # Five patients: events at 1 and 3 (two of them), censored at 2 and 4.
    curve = kaplan_meier([1, 2, 3, 3, 4], [1, 0, 1, 1, 0], **BAND)
    assert curve.time.tolist() == [1, 2, 3, 4]
    assert curve.n_risk.tolist() == [5, 4, 3, 1]
    assert curve.n_event.tolist() == [1, 0, 2, 0]
    assert curve.n_censored.tolist() == [0, 1, 0, 1]
    assert curve.survival == pytest.approx([4 / 5, 4 / 5, 4 / 15, 4 / 15])
    first, last = 4 / 5 * sqrt(1 / 20), 4 / 15 * sqrt(1 / 20 + 2 / 3)
    assert curve.std_error == pytest.approx([first, first, last, last])
    spread = exp(Z * sqrt(1 / 20))
    assert curve.conf_low[0] == pytest.approx(0.8 / spread)
    assert curve.conf_high[0] == 1


@pytest.mark.parametrize(
    ("conf_type", "low", "high"),
    [
        # Survival 1/2, standard error 1/4: four patients, two events.
        ("log", exp(log(0.5) - Z / 2), 1),
        ("log_log", 0.5 ** exp(Z / 2 / log(2)), 0.5 ** exp(-Z / 2 / log(2))),
        ("plain", 0.5 - Z / 4, 0.5 + Z / 4),
    ],
)
def test_bands_by_hand(conf_type, low, high):
    curve = kaplan_meier([1, 1, 2, 2], [1, 1, 0, 0], conf_level=0.95, conf_type=conf_type)
    assert curve.conf_low[0] == pytest.approx(low)
    assert curve.conf_high[0] == pytest.approx(high)


def test_who_is_censored_at_a_time_is_at_risk_at_it():
    curve = kaplan_meier([2, 2, 3], [1, 0, 0], **BAND)
    assert curve.survival.tolist() == pytest.approx([2 / 3, 2 / 3])


def test_who_enters_at_a_time_is_not_at_risk_at_it():
    curve = kaplan_meier([1, 2, 3], [1, 1, 1], entry=[0, 1, 0], **BAND)
    assert curve.n_risk.tolist() == [2, 2, 1]
    assert count_at([1, 2, 3], [1, 1, 1], [0, 1, 2], entry=[0, 1, 0])[0].tolist() == [2, 2, 2]


def test_survival_of_zero_has_no_standard_error_and_no_band():
    curve = kaplan_meier([1, 2], [1, 1], **BAND)
    assert curve.survival.tolist() == [0.5, 0]
    assert np.isnan([curve.std_error[1], curve.conf_low[1], curve.conf_high[1]]).all()
    assert survival_at(curve, 5).value == 0


@pytest.mark.parametrize(
    ("time", "event", "midpoint", "first"),
    [
        ([1, 2, 3, 4], [1, 1, 1, 1], 2.5, 2),  # flat at one half from 2 to 3
        ([1, 2, 2.5, 4], [1, 1, 0, 1], 3, 2),  # a censoring does not end the stretch
        ([1, 2, 3, 4], [1, 1, 0, 0], 2, 2),  # no fall ends it
        ([1, 2, 3], [1, 1, 1], 2, 2),  # jumps over it
        ([1, 2, 3], [1, 0, 0], inf, inf),
        ([1, 2, 3], [0, 0, 0], inf, inf),
        (range(1, 11), [1] * 10, 5.5, 5),  # 9/10 * 8/9 * ...: one half but for rounding
    ],
)
def test_median_where_the_curve_is_at_one_half(time, event, midpoint, first):
    curve = kaplan_meier(time, event, **BAND)
    assert median(curve, at_half="midpoint").value == midpoint
    assert median(curve, at_half="first").value == first
    fitter = KaplanMeierFitter().fit(time, event)
    assert fitter.median_survival_time_ == first


@pytest.mark.parametrize("sample", PATIENTS)
def test_lifelines_has_the_log_log_band_and_the_first_time(sample):
    patients = PATIENTS[sample]
    time, event = patients["time"], patients["event"]
    fitter = KaplanMeierFitter(alpha=0.1).fit(time, event)
    curve = kaplan_meier(time, event, conf_level=0.9, conf_type="log_log")
    band = fitter.confidence_interval_.loc[curve.time].to_numpy()
    inside = (curve.survival > 0) & (curve.survival < 1)
    assert curve.conf_low[inside] == pytest.approx(band[inside, 0])
    assert curve.conf_high[inside] == pytest.approx(band[inside, 1])
    limits = median_survival_times(fitter.confidence_interval_).to_numpy()[0]
    found = median(curve, at_half="first")
    assert found.value == fitter.median_survival_time_
    assert [found.conf_low, found.conf_high] == limits.tolist()


def test_median_of_follow_up_by_hand():
    # Censored at 2, 4 and 6; the events at 1, 3, 5 end the observation of the others.
    curve = reverse_kaplan_meier([1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 0], **BAND)
    assert curve.survival[[1, 3, 5]] == pytest.approx([4 / 5, 4 / 5 * 2 / 3, 0])
    assert median(curve, at_half="midpoint").value == 6


@pytest.mark.parametrize(
    ("when", "value"), [(0, 1), (0.5, 1), (1, 2 / 3), (1.5, 2 / 3), (3, 1 / 3), (3.5, nan)]
)
def test_survival_at_a_time(when, value):
    curve = kaplan_meier([1, 2, 3], [1, 1, 0], **BAND)
    found = survival_at(curve, when)
    assert found.value == pytest.approx(value, nan_ok=True)
    assert found.method.startswith("none") == np.isnan(value)


def test_without_events_survival_is_one_and_the_median_is_not_reached():
    curve = kaplan_meier([1, 2], [0, 0], **BAND)
    assert (curve.survival == 1).all() and (curve.conf_low == 1).all()
    found = median(curve, at_half="midpoint")
    assert (found.value, found.conf_low, found.conf_high) == (inf, inf, inf)


def test_one_patient():
    curve = kaplan_meier([3], [1], **BAND)
    found = median(curve, at_half="midpoint")
    assert (found.value, found.conf_low, found.conf_high) == (3, inf, inf)


def test_no_patient():
    curve = kaplan_meier([], [], **BAND)
    assert median(curve, at_half="first").method == "none: no patient"
    assert np.isnan(survival_at(curve, 1).value)
    assert count_at([], [], [0, 1])[0].tolist() == [0, 0]


def test_unknown_conventions_are_errors():
    with pytest.raises(ValueError, match="unknown conf_type 'log-log'"):
        kaplan_meier([1], [1], conf_level=0.95, conf_type="log-log")
    with pytest.raises(ValueError, match="unknown at_half 'mean'"):
        median(kaplan_meier([1], [1], **BAND), at_half="mean")


def test_a_batch_by_hand():
    # Group of the first: 1, 1 (tied), 3, censored at 4, half way down at 1. Of the second: one
    # death of two at 2, censored at 5. Nobody of the third is in the group.
    time = np.array([[3, 1, 4, 1, 2.0], [5, 2, 1, 3, 6], [1, 2, 3, 4, 5]])
    event = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1]])
    member = np.array([[1, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 0, 0]])
    curves = kaplan_meier_batch(OrderedTimes(time), event, member, **BAND)
    assert median(curves, at_half="first").value == pytest.approx([1, 2, nan], nan_ok=True)
    assert median(curves, at_half="midpoint").value == pytest.approx([2, 2, nan], nan_ok=True)
    for when, expected_ in [(0, [1, 1]), (1, [0.5, 1]), (3, [0.25, 0.5]), (4.5, [nan, 0.5])]:
        found = survival_at(curves, when).value
        assert found == pytest.approx([*expected_, nan], nan_ok=True)
    error = 0.5 * sqrt(2 / (4 * 2))  # Greenwood
    assert survival_at(curves, 2).conf_low[0] == pytest.approx(0.5 * exp(-Z * error / 0.5))


@pytest.mark.parametrize("sample", PATIENTS)
def test_a_batch_is_many_curves(sample):
    patients = PATIENTS[sample]
    rng = np.random.default_rng(1)
    time, event, group = (patients[name].to_numpy(float) for name in ("time", "event", "group"))
    rows = np.array([rng.choice(len(time), len(time)) for _ in range(4)])
    for conf_type in CONF_TYPES:
        options = {"conf_level": 0.9, "conf_type": conf_type}
        member = group[rows] == group[0]
        curves = kaplan_meier_batch(OrderedTimes(time[rows]), event[rows], member, **options)
        medians, there = median(curves, at_half="midpoint"), survival_at(curves, np.median(time))
        for number, own in enumerate(rows):
            own = own[group[own] == group[0]]
            curve = kaplan_meier(time[own], event[own], **options)
            for batch, single in (
                (medians, median(curve, at_half="midpoint")),
                (there, survival_at(curve, np.median(time))),
            ):
                for part in ("value", "conf_low", "conf_high"):
                    expected_ = getattr(single, part)
                    found = getattr(batch, part)[number]
                    assert found == pytest.approx(expected_, rel=1e-12, nan_ok=True)
