"""The parameters that every notebook takes."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers.errors import InputError

IPYTHON_NAMES = {"In", "Out", "exit", "get_ipython", "open", "quit"}


class _Written(BaseModel):
    """The parameters as they stand in the cell."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    cohort: Annotated[str, Field(min_length=1)]
    study: Annotated[str, Field(min_length=1)]
    ledger: str
    out: str
    suppress_below: Annotated[int, Field(ge=0)]


class Parameters(BaseModel):
    """What a notebook reads and where it writes.

    Attributes
    ----------
    cohort, study : Path
        The patients, and the file that says what their columns mean.
    ledger : Path or None
        The printed numbers; None where there is nothing to compare with.
    out : Path or None
        The folder for rows, tables and figures; None where nothing is written.
    suppress_below : int
        Counts below it are not shown.
    """

    model_config = ConfigDict(frozen=True)

    cohort: Path
    study: Path
    ledger: Path | None
    out: Path | None
    suppress_below: int


NAMES = tuple(_Written.model_fields)


def read_parameters(namespace) -> Parameters:
    """Check the names of a notebook's parameters cell and resolve its paths.

    Parameters
    ----------
    namespace : dict
        The notebook's `globals()`, right after the parameters cell.

    Raises
    ------
    InputError
        A parameter is missing, has the wrong type, or is not one that a notebook takes.
    """
    given = {name: value for name, value in namespace.items() if _is_parameter(name, value)}
    try:
        written = _Written.model_validate(given)
    except ValidationError as error:
        raise InputError("parameters", [_describe(item) for item in error.errors()]) from None
    return Parameters(
        cohort=resolve(written.cohort),
        study=resolve(written.study),
        ledger=resolve(written.ledger) if written.ledger else None,
        out=Path(written.out).absolute() if written.out else None,
        suppress_below=written.suppress_below,
    )


def resolve(path) -> Path:
    """Find a relative path in the working directory or in the nearest parent that has it."""
    path = Path(path)
    here = Path.cwd()
    found = (folder / path for folder in (here, *here.parents) if (folder / path).exists())
    return next(found, here / path)


def _is_parameter(name, value):
    if name.startswith("_") or name in IPYTHON_NAMES:
        return False
    return not (inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value))


def _describe(item):
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"{name!r} is not a parameter; the parameters are {', '.join(NAMES)}"
    if item["type"] == "missing":
        return f"{name!r} is missing"
    return f"{name} = {item['input']!r}: {item['msg'].lower()}"
