"""The columns of a cohort file: their words, their values, what they look like."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from helpers.cohort import MISSING, NUMBER, as_dates

FEW_LEVELS = 6  # up to which a number is taken for a code
MOST_LEVELS = 12  # up to which a text is taken for a category
WHOLE = r"([+-]?[0-9]+)(?:[.,]0+)?"
ENDPOINTS = {
    "os": "Overall survival",
    "pfs": "Progression-free survival",
    "dfs": "Disease-free survival",
    "rfs": "Recurrence-free survival",
    "efs": "Event-free survival",
    "ttp": "Time to progression",
}
SHORT = {"mon": "months", "mo": "months", "mos": "months", "m": "months", "d": "days", "dy": "days"}
SHORT |= {"yr": "years", "yrs": "years", "y": "years", "wk": "weeks", "wks": "weeks", "tm": "time"}
SHORT |= {"t": "time", "stat": "status", "sts": "status", "ev": "event", "evt": "event"}
SHORT |= {"cens": "cens", "cnsr": "cnsr", "dt": "date"}
RUN_TOGETHER = rf"({'|'.join(ENDPOINTS)})({'|'.join(sorted(SHORT, key=len, reverse=True))})"
OF_A_DATE = r"([a-z]{2,})dt"


@dataclass(frozen=True, eq=False)
class Column:
    """What a column of the file looks like.

    Attributes
    ----------
    name, label : str
    cells : Series of str
        Those that are not missing; 1 where a program wrote 1.0 in a column of whole numbers.
    n : int
        Patients.
    labels : dict
        Labels of its codes.
    declared_date : bool
    decimal_comma : bool
    place : int
    """

    name: str
    label: str
    cells: pd.Series
    n: int
    labels: dict
    declared_date: bool
    decimal_comma: bool
    place: int

    @cached_property
    def words(self) -> list[str]:
        """The words of its name: parts of a_b, a.b, aB and OSMON."""
        return _words(self.name)

    @cached_property
    def all_words(self) -> list[str]:
        """The words of its name and of its label."""
        return [*self.words, *(word for word in _words(self.label) if word not in self.words)]

    @cached_property
    def codes(self) -> list[str]:
        """Its distinct values, numbers in their order."""
        found = list(dict.fromkeys([*self.labels, *self.cells])) if self.labels else None
        found = found or list(self.cells.unique())
        return sorted(found, key=lambda c: (0, float(c), c) if is_number(c) else (1, 0.0, c))

    @cached_property
    def numbers(self) -> pd.Series:
        """Its values as numbers."""
        text = self.cells.str.replace(r"^([+-]?[0-9]*),([0-9]+)$", r"\1.\2", regex=True)
        return pd.to_numeric(text.where(text.str.fullmatch(NUMBER)), errors="coerce")

    @cached_property
    def is_numeric(self) -> bool:
        return len(self.cells) > 0 and bool(self.numbers.notna().all())

    @cached_property
    def is_date(self) -> bool:
        if self.declared_date:
            return True
        tried = [
            as_dates(self.cells, style).notna().all() for style in ("day_first", "month_first")
        ]
        return len(self.cells) > 0 and any(tried)

    @property
    def is_amount(self) -> bool:
        """Whether it has more than two numbers."""
        return self.is_numeric and len(self.codes) > 2

    @property
    def is_category(self) -> bool:
        """Whether it has few enough values to be levels."""
        if self.is_date or not 2 <= len(self.codes) <= MOST_LEVELS:
            return False
        return bool(self.labels) or len(self.codes) <= (
            FEW_LEVELS if self.is_numeric else MOST_LEVELS
        )

    def described(self, code) -> str:
        """The label of a code."""
        return self.labels.get(code, code)


def read_column(file, name, place) -> Column:
    """The column `name` of a `helpers.cohort_files.CohortFile`, the `place`-th from 0."""
    cells = file.cells[name].astype(object)
    known = cells[~cells.isin(MISSING)]
    label = file.column_labels.get(name, name.replace("_", " ").strip())
    label = " ".join(label.split()) or name
    is_whole = len(known) > 0 and known.str.fullmatch(WHOLE).all()
    return Column(
        name,
        label[:1].upper() + label[1:],
        known.str.replace(WHOLE, r"\1", regex=True) if is_whole else known,
        len(cells),
        file.value_labels.get(name, {}),
        name in file.dates,
        bool(known.str.fullmatch(r"[+-]?[0-9]+,[0-9]+").any()),
        place,
    )


def _words(text):
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", _plain(text))
    words = re.findall(r"[a-z]+[0-9]*[a-z]?", split.lower())
    for word in list(words):
        if together := re.fullmatch(RUN_TOGETHER, word):
            words += [together[1], SHORT[together[2]]]
        elif together := re.fullmatch(OF_A_DATE, word):
            words += [together[1], "date"]
    return words + [word.rstrip("0123456789") for word in words]


def is_number(text) -> bool:
    """Whether a cell or a label is a number."""
    return bool(re.fullmatch(NUMBER, text))


def _plain(text):
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def key_of(text, empty="level") -> str:
    """A key of a study file for a name or a label; `empty` begins that of no letter or digit."""
    key = re.sub(r"[^a-z0-9]+", "_", _plain(text).lower()).strip("_")[:40]
    return key if key[:1].isalpha() else f"{'code' if key else empty}_{key}".strip("_")
