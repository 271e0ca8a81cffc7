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


@pytest.mark.parametrize(("name", "file"), [("actg175", "ACTG175.csv"), ("gbsg2", "gbsg2.csv")])
def test_survival_of_a_public_data_set_is_that_of_r(name, file):
    study = load_study(ROOT / "data" / f"{name}.yml")
    results = summarize_survival(load_cohort(LIFELINES / file, study))
    (endpoint,) = study.endpoints
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm", "level": ""}
    expected = IN_R[IN_R["study"] == name].fillna({"value": np.inf})
    assert len(expected) == {"actg175": 37, "gbsg2": 27}[name]
    for row in expected.itertuples():
        found = value_of(results, group=row.group, statistic=row.statistic, **keys)
        assert found == pytest.approx(row.value, rel=1e-6), (row.group, row.statistic)
