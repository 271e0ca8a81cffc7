"""The printed numbers of a study, and their comparison with computed ones."""

import math
from pathlib import Path

import pandas as pd

from helpers.errors import InputError, Problem
from helpers.formats import LARGEST_FIXED, NOT_REACHED, format_number, round_half_up
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
        raise InputError(path, [f"cannot be read as CSV: {error}"]) from None
    missing = [name for name in required if name not in ledger]
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
            text = row["printed"].lstrip("<>≤≥") if bounds else row["printed"]
            if not _is_number(text):
                text = f"{row['printed']!r} is no number"
                problems.append(Problem(text, [index + 2], "printed"))
            for name in ("decimals", "precision"):
                if not row[name].isdigit():
                    problems.append(Problem("whole decimals are needed", [index + 2], name))
    for identifier, rows in ledger.groupby("id", sort=False):
        if len(rows) > 1:
            problems.append(Problem(f"{identifier!r} stands {len(rows)} times", column="id"))
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
    rows = joined.to_dict("records")
    judged = [
        _judge(row) if use else ("", NOT_TESTABLE, math.nan)
        for row, use in zip(rows, compared, strict=True)
    ]
    joined[["computed", "verdict", "difference"]] = pd.DataFrame(judged, index=joined.index)
    return joined


def _judge(row):
    printed, value = row["printed"], row["value"]
    if printed in (NO_TEST, NOT_REACHED):
        exists = math.isnan(value) if printed == NO_TEST else math.isinf(value)
        shown = printed if exists else format_number(value, 3 if printed == NO_TEST else 1)
        return shown, REPRODUCED if exists else DIFFERS, math.nan
    decimals, precision = int(row["decimals"]), int(row["precision"])
    if not abs(value) < LARGEST_FIXED:
        return format_number(value, decimals), DIFFERS, math.nan
    rounded = float(round_half_up(value, precision))
    computed = format_number(rounded, decimals)
    if rounded == float(printed):
        verdict = REPRODUCED
    else:
        unit = 10.0**-precision
        near = abs(value - float(printed)) < unit * (1 - BINARY_TOLERANCE)
        verdict = WITHIN_ROUNDING if near else DIFFERS
    return computed, verdict, value - float(printed)


def summarize_verdicts(comparison) -> pd.DataFrame:
    """Count the verdicts by section of the paper.

    Returns
    -------
    DataFrame
        One row a section and a last row for all; one column a verdict, and ``total``.
    """
    counts = pd.crosstab(comparison["section"], comparison["verdict"])
    counts = counts.reindex(index=comparison["section"].unique(), columns=VERDICTS, fill_value=0)
    counts.loc["All"] = counts.sum()
    counts["total"] = counts.sum(axis=1)
    return counts
