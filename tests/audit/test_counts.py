import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ask, fired, ledger, row, verdicts

from helpers.audit import CONSISTENT, INCONSISTENT, UNDECIDED, Printed
from helpers.audit.counts import CUT_OFF, fewest_moved, most_frequent
from helpers.estimators.contingency import categorical_test
from helpers.formats import format_number


def event(count, percent, group="new", name="rash", level="any_grade"):
    keys = {"variable": name, "level": level, "group": group}
    return [
        row("adverse_event", "n", count, **keys),
        row("adverse_event", "percent", percent, **keys),
    ]


def event_p(p, name="rash"):
    keys = {"variable": name, "level": "any_grade", "group": "between_arms"}
    return row("adverse_event", "p", p, **keys)


def test_percentages():
    assert verdicts("percentage", *event(1, "2.2")) == [CONSISTENT]
    (cut,) = ask("percentage", *event(1, "2.1"))
    assert (cut.verdict, cut.explanation, cut.found) == (INCONSISTENT, CUT_OFF, "2.17")
    (wrong,) = ask("percentage", *event(1, "2.3"))
    assert (wrong.verdict, wrong.explanation) == (INCONSISTENT, "")


def test_a_percentage_at_a_tie_may_be_rounded_either_way():
    """1 of 16 is 6.25%."""
    for percent in ("6.2", "6.3"):
        assert verdicts("percentage", *event(1, percent), sizes={"new": 16}) == [CONSISTENT]


def test_one_rule_of_rounding():
    rows = [*event(1, "2.1"), *event(4, "8.6", name="fever")]
    (check,) = ask("rounding_rule", *rows)
    assert (check.verdict, check.found) == (CONSISTENT, "0 rounded, 2 cut off, 0 neither")
    (check,) = ask("rounding_rule", *rows, *event(4, "8.7", name="cough"))
    assert (check.verdict, check.found) == (INCONSISTENT, "1 rounded, 2 cut off, 0 neither")


def test_a_percentage_without_its_count_needs_a_whole_number_of_patients():
    rows = [row("response", "percent", "47.8", variable="orr", group="new")]
    (check,) = ask("percentage", *rows)
    assert (check.verdict, check.found) == (CONSISTENT, "22 of 46")
    rows[0]["printed"] = "47.3"
    assert verdicts("percentage", *rows) == [INCONSISTENT]


def test_a_percentage_of_patients_with_a_value():
    """Two of 46 have no value: 11 of 44 is 25.0%."""
    keys = {"variable": "stage", "group": "new"}
    rows = [
        row("baseline", "n", 11, level="late", **keys),
        row("baseline", "percent", "25.0", level="late", **keys),
        row("baseline", "n", 33, level="early", **keys),
    ]
    assert verdicts("percentage", *rows) == [CONSISTENT]
    check = ask("sum", *rows)[-1]
    assert check.verdict == INCONSISTENT
    assert check.explanation == "2 patients may have no value, which the print does not say"
    rows.append(row("baseline", "n_missing", 2, **keys))
    assert verdicts("sum", *rows)[-1] == CONSISTENT


def test_sums_of_arms_and_parts():
    keys = {"variable": "sex", "level": "male"}
    rows = [
        row("baseline", "n", n, group=group, **keys)
        for group, n in (("overall", 80), ("new", 44), ("old", 36))
    ]
    assert verdicts("sum", *rows)[:2] == [CONSISTENT, CONSISTENT]
    rows[0]["printed"] = "81"
    assert INCONSISTENT in verdicts("sum", *rows)
    rows = [*event(2, "4.3"), *event(3, "6.5", level="severe")]
    assert verdicts("sum", *rows)[-1] == INCONSISTENT
    interrupted = row("interruption", "n", "46", group="new")
    assert verdicts("sum", interrupted)[-1] == CONSISTENT
    interrupted["printed"] = "47"
    assert verdicts("sum", interrupted)[-1] == INCONSISTENT


@pytest.mark.parametrize(
    ("counts", "p", "verdict"),
    [
        ((22, 11), "0.036", CONSISTENT),  # Pearson
        ((22, 11), "0.048", CONSISTENT),  # Fisher
        ((22, 11), "0.061", CONSISTENT),  # Yates
        ((22, 11), "0.037", INCONSISTENT),
        ((11, 0), "<0.001", CONSISTENT),
        ((0, 0), "-", CONSISTENT),
        ((0, 0), "1.000", INCONSISTENT),
        ((1, 0), "-", INCONSISTENT),
    ],
)
def test_p_values_of_counts(counts, p, verdict):
    rows = [*event(counts[0], "", "new")[:1], *event(counts[1], "", "old")[:1], event_p(p)]
    assert verdicts("contingency", *rows) == [verdict]


