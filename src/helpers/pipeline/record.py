"""What a run read and by what it was computed: the same inputs give the same record."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from importlib.metadata import version

from helpers.pipeline.digest import digest_code
from helpers.pipeline.project import find_project
from helpers.tables.parts import notes_of
from helpers.tables.table import Column, Row, Table

LIBRARIES = [
    "rhcc",
    "numpy",
    "scipy",
    "pandas",
    "lifelines",
    "statsmodels",
    "matplotlib",
    "papermill",
    "jupyter-book",
]


def describe_run(parameters, study) -> dict:
    """Describe a run by its inputs, parameters and versions; no path and no time is in it.

    Parameters
    ----------
    parameters : Parameters
        Of a notebook.
    study : Study

    Returns
    -------
    dict
        ``inputs`` (SHA-256 and size of each file), ``parameters``, ``conventions``,
        ``versions``, and ``code``, a digest of the program and of what is installed with it.
    """
    files = {"cohort": parameters.cohort, "study": parameters.study, "ledger": parameters.ledger}
    return {
        "inputs": {role: _describe_file(path) for role, path in files.items() if path},
        "parameters": {"suppress_below": parameters.suppress_below},
        "conventions": study.conventions.model_dump(),
        "versions": {
            "python": platform.python_version(),
            "platform": f"{sys.platform} {platform.machine()}",
            **{name: version(name) for name in LIBRARIES},
        },
        "code": digest_code(find_project()),
    }


def _describe_file(path):
    content = path.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def write_run(run, path) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(run, indent=1) + "\n", "utf-8")


def table_run(run, study) -> Table:
    """The record of a run as a table."""
    rows = []
    for title, entries in (
        ("Inputs", {role: file["sha256"] for role, file in run["inputs"].items()}),
        ("Parameters", run["parameters"]),
        ("Versions", run["versions"] | {"code": run["code"]}),
    ):
        rows.append(Row((title,), "section"))
        rows += [Row((name.replace("_", " "), str(value))) for name, value in entries.items()]
    columns = [Column("Entry", "text"), Column("Value", "note")]
    note = "Inputs are given by their SHA-256, the code by a digest of its own."
    return Table("tab-run", "Record of this run", columns, rows, notes_of(study, note))
