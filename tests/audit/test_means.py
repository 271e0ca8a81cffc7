import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ask, fired, number, row, verdicts
from scipy import stats

from helpers.audit import CONSISTENT, IMPLAUSIBLE, INCONSISTENT, UNDECIDED
from helpers.audit.means import (
    PADDED,
    combined_sd,
    debit_range,
    grim,
    grimmer,
    t_test_range,
)
from helpers.formats import format_number

REFERENCE = Path(__file__).parents[1] / "reference" / "audit.csv"


def reference(kind):
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


# published examples


@pytest.mark.parametrize(
    ("mean", "size", "possible"),
    [
        ("5.19", 28, False),  # Brown and Heathers 2017
        ("5.18", 28, True),
        ("5.21", 28, True),
        ("3.44", 18, True),
        ("2.50", 2, True),
        ("2.51", 2, False),
    ],
)
def test_grim(mean, size, possible):
    assert grim(number(mean), size) == possible


@pytest.mark.parametrize(
    ("mean", "sd", "size", "possible"),
    [
        ("3.44", "2.47", 18, False),  # Allard 2018
        ("3.44", "2.48", 18, True),
        ("2.00", "1.00", 3, True),  # 1, 2, 3
        ("2.00", "0.50", 3, False),
        ("2.50", "0.10", 2, False),  # 2 and 3 have 0.71
    ],
)
def test_grimmer(mean, sd, size, possible):
    assert grimmer(number(mean), number(sd, "sd"), size) == possible


def test_debit():
    low, high = debit_range(number("0.35"), 20)  # 7 of 20
    assert low <= np.std([1] * 7 + [0] * 13, ddof=1) <= high
    assert not low <= 0.18 <= high
    rows = [
        row("baseline", "mean", "0.35", variable="x", group="new", grain="binary"),
        row("baseline", "sd", "0.18", variable="x", group="new"),
    ]
    assert verdicts("debit", *rows, sizes={"new": 20}) == [INCONSISTENT]
    rows[1]["printed"] = "0.49"
    assert verdicts("debit", *rows, sizes={"new": 20}) == [CONSISTENT]


def t_rows(means, sds, p, **keys):
    for group, mean, sd in zip(("new", "old"), means, sds, strict=True):
        yield row("baseline", "mean", mean, variable="x", group=group, **keys)
        yield row("baseline", "sd", sd, variable="x", group=group, **keys)
    yield row("baseline", "p", p, variable="x", group="between_arms")


@pytest.mark.parametrize(("p", "verdict"), [("<0.001", INCONSISTENT), ("0.320", CONSISTENT)])
def test_the_example_of_statcheck(p, verdict):
    """t(100) = 1, p < 0.001, in the manual of statcheck; the p value is 0.320."""
    rows = t_rows(["0.00000", "0.19803"], ["1.00000", "1.00000"], p)
    assert verdicts("t_test", *rows, sizes={"new": 51, "old": 51}) == [verdict]


@pytest.mark.parametrize("row", reference("t_test"), ids=lambda row: row["name"])
def test_t_tests_from_summaries_agree_with_r(row):
    texts = row["input"].split()
    numbers = [number(text, s) for text, s in zip(texts[:4], ["mean", "sd"] * 2, strict=True)]
    low, high = t_test_range(numbers, [int(text) for text in texts[4:]])
    assert low <= float(row["value"]) <= high
    assert high - low < 0.03


# rounding


def test_means_padded_with_a_zero_are_recognised():
    """The p value of 53 and 57, each rounded to an integer, printed as 53.0 and 57.0."""
    (check,) = ask("t_test", *t_rows(["57.0", "53.0"], ["12.0", "9.0"], "0.126"))
    assert (check.verdict, check.explanation) == (INCONSISTENT, PADDED)
    assert pytest.approx((check.low + check.high) / 2, abs=0.01) == 0.083
    (check,) = ask("t_test", *t_rows(["57.1", "53.0"], ["12.0", "9.0"], "0.126"))
    assert (check.verdict, check.explanation) == (INCONSISTENT, "")


