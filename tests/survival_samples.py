"""The patients of `reference/survival.R`, and what R makes of them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

REFERENCE = Path(__file__).parent / "reference"
PATIENTS = dict(list(pd.read_csv(REFERENCE / "survival_data.csv").groupby("sample", sort=False)))
COVARIATES = ["x1", "x2", "x3"]
MODEL = ["sample", "variant", "ties"]
OPTIONS = {"weights": "weight", "strata": "stratum", "entry": "entry"}


def expected(file, keys=MODEL):
    """Values of R by statistic, as one parameter of a test for each combination of `keys`."""
    rows = pd.read_csv(REFERENCE / file, float_precision="round_trip")
    return [
        pytest.param(*names, group.set_index("statistic")["value"], id="-".join(map(str, names)))
        for names, group in rows.groupby(keys, sort=False)
    ]


def model_data(sample, variant):
    """Positional and keyword arguments of a Cox model, less the ties."""
    patients = PATIENTS[sample]
    options = {
        name: patients[column].to_numpy(float)
        for name, column in OPTIONS.items()
        if variant in (name, "all")
    }
    time, event = (patients[name].to_numpy(float) for name in ("time", "event"))
    return (time, event, patients[COVARIATES].to_numpy(float)), options


def assert_equals_r(computed, values, rel=1e-8, abs=1e-10):
    """Compare a mapping from statistic to value with the values of R, none left out."""
    assert set(computed) == set(values.index)
    found = pd.Series(computed).reindex(values.index)
    close = np.isclose(found, values, rtol=rel, atol=abs, equal_nan=True)
    assert close.all(), pd.DataFrame({"found": found, "r": values})[~close].to_string()
