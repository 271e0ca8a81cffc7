import re
from pathlib import Path

import pandas as pd
import pytest

from helpers.audit import CHECKS, summarize
from helpers.audit.chapter import open_audit
from helpers.figures.audit import describe_detection, plot_detection
from helpers.tables.audit import (
    MOST_LISTED,
    table_bias,
    table_checks,
    table_cox_print,
    table_detection,
    table_questions,
    table_repeated_times,
)

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def chapter():
    return open_audit(DATA / "published.csv", DATA / "study.yml")


def test_a_check_as_a_row(chapter):
    (row,) = table_checks(chapter.of("label", fired=True), "tab-x", "X").rows
    assert row.cells[0] == "Univariable, OS, Child-Pugh class, B against A"
    assert row.cells[1:3] == ("implausible", "0.446, 0.210, 0.951")
    assert row.cells[4] == "the label is the other way round"


def test_a_check_of_many_numbers_shows_some(chapter):
    (row,) = table_checks(chapter.of("test_rule"), "tab-x", "X").rows
    assert row.cells[2].endswith(f"and {37 - MOST_LISTED} more")


def test_answers_by_check(chapter):
    table = table_questions(summarize(chapter.checks), CHECKS)
    answers = {row.cells[0]: row.cells[2] for row in table.rows}
    assert answers["Percentages against counts"] == "6 inconsistent, 101 consistent"
    assert answers["Wald p against interval"] == "28 consistent"


def test_times_that_stand_twice(chapter):
    rows = table_repeated_times(chapter.printed, {"tace_t": "TACE-T"}).rows
    cells = {row.cells[:2]: row.cells[2] for row in rows}
    assert cells["OS, TACE-T", "17.8"] == (
        "lower limit of all patients; lower limit of Microvascular invasion, Negative"
    )
    assert set(cells) == {
        ("OS, TACE-T", "17.8"),
        ("OS, TACE-T", "20.2"),
        ("OS, TACE-T", "29.6"),
        ("PFS, TACE-T", "5.7"),
    }


@pytest.mark.parametrize("name", ["2_conclusion", "3_analysis", "4_reporting"])
def test_what_a_chapter_quotes_is_printed(chapter, name):
    """Every number with a decimal that a chapter gives as the print stands in the ledger."""
    page = (DATA.parent / "notebooks" / "audit" / f"{name}.md").read_text("utf-8")
    known = {text.lstrip("<>") for text in chapter.ledger["printed"]}
    quoted = [
        number
        for paragraph in re.findall(r"^\*\*The print\.\*\*.*", page, re.M)
        for number in re.findall(r"\d+\.\d+", paragraph)
    ]
    assert quoted
    assert [number for number in quoted if number not in known] == []


@pytest.mark.parametrize("name", ["2_conclusion", "3_analysis", "4_reporting"])
def test_every_finding_is_told_in_the_same_order(name):
    page = (DATA.parent / "notebooks" / "audit" / f"{name}.md").read_text("utf-8")
    steps = [
        "The print",
        "The computation",
        "What it can and cannot mean",
        "An innocent explanation",
        "How it would have to read",
    ]
    findings = [text for text in page.split("\n## ")[1:] if "**The print.**" in text]
    assert len(findings) >= 4
    for text in findings:
        found = re.findall(rf"^\*\*({'|'.join(steps)})\.\*\*", text, re.M)
        assert list(dict.fromkeys(found)) == steps, text.splitlines()[0]


def test_printed_models_stand_under_the_labels_they_support(chapter):
    table = table_cox_print(chapter.printed, "os", "tab-x", "X")
    rows = {row.cells[0]: row.cells[1:] for row in table.rows}
    label = "Interval of recurrence from initial treatment, ≥ 1 year against < 1 year"
    assert rows[label] == (
        "0.473 (0.248 to 0.900)",
        "0.023",
        "0.534 (0.277 to 1.030)",
        "0.061",
        "printed as < 1 year against ≥ 1 year",
    )
    assert rows["TACE-T against TACE-TC"][-1] == ""
    assert rows["Microvascular invasion, Positive against Negative"][2:4] == ("", "")


def test_checks_are_found_by_name_and_number(chapter):
    assert {check.name for check in chapter.of("wald_p", "label")} == {"wald_p", "label"}
    found = chapter.of("contingency", about="table1.sex.p")
    assert [check.subject for check in found] == ["Sex, between arms"]
    assert chapter.text("table1.sex.p") == "0.145"
    assert chapter.number("table1.sex.p") == pytest.approx(0.145)


DETECTION = pd.DataFrame(
    {
        "kind": ["a", "b"],
        "label": ["Count", "Median"],
        "checks": ["Sum", ""],
        "n": [100, 50],
        "found": [100, 10],
        "rate": [1.0, 0.2],
        "std_error": [0.0, 0.0566],
    }
)
ALARMS = pd.DataFrame({"name": ["any"], "n": [100], "rate": [0.01], "std_error": [0.00995]})


def test_detection_as_a_figure():
    figure = plot_detection(DETECTION, ALARMS)
    axes = figure.axes[0]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([100, 20, 1])
    assert [text.get_text() for text in axes.texts] == ["100.0%", "20.0%", "1.0%"]
    assert "count 100.0%, median 20.0%" in describe_detection(DETECTION, ALARMS)
    assert table_detection(DETECTION).rows[1].cells == ("Median", "50", "10", "20.0 (5.7)", "none")


def test_bias_as_a_table():
    rows = pd.DataFrame(
        {
            "delay": [3],
            "early": ["moved"],
            "hazard_ratio": [0.671],
            "hazard_ratio_error": [0.0033],
            "rejected": [0.375],
            "rejected_error": [0.0108],
        }
    )
    table = table_bias(rows, {"delay": "Delay", "early": "Early events"}, "tab-x", "X")
    assert table.rows[0].cells == ("3", "moved", "0.67 (0.003)", "37.5 (1.1)")
