from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest

from helpers.cohort import load_cohort
from helpers.results import value_of
from helpers.study import load_study
from helpers.survival import summarize_survival

ROOT = Path(__file__).parents[1]
LIFELINES = Path(lifelines.__file__).parent / "datasets"
IN_R = pd.read_csv(ROOT / "tests" / "reference" / "examples.csv")


FILES = {
    "actg175": (LIFELINES / "ACTG175.csv", 37),
    "gbsg2": (LIFELINES / "gbsg2.csv", 27),
    "hepatocellular": (ROOT / "data" / "hepatocellular.csv", 34),
}


@pytest.mark.parametrize("name", FILES)
def test_survival_of_an_example_is_that_of_r(name):
    file, n_number = FILES[name]
    study = load_study(ROOT / "data" / f"{name}.yml")
    results = summarize_survival(load_cohort(file, study))
    expected = IN_R[IN_R["study"] == name].fillna({"value": np.inf})
    assert set(expected["endpoint"]) == set(study.endpoints)
    assert len(expected) == n_number
    for row in expected.itertuples():
        keys = {"analysis": "survival", "endpoint": row.endpoint, "variable": "arm", "level": ""}
        found = value_of(results, group=row.group, statistic=row.statistic, **keys)
        assert found == pytest.approx(row.value, rel=1e-6), (row.group, row.statistic)
