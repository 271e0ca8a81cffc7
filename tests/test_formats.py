from decimal import Decimal
from math import inf, nan, nextafter

import pytest

from helpers.formats import (
    escape_formula,
    escape_markdown,
    format_count,
    format_estimate,
    format_events,
    format_interval,
    format_number,
    format_p,
    format_significant,
    format_whole,
    round_half_up,
    rounding_edge,
)


@pytest.mark.parametrize(
    ("value", "decimals", "expected"),
    [
        (0.285, 2, "0.29"),
        (2.5, 0, "3"),
        (-2.5, 0, "−3"),
        (1.005, 2, "1.01"),
        (2.675, 2, "2.68"),
        (0.1 + 0.2, 1, "0.3"),
        (-0.0, 1, "0.0"),
        (-0.04, 1, "0.0"),
        (14, 1, "14.0"),
        (99.95, 1, "100.0"),
        (1e-20, 3, "0.000"),
        (123456789.5, 0, "123456790"),
        (inf, 1, "NA"),
        (nan, 1, "–"),
        (1.5e30, 2, "1.50e+30"),
        (-1e300, 0, "−1e+300"),
    ],
)
def test_format_number(value, decimals, expected):
    assert format_number(value, decimals) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.043219, "0.04322"),
        (-1.15227, "−1.152"),
        (43.0, "43"),
        (1210.0, "1210"),
        (123456.7, "123457"),
        (9.9996, "10"),
        (0.0, "0"),
        (inf, "NA"),
    ],
)
def test_format_significant(value, expected):
    assert format_significant(value) == expected


@pytest.mark.parametrize(
    ("p", "expected"),
    [(0.0364, "0.036"), (0.0005, "< 0.001"), (0.001, "0.001"), (0.99951, "1.000"), (nan, "–")],
)
def test_format_p(p, expected):
    assert format_p(p) == expected


def test_intervals_and_estimates():
    assert format_interval(10.35, inf) == "10.4 to NA"
    assert format_estimate(0.5, 0.25, 1, 2) == "0.50 (0.25 to 1.00)"
    assert format_estimate(nan, nan, nan) == "–"
    assert format_estimate(0, nan, nan) == "0.0"


def test_an_interval_that_is_narrower_than_a_last_unit_is_finer():
    assert format_estimate(0.7791, 0.7755, 0.7828, 2) == "0.779 (0.776 to 0.783)"
    assert format_estimate(4.88, 4.863, 4.896) == "4.88 (4.86 to 4.90)"
    assert format_interval(9.951, 10.049) == "9.95 to 10.05"
    assert format_estimate(1, 0, 1, 0) == "1 (0 to 1)"
    assert format_interval(10, 10.1) == "10.0 to 10.1"
    assert format_interval(1, 1) == "1.0 to 1.0"
    assert format_interval(99.9999999, 100) == "100.0 to 100.0"
    assert format_interval(inf, inf) == "NA to NA"


def test_thousands_are_apart():
    assert format_whole(999) == "999"
    assert format_whole(1_000_000.0) == "1,000,000"
    assert format_whole(nan) == "–"
    assert format_events(386_043, 500_018) == "386,043/500,018"
    assert format_count(36_000, 85.71) == "36,000 (85.7%)"


def test_format_count():
    assert format_count(36, 100 * 36 / 42) == "36 (85.7%)"
    assert format_count(36, nan) == "36"
    assert format_count(nan, nan) == "–"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_a_formula_is_text(text):
    assert escape_formula(text) == f"'{text}"
    assert escape_formula(f"a{text}") == f"a{text}"
    assert escape_formula("") == ""


def test_markup_is_text():
    assert escape_markdown("a <b>*x*</b> `c`") == r"a \<b\>\*x\*\</b\> \`c\`"


@pytest.mark.parametrize("tie", ["0.0005", "0.285", "2.5", "13.95", "99.95", "0.05", "100.5", "1"])
def test_the_edge_of_rounding_is_the_least_number_that_rounds_up(tie):
    edge, decimals = rounding_edge(Decimal(tie)), -Decimal(tie).as_tuple().exponent - 1
    up = round_half_up(float(tie), decimals)
    assert edge <= float(tie)
    assert round_half_up(edge, decimals) == up
    if tie != "1":
        assert round_half_up(nextafter(edge, 0), decimals) < up
