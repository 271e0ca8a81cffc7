from fractions import Fraction
from math import comb, exp, log, nan, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.estimators import contingency

REFERENCE = Path(__file__).parents[1] / "reference"
TABLES = {
    name: rows.pivot(index="row", columns="column", values="n").to_numpy()
    for name, rows in pd.read_csv(REFERENCE / "contingency_tables.csv").groupby("table")
}
EXPECTED = pd.read_csv(REFERENCE / "contingency.csv").set_index(["table", "statistic"])["value"]


def counts_of(table):
    (a, c), (b, d) = table
    return a, a + b, c, c + d


def computed(name, statistic):
    table = TABLES[name]
    match statistic:
        case "pearson" | "yates" | "fisher":
            return getattr(contingency, statistic)(table).p
        case "standardized_difference":
            return contingency.standardized_difference(*table.T)
        case "proportion_low" | "proportion_high":
            estimate = contingency.proportion(*counts_of(table)[:2], conf_level=0.9)
        case _:
            function = statistic.removesuffix("_low").removesuffix("_high")
            estimate = getattr(contingency, function)(*counts_of(table))
    if statistic.endswith("_low"):
        return estimate.conf_low
    return estimate.conf_high if statistic.endswith("_high") else estimate.value


@pytest.mark.parametrize(("name", "statistic"), EXPECTED.index)
def test_equals_r(name, statistic):
    expected = EXPECTED[name, statistic]
    assert computed(name, statistic) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_pearson_by_hand():
    # expected counts are all 10; the statistic is 4 * 2² / 10 = 1.6
    assert contingency.pearson([[12, 8], [8, 12]]).p == pytest.approx(0.2059032107)


def test_yates_by_hand():
    # 4 * 1.5² / 10 = 0.9
    assert contingency.yates([[12, 8], [8, 12]]).p == pytest.approx(0.3427817111)


def test_yates_of_a_larger_table_is_pearson():
    table = [[12, 8], [8, 12], [5, 5]]
    assert contingency.yates(table) == contingency.pearson(table)


def test_fisher_by_hand():
    # The tea tasting: 8 cups, 3 of 4 guessed; 17/35 of the tables are no more likely.
    assert contingency.fisher([[3, 1], [1, 3]]).p == pytest.approx(
        float(Fraction(2 * (comb(4, 3) * comb(4, 1) + 1), comb(8, 4)))
    )


def test_fisher_of_three_groups_by_hand():
    # Of the 90 ways to deal 2 + 2 + 2 labels, 6 give tables like this one, the least likely.
    assert contingency.fisher(np.diag([2, 2, 2])).p == pytest.approx(6 / 90)


def test_fisher_does_not_depend_on_orientation():
    table = TABLES["job"]
    turned = contingency.fisher(table.T[::-1, ::-1])
    assert turned.p == pytest.approx(contingency.fisher(table).p, rel=1e-12)


def test_fisher_of_one_possible_table_is_one():
    assert contingency.fisher([[3, 0], [4, 0]]).p == 1


def test_a_table_too_large_to_enumerate_is_sampled():
    table = np.add.outer(np.arange(5), np.arange(20, 26) ** 2 % 7 + 9)
    test = contingency.fisher(table)
    assert test.method == "fisher_monte_carlo"
    assert test.p == contingency.fisher(table).p
    assert test.p == pytest.approx(contingency.pearson(table).p, abs=0.02)


@pytest.mark.parametrize("test", [contingency.pearson, contingency.yates])
@pytest.mark.parametrize("table", [[[0, 0], [5, 3]], [[0, 5], [0, 3]], [[5, 3]]])
def test_chi_square_of_an_empty_row_or_column_does_not_exist(test, table):
    result = test(table)
    assert np.isnan(result.p)
    assert result.method.startswith("none: ")


@pytest.mark.parametrize(
    ("table", "rule", "method"),
    [
        ([[4, 9], [42, 33]], "fisher_if_observed_below_5", "fisher"),
        ([[4, 9], [42, 33]], "fisher_if_expected_below_5", "pearson"),
        ([[5, 3], [41, 40]], "fisher_if_expected_below_5", "fisher"),
        ([[5, 9], [41, 33]], "fisher_if_observed_below_5", "pearson"),
        ([[1, 2], [2, 1]], "chi_square", "pearson"),
        ([[1, 2], [2, 1]], "chi_square_yates", "yates"),
        ([[50, 20], [20, 50]], "fisher", "fisher"),
        ([[50, 20], [0, 0], [20, 50]], "fisher_if_observed_below_5", "pearson"),
    ],
)
def test_rule_names_the_test_that_it_led_to(table, rule, method):
    assert contingency.categorical_test(table, rule).method == method


def test_what_nobody_has_has_no_test():
    test = contingency.categorical_test([[0, 0], [46, 42]], "fisher_if_observed_below_5")
    assert np.isnan(test.p)
    assert test.method == "none: fewer than two rows or columns are observed"


