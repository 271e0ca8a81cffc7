"""Run the checks on a ledger and say what they found."""

from __future__ import annotations

import math
import re
from dataclasses import asdict

import pandas as pd

from helpers import published
from helpers.audit.check import CHECKS, VERDICTS, Check
from helpers.audit.medians import ANALYSES as MEDIAN_ANALYSES
from helpers.audit.printed import BINARY, Printed, count_decimals, sides, window
from helpers.audit.statements import CLAIMS, RELATIONS
from helpers.errors import InputError, Problem
from helpers.formats import NOT_REACHED
from helpers.published import COLUMNS, COMPARED, read_ledger

COUNTS = ("n", "n_missing", "n_event")
MEASURED = ("mean", "sd", "q1", "median", "q3", "percent", "duration_mean")
POSITIVE = ("median", "hazard_ratio") + tuple(
    f"{name}_conf_{end}" for name in ("median", "hazard_ratio") for end in ("low", "high")
)
PLAIN = re.compile(r"-?\d+(\.\d+)?")
INEQUALITY = re.compile(rf"[{''.join(RELATIONS)}] ?\d*\.?\d+")
REQUIRED = ("analysis", "group", "statistic", "printed")
OPTIONAL = ("printed_group", "grain", "claim", "about")


def load_printed(path) -> pd.DataFrame:
    """Read a ledger for an audit.

    Parameters
    ----------
    path : path-like
        See `helpers.published.load_ledger`; only the columns `REQUIRED` have to be there.
        Where the others are absent or empty, a row is named after its line, is of the class
        ``print``, and has the decimals of its number. Columns that only an audit uses:
        ``printed_group``, the contrast as labelled in print where ``group`` holds another
        reading; ``grain``, the step in which a quantity is measured, or ``binary``;
        ``claim`` and ``about``, see `helpers.audit.statements`.

    Raises
    ------
    InputError
        All that is wrong with it.
    """
    ledger = _complete(read_ledger(path, REQUIRED))
    if problems := find_problems(ledger):
        raise InputError(path, problems)
    return ledger


def find_problems(ledger) -> list[Problem]:
    """What is wrong with the cells of a complete ledger, in the order of its rows."""
    problems = published.find_problems(ledger, bounds=True)
    known = dict(zip(ledger["id"], ledger["printed"], strict=True))
    told = {(*problem.rows, problem.column) for problem in problems}
    for index, row in ledger.iterrows():
        for column, text in _problems(row, known):
            if (index + 2, column) not in told:
                problems.append(Problem(text, [index + 2], column))
    return sorted(problems, key=lambda problem: problem.rows or (math.inf,))


def _complete(ledger):
    """Fill in what a ledger for an audit need not have."""
    decimals = ledger["printed"].map(lambda text: str(count_decimals(text)))
    defaults = {
        "id": [f"row{index + 2}" for index in range(len(ledger))],
        "decimals": decimals,
        "precision": decimals,
        "class": "print",
    }
    absent = [name for name in (*COLUMNS, *OPTIONAL) if name not in ledger]
    complete = ledger.assign(**dict.fromkeys(absent, ""))
    for name, default in defaults.items():
        complete[name] = complete[name].where(complete[name] != "", default)
    return complete


def _problems(row, known):
    """The column and the text of each problem of a row."""
    if row["class"] in COMPARED and row["statistic"] and (wanted := _wanted(row)):
        yield "printed", f"found {row['printed']!r}; {row['statistic']!r} needs {wanted}"
    if row["printed_group"] and sides(row["printed_group"]) is None:
        yield "printed_group", f"{row['printed_group']!r} is not level_vs_reference"
    if row["grain"] not in ("", BINARY) and not _is_step(row["grain"]):
        yield "grain", f"{row['grain']!r} is neither a step above zero nor {BINARY!r}"
    claim = row["claim"]
    if not claim:
        return
    if claim not in CLAIMS:
        yield "claim", f"found {claim!r}; it is one of {', '.join(CLAIMS)}"
    elif claim == "share":
        about = row["about"].split()
        if len(about) != 2 or not all(known.get(name, "").isdecimal() for name in about):
            yield "about", "a share needs the ids of a count and of a denominator"
        elif not int(known[about[1]]):
            yield "about", f"the denominator {about[1]!r} is zero"
        if not PLAIN.fullmatch(row["printed"]):
            yield "printed", f"{row['printed']!r} is no percentage"
    elif not INEQUALITY.fullmatch(row["printed"]):
        yield "printed", f"{row['printed']!r} is no inequality for a claim to be about"


