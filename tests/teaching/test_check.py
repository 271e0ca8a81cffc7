import math
from dataclasses import dataclass, field

import pandas as pd
import pytest

from helpers.results import result_row
from helpers.teaching.agreement import show_agreement
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
