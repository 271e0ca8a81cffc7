from math import nan, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from helpers.estimators import location

REFERENCE = Path(__file__).parents[1] / "reference"
SAMPLES = {
    name: [group["value"].to_numpy(dtype=float) for _, group in rows.groupby("group", sort=False)]
    for name, rows in pd.read_csv(REFERENCE / "location_data.csv").groupby("sample")
}
EXPECTED = pd.read_csv(REFERENCE / "location.csv").set_index(["sample", "statistic"])["value"]


def computed(name, statistic):
    groups = SAMPLES[name]
    match statistic.split("_"):
        case ["quantile", kind, probability]:
            return location.quantile(groups[0], float(probability), int(kind))
        case ["standardized", *_]:
            return location.standardized_mean_difference(*groups)
        case ["signed", "rank", *continuity]:
            return location.signed_rank(groups[0] - groups[1], continuity=bool(continuity)).p
    return location.location_test(groups, statistic.removesuffix("_two")).p


@pytest.mark.parametrize(("name", "statistic"), EXPECTED.index)
def test_equals_r(name, statistic):
    expected = EXPECTED[name, statistic]
    assert computed(name, statistic) == pytest.approx(expected, rel=1e-8, abs=1e-12)


@pytest.mark.parametrize(
    ("kind", "expected"),
    # The first quartile of 1, 2, 4, 8, 16, 32, worked out from each definition's position.
    list(enumerate([2, 2, 2, 1.5, 2, 1.75, 2.5, 23 / 12, 31 / 16], start=1)),
)
def test_quantile_by_hand(kind, expected):
    assert location.quantile([1, 2, 4, 8, 16, 32], 0.25, kind) == pytest.approx(expected)


def test_quantile_of_nothing_does_not_exist():
    assert np.isnan(location.quantile([], 0.5, 7))


def test_student_t_by_hand():
    # Means 2 and 4, variances 1: t = -2 / sqrt(2/3), 4 degrees of freedom.
    t = -2 / sqrt(2 / 3)
    x = t / sqrt(4 + t**2)
    tail = 0.5 + 0.75 * (x - x**3 / 3)
    test = location.student_t([1, 2, 3], [3, 4, 5])
    assert test.p == pytest.approx(2 * tail)
    assert test.method == "student_t"


def test_welch_t_of_equal_sizes_and_variances_is_student_t():
    x, y = [1, 2, 3], [3, 4, 5]
    assert location.welch_t(x, y).p == pytest.approx(location.student_t(x, y).p)


def test_rank_sum_by_hand():
    # Ranks 1, 2, 3 against 4, 5, 6: U is 0, expected 4.5, variance 21/4.
    x, y = [1, 2, 3], [4, 5, 6]
    sd = sqrt(21 / 4)
    assert location.rank_sum(x, y, continuity=False).p == pytest.approx(2 * norm.sf(4.5 / sd))
    assert location.rank_sum(x, y, continuity=True).p == pytest.approx(2 * norm.sf(4 / sd))


def test_rank_sum_corrects_for_ties_by_hand():
    # Ranks 1, 2.5 against 2.5, 4: U is 0.5, expected 2, variance 4/12 (5 - 6/12).
    test = location.rank_sum([1, 2], [2, 3], continuity=False)
    assert test.p == pytest.approx(2 * norm.sf(1.5 / sqrt(4 / 12 * (5 - 0.5))))


def test_signed_rank_by_hand():
    # The zero is left out; ranks of 1, 2, -3, 4 sum to 7 and 3; expected 5, variance 7.5.
    differences = [0, 1, 2, -3, 4]
    plain = location.signed_rank(differences, continuity=False)
    corrected = location.signed_rank(differences, continuity=True)
    assert plain.p == pytest.approx(2 * norm.sf(2 / sqrt(7.5)))
    assert corrected.p == pytest.approx(2 * norm.sf(1.5 / sqrt(7.5)))


def test_more_than_two_groups_are_tested_by_the_counterpart():
    groups = [1, 2, 4], [2, 3, 7], [8, 9, 12]
    methods = [
        location.location_test(groups, rule).method
        for rule in ("student_t", "welch_t", "mann_whitney", "mann_whitney_continuity")
    ]
    assert methods == ["anova", "welch_anova", "kruskal_wallis", "kruskal_wallis"]


@pytest.mark.parametrize("rule", ["student_t", "welch_t", "mann_whitney"])
@pytest.mark.parametrize(
    "groups",
    [
        ([], []),
        ([1, 2, 3], []),
        ([1], [2]),
        ([5, 5, 5], [5, 5, 5]),
        ([5, 5, 5], [1, 2, 3]),
        ([5, 5], [6, 6]),
        ([5, 5], [6, 6], [7, 8]),
        ([5], [6, 6], [7, 8]),
    ],
)
def test_small_or_constant_groups_give_a_p_value_or_the_reason(rule, groups):
    test = location.location_test([np.array(group) for group in groups], rule)
    assert 0 <= test.p <= 1 or (np.isnan(test.p) and test.method.startswith("none: "))


def test_signed_rank_without_a_change_does_not_exist():
    assert np.isnan(location.signed_rank([0, 0], continuity=True).p)
    assert np.isnan(location.signed_rank([], continuity=True).p)


def test_unknown_rule_is_an_error():
    with pytest.raises(ValueError, match="unknown rule 'z'"):
        location.location_test([[1, 2], [3, 4]], "z")


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [([1, 2, 3], [3, 4, 5], -2), ([1], [2, 3], nan), ([2, 2], [3, 3], nan)],
)
def test_standardized_mean_difference_by_hand(x, y, expected):
    difference = location.standardized_mean_difference(x, y)
    assert difference == pytest.approx(expected, nan_ok=True)


def pad(samples):
    longest = max(map(len, samples))
    return np.array([[*sample, *[nan] * (longest - len(sample))] for sample in samples], float)


@pytest.mark.parametrize("rule", list(location.COMPARISONS))
def test_a_batch_equals_r(rule):
    names_by_size = {}
    for name, groups in SAMPLES.items():
        if (name, rule) in EXPECTED.index:
            names_by_size.setdefault(len(groups), []).append(name)
    assert len(names_by_size[2]) > 2
    for n_group, names in names_by_size.items():
        groups = [pad([SAMPLES[name][place] for name in names]) for place in range(n_group)]
        expected = [EXPECTED[name, rule] for name in names]
        found = location.location_test_batch(groups, rule)
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_tests_that_do_not_exist_in_a_batch():
    # Equal values, one value, no value; then values that vary in one group only.
    one = pad([[1, 1], [1], [], [1, 1]])
    other = pad([[1, 1], [2, 3], [1, 2], [2, 4]])
    found = location.location_test_batch([one, other], "welch_t")
    t = -2 / sqrt(2 / 2)
    assert found[:3] == pytest.approx([nan] * 3, nan_ok=True)
    assert found[3] == pytest.approx(1 - 2 * np.arctan(abs(t)) / np.pi)  # one degree of freedom


@pytest.mark.parametrize("kind", range(1, 10))
def test_quantiles_of_a_batch(kind):
    samples = [[1, 2, 4, 8, 16, 32], [3], [], [5, 1, 2, 7, 7, 9], [4, 4, 1]]
    found = location.quantile_batch(pad(samples), [0.25, 0.5], kind)
    for place, sample in enumerate(samples):
        expected = location.quantile(sample, [0.25, 0.5], kind)
        assert found[:, place] == pytest.approx(expected, nan_ok=True)
