from decimal import Decimal

import pandas as pd
import pytest

from helpers.reconstruct.printed import PrintedNumbers, category_counts, level_counts
from helpers.results import KEYS


def numbers(*rows):
    """Printed numbers from ``(variable, level, group, statistic, printed, precision)``."""
    names = ["variable", "level", "group", "statistic", "printed", "precision"]
    frame = pd.DataFrame(rows, columns=names).assign(**{"class": "cohort", "analysis": "toy"})
    return PrintedNumbers(
        frame.reindex(columns=[*KEYS, "printed", "precision", "class"], fill_value="")
    )


def test_a_window_holds_what_rounds_half_up_to_every_print():
    printed = numbers(("x", "", "a", "mean", "1.4", "1"), ("x", "", "a", "mean", "1.38", "2"))
    low, high = printed.window(analysis="toy", variable="x", group="a", statistic="mean")
    assert low <= Decimal("1.375") < Decimal("1.38499") < high <= Decimal("1.385")
    assert not low <= Decimal("1.37499") < high
    assert printed.window(analysis="toy", variable="x", group="b", statistic="mean") is None


def test_below_zero_ties_round_away_from_zero():
    printed = numbers(("x", "", "a", "mean", "-1.5", "1"))
    low, high = printed.window(analysis="toy", variable="x", group="a", statistic="mean")
    assert not low <= Decimal("-1.55") < high
    assert low <= Decimal("-1.45") < high


@pytest.mark.parametrize("text", ["-", "NA"])
def test_what_is_no_number_is_not_a_target(text):
    printed = numbers(("x", "", "a", "p", text, "3"))
    assert printed.window(analysis="toy", variable="x", group="a", statistic="p") is None


def test_numbers_that_no_cohort_gives_are_not_targets():
    frame = pd.DataFrame([{"analysis": "toy", "statistic": "n", "printed": "3", "precision": "0"}])
    frame = frame.reindex(columns=[*KEYS, "printed", "precision"], fill_value="")
    assert (
        PrintedNumbers(frame.assign(**{"class": "literature"})).window(
            analysis="toy", statistic="n"
        )
        is None
    )


def test_a_count_is_read_from_its_percentage():
    printed = numbers(("x", "", "a", "percent", "47.8", "1"))
    assert printed.count(46, analysis="toy", variable="x", group="a") == 22


def test_a_percentage_that_two_counts_have_is_refused():
    printed = numbers(("x", "", "a", "percent", "10", "0"))
    with pytest.raises(ValueError, match="2 counts of 200 have the printed percentage"):
        printed.count(200, analysis="toy", variable="x", group="a")


def test_a_percentage_that_no_count_has_is_refused():
    printed = numbers(("x", "", "a", "percent", "10", "0"))
    with pytest.raises(ValueError, match="0 counts of 4 have the printed percentage"):
        printed.count(4, analysis="toy", variable="x", group="a")


def test_one_level_is_the_remainder():
    printed = numbers(("x", "low", "a", "n", "3", "0"), ("x", "high", "a", "n", "2", "0"))
    keys = {"analysis": "toy", "variable": "x", "group": "a"}
    levels = level_counts(printed, ["low", "middle", "high"], 9, **keys)
    assert levels == {"low": 3, "middle": 4, "high": 2}
    assert level_counts(printed, ["low", "middle", "lowest"], 9, **keys) is None
    with pytest.raises(ValueError, match="do not add up to 6 patients"):
        level_counts(printed, ["low", "high"], 6, **keys)


def test_categories_follow_from_printed_sums():
    sums = [({"cr", "pr"}, 22), ({"cr", "pr", "sd"}, 41)]
    counts = category_counts(["cr", "pr", "sd", "pd"], sums, 46)
    assert counts == {"cr": 7, "pr": 15, "sd": 19, "pd": 5}


def test_a_printed_category_is_kept():
    sums = [({"cr", "pr"}, 22), ({"cr"}, 2)]
    counts = category_counts(["cr", "pr", "pd"], sums, 46)
    assert counts == {"cr": 2, "pr": 20, "pd": 24}


def test_sums_that_exclude_each_other_are_refused():
    with pytest.raises(ValueError, match="no counts of cr, pr have the printed sums"):
        category_counts(["cr", "pr"], [({"cr"}, 5)], 4)
