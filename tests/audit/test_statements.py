import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ledgers import ask, fired, number, row, verdicts

from helpers.audit import CONSISTENT, IMPLAUSIBLE, INCONSISTENT, INFORMATION, UNDECIDED
from helpers.audit.printed import window, without_padding
from helpers.audit.quartiles import PROBABILITIES, possible_definitions, possible_sizes
from helpers.estimators.location import quantile
from helpers.formats import format_number


def p_values(*values, **keys):
    return [
        row("adverse_event", "p", p, variable=f"e{i}", group="between_arms", id=f"p{i}", **keys)
        for i, p in enumerate(values)
    ]


def claim(kind, printed, about):
    return {
        "id": "text",
        "printed": printed,
        "claim": kind,
        "about": about,
        "class": "not_testable",
    }


@pytest.mark.parametrize(
    ("kind", "printed", "values", "verdict"),
    [
        ("every", "<0.05", ["0.049", "0.001", "<0.001"], CONSISTENT),
        ("every", "<0.05", ["0.050"], CONSISTENT),  # 0.0497 prints so
        ("every", "<0.05", ["0.051", "0.001"], INCONSISTENT),
        ("none", "<0.05", ["0.326", "-"], CONSISTENT),
        ("none", "<0.05", ["0.326", "0.001"], INCONSISTENT),
    ],
)
def test_statements_about_p_values(kind, printed, values, verdict):
    rows = [*p_values(*values), claim(kind, printed, "p*")]
    assert verdicts("claim", *rows) == [verdict]


def test_a_zero_too_many_is_recognised():
    (check,) = ask("claim", *p_values("0.037", "0.004"), claim("every", "<0.01", "p0 p1"))
    assert (check.found, check.explanation) == (
        "1 of 2 as stated",
        "true of < 0.10: a zero too many",
    )


@pytest.mark.parametrize(
    ("texts", "verdict"),
    [
        (("55.0", "55"), CONSISTENT),
        (("54.5", "55"), CONSISTENT),
        (("54.4", "55"), INCONSISTENT),
        (("14.0", "14.1"), INCONSISTENT),
        (("NA", "NA"), CONSISTENT),
        (("NA", "31.1"), INCONSISTENT),
    ],
)
def test_restated_numbers(texts, verdict):
    keys = {"endpoint": "os", "variable": "arm", "group": "new"}
    first = row("survival", "median", texts[0], **keys)
    second = row("survival", "median", texts[1], **keys) | {"class": "restated"}
    assert verdicts("restated", first, second) == [verdict]


def model(p, entered, variable):
    keys = {"endpoint": "os", "variable": variable, "group": "yes_vs_no"}
    rows = [row("cox_univariable", "p_wald", p, **keys)]
    return rows + ([row("cox_multivariable", "hazard_ratio", "1.5", **keys)] if entered else [])


def test_entry_into_the_adjusted_model():
    rows = [*model("0.053", True, "a"), *model("0.107", False, "b"), *model("0.100", True, "c")]
    assert verdicts("entry", *rows) == [CONSISTENT] * 3
    rows = [*model("0.053", False, "a"), *model("0.107", True, "b"), *model("0.010", True, "c")]
    assert verdicts("entry", *rows) == [INCONSISTENT, INCONSISTENT, CONSISTENT]
    rows.append(claim("entry", "<0.2", "") | {"class": "design"})
    assert verdicts("entry", *rows) == [INCONSISTENT, CONSISTENT, CONSISTENT]


def test_many_tests():
    """0.01, 0.02, 0.04, 0.50 of four: Bonferroni and Holm keep one, Benjamini-Hochberg two."""
    (check,) = ask("multiplicity", *p_values("0.010", "0.020", "0.040", "0.500", "-"))
    assert check.verdict == INFORMATION
    assert check.found == "3 of 4; Bonferroni 1, Holm 1, Benjamini-Hochberg 2"


def test_an_unadjusted_test_in_text_and_table_counts_once():
    keys = {"endpoint": "os", "variable": "arm"}
    rows = [
        row("survival", "p_wald", "0.009", group="new_vs_old", **keys),
        row("cox_univariable", "p_wald", "0.009", group="old_vs_new", **keys),
        row("cox_multivariable", "p_wald", "0.013", group="old_vs_new", **keys),
    ]
    (check,) = ask("multiplicity", *rows)
    assert check.high == 2


# windows


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("14.0", 13.95, 14.05),
        ("88", 87.5, 88.5),
        ("<0.001", 0.0, 0.001),
        (">0.99", 0.99, np.inf),
        ("NA", np.inf, np.inf),
        ("-", np.nan, np.nan),
    ],
)
def test_windows(text, low, high):
    assert window(text) == pytest.approx((low, high), nan_ok=True)


def test_zeros_that_a_whole_row_shares_are_padding():
    numbers = [number(text) for text in ("53.0", "9.0", "57.0")]
    assert [(n.low, n.high) for n in without_padding(numbers)] == [
        (52.5, 53.5),
        (8.5, 9.5),
        (56.5, 57.5),
    ]
    assert without_padding(numbers[:2]) is None
    assert without_padding([*numbers, number("11.1")]) is None


# quartiles


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
