"""Ledgers made by hand, for the tests of the audit."""

import pandas as pd

from helpers.audit import audit
from helpers.audit.printed import Printed
from helpers.audit.report import OPTIONAL
from helpers.published import COLUMNS

SIZES = {"overall": 88, "new": 46, "old": 42}


def row(analysis, statistic, printed, **keys):
    """One printed number; `keys` are keys of the results, or other columns of a ledger."""
    return {"analysis": analysis, "statistic": statistic, "printed": str(printed), **keys}


def ledger(*rows, sizes=SIZES):
    """A ledger of the sizes of the groups and of rows; ids are ``row0``, ``row1``, ..."""
    counts = [row("cohort", "n", n, group=group) for group, n in sizes.items()]
    frame = pd.DataFrame([*counts, *rows])
    if "class" not in frame:
        frame["class"] = None
    frame["class"] = frame["class"].fillna("cohort")
    given = frame["id"] if "id" in frame else pd.Series(index=frame.index, dtype=object)
    frame["id"] = given.fillna(pd.Series([f"row{i}" for i in range(len(frame))]))
    frame = frame.reindex(columns=[*COLUMNS, *OPTIONAL]).fillna("")
    return frame.assign(decimals="0", precision="0")


def number(text, statistic="mean", **keys):
    """One printed number as the audit reads it."""
    return Printed(ledger(row("toy", statistic, text, **keys), sizes={})).numbers[0]


def ask(name, *rows, sizes=SIZES):
    """The answers of one check."""
    return audit(ledger(*rows, sizes=sizes), only=[name])


def verdicts(name, *rows, sizes=SIZES):
    return [check.verdict for check in ask(name, *rows, sizes=sizes)]


def fired(rows, sizes=SIZES):
    """The names of the checks that fire on a ledger."""
    return sorted({check.name for check in audit(ledger(*rows, sizes=sizes)) if check.fired})