def _wanted(row):
    """What a printed number has to be, if it is not; empty if it is."""
    statistic, text = row["statistic"], row["printed"]
    if statistic in COUNTS:
        least = 1 if row["analysis"] == "cohort" else 0
        fits = text.isdecimal() and int(text) >= least
        return "" if fits else f"a whole number from {least}"
    if statistic == "p" or statistic.startswith("p_"):
        low, high = _bounds(text)
        fits = math.isnan(low) or (low < 1 and high > 0 and not math.isinf(low))
        return "" if fits else "a probability, a bound of one, or - for no test"
    plain = PLAIN.fullmatch(text)
    if statistic in MEASURED and row["analysis"] not in MEDIAN_ANALYSES:
        return "" if plain else "a number"
    if statistic in POSITIVE:
        fits = text == NOT_REACHED or (plain and not text.startswith("-"))
        return "" if fits else "a number that is not negative, or NA"
    return ""


def _bounds(text):
    """The window of a text; of one that is no number, a window that no probability has."""
    try:
        return window(text)
    except ValueError:
        return math.inf, math.inf


def _is_step(text):
    try:
        return 0 < float(text) < math.inf
    except ValueError:
        return False


def audit(ledger, conventions=None, labels=None, only=None) -> list[Check]:
    """Ask every check of the printed numbers of a study.

    Parameters
    ----------
    ledger : DataFrame
        Made by `helpers.published.load_ledger`.
    conventions : Conventions, optional
        Of the study file.
    labels : dict, optional
        Labels of the study's keys, see `Printed`.
    only : sequence of str, optional
        Which of `CHECKS`; all of them if not given.

    Returns
    -------
    list of Check
        A check whose numbers are not printed has no entry.
    """
    printed = Printed(ledger, conventions, labels)
    names = CHECKS if only is None else only
    return [check for name in names for check in CHECKS[name].ask(printed)]


def summarize(checks) -> pd.DataFrame:
    """Count the verdicts of each check.

    Returns
    -------
    DataFrame
        A row a check with its ``title``, one column a verdict, and ``total``.
    """
    rows = pd.DataFrame([(check.name, check.verdict) for check in checks], columns=["name", "v"])
    counts = pd.crosstab(rows["name"], rows["v"]).reindex(
        index=[name for name in CHECKS if (rows["name"] == name).any()],
        columns=VERDICTS,
        fill_value=0,
    )
    counts["total"] = counts.sum(axis=1)
    counts.insert(0, "title", [CHECKS[name].title for name in counts.index])
    return counts


def unused(ledger, checks) -> list[str]:
    """The ids of the printed numbers of a study, but its sizes, that no check reads."""
    used = {identifier for check in checks for identifier in check.printed}
    rows = ledger[ledger["class"].isin(COMPARED) & (ledger["analysis"] != "cohort")]
    return [identifier for identifier in rows["id"] if identifier not in used]


def describe(check) -> str:
    """Say a check in one line."""
    printed = ", ".join(f"{name} {text}" for name, text in check.printed.items())
    why = f" ({check.explanation})" if check.explanation else ""
    return (
        f"{check.verdict}: {CHECKS[check.name].title}: {check.subject}: {check.tested}: "
        f"{check.found}{why} [{printed}]"
    )


def to_records(checks) -> list[dict]:
    """The checks as plain records; a number that does not exist, or is infinite, is None."""
    records = [asdict(check) | {"title": CHECKS[check.name].title} for check in checks]
    for record in records:
        for end in ("low", "high"):
            record[end] = float(record[end]) if math.isfinite(record[end]) else None
    return records
