"""Which version of the book this is, and of what day."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version


def edition(root) -> str:
    """Return the version and the day of the sources.

    The day is that of ``SOURCE_DATE_EPOCH`` where it is set, else of the last commit; outside
    a repository there is none. The same sources give the same text on any day.

    Parameters
    ----------
    root : Path
        The folder with the book's sources.
    """
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or _last_commit(root)
    if not seconds:
        return f"Version {version('rhcc')}"
    day = datetime.fromtimestamp(int(seconds), UTC)
    return f"Version {version('rhcc')}, {day.day} {day:%B %Y}"


def _last_commit(root):
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "log", "-1", "--format=%ct"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
