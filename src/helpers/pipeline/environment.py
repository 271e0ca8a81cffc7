"""The process environment in which a notebook gives the same bytes each time."""

from __future__ import annotations

import os
from contextlib import contextmanager

# The day on which the study was published: the date of everything that needs one.
SOURCE_DATE = "1711584000"


@contextmanager
def notebook_environment(folder):
    """Set it for what is started in the block.

    Parameters
    ----------
    folder : Path
        A folder for the settings files of IPython and matplotlib.
    """
    matplotlibrc = folder / "matplotlibrc"
    matplotlibrc.write_text("svg.hashsalt: rhcc\n", "utf-8")
    settings = {
        "IPYTHONDIR": str(folder / "ipython"),
        "MATPLOTLIBRC": str(matplotlibrc),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", SOURCE_DATE),
    }
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
