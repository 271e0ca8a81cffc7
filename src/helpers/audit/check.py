"""What a check of the print returns, and the registry of checks."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONSISTENT = "consistent"
INCONSISTENT = "inconsistent"
IMPLAUSIBLE = "implausible"
UNDECIDED = "undecided"
INFORMATION = "for information"
VERDICTS = [INCONSISTENT, IMPLAUSIBLE, UNDECIDED, INFORMATION, CONSISTENT]
FIRED = [INCONSISTENT, IMPLAUSIBLE]


@dataclass(frozen=True)
class Check:
    """The answer to one question about printed numbers.

    Attributes
    ----------
    name : str
        Which of the `CHECKS` asked.
    subject : str
        What the numbers are about.
    tested : str
        What was computed from which numbers.
    printed : dict of str to str
        The numbers by their id, as printed.
    found : str
        The result, allowing for the rounding of every input.
    verdict : str
        *Inconsistent*: no unrounded numbers that print as these satisfy the relation.
        *Implausible*: they could, but only in data that the other numbers make improbable.
        *Undecided*: the relation cannot exclude anything here. *For information*: a number
        that the reader needs and the print does not give.
    explanation : str
        What would make an inconsistency innocent; empty where nothing is known.
    low, high : float
        The result as an interval; NaN where it is none.
    """

    name: str
    subject: str
    tested: str
    printed: dict[str, str]
    found: str
    verdict: str
    explanation: str = ""
    low: float = math.nan
    high: float = math.nan

    @property
    def fired(self) -> bool:
        """Whether something is not consistent."""
        return self.verdict in FIRED


@dataclass(frozen=True)
class Question:
    """A registered check.

    Attributes
    ----------
    name, title : str
    ask : callable
        Takes a `Printed` and yields checks.
    informs : bool
        Whether it only informs, so that its checks never fire.
    """

    name: str
    title: str
    ask: Callable[..., Iterator[Check]]
    informs: bool = False

    @property
    def source(self) -> str:
        """The references of its docstring, on one line; empty where it is arithmetic."""
        text = inspect.getdoc(self.ask) or ""
        _, found, references = text.partition("References\n----------\n")
        return " ".join(references.split()) if found else ""

    @property
    def summary(self) -> str:
        """The first sentence of its docstring."""
        return (inspect.getdoc(self.ask) or "").split("\n\n")[0].replace("\n", " ")


CHECKS: dict[str, Question] = {}


def register(name, title, informs=False):
    """Enter a function in `CHECKS`."""

    def enter(function):
        CHECKS[name] = Question(name, title, function, informs)
        return function

    return enter