def test_the_overall_deviation_by_hand():
    """1, 3 and 5, 7: each arm has SD 1.414; together the SD is 2.582."""
    arms = [number("2.000"), number("6.000")]
    spreads = [number("1.414", "sd")] * 2
    low, high = combined_sd(arms, spreads, [2, 2])
    assert low <= 2.582 <= high
    assert high - low < 0.002


def test_a_mean_that_every_integer_can_have_is_undecided():
    rows = [row("baseline", "mean", "53.0", variable="x", group="old", grain="1")]
    assert verdicts("grim", *rows) == [UNDECIDED]
    rows[0]["printed"] = "53.01"
    assert verdicts("grim", *rows) == [INCONSISTENT]


@pytest.mark.parametrize(
    ("overall", "verdict"),
    [("28.0", CONSISTENT), ("31.0", UNDECIDED), ("36.5", IMPLAUSIBLE), ("10.0", IMPLAUSIBLE)],
)
def test_the_overall_quartile_between_those_of_the_arms(overall, verdict):
    """Arms at 27 and 29, half of 88 from 28 to 50: ten neighbours are 10 * 2 * 22 / 88 = 5."""
    texts = {"new": "29.0", "old": "27.0", "overall": overall}
    rows = [row("baseline", "q1", text, variable="x", group=g) for g, text in texts.items()]
    rows.append(row("baseline", "q3", "50.0", variable="x", group="overall"))
    assert verdicts("overall", *rows) == [verdict]


# properties


@st.composite
def samples(draw):
    scale = draw(st.sampled_from([1, 10, 100, 1000]))
    values = st.integers(0, 9 * scale)
    arms = [draw(st.lists(values, min_size=3, max_size=60)) for _ in range(2)]
    return [np.array(arm, float) for arm in arms]


def print_means(arms, decimals, equal_var):
    groups = {"new": arms[0], "old": arms[1], "overall": np.concatenate(arms)}
    for group, values in groups.items():
        for statistic, value in (("mean", values.mean()), ("sd", values.std(ddof=1))):
            text = format_number(value, decimals)
            yield row("baseline", statistic, text, variable="x", group=group, grain="1")
    variances = [(arm.mean(), arm.std(ddof=1), len(arm)) for arm in arms]
    p = stats.ttest_ind_from_stats(*variances[0], *variances[1], equal_var=equal_var).pvalue
    yield row("baseline", "p", format_number(p, 3), variable="x", group="between_arms")


@settings(max_examples=60, deadline=None)
@given(samples(), st.integers(0, 3), st.booleans())
def test_true_means_printed_correctly_raise_no_alarm(arms, decimals, equal_var):
    if np.ptp(arms[0]) == 0 and np.ptp(arms[1]) == 0:
        return
    sizes = {"overall": len(arms[0]) + len(arms[1]), "new": len(arms[0]), "old": len(arms[1])}
    assert fired(list(print_means(arms, decimals, equal_var)), sizes) == []


@settings(max_examples=50, deadline=None)
@given(samples(), st.integers(1, 9), st.sampled_from([0, 1, 4, 5]))
def test_a_wrong_leading_digit_of_a_mean_or_deviation_is_found(arms, change, place):
    rows = list(print_means(arms, 2, True))
    sizes = {"overall": len(arms[0]) + len(arms[1]), "new": len(arms[0]), "old": len(arms[1])}
    text = rows[place]["printed"]
    rows[place]["printed"] = str((int(text[0]) + change) % 10) + text[1:]
    if float(rows[place]["printed"]) == float(text) or np.ptp(np.concatenate(arms)) == 0:
        return
    assert set(fired(rows, sizes)) & {"overall", "t_test", "grimmer"}
