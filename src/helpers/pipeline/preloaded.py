"""What a forked kernel has imported before it starts."""

import contextlib
import importlib

LIBRARIES = [
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "IPython.core.completer",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "matplotlib_inline.config",
    "seaborn",
    "lifelines",
    "scipy.stats",
    "statsmodels.api",
    "pandera",
    "pyarrow.feather",
    "helpers.sections",
]

for library in LIBRARIES:
    # A module that is missing or broken is reported by the notebook that imports it.
    with contextlib.suppress(Exception):
        importlib.import_module(library)

with contextlib.suppress(ImportError):
    import pandas

    # pandas decides on its import whether it is in a notebook; this import is not.
    pandas.set_option("display.max_columns", 20)