def test_unknown_rule_is_an_error():
    with pytest.raises(ValueError, match="unknown rule 'exact'"):
        contingency.categorical_test([[1, 2], [3, 4]], "exact")


def test_proportion_by_hand():
    # With nobody, the upper limit solves (1 - p)^n = 0.025.
    estimate = contingency.proportion(0, 10)
    assert (estimate.value, estimate.conf_low) == (0, 0)
    assert estimate.conf_high == pytest.approx(1 - 0.025**0.1)
    assert contingency.proportion(10, 10).conf_low == pytest.approx(0.025**0.1)


def test_proportion_of_nobody_does_not_exist():
    assert np.isnan(contingency.proportion(0, 0).value)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((6, 7, 2, 7), 0.0582, 0.8062),
        ((5, 56, 0, 29), -0.0381, 0.1926),
        ((0, 10, 0, 20), -0.1611, 0.2775),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_risk_difference_equals_the_table_of_newcombe(counts, low, high):
    estimate = contingency.risk_difference(*counts)
    assert estimate.value == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])
    assert (round(estimate.conf_low, 4), round(estimate.conf_high, 4)) == (low, high)


def test_risk_difference_with_an_empty_arm_does_not_exist():
    assert np.isnan(contingency.risk_difference(0, 0, 3, 10).conf_low)


def test_odds_ratio_by_hand():
    estimate = contingency.odds_ratio(20, 30, 10, 30)
    half = 1.959963984540054 * sqrt(1 / 20 + 1 / 10 + 1 / 10 + 1 / 20)
    assert estimate.value == pytest.approx(4)
    assert estimate.conf_low == pytest.approx(exp(log(4) - half))
    assert estimate.conf_high == pytest.approx(exp(log(4) + half))
    assert estimate.method == "woolf"


def test_odds_ratio_with_a_zero_count_says_what_was_added():
    estimate = contingency.odds_ratio(11, 46, 0, 42)
    assert estimate.value == pytest.approx(11.5 * 42.5 / (35.5 * 0.5))
    assert estimate.method == "woolf, 0.5 added to each count"


@pytest.mark.parametrize("counts", [(0, 46, 0, 42), (46, 46, 42, 42), (0, 0, 3, 10)])
def test_odds_ratio_without_contrast_does_not_exist(counts):
    assert np.isnan(contingency.odds_ratio(*counts).value)


def test_standardized_difference_of_two_levels_by_hand():
    # |0.4 - 0.6| over the root of 0.24
    difference = contingency.standardized_difference([4, 6], [12, 8])
    assert difference == pytest.approx(0.2 / sqrt(0.24))


def test_standardized_difference_ignores_levels_that_nobody_has():
    with_empty = contingency.standardized_difference([4, 0, 6], [12, 0, 8])
    assert with_empty == pytest.approx(0.2 / sqrt(0.24))


@pytest.mark.parametrize(
    ("counts", "reference", "expected"),
    [
        ([5, 0], [7, 0], 0),
        ([5, 0], [0, 7], nan),
        ([0, 0], [3, 4], nan),
        ([4, 4, 0], [0, 0, 9], nan),
    ],
)
def test_standardized_difference_at_the_edge(counts, reference, expected):
    difference = contingency.standardized_difference(counts, reference)
    assert difference == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(("rule", "statistic"), [("chi_square", "pearson"), ("fisher", "fisher")])
def test_a_batch_equals_r(rule, statistic):
    by_shape = {}
    for name, table in TABLES.items():
        if (
            (name, statistic) in EXPECTED.index
            and table.any(axis=0).all()
            and table.any(axis=1).all()
        ):
            by_shape.setdefault(table.shape, []).append(name)
    assert len(by_shape[2, 2]) > 2
    for names in by_shape.values():
        found = contingency.categorical_test_batch(np.array([TABLES[n] for n in names]), rule)
        expected = [EXPECTED[name, statistic] for name in names]
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_a_batch_follows_the_rule_table_by_table():
    tables = np.array([[[12, 8], [8, 12]], [[1, 9], [9, 1]], [[0, 5], [0, 6]], [[12, 8], [8, 12]]])
    pearson_p, yates_p = 0.2059032107, 0.3427817111  # statistics 1.6 and 4 * 1.5² / 10 = 0.9
    fisher_p = 2 * (comb(10, 1) ** 2 + 1) / comb(20, 10)
    found = contingency.categorical_test_batch(tables, "fisher_if_observed_below_5")
    assert found == pytest.approx([pearson_p, fisher_p, nan, pearson_p], nan_ok=True)
    found = contingency.categorical_test_batch(tables, "chi_square_yates")
    assert found[[0, 3]] == pytest.approx([yates_p, yates_p])
    with pytest.raises(ValueError, match="unknown rule 'guess'"):
        contingency.categorical_test_batch(tables, "guess")
