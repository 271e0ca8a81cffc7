from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort

from helpers.cohort import cohort_from_frame
from helpers.demographics import summarize_demographics
from helpers.published import load_ledger
from helpers.results import KEYS, select, value_of
from helpers.study import Study, load_study

DATA = Path(__file__).parents[1] / "data"
YES_NO = {"no": {"label": "No"}, "yes": {"label": "Yes"}}
STUDY = {
    "title": "Toy",
    "arm": {
        "column": "group",
        "label": "Group",
        "reference": "old",
        "levels": {"old": {"label": "Old"}, "new": {"label": "New"}},
    },
    "endpoints": {"os": {"label": "Survival", "abbreviation": "OS", "time": "t", "event": "e"}},
    "covariates": {
        "spread": {"kind": "categorical", "label": "Spread", "reference": "no", "levels": YES_NO},
        "large": {"kind": "categorical", "label": "Large", "reference": "no", "levels": YES_NO},
        "weight": {"kind": "continuous", "label": "Weight", "summary": "mean_sd"},
        "marker": {"kind": "continuous", "label": "Marker"},
    },
    "baseline": ["spread", "weight", "marker"],
    "eligibility": [
        {"label": "Spread", "any_of": [{"variable": "spread", "level": "yes"}]},
        {
            "label": "Either",
            "any_of": [
                {"variable": "spread", "level": "no"},
                {"variable": "large", "level": "yes"},
            ],
        },
    ],
    "exposures": {
        "drug": {
            "label": "Drug",
            "column": "drug",
            "duration": "months",
            "levels": {"a": {"label": "A"}, "b": {"label": "B"}},
        }
    },
}
PATIENTS = pd.DataFrame(
    [
        ["old", "no", "yes", 60, 1, "a", 2],
        ["old", "no", "no", 70, 2, "a", 4],
        ["old", "yes", None, 80, 4, "b", 9],
        ["new", "yes", "yes", 70, 8, None, None],
        ["new", None, "no", 90, None, None, None],
    ],
    columns=["group", "spread", "large", "weight", "marker", "drug", "months"],
).assign(t=1, e=0)


@pytest.fixture(scope="module")
def results():
    cohort = cohort_from_frame(PATIENTS, Study.model_validate(STUDY))
    return summarize_demographics(cohort)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("cohort,,,overall,n", 5),
        ("cohort,,,old,n", 3),
        ("baseline,spread,yes,overall,n", 2),
        ("baseline,spread,yes,overall,percent", 50),
        ("baseline,spread,yes,new,percent", 100),
        ("baseline,spread,,new,n_missing", 1),
        ("baseline,spread,,between_arms,p", 1),  # 2 of the 4 equally likely tables are so
        ("baseline,spread,,new_vs_old,smd", (2 / 3) / np.sqrt((2 / 9) / 2)),
        ("baseline,weight,,old,mean", 70),
        ("baseline,weight,,old,sd", 10),
        ("baseline,weight,,new_vs_old,smd", 10 / np.sqrt((100 + 200) / 2)),
        ("baseline,marker,,old,q1", 1.5),
        ("baseline,marker,,old,median", 2),
        ("baseline,marker,,old,q3", 3),
        ("baseline,marker,,new,n", 1),
        ("baseline,marker,,new,n_missing", 1),
        ("eligibility,1,,overall,n", 2),
        ("eligibility,1,,overall,n_missing", 1),
        ("eligibility,2,,overall,n", 3),  # unknown: spread but size missing, and the reverse
        ("eligibility,2,,overall,n_missing", 2),
        ("eligibility,all,,overall,n", 1),
        ("eligibility,all,,overall,n_missing", 2),
        ("exposure,drug,a,old,n", 2),
        ("exposure,drug,a,old,percent", 200 / 3),
        ("exposure,drug,a,old,duration_mean", 3),
        ("exposure,drug,a,old,duration_sd", np.sqrt(2)),
        ("exposure,drug,,old,duration_median", 4),
        ("exposure,drug,,new,n_missing", 2),
        ("exposure,drug,,new,duration_mean", np.nan),
        ("exposure,drug,a,new,n", np.nan),
    ],
)
def test_by_hand(results, keys, expected):
    names = ["analysis", "variable", "level", "group", "statistic"]
    found = value_of(results, **dict(zip(names, keys.split(","), strict=True)))
    assert found == pytest.approx(expected, nan_ok=True)


def test_method_names_the_test_and_the_quantile(results):
    p = select(results, analysis="baseline", statistic="p").set_index("variable")["method"]
    assert p.to_dict() == {
        "spread": "fisher",
        "weight": "student_t",
        "marker": "mann_whitney_continuity",
    }
    assert set(select(results, variable="marker", statistic="median")["method"]) == {"type_7"}


def test_every_printed_key_is_computed():
    study = load_study(DATA / "study.yml")
    results = summarize_demographics(random_cohort(study))
    ledger = select(
        load_ledger(DATA / "published.csv"), analysis=["cohort", "baseline", "exposure"]
    )
    keys = pd.MultiIndex.from_frame(results[KEYS])
    assert len(ledger) > 200
    assert pd.MultiIndex.from_frame(ledger[KEYS]).isin(keys).all()


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_three_arms_and_missing_values(missing):
    content = load_study(DATA / "study.yml").model_dump(exclude_unset=True)
    content["arm"]["levels"]["third"] = {"label": "Third"}
    study = Study.model_validate(content)
    results = summarize_demographics(random_cohort(study, n=60, missing=missing))
    contrasts = set(select(results, statistic="smd")["group"])
    assert contrasts == {f"{arm}_vs_tace_t" for arm in ("tace_tc", "third")}
    assert len(select(results, statistic="p")) == len(study.baseline)
    tests = select(results, statistic="p")
    assert (tests["value"].notna() | tests["method"].str.startswith("none: ")).all()
