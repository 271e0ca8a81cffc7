"""Functions compiled by numba, compiled anew when a source that they may call has changed.

numba keeps a compiled function for as long as the file that defines it stays the same. That a
function of another file, compiled into it, has changed goes unnoticed, and the old one runs.
What is compiled is therefore kept under a digest of all sources that hold compiled functions.
"""

import functools
import hashlib
from pathlib import Path

import numba

PACKAGE = Path(__file__).resolve().parent


def _digest_sources():
    total = hashlib.sha256()
    for folder in ("estimators", "reconstruct"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:32]


_kept_in = Path(numba.config.CACHE_DIR or PACKAGE / "__pycache__")
numba.config.CACHE_DIR = str(_kept_in / _digest_sources())

njit = functools.partial(numba.njit, cache=True)
