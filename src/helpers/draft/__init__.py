"""A first study file for a cohort file: what its columns look like, and what is left to decide."""

from __future__ import annotations

from pathlib import Path

from helpers.cohort_files import read_cohort_file
from helpers.draft.columns import read_column
from helpers.draft.roles import MOST_ARMS, Roles
from helpers.draft.study_file import write_study_file
from helpers.errors import InputError


def draft_study(path, sheet=None) -> str:
    """Write a first study file, with comments where a guess needs a decision.

    Parameters
    ----------
    path : path-like
        A cohort file that `helpers.cohort_files.read_cohort_file` reads.
    sheet : str, optional
        The sheet of a spreadsheet.

    Returns
    -------
    str
        YAML that `helpers.study.load_study` accepts.

    Raises
    ------
    InputError
        The file cannot be read, no column has groups to compare, or none has times or dates
        with an event.
    """
    path = Path(path)
    file = read_cohort_file(path, sheet)
    columns = [read_column(file, name, place) for place, name in enumerate(file.cells)]
    roles = Roles([column for column in columns if len(column.cells)])
    problems = []
    if roles.arm is None:
        problems.append(f"no column has 2 to {MOST_ARMS} groups that could be compared")
    if not roles.endpoints:
        problems.append(
            "no column of times or dates goes with a column of events (two values, such as 0 and "
            "1); name them so, for instance os_months and os_event"
        )
    if problems:
        raise InputError(path, problems)
    return "\n".join(write_study_file(roles, columns, path, sheet)) + "\n"
