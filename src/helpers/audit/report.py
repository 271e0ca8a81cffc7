"""Run the checks on a ledger and say what they found."""

from __future__ import annotations

import math
import re
from dataclasses import asdict

import pandas as pd

from helpers.audit.check import CHECKS, VERDICTS, Check
from helpers.audit.medians import ANALYSES as MEDIAN_ANALYSES
from helpers.audit.printed import BINARY, Printed, sides, window
from helpers.audit.statements import CLAIMS, RELATIONS
from helpers.errors import InputError
from helpers.formats import NOT_REACHED
from helpers.published import COMPARED, load_ledger

COUNTS = ("n", "n_missing", "n_event")
MEASURED = ("mean", "sd", "q1", "median", "q3", "percent", "duration_mean")
POSITIVE = ("median", "hazard_ratio") + tuple(
    f"{name}_conf_{end}" for name in ("median", "hazard_ratio") for end in ("low", "high")
)
PLAIN = re.compile(r"-?\d+(\.\d+)?")
OPTIONAL = ("printed_group", "grain", "claim", "about")


def load_printed(path) -> pd.DataFrame:
    """Read a ledger with the columns that only an audit uses.

    Parameters
    ----------
    path : path-like
        See `helpers.published.load_ledger`. Optional columns: ``printed_group``, the contrast
        as labelled in print where ``group`` holds another reading; ``grain``, the step in
        which a quantity is measured, or ``binary``; ``claim`` and ``about``, see
        `helpers.audit.statements`.

    Raises
    ------
    InputError
        All that is wrong with it.
    """
    ledger = load_ledger(path, bounds=True)
    for name in OPTIONAL:
        if name not in ledger:
            ledger[name] = ""
    known = dict(zip(ledger["id"], ledger["printed"], strict=True))
    problems = [
        f"row {index + 2}, {problem}"
        for index, row in ledger.iterrows()
        for problem in _problems(row, known)
    ]
    if problems:
        raise InputError(path, problems)
    return ledger


def _problems(row, known):
    if row["class"] in COMPARED and row["statistic"] and (wanted := _wanted(row)):
        yield f"column 'printed': found {row['printed']!r}; {row['statistic']!r} needs {wanted}"
    if row["printed_group"] and sides(row["printed_group"]) is None:
        yield f"column 'printed_group': {row['printed_group']!r} is not level_vs_reference"
    if row["grain"] not in ("", BINARY) and not _is_step(row["grain"]):
        yield f"column 'grain': {row['grain']!r} is neither a step above zero nor {BINARY!r}"
    claim = row["claim"]
    if not claim:
        return
    if claim not in CLAIMS:
        yield f"column 'claim': found {claim!r}; it is one of {', '.join(CLAIMS)}"
    elif claim == "share":
        about = row["about"].split()
        if len(about) != 2 or not all(known.get(name, "").isdecimal() for name in about):
            yield "column 'about': a share needs the ids of a count and of a denominator"
        elif not int(known[about[1]]):
            yield f"column 'about': the denominator {about[1]!r} is zero"
        if not PLAIN.fullmatch(row["printed"]):
            yield f"column 'printed': {row['printed']!r} is no percentage"
    elif row["printed"][:1] not in RELATIONS:
        yield f"column 'printed': {row['printed']!r} is no inequality for a claim to be about"


def _wanted(row):
    """What a printed number has to be, if it is not; empty if it is."""
    statistic, text = row["statistic"], row["printed"]
    if statistic in COUNTS:
        least = 1 if row["analysis"] == "cohort" else 0
        fits = text.isdecimal() and int(text) >= least
        return "" if fits else f"a whole number from {least}"
    if statistic == "p" or statistic.startswith("p_"):
        low, high = window(text)
        fits = math.isnan(low) or (low < 1 and high > 0 and not math.isinf(low))
        return "" if fits else "a probability, a bound of one, or - for no test"
    plain = PLAIN.fullmatch(text)
    if statistic in MEASURED and row["analysis"] not in MEDIAN_ANALYSES:
        return "" if plain else "a number"
    if statistic in POSITIVE:
        fits = text == NOT_REACHED or (plain and not text.startswith("-"))
        return "" if fits else "a number that is not negative, or NA"
    return ""


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
    return [check for name in only or CHECKS for check in CHECKS[name].ask(printed)]


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
