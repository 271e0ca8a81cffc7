from math import sqrt

import numpy as np
import pytest
from lifelines.statistics import multivariate_logrank_test
from scipy.stats import chi2, norm
from survival_samples import PATIENTS, expected

from helpers.estimators.cox import fit_cox
from helpers.estimators.logrank import logrank, logrank_batch
from helpers.estimators.ordered_times import OrderedTimes

CASES = [
    case for case in expected("groups.csv", ["sample", "entry", "group"]) if case.values[2] == "all"
]


@pytest.mark.parametrize(("sample", "entry", "group", "values"), CASES)
def test_equals_r(sample, entry, group, values):
    patients = PATIENTS[sample]
    columns = [patients[name] for name in ("time", "event", "group")]
    late = {"entry": patients["entry"]} if entry else {}
    plain, stratified = (
        logrank(*columns, **late),
        logrank(*columns, strata=patients["stratum"], **late),
    )
    assert plain.statistic == pytest.approx(values["logrank"], rel=1e-8)
    assert stratified.statistic == pytest.approx(values["logrank_strata"], rel=1e-8)
    n_group = patients["group"].nunique()
    assert plain.df == stratified.df == n_group - 1
    assert plain.p == pytest.approx(chi2.sf(values["logrank"], n_group - 1), rel=1e-8)


@pytest.mark.parametrize("sample", PATIENTS)
def test_equals_lifelines(sample):
    patients = PATIENTS[sample]
    found = logrank(patients["time"], patients["event"], patients["group"])
    other = multivariate_logrank_test(patients["time"], patients["group"], patients["event"])
    assert found.statistic == pytest.approx(other.test_statistic)


def test_by_hand():
    # a: 1, 3; b: 2, 4 (censored). Expected in a: 2/4 + 1/3 + 1/2; variance 1/4 + 2/9 + 1/4.
    test = logrank([1, 3, 2, 4], [1, 1, 1, 0], ["a", "a", "b", "b"])
    statistic = (2 - 4 / 3) ** 2 / (13 / 18)
    assert test.statistic == pytest.approx(statistic)
    assert test.p == pytest.approx(2 * norm.sf(sqrt(statistic)))
    assert (test.df, test.method) == (1, "logrank")


def test_ties_by_hand():
    # Two of four die at once, one of each group of two: observed 1, expected 1. Then one of two:
    # expected 1/2, variance 1/4. The first time adds a variance of 2 * 1/2 * 1/2 * 2/3.
    test = logrank([1, 1, 2, 3], [1, 1, 1, 0], [0, 1, 0, 1])
    assert test.statistic == pytest.approx((2 - 1.5) ** 2 / (1 / 3 + 1 / 4))


def test_without_ties_it_is_the_score_test_of_the_cox_model():
    time, event = [5, 1, 4, 2, 8, 3, 7, 6], [1, 1, 0, 1, 1, 1, 0, 1]
    group = [0, 1, 1, 0, 1, 0, 0, 1]
    fit = fit_cox(time, event, np.array(group)[:, None], ties="efron")
    assert logrank(time, event, group).statistic == pytest.approx(fit.score_test.statistic)


def test_who_is_never_at_risk_does_not_count():
    # The third group is censored before the first event.
    test = logrank([1, 3, 2, 4, 0.5], [1, 1, 1, 0, 0], list("aabbc"))
    assert test.statistic == pytest.approx((2 - 4 / 3) ** 2 / (13 / 18))
    assert test.df == 1


def test_groups_in_strata_of_their_own_are_compared_within_them_only():
    # Groups a and b in one stratum, c and d in another: two comparisons, not three.
    time, event = [1, 3, 2, 4] * 2, [1, 1, 1, 0] * 2
    test = logrank(time, event, list("aabbccdd"), strata=[0] * 4 + [1] * 4)
    assert test.statistic == pytest.approx(2 * (2 - 4 / 3) ** 2 / (13 / 18))
    assert test.df == 2


@pytest.mark.parametrize(
    ("time", "event", "group", "strata", "reason"),
    [
        ([], [], [], None, "no event"),
        ([1, 2], [0, 0], [0, 1], None, "no event"),
        ([1, 2], [1, 1], [0, 0], None, "no event with two groups at risk"),
        ([1, 2], [0, 1], [0, 1], None, "no event with two groups at risk"),
        (
            [1, 2, 3, 4],
            [1, 1, 1, 1],
            [0, 0, 1, 1],
            [0, 0, 1, 1],
            "no event with two groups at risk",
        ),
        ([1, 1], [1, 1], [0, 1], None, "no event with two groups at risk"),
    ],
)
def test_without_a_comparison_there_is_no_test(time, event, group, strata, reason):
    test = logrank(time, event, group, strata=strata)
    assert np.isnan([test.p, test.statistic]).all()
    assert test.method == f"none: {reason}"


def test_an_arm_of_one_patient():
    # Dies first of four: observed 1, expected 1/4, variance 3/16.
    test = logrank([1, 2, 3, 4], [1, 0, 0, 0], [1, 0, 0, 0])
    assert test.statistic == pytest.approx((3 / 4) ** 2 / (3 / 16))


def test_a_batch_by_hand():
    # The first two are those by hand above, with a patient of no group; in the third no groups
    # are at risk together.
    times = OrderedTimes(np.array([[1, 3, 2, 4, 1], [1, 1, 2, 3, 2], [1, 2, 3, 4, 3.0]]))
    event = np.array([[1, 1, 1, 0, 1], [1, 1, 1, 0, 1], [1, 1, 0, 0, 1]])
    one = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 1, 0]])
    other = np.array([[0, 0, 1, 1, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 0]])
    statistics = [(2 - 4 / 3) ** 2 / (13 / 18), (2 - 1.5) ** 2 / (1 / 3 + 1 / 4)]
    found = logrank_batch(times, event, [one, other])
    assert found == pytest.approx([*chi2.sf(statistics, 1), np.nan], nan_ok=True)


@pytest.mark.parametrize("sample", PATIENTS)
def test_a_batch_is_many_tests(sample):
    patients = PATIENTS[sample]
    rng = np.random.default_rng(1)
    time, event, group = (patients[name].to_numpy(float) for name in ("time", "event", "group"))
    rows = np.array([rng.choice(len(time), len(time)) for _ in range(4)])
    members = [group[rows] == level for level in np.unique(group)]
    found = logrank_batch(OrderedTimes(time[rows]), event[rows], members)
    for p, own in zip(found, rows, strict=True):
        assert p == pytest.approx(logrank(time[own], event[own], group[own]).p, rel=1e-9)
