"""What a chapter about the print of a study opens with."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

import pandas as pd

from helpers.audit.check import Check
from helpers.audit.printed import Printed
from helpers.audit.report import audit, load_printed
from helpers.parameters import resolve
from helpers.study import Study, load_study
from helpers.tables.comparison import labels_of


@dataclass(frozen=True)
class AuditChapter:
    """The print of a study and what the checks say of it.

    Attributes
    ----------
    study : Study
    ledger : DataFrame
    printed : Printed
    checks : list of Check
    """

    study: Study
    ledger: pd.DataFrame
    printed: Printed
    checks: list[Check]

    def of(self, *names, about="*", fired=None) -> list[Check]:
        """The answers of some checks.

        Parameters
        ----------
        *names : str
            Of the checks.
        about : str
            A pattern that the id of one of the printed numbers matches.
        fired : bool, optional
            Only those that fired, or that did not.
        """
        return [
            check
            for check in self.checks
            if check.name in names
            and any(fnmatchcase(identifier, about) for identifier in check.printed)
            and fired in (None, check.fired)
        ]

    def number(self, identifier) -> float:
        """The printed number with an id."""
        return self.printed.number(identifier).value

    def text(self, identifier) -> str:
        """What is printed under an id."""
        return self.printed.number(identifier).text


def open_audit(ledger="data/published.csv", study="data/study.yml") -> AuditChapter:
    """Load a ledger and its study file and ask every check.

    Parameters
    ----------
    ledger, study : path-like
        Looked for in the working directory and the folders above it.

    Raises
    ------
    InputError
        One of them is not fit.
    """
    described, rows = load_study(resolve(study)), load_printed(resolve(ledger))
    labels = labels_of(described)
    return AuditChapter(
        described,
        rows,
        Printed(rows, described.conventions, labels),
        audit(rows, described.conventions, labels),
    )
