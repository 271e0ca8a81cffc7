"""Files that stand under their name only when all of them is written."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import InputError


@contextmanager
def whole_file(path, *, binary=False):
    """Open a file for writing that takes its name when the block ends without an error.

    What stood under the name stays until then. What is no regular file, such as
    ``/dev/stdout``, is written to directly.

    Parameters
    ----------
    path : path-like
    binary : bool
        Whether bytes are written, or text in UTF-8 with lines ended as given.

    Raises
    ------
    InputError
        The folder does not exist.
    """
    path = Path(path)
    how = {"mode": "wb"} if binary else {"mode": "w", "encoding": "utf-8", "newline": ""}
    if path.exists() and not path.is_file():
        with path.open(**how) as file:
            yield file
        return
    path = path.resolve()
    require_folder(path)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        partial = Path(folder) / path.name
        with partial.open(**how) as file:
            yield file
        os.replace(partial, path)


def require_folder(path) -> None:
    """Make sure that a file can be written, before what goes into it is computed.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    InputError
        Its folder does not exist.
    """
    if not Path(path).absolute().parent.is_dir():
        problem = "cannot be written, as its folder does not exist; make it first"
        raise InputError(path, [problem])
