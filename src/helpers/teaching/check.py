"""Whether an answer to an exercise is right, without the answer in sight."""

import math
from dataclasses import dataclass

from helpers.formats import format_significant
from helpers.results import select


@dataclass(frozen=True)
class Check:
    """What is said about an answer."""

    correct: bool
    message: str

    def _repr_markdown_(self):
        return f"**{'Correct' if self.correct else 'Not yet'}.** {self.message}"


def check_answer(lesson, answer, *, tolerance=0.005, hint="", ten="", **keys) -> Check:
    """Compare an answer with the number that the book computes.

    Parameters
    ----------
    lesson : Lesson
    answer : float or str
        ``...`` where there is none yet.
    tolerance : float
        How far off an answer may be, relative to the number.
    hint : str
        What a wrong answer is told.
    ten : str
        Name of one of R's numbers about the ten patients.
    **keys
        Otherwise, the keys of a result of the study's cohort; as many as name it alone.

    Raises
    ------
    ValueError
        The keys name no result or more than one.
    """
    if answer is ...:
        return Check(False, "Put your answer in the cell above and run both cells again.")
    expected = lesson.r[ten] if ten else _result(lesson, keys)
    try:
        given = float(answer)
    except (TypeError, ValueError):
        return Check(False, f"The answer is a number; found {answer!r}.")
    if math.isclose(given, expected, rel_tol=tolerance, abs_tol=1e-12):
        return Check(True, f"The book has the same number, {format_significant(expected)}.")
    if math.isclose(given, 100 * expected, rel_tol=tolerance):
        return Check(False, "As a proportion, please, not in percent.")
    return Check(False, hint or "Look at the section once more.")


def _result(lesson, keys):
    found = select(lesson.results(keys["analysis"]), **keys)["value"]
    if len(found) != 1:
        raise ValueError(f"{len(found)} results have the keys {keys}")
    return float(found.iloc[0])
