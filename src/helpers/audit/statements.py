"""Checks of what the text states about other printed numbers.

A ledger may say of a row what it claims and about which rows: the column ``claim`` names one
of the claims below, ``about`` holds ids, or patterns of ids, separated by blanks.

``every``
    Each p value spoken of satisfies the printed inequality.
``none``
    No p value spoken of satisfies it.
``entry``
    The variables whose unadjusted p satisfies the printed inequality, and only these, are in
    the adjusted model.
``share``
    The row is the percentage of the first id in the second.
"""

from __future__ import annotations

import math
import operator

from helpers.audit.check import CONSISTENT, INCONSISTENT, Check, register
from helpers.audit.printed import SLACK, texts
from helpers.formats import format_number

RELATIONS = {"<": operator.lt, "≤": operator.le, ">": operator.gt, "≥": operator.ge}
CLAIMS = ("every", "none", "entry", "share")


def _relation(text):
    """The comparison and the bound of a printed inequality such as ``<0.05``."""
    return RELATIONS[text[0]], float(text[1:].strip())


@register("restated", "A number that stands in more than one place")
def restated(printed):
    """All versions of a number are roundings of one value; with equal decimals, equal."""
    for found in printed.repeated():
        low, high = max(number.low for number in found), min(number.high for number in found)
        by_decimals = {}
        for number in found:
            by_decimals.setdefault(number.decimals, set()).add(number.text)
        alike = all(len(versions) == 1 for versions in by_decimals.values())
        fits = alike and (low <= high + SLACK or all(math.isnan(n.low) for n in found))
        yield Check(
            "restated",
            f"{found[0].subject}: {found[0].statistic.replace('_', ' ')}",
            "one value that prints as each",
            texts(*found),
            " = ".join(dict.fromkeys(number.text for number in found)),
            CONSISTENT if fits else INCONSISTENT,
            low=low,
            high=high,
        )


@register("claim", "Statements about several p values")
def claims(printed):
    """Every p value that a statement such as "(p < 0.05)" speaks of satisfies it."""
    for row in printed.statements:
        if row["claim"] not in ("every", "none"):
            continue
        compare, bound = _relation(row["printed"])
        spoken_of = [n for n in printed.matching(row["about"]) if not math.isnan(n.low)]
        wanted = row["claim"] == "every"
        against = [
            number
            for number in spoken_of
            if wanted not in {compare(number.low, bound), compare(number.high, bound)}
        ]
        yield Check(
            "claim",
            f"{row['place'] or row['id']}: p {row['printed']}",
            f"{'each' if wanted else 'none'} of {len(spoken_of)} p values {row['printed']}",
            {row["id"]: row["printed"], **texts(*against)},
            f"{len(spoken_of) - len(against)} of {len(spoken_of)} as stated",
            INCONSISTENT if against else CONSISTENT,
            _bound_that_holds(spoken_of, bound) if against and wanted else "",
            low=len(spoken_of) - len(against),
            high=len(spoken_of) - len(against),
        )


def _bound_that_holds(spoken_of, bound):
    """Whether the bound, moved by one decimal place, would make the statement true."""
    largest = max(number.value for number in spoken_of)
    if bound < largest < 10 * bound:
        return f"true of < {format_number(10 * bound, 2)}: a zero too many"
    return ""


@register("entry", "Entry into the multivariable model")
def entry(printed):
    """The variables below the stated threshold, and only they, are in the adjusted model.

    The threshold is that of a row with the claim ``entry``, else that of the study file.
    """
    stated = [row for row in printed.statements if row["claim"] == "entry"]
    compare, bound = operator.lt, printed.conventions.screening_threshold
    threshold = {}
    if stated:
        compare, bound = _relation(stated[0]["printed"])
        threshold = {stated[0]["id"]: stated[0]["printed"]}
    adjusted = printed.all("hazard_ratio", analysis="cox_multivariable")
    for endpoint in dict.fromkeys(number.endpoint for number in adjusted):
        chosen = {number.variable for number in adjusted if number.endpoint == endpoint}
        for p in printed.all("p_wald", analysis="cox_univariable", endpoint=endpoint):
            below = {compare(max(p.low, 0), bound), compare(p.high, bound)}
            entered = p.variable in chosen
            fits = entered in below
            yield Check(
                "entry",
                p.subject,
                f"in the adjusted model if p < {bound:g}",
                {**texts(p), **threshold},
                f"p {p.text}, {'in' if entered else 'not in'} the model",
                CONSISTENT if fits else INCONSISTENT,
                "" if fits else "chosen for another reason, which the print may give",
            )
