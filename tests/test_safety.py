from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort
from test_demographics import STUDY

from helpers.cohort import cohort_from_frame
from helpers.published import load_ledger
from helpers.results import KEYS, select, value_of
from helpers.safety import summarize_safety
from helpers.study import Study, load_study

DATA = Path(__file__).parents[1] / "data"
CONTENT = {key: STUDY[key] for key in ("title", "arm", "endpoints")} | {
    "adverse_events": {
        "interruption": "stopped",
        "events": {"rash": {"label": "Rash"}, "pain": {"label": "Pain"}},
    }
}
PATIENTS = pd.DataFrame(
    [
        ["old", 0, 0, 0],
        ["old", 1, 0, 0],
        ["old", 3, 0, 1],
        ["old", None, 2, 0],
        ["new", 4, 0, 0],
        ["new", 2, 1, 0],
        ["new", None, 0, None],
    ],
    columns=["group", "ae_rash", "ae_pain", "stopped"],
).assign(t=1, e=0)


@pytest.fixture(scope="module")
def results():
    return summarize_safety(cohort_from_frame(PATIENTS, Study.model_validate(CONTENT)))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("adverse_event,rash,any_grade,old,n", 2),
        ("adverse_event,rash,any_grade,old,percent", 200 / 3),
        ("adverse_event,rash,any_grade,old,n_missing", 1),
        ("adverse_event,rash,any_grade,overall,n", 4),
        ("adverse_event,rash,severe,new,n", 1),
        ("adverse_event,rash,any_grade,new_vs_old,risk_difference", 100 / 3),
        ("adverse_event,pain,severe,overall,n", 0),
        ("adverse_event,pain,severe,between_arms,p", np.nan),
        ("adverse_event,any,any_grade,old,n", 3),  # a missing grade cannot change this answer
        ("adverse_event,any,any_grade,new,n", 2),
        ("adverse_event,any,any_grade,new,n_missing", 1),
        ("adverse_event,any,severe,old,n_missing", 1),
        ("interruption,,,old,n", 1),
        ("interruption,,,old,percent", 25),
        ("interruption,,,new,n_missing", 1),
    ],
)
def test_by_hand(results, keys, expected):
    names = ["analysis", "variable", "level", "group", "statistic"]
    found = value_of(results, **dict(zip(names, keys.split(","), strict=True)))
    assert found == pytest.approx(expected, nan_ok=True)


def test_severe_begins_where_the_study_says():
    content = CONTENT | {"adverse_events": CONTENT["adverse_events"] | {"severe_from": 4}}
    results = summarize_safety(cohort_from_frame(PATIENTS, Study.model_validate(content)))
    assert value_of(results, variable="rash", level="severe", group="old", statistic="n") == 0
    assert value_of(results, variable="rash", level="severe", group="new", statistic="n") == 1


def test_what_nobody_has_says_why_there_is_no_test(results):
    test = select(results, variable="pain", level="severe", statistic="p")
    assert test["method"].item() == "none: fewer than two rows or columns are observed"


def test_a_study_without_adverse_events_gives_no_rows():
    assert summarize_safety(random_cohort(Study.model_validate(STUDY), n=8)).empty


def test_every_printed_key_is_computed():
    results = summarize_safety(random_cohort(load_study(DATA / "study.yml")))
    ledger = select(load_ledger(DATA / "published.csv"), analysis=["adverse_event", "interruption"])
    assert len(ledger) > 100
    keys = pd.MultiIndex.from_frame(results[KEYS])
    assert pd.MultiIndex.from_frame(ledger[KEYS]).isin(keys).all()