def test_the_rule_that_chooses_the_test():
    """4 of 46 and 9 of 42: no expected count is below 5, one observed count is."""
    rows = [*event(4, "", "new")[:1], *event(9, "", "old")[:1], event_p("0.133")]
    (check,) = ask("test_rule", *rows)
    assert "observed count is below 5, else Pearson: 1" in check.found
    assert "expected count is below 5, else Pearson: 0" in check.found


def test_patients_that_undo_a_result():
    """R: fisher.test gives 0.019 for 1 and 9 of 100, 0.058 for 2 and 9; 0.037 for 20 and 10
    of 40, 0.066 for 20 and 11."""
    table = np.array([[1, 9], [99, 91]])
    assert fewest_moved(table, "Fisher", 0.05) == 1
    assert fewest_moved(np.array([[20, 1], [20, 39]]), "Fisher", 0.05) == 10
    assert fewest_moved(np.array([[1, 1], [1, 1]]), "Fisher", 0.05) is None


def test_the_size_of_a_part():
    rows = [row("measurement", "n", 62, variable="afp", level="baseline", group="overall")]
    assert verdicts("subset", *rows) == [UNDECIDED]
    rows[0]["printed"] = "89"
    assert verdicts("subset", *rows) == [INCONSISTENT]


# properties


@st.composite
def tables(draw):
    sizes = draw(st.tuples(st.integers(1, 300), st.integers(1, 300)))
    n_levels = draw(st.integers(2, 4))
    cuts = [sorted(draw(st.integers(0, n)) for _ in range(n_levels - 1)) for n in sizes]
    return np.array([np.diff([0, *c, n]) for c, n in zip(cuts, sizes, strict=True)]).T


def print_table(table, rule):
    sizes = {"new": table[:, 0].sum(), "old": table[:, 1].sum()}
    sizes["overall"] = sum(sizes.values())
    columns = {"overall": table.sum(axis=1), "new": table[:, 0], "old": table[:, 1]}
    rows = []
    for group, counts in columns.items():
        for level, count in enumerate(counts):
            keys = {"variable": "x", "level": f"l{level}", "group": group}
            percent = format_number(100 * count / sizes[group], 1)
            rows.append(row("baseline", "n", count, **keys))
            rows.append(row("baseline", "percent", percent, **keys))
    p = categorical_test(table, rule).p
    text = "-" if np.isnan(p) else format_number(p, 3)
    rows.append(row("baseline", "p", text, variable="x", group="between_arms"))
    return rows, sizes


def test_a_level_that_nobody_has_is_not_in_the_table():
    """[[0, 1], [1, 0]] has a χ² of 2 without correction, hence p = 0.157."""
    assert fired(*print_table(np.array([[0, 0], [0, 1], [1, 0]]), "chi_square")) == []


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from(["fisher_if_observed_below_5", "chi_square", "fisher"]))
def test_true_tables_printed_correctly_raise_no_alarm(table, rule):
    assert fired(*print_table(table, rule)) == []


@settings(max_examples=60, deadline=None)
@given(tables(), st.data())
def test_one_wrong_digit_is_found(table, data):
    rows, sizes = print_table(table, "chi_square")
    place = data.draw(st.integers(0, len(rows) - 2))
    text = rows[place]["printed"]
    digits = [i for i, character in enumerate(text) if character.isdigit()]
    digit = data.draw(st.sampled_from(digits))
    change = data.draw(st.integers(1, 9))
    changed = text[:digit] + str((int(text[digit]) + change) % 10) + text[digit + 1 :]
    rows[place]["printed"] = changed
    covering = "percentage" if rows[place]["statistic"] == "percent" else "sum"
    assert covering in fired(rows, sizes)


def test_most_frequent_events():
    rows = [
        *event(21, "", name="bilirubin")[:1],
        *event(14, "", name="neutropenia")[:1],
        *event(19, "", name="ast")[:1],
        *event(14, "", name="alt")[:1],
        *event(2, "", name="rash")[:1],
    ]
    found = most_frequent(Printed(ledger(*rows)), "new", 3)
    assert [number.variable for number in found] == ["bilirubin", "ast", "neutropenia", "alt"]
