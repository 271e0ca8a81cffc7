import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledgers import ask, fired, number, row, verdicts
from scipy import stats

from helpers.audit import CONSISTENT, IMPLAUSIBLE, INCONSISTENT, UNDECIDED
from helpers.audit.quartiles import (
    PROBABILITIES,
    largest_rank_p,
    possible_definitions,
    possible_sizes,
)
from helpers.estimators.location import quantile
from helpers.formats import format_number


def quartiles(values, kind, decimals):
    return [
        number(format_number(quantile(values, p, kind), decimals), statistic)
        for statistic, p in PROBABILITIES.items()
    ]


@pytest.mark.parametrize(("one", "other"), [(7, 6), (6, 7), (2, 9)])
def test_the_definitions_in_use_are_among_the_possible_ones(one, other):
    values = np.random.default_rng(3).lognormal(3, 1, 46).round(1)
    pairs = possible_definitions(quartiles(values, one, 2), quartiles(values, other, 2), 46)
    assert (one, other) in pairs
    assert len(pairs) < 81


def test_two_versions_of_a_quartile():
    """1, 2, 3, 4: type 7 gives 1.75 and 3.25, type 6 gives 1.25 and 3.75."""
    values = np.arange(1.0, 5.0)
    rows = [
        row(analysis, n.statistic, n.text, variable="x", group=group, level=level)
        for analysis, kind, level in (("baseline", 7, ""), ("measurement", 6, "baseline"))
        for group in ("new", "old")
        for n in quartiles(values, kind, 2)
    ]
    (check,) = ask("quartile_versions", *rows, sizes={"new": 4, "old": 4})
    assert check.verdict == INCONSISTENT
    assert check.found.endswith("0 of them alike; type 7 with type 6 is one")
    same = [r | {"printed": other["printed"]} for r, other in zip(rows, rows[:6] * 2, strict=True)]
    assert verdicts("quartile_versions", *same, sizes={"new": 4, "old": 4}) == [CONSISTENT]


def test_quartiles_in_order():
    texts = {"q1": "19.0", "median": "28.0", "q3": "41.0"}
    rows = [row("baseline", s, t, variable="x", group="new") for s, t in texts.items()]
    assert verdicts("quartile_order", *rows) == [CONSISTENT]
    rows[0]["printed"] = "29.0"
    assert verdicts("quartile_order", *rows) == [INCONSISTENT]


@pytest.mark.parametrize(
    ("text", "statistic", "grain", "verdict"),
    [
        ("18.8", "q1", "1", CONSISTENT),  # 18.75
        ("18.7", "q1", "1", CONSISTENT),  # 18.75, half to even
        ("18.4", "q1", "1", IMPLAUSIBLE),
        ("28.5", "median", "1", CONSISTENT),
        ("28.3", "median", "1", IMPLAUSIBLE),
        ("28", "median", "1", UNDECIDED),  # every integer is possible
        ("29.0", "median", "2", CONSISTENT),
        ("28.5", "median", "2", IMPLAUSIBLE),
        ("28.5", "q1", "2", CONSISTENT),
    ],
)
def test_quartiles_of_known_steps(text, statistic, grain, verdict):
    rows = [row("baseline", statistic, text, variable="x", group="new", grain=grain)]
    assert verdicts("quartile_grid", *rows) == [verdict]


def test_quartiles_against_mean_and_deviation():
    """The median is at most one deviation from the mean: 50 and 10 allow 40 to 60."""
    rows = [
        row("baseline", "mean", "50.0", variable="x", group="new"),
        row("baseline", "sd", "10.0", variable="x", group="new"),
        row("baseline", "median", "59.9", variable="x", group="new"),
    ]
    assert verdicts("quartile_spread", *rows) == [CONSISTENT]
    rows[2]["printed"] = "60.2"
    assert verdicts("quartile_spread", *rows) == [INCONSISTENT]
    rows[2] |= {"statistic": "q3", "printed": "68.0"}  # root of 3 is 1.73, of 46 a little more
    assert verdicts("quartile_spread", *rows) == [CONSISTENT]
    rows[2]["printed"] = "69.5"
    assert verdicts("quartile_spread", *rows) == [INCONSISTENT]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=4, max_size=50),
    st.integers(1, 7),
    st.integers(0, 3),
)
@example([0, 0, 1, 1, 1], 3, 1)
def test_true_quartiles_printed_correctly_raise_no_alarm(values, kind, decimals):
    texts = dict(zip(PROBABILITIES, quartiles(values, kind, decimals), strict=True))
    printed = {name: n.text for name, n in texts.items()}
    printed["mean"] = format_number(np.mean(values), decimals)
    printed["sd"] = format_number(np.std(values, ddof=1), decimals)
    rows = [
        row("baseline", name, text, variable="x", group="new", grain="1")
        for name, text in printed.items()
    ]
    assert fired(rows, {"new": len(values)}) == []


