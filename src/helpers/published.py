"""The printed numbers of a study, and their comparison with computed ones."""

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import InputError, Problem
from helpers.formats import (
    LARGEST_FIXED,
    NOT_REACHED,
    format_number,
    round_half_up,
    rounding_edge,
)
from helpers.results import BETWEEN_ARMS, KEYS, OVERALL, PER_UNIT

PRINT = ["printed", "decimals", "precision", "place", "section", "class", "label", "note"]
COLUMNS = ["id", *KEYS, *PRINT]
COMPARED = ["print", "cohort", "restated"]
CLASSES = [*COMPARED, "design", "literature", "not_testable"]

REPRODUCED = "reproduced"
WITHIN_ROUNDING = "within rounding"
DIFFERS = "differs"
NOT_TESTABLE = "not testable"
VERDICTS = [REPRODUCED, WITHIN_ROUNDING, DIFFERS, NOT_TESTABLE]
NO_TEST = "-"
BOUNDS = ("<", ">", "≤", "≥")
BINARY_TOLERANCE = 1e-9  # 14.1 - 14.0 is one unit, although less in binary


def load_ledger(path, bounds=False) -> pd.DataFrame:
    """Read a ledger of printed numbers.

    Parameters
    ----------
    path : path-like
        CSV with the columns `COLUMNS`: the keys of the results data set, the number as
        printed, its `decimals`, the decimals at which it is compared (`precision`, fewer
        where the print pads a rounded number with zeros), place, section, class and the
        label as printed.
    bounds : bool
        Whether a number may be printed as a bound, for instance ``<0.001``.

    Raises
    ------
    InputError
        A column is missing, an id stands twice, a class is unknown, or a number that is to
        be compared is not one; all of them are named at once.
    """
    ledger = read_ledger(path)
    if problems := find_problems(ledger, bounds):
        raise InputError(path, problems)
    return ledger


def read_ledger(path, required=COLUMNS) -> pd.DataFrame:
    """Read the cells of a ledger as text.

    Parameters
    ----------
    path : path-like
    required : sequence of str
        Columns that have to be there.

    Raises
    ------
    InputError
        The file is not there or no CSV, or columns are missing.
    """
    path = Path(path)
    try:
        ledger = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise InputError(path, ["there is no such file; give the path of a ledger"]) from None
    except OSError as error:
        raise InputError(path, [f"cannot be read: {error.strerror}"]) from None
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(path, [f"cannot be read as CSV: {str(error).strip()}"]) from None
    if not isinstance(ledger.index, pd.RangeIndex):
        raise InputError(path, ["its rows have more cells than its first line has names"])
    missing = [name for name in required if name not in ledger]
    if missing and len(ledger.columns) == 1:
        text = f"has one column, {ledger.columns[0]!r}; separate its cells with commas"
        raise InputError(path, [text])
    if missing:
        raise InputError(path, [f"column {name!r} is missing" for name in missing])
    return ledger


def find_problems(ledger, bounds=False) -> list[Problem]:
    """What is wrong with the cells of a ledger, see `load_ledger`."""
    problems = []
    for index, row in ledger.iterrows():
        if row["class"] not in CLASSES:
            text = f"found {row['class']!r}; it is one of {', '.join(CLASSES)}"
            problems.append(Problem(text, [index + 2], "class"))
        elif row["class"] in COMPARED and row["printed"] not in (NOT_REACHED, NO_TEST):
            text = row["printed"]
            if not _is_number(text[1:] if bounds and text.startswith(BOUNDS) else text):
                problems.append(Problem(f"{text!r} is no number", [index + 2], "printed"))
            for name in ("decimals", "precision"):
                if not row[name].isdigit():
                    problems.append(Problem("whole decimals are needed", [index + 2], name))
    for identifier, rows in ledger.groupby("id", sort=False):
        if len(rows) > 1:
            text = f"{identifier!r} stands {len(rows)} times; each number has a name of its own"
            problems.append(Problem(text, [index + 2 for index in rows.index], "id"))
    return problems


def _is_number(text) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def is_about(ledger, study) -> bool:
    """Whether a ledger has numbers of an arm of `study`, or none of any arm.

    Parameters
    ----------
    ledger : DataFrame
        See `load_ledger`.
    study : Study
    """
    groups = ledger.loc[ledger["class"].isin(COMPARED), "group"]
    named = set(groups[~groups.str.contains("_vs_")]) - {"", OVERALL, BETWEEN_ARMS, PER_UNIT}
    return not named or not named.isdisjoint(study.arm.levels)


def load_ledger_of(study, path) -> pd.DataFrame:
    """Read a ledger that is to be compared with a cohort of `study`.

    Raises
    ------
    InputError
        It is not fit, see `load_ledger`, or is about other arms than those of the study.
    """
    ledger = load_ledger(path)
    if not is_about(ledger, study):
        arms = ", ".join(study.arm.levels)
        raise InputError(path, [f"no number is of an arm of the study file ({arms}); give its own"])
    return ledger


