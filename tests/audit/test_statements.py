import numpy as np
import pytest
from ledgers import ask, number, row, verdicts

from helpers.audit import CONSISTENT, INCONSISTENT, INFORMATION
from helpers.audit.printed import window, without_padding


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
    checks = ask("entry", *rows)
    assert [check.verdict for check in checks] == [INCONSISTENT, CONSISTENT, CONSISTENT]
    assert all(check.printed["text"] == "<0.2" for check in checks)


def test_many_tests():
    """0.01, 0.02, 0.04, 0.50 of four: Bonferroni and Holm keep one, Benjamini-Hochberg two."""
    (check,) = ask("multiplicity", *p_values("0.010", "0.020", "0.040", "0.500", "-"))
    assert check.verdict == INFORMATION
    assert check.found == "3 of 4; Bonferroni 1, Holm 1, Benjamini-Hochberg 2"


def test_many_tests_allow_for_the_rounding_of_each():
    """0.0255 doubled is above 0.05, 0.0245 is not; <0.001 may be zero."""
    (check,) = ask("multiplicity", *p_values("0.025", "<0.001"))
    assert check.found == "2 of 2; Bonferroni 1 to 2, Holm 2, Benjamini-Hochberg 2"
    (check,) = ask("multiplicity", *p_values("0.05", "<0.05"))
    assert check.low == 1


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