def test_sizes_that_quartiles_and_a_count_allow():
    """Median 3.0 with two values from 10 on: four or more values; Q3 below 10 needs eight."""
    numbers = [number(text, s) for s, text in (("q1", "2.0"), ("median", "3.0"), ("q3", "9.0"))]
    found = possible_sizes(numbers, range(3, 12), 2, 10, 1, kind=1)
    assert found == [8, 9, 10, 11]


# rank tests


def ranked(p, *arms):
    texts = [text for arm in arms for text in arm.split()]
    keys = [(s, group) for group in ("new", "old") for s in PROBABILITIES]
    rows = [
        row("baseline", s, text, variable="x", group=group)
        for (s, group), text in zip(keys, texts, strict=True)
    ]
    return [row("baseline", "p", p, variable="x", group="between_arms"), *rows]


def test_the_largest_p_by_hand():
    """Eight patients an arm, quartiles apart: 6 x 6 of 64 pairs are known.

    With 36 pairs, z is (36 - 32 - 0.5) over the root of 64 x 17 / 12; the exact test, in R
    2 * pwilcox(35, 8, 8, lower.tail = FALSE), gives 0.720901, which is more.
    """
    arms = [
        [number(text, s) for text, s in zip(texts.split(), PROBABILITIES, strict=True)]
        for texts in ("10.0 11.0 12.0", "1.0 2.0 3.0")
    ]
    assert largest_rank_p(*arms, [8, 8]) == pytest.approx(0.720901, abs=5e-7)
    assert largest_rank_p(*reversed(arms), [8, 8]) == pytest.approx(0.720901, abs=5e-7)
    assert largest_rank_p(arms[0], arms[0], [8, 8]) == 1
    normal = 2 * stats.norm.sf((0.5625 * 60**2 - 60**2 / 2 - 0.5) / (60**2 * 121 / 12) ** 0.5)
    assert largest_rank_p(*arms, [60, 60]) == pytest.approx(normal)


def test_rank_tests_against_quartiles():
    """46 and 42 patients: at most 12, 23 and 35 are below, at least 10, 21 and 31 up to.

    Of 1,932 pairs 34 x 31 are known: in R 2 * pwilcox(1053, 46, 42, lower.tail = FALSE) is 0.4666.
    """
    apart = ("10.0 11.0 12.0", "1.0 2.0 3.0")
    assert verdicts("rank_test", *ranked("0.46", *apart)) == [CONSISTENT]
    assert verdicts("rank_test", *ranked("<0.001", *apart)) == [CONSISTENT]
    (check,) = ask("rank_test", *ranked("0.480", *apart))
    assert check.verdict == INCONSISTENT
    assert check.found == "at most 0.467"
    assert verdicts("rank_test", *ranked("0.480", apart[0], "9.0 11.5 12.5")) == [UNDECIDED]
    mean = row("baseline", "mean", "11.0", variable="x", group="new")
    assert verdicts("rank_test", *ranked("0.480", *apart), mean) == []


def test_patients_without_a_value_are_not_ranked():
    rows = ranked("0.50", "10.0 11.0 12.0", "1.0 2.0 3.0")
    rows += [
        row("baseline", "n_missing", 26, variable="x", group="new"),
        row("baseline", "n_missing", 22, variable="x", group="old"),
    ]
    assert verdicts("rank_test", *rows) == [CONSISTENT]


samples = st.lists(st.integers(0, 9), min_size=2, max_size=30)


@settings(max_examples=150, deadline=None)
@given(samples, samples, st.integers(0, 30), st.integers(1, 9), st.integers(0, 2))
def test_a_true_rank_test_is_within_its_bound(one, other, shift, kind, decimals):
    other = [value + shift for value in other]
    arms = [quartiles(values, kind, decimals) for values in (one, other)]
    high = largest_rank_p(*arms, [len(one), len(other)])
    if len({*one, *other}) > 1:
        for method in ("asymptotic", "exact"):
            if method == "asymptotic" or len({*one, *other}) == len(one) + len(other):
                p = stats.mannwhitneyu(one, other, method=method).pvalue
                assert p <= high + 1e-9
