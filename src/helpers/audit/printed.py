"""Printed numbers as windows: what each may have been before it was rounded."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from helpers.formats import NOT_REACHED
from helpers.published import COMPARED, NO_TEST
from helpers.results import KEYS, OVERALL, contrast
from helpers.study import Conventions

SLACK = 1e-9  # relative; binary fractions must not make a false alarm
BINARY = "binary"  # the grain of zeros and ones
ANALYSES = {
    "baseline": "",
    "survival": "",
    "response": "",
    "adverse_event": "adverse event",
    "measurement": "",
    "cox_univariable": "univariable",
    "cox_multivariable": "multivariable",
    "subgroup": "subgroup",
}
FEWEST_PADDED = 3  # numbers that all end in zero before the zero is taken for padding


@dataclass(frozen=True)
class Number:
    """A printed number.

    Attributes
    ----------
    id, text, place : str
    analysis, endpoint, variable, level, group, statistic : str
        The keys of the results data set; `group` as the print labels it.
    low, high : float
        The values that print as `text`, whichever way ties are rounded. Infinite where a
        time is not reached, NaN where the print says that there is none.
    decimals : int
    restated : bool
        Whether the ledger calls the number a repetition.
    reading : str
        The group that the ledger reads it as, where it is another than printed.
    grain : str
        The step in which the quantity is measured, or ``binary``; empty if not known.
    subject : str
        What the number is about, without its statistic.
    """

    id: str
    text: str
    place: str
    analysis: str
    endpoint: str
    variable: str
    level: str
    group: str
    statistic: str
    low: float
    high: float
    decimals: int
    restated: bool = False
    reading: str = ""
    grain: str = ""
    subject: str = ""

    @property
    def value(self) -> float:
        """The number as printed."""
        return self.low if self.low == self.high else (self.low + self.high) / 2

    @property
    def finite(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    @property
    def keys(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in KEYS}

    def overlaps(self, low, high) -> bool:
        """Whether a value between two limits can print as this number."""
        slack = SLACK * max(1.0, abs(self.low), abs(self.high)) if self.finite else 0.0
        return low <= self.high + slack and high >= self.low - slack


def window(text, decimals=None) -> tuple[float, float]:
    """The values that print as a text.

    Parameters
    ----------
    text : str
        A number, a bound such as ``<0.001``, ``NA`` (not reached) or ``-`` (none).
    decimals : int, optional
        Decimals to which it was rounded, where the text has more.
    """
    if text == NOT_REACHED:
        return math.inf, math.inf
    if text == NO_TEST:
        return math.nan, math.nan
    bound = text.lstrip("<>≤≥").strip()
    if text.startswith(("<", "≤")):
        return 0.0, float(bound)
    if text.startswith((">", "≥")):
        return float(bound), math.inf
    half = 0.5 * 10.0 ** -(count_decimals(text) if decimals is None else decimals)
    return float(text) - half, float(text) + half


def count_decimals(text) -> int:
    """Decimals of a printed number."""
    return len(text.partition(".")[2])


def without_padding(numbers) -> list[Number] | None:
    """The numbers as they may be if trailing zeros that all of them share were not measured.

    Returns
    -------
    list of Number or None
        None where fewer than three numbers share a zero, or none does.
    """
    texts = [number.text for number in numbers if number.finite]
    kept = max((len(t.partition(".")[2].rstrip("0")) for t in texts), default=0)
    printed = min(map(count_decimals, texts), default=0)
    if len(texts) < FEWEST_PADDED or kept >= printed:
        return None
    widened = []
    for number in numbers:
        low, high = window(number.text, kept) if number.finite else (number.low, number.high)
        widened.append(replace(number, low=low, high=high, decimals=kept))
    return widened


class Printed:
    """A ledger by its keys.

    Parameters
    ----------
    ledger : DataFrame
        Made by `helpers.published.load_ledger`. Optional columns: ``printed_group``, the
        contrast as labelled in print where `group` holds another reading; ``grain``;
        ``claim`` and ``about``, see `helpers.audit.statements`.
    conventions : Conventions, optional
        Of the study file; levels of confidence and significance, the screening threshold.
    labels : dict, optional
        Labels of keys, see `helpers.tables.comparison.labels_of`; without it the keys
        themselves are shown.

    Attributes
    ----------
    numbers : list of Number
        Those that have keys.
    statements : list of dict
        Rows with a claim.
    arms : list of str
        The groups whose size is printed, other than all.
    """

    def __init__(self, ledger, conventions=None, labels=None):
        self.conventions = conventions or Conventions()
        self._labels = labels or {}
        rows = ledger.fillna("").to_dict("records")
        self.statements = [row for row in rows if row.get("claim")]
        self._rows = {row["id"]: row for row in rows}
        keyed = (row for row in rows if row["statistic"] and row["class"] in COMPARED)
        self.numbers = [self._read(row) for row in keyed]
        self._by_keys = defaultdict(list)
        self._by_statistic = defaultdict(list)
        for number in self.numbers:
            self._by_keys[tuple(number.keys.values())].append(number)
            self._by_statistic[number.statistic].append(number)
        for found in self._by_keys.values():
            found.sort(key=lambda number: (number.restated, -number.decimals))
        sizes = [n.group for n in self._by_statistic["n"] if n.analysis == "cohort"]
        self.arms = [group for group in dict.fromkeys(sizes) if group != OVERALL]

    def find(self, statistic, **keys) -> Number | None:
        """The number with these keys, empty where not named; the most precise if restated."""
        wanted = (keys.get(name, "") for name in KEYS[:-1])
        found = self._by_keys.get((*wanted, statistic))
        return found[0] if found else None

    def beside(self, number, statistic, **changed) -> Number | None:
        """The number with the keys of another, except for those that are named."""
        keys = {name: getattr(number, name) for name in KEYS[:-1]} | changed
        return self.find(statistic, **keys)

    def all(self, statistic, **keys) -> list[Number]:
        """The numbers of a statistic whose keys equal `keys`; a repeated one stands once."""
        found = []
        for number in self._by_statistic[statistic]:
            if all(getattr(number, key) == value for key, value in keys.items()):
                found.append(self._by_keys[tuple(number.keys.values())][0])
        return list(dict.fromkeys(found))

    def repeated(self) -> list[list[Number]]:
        """The numbers that stand in more than one place."""
        return [found for found in self._by_keys.values() if len(found) > 1]

    def size(self, group) -> int | None:
        """Patients of a group, if printed."""
        number = self.find("n", analysis="cohort", group=group)
        return None if number is None else round(number.value)

    def matching(self, patterns) -> list[Number]:
        """The numbers whose id matches one of several patterns, separated by blanks."""
        wanted = patterns.split()
        return [n for n in self.numbers if any(fnmatchcase(n.id, pattern) for pattern in wanted)]

    def number(self, identifier) -> Number:
        """The number with an id, whether or not it has keys."""
        return self._read(self._rows[identifier])

    def level_sizes(self, variable, group) -> dict[str, int]:
        """Patients of a group at each level of a categorical characteristic."""
        counts = self.all("n", analysis="baseline", variable=variable, group=group)
        return {number.level: round(number.value) for number in counts if number.level}

    def describe(self, *, analysis="", endpoint="", variable="", level="", group="") -> str:
        """Name what a number is about, in the study's labels where they are known."""
        labels = self._labels
        parts = [
            ANALYSES.get(analysis, analysis),
            labels.get(endpoint, endpoint),
            "" if variable == "arm" else labels.get(variable, variable),
            labels.get((variable, level), level),
            labels.get((variable, group), labels.get(("arm", group), group)),
        ]
        shown = ", ".join(part.replace("_", " ") for part in parts if part)
        return f"{shown[:1].upper()}{shown[1:]}"

    def _read(self, row):
        low, high = window(row["printed"])
        if row["statistic"] == "p" or row["statistic"].startswith("p_"):
            low, high = max(low, 0.0), min(high, 1.0)
        keys = {name: row[name] for name in KEYS}
        labelled = row.get("printed_group") or row["group"]
        keys["group"] = labelled
        about = {name: key for name, key in keys.items() if name != "statistic"}
        return Number(
            id=row["id"],
            text=row["printed"],
            place=row["place"],
            **keys,
            low=low,
            high=high,
            decimals=count_decimals(row["printed"]),
            restated=row["class"] == "restated",
            reading=row["group"] if labelled != row["group"] else "",
            grain=row.get("grain", ""),
            subject=self.describe(**about) or row["id"],
        )


def sides(group) -> tuple[str, str] | None:
    """The level and the reference of a contrast; None for another group."""
    level, found, reference = group.partition("_vs_")
    return (level, reference) if found else None


def reversed_contrast(group) -> str:
    """The same contrast the other way round."""
    level, reference = sides(group)
    return contrast(reference, level)


def texts(*numbers) -> dict[str, str]:
    """Printed numbers by their id."""
    return {number.id: number.text for number in numbers if number is not None}