def compare(results, ledger) -> pd.DataFrame:
    """Join printed numbers with computed ones and give each a verdict.

    Parameters
    ----------
    results : DataFrame
        Computed numbers, see `helpers.results`.
    ledger : DataFrame
        Printed numbers, see `load_ledger`.

    Returns
    -------
    DataFrame
        The ledger with ``value``, ``method``, ``computed`` (formatted as the print is),
        ``verdict`` and ``difference`` (computed minus printed). *Reproduced* is equal at
        the printed precision. *Within rounding* is off by less than one unit of the last
        printed place, as truncation and rounding of intermediate results give. A printed
        number without a computed one is *not testable*.
    """
    joined = ledger.merge(results, how="left", on=KEYS, validate="many_to_one", indicator=True)
    compared = joined["class"].isin(COMPARED) & (joined.pop("_merge") == "both")
    rows = joined[compared]
    prints, values = Prints(rows), rows["value"].to_numpy(float)
    joined["computed"], joined["verdict"], joined["difference"] = "", NOT_TESTABLE, math.nan
    columns = rows[["printed", "decimals", "precision", "value"]]
    joined.loc[compared, "computed"] = [
        _format_as_printed(*row) for row in columns.itertuples(index=False)
    ]
    joined.loc[compared, "verdict"] = np.array(VERDICTS)[prints.judge(values)]
    joined.loc[compared, "difference"] = prints.subtract_from(values)
    return joined


def _format_as_printed(printed, decimals, precision, value):
    if printed in (NO_TEST, NOT_REACHED):
        exists = math.isnan(value) if printed == NO_TEST else math.isinf(value)
        return printed if exists else format_number(value, 3 if printed == NO_TEST else 1)
    if not abs(value) < LARGEST_FIXED:
        return format_number(value, int(decimals))
    return format_number(float(round_half_up(value, int(precision))), int(decimals))


class Prints:
    """Printed numbers that judge many computed ones.

    Parameters
    ----------
    ledger : DataFrame
        Rows that are compared, see `load_ledger`.
    """

    def __init__(self, ledger):
        printed = ledger["printed"].to_numpy(str)
        self._no_test, self._not_reached = printed == NO_TEST, printed == NOT_REACHED
        is_number = ~(self._no_test | self._not_reached)
        self._printed = np.full(len(printed), math.nan)
        self._printed[is_number] = printed[is_number].astype(float)
        self._unit, self._low, self._high = np.full((3, len(printed)), math.nan)
        for place in np.flatnonzero(is_number):
            precision = int(ledger["precision"].iloc[place])
            self._unit[place] = 10.0**-precision
            self._low[place], self._high[place] = _sizes_that_round_to(printed[place], precision)

    def judge(self, values) -> np.ndarray:
        """The verdict on computed numbers, as places in `VERDICTS`.

        Parameters
        ----------
        values : ndarray of shape (..., n_printed)
        """
        with np.errstate(invalid="ignore"):
            size = np.where(self._printed == 0, np.abs(values), values * np.sign(self._printed))
            near = np.abs(self.subtract_from(values)) < self._unit * (1 - BINARY_TOLERANCE)
            same = (self._low <= size) & (size < self._high)
        same |= (self._no_test & np.isnan(values)) | (self._not_reached & np.isinf(values))
        names = (REPRODUCED, WITHIN_ROUNDING, DIFFERS)
        reproduced, within, differs = (VERDICTS.index(name) for name in names)
        return np.where(same, reproduced, np.where(near, within, differs))

    def subtract_from(self, values) -> np.ndarray:
        """Computed minus printed; NaN where no number is printed, or none computed."""
        return np.where(np.abs(values) < LARGEST_FIXED, values - self._printed, math.nan)


def _sizes_that_round_to(printed, precision):
    """From which absolute value, and up to which, `round_half_up` gives a printed number."""
    size, half = abs(Decimal(printed)), Decimal(5).scaleb(-precision - 1)
    if size != size.quantize(2 * half):
        return math.nan, math.nan
    return rounding_edge(size - half) if size else 0.0, rounding_edge(size + half)


def summarize_verdicts(comparison, by="section") -> pd.DataFrame:
    """Count the verdicts by section of the paper, or by place.

    Parameters
    ----------
    comparison : DataFrame
        Made by `compare`.
    by : {'section', 'place'}

    Returns
    -------
    DataFrame
        One row a section or place and a last row for all; one column a verdict, and ``total``.
    """
    counts = pd.crosstab(comparison[by], comparison["verdict"])
    counts = counts.reindex(index=comparison[by].unique(), columns=VERDICTS, fill_value=0)
    counts.index.name = by
    counts.loc["All"] = counts.sum()
    counts["total"] = counts.sum(axis=1)
    return counts
