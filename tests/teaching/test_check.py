import math
from dataclasses import dataclass, field

import pandas as pd
import pytest

from helpers.results import result_row
from helpers.teaching import agreement
from helpers.teaching.agreement import show_agreement, show_steps
from helpers.teaching.check import check_answer


@dataclass
class Answers:
    r: dict = field(default_factory=lambda: {"median": 13.0, "share": 0.4})

    def results(self, analysis):
        rows = [result_row(analysis, "n", value, group=group) for group, value in SIZES.items()]
        return pd.DataFrame(rows)


SIZES = {"old": 4.0, "new": math.inf}


@pytest.mark.parametrize(("answer", "right"), [(13, True), ("13.0", True), (13.05, True)])
def test_an_answer_may_be_off_by_half_a_percent(answer, right):
    assert check_answer(Answers(), answer, ten="median").correct is right
    assert not check_answer(Answers(), 13.07, ten="median").correct
    assert not check_answer(Answers(), 13.05, ten="median", tolerance=0).correct


def test_a_right_answer_is_told_the_number_of_the_book():
    assert check_answer(Answers(), 13.05, ten="median").message == (
        "The book has the same number, 13."
    )


def test_keys_name_a_result():
    keys = {"analysis": "cohort", "statistic": "n"}
    assert check_answer(Answers(), 4, **keys, group="old").correct
    assert check_answer(Answers(), math.inf, **keys, group="new").correct
    assert not check_answer(Answers(), 4, **keys, group="new").correct
    with pytest.raises(ValueError, match="2 results have the keys"):
        check_answer(Answers(), 4, **keys)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (..., "Put your answer in the cell above and run both cells again."),
        ("many", "The answer is a number; found 'many'."),
        (40, "As a proportion, please, not in percent."),
        (0.7, "Count again."),
        (math.nan, "Count again."),
    ],
)
def test_a_wrong_answer_is_told_what_to_do_and_never_the_number(answer, message):
    found = check_answer(Answers(), answer, ten="share", hint="Count again.")
    assert not found.correct
    assert found.message == message
    assert found._repr_markdown_() == f"**Not yet.** {message}"


def test_numbers_that_differ_are_not_shown_as_equal():
    with pytest.raises(ValueError, match="a number: R has 1.001, not 1.0"):
        show_agreement({"a number": {"By hand": 1.0, "R": 1.001}}, "tab-x", "A table")


def test_steps_begin_at_the_left_and_numbers_as_text_stand_at_the_right(monkeypatch):
    shown = []
    monkeypatch.setattr(agreement, "show_table", shown.append)
    steps = pd.DataFrame({"month": [3, 5], "who": ["old", "new"], "factor": ["9/10", "−1"]})
    columns = {"month": ("Month", 0), "who": ("Who", None), "factor": ("Factor", None)}
    show_steps(steps, columns, "tab-x", "Steps")
    assert [column.kind for column in shown[0].columns] == ["text", "text", "number"]
    assert [row.cells for row in shown[0].rows] == [("3", "old", "9/10"), ("5", "new", "−1")]
