"""What the printed numbers of a study say about each other, without any patient's data."""

from helpers.audit import (  # noqa: F401  (each enters its checks)
    counts,
    hazard_ratios,
    labels,
    means,
    medians,
    multiplicity,
    quartiles,
    statements,
)
from helpers.audit.check import (
    CHECKS,
    CONSISTENT,
    FIRED,
    IMPLAUSIBLE,
    INCONSISTENT,
    INFORMATION,
    UNDECIDED,
    VERDICTS,
    Check,
)
from helpers.audit.printed import Printed
from helpers.audit.report import (
    audit,
    describe,
    load_printed,
    summarize,
    to_records,
    unused,
)

__all__ = [
    "CHECKS",
    "CONSISTENT",
    "FIRED",
    "IMPLAUSIBLE",
    "INCONSISTENT",
    "INFORMATION",
    "UNDECIDED",
    "VERDICTS",
    "Check",
    "Printed",
    "audit",
    "describe",
    "load_printed",
    "summarize",
    "to_records",
    "unused",
]
