import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from reconstruct.invented_study import STUDY, frame_of, print_tables, true_patients

from helpers.cohort import cohort_from_frame, load_cohort
from helpers.demographics import summarize_demographics
from helpers.published import DIFFERS, REPRODUCED, compare, load_ledger
from helpers.reconstruct.patients import fill_patients
from helpers.response import summarize_response
from helpers.safety import summarize_safety

DATA = Path(__file__).parents[2] / "data"
SUMMARIES = summarize_demographics, summarize_response, summarize_safety


def known_part(path, study) -> pd.DataFrame:
    """Arm, categorical prognostic covariates and survival times of a cohort file."""
    cohort, file = load_cohort(path, study), pd.read_csv(path)
    frame = cohort.data[["arm", *study.prognostic]].loc[:, lambda f: ~f.columns.duplicated()]
    frame = frame.astype(str).rename(columns={"arm": study.arm.column})
    for endpoint in study.endpoints.values():
        frame[endpoint.time], frame[endpoint.event] = file[endpoint.time], file[endpoint.event]
    return frame


@pytest.fixture(scope="module")
def frame(study):
    return known_part(DATA / "cohort.csv", study)


@pytest.fixture(scope="module")
def ledger():
    return load_ledger(DATA / "published.csv")


@pytest.fixture(scope="module")
def filled(frame, ledger, study):
    return fill_patients(frame, ledger, study, 20240387)


@pytest.fixture(scope="module")
def cohort(filled, study):
    return cohort_from_frame(filled, study)


def compared(cohort, ledger):
    results = pd.concat([summarize(cohort) for summarize in SUMMARIES], ignore_index=True)
    comparison = compare(results, ledger)
    return comparison[comparison["analysis"].isin(results["analysis"])]


def test_every_number_outside_survival_comes_back(cohort, ledger):
    comparison = compared(cohort, ledger)
    missed = comparison[comparison["verdict"] != REPRODUCED]
    truncated = missed["note"].str.contains("truncated")
    assert list(missed.loc[~truncated, "id"]) == []
    assert len(missed) == 5
    assert (comparison["verdict"] == REPRODUCED).sum() > 400


def test_what_was_known_is_kept(filled, frame, cohort, study):
    for endpoint in study.endpoints.values():
        assert filled[endpoint.time].equals(frame[endpoint.time])
        assert filled[endpoint.event].equals(frame[endpoint.event])
    for key in study.prognostic:
        assert list(cohort.data[key].astype(str)) == list(frame[key])


def test_no_cell_is_empty_and_no_identifier_stands_twice(filled, study):
    assert filled.notna().all(axis=None)
    assert filled[study.identifier].is_unique


def test_every_patient_is_eligible(cohort):
    results = summarize_demographics(cohort)
    rows = results[(results["analysis"] == "eligibility") & (results["statistic"] == "percent")]
    assert len(rows) and (rows["value"] == 100).all()


def test_the_same_seed_gives_the_same_bytes_elsewhere(filled, frame, tmp_path):
    frame.to_csv(tmp_path / "frame.csv", index=False)
    program = f"""
import pandas as pd
from helpers.published import load_ledger
from helpers.reconstruct.patients import fill_patients
from helpers.study import load_study
filled = fill_patients(
    pd.read_csv({str(tmp_path / "frame.csv")!r}),
    load_ledger({str(DATA / "published.csv")!r}),
    load_study({str(DATA / "study.yml")!r}),
    20240387,
)
filled.to_csv({str(tmp_path / "filled.csv")!r}, index=False)
"""
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        check=True,
        env={"PYTHONHASHSEED": "1", "PATH": ""},
    )
    here = filled.to_csv(index=False).encode()
    there = (tmp_path / "filled.csv").read_bytes()
    assert hashlib.sha256(there).hexdigest() == hashlib.sha256(here).hexdigest()


def test_another_seed_gives_another_cohort_with_the_same_numbers(filled, frame, ledger, study):
    other = fill_patients(frame, ledger, study, 1)
    assert not other.equals(filled)
    missed = compared(cohort_from_frame(other, study), ledger)
    assert (missed["verdict"] == DIFFERS).sum() == 0


def test_progression_as_best_response_is_the_earliest_progression(cohort):
    for _, arm in cohort.data.groupby("arm", observed=True):
        failed = arm["response"] == "pd"
        assert failed.any()
        assert arm.loc[failed, "pfs_event"].eq(1).all()
        later = ~failed & (arm["pfs_event"] == 1)  # who was censored earlier did not progress then
        assert arm.loc[failed, "pfs_time"].max() <= arm.loc[later, "pfs_time"].min()


def test_no_drug_outlasts_the_patient(cohort):
    assert (cohort.data["tki_duration"] <= cohort.data["os_time"]).all()


def test_severe_events_are_nested_and_interruptions_have_events(cohort, study):
    grades = cohort.data[[f"ae_{event}" for event in study.adverse_events.events]]
    assert set(np.unique(grades)) == {0, 1, 2, 3}
    stopped = cohort.data["interruption"] == 1
    assert grades[stopped].max(axis=1).min() >= grades.max(axis=1).median()


def test_ranks_go_together_as_assumed(cohort):
    data = cohort.data
    b = data["child_pugh"] == "b"
    for variable, sign in (("total_bilirubin", 1), ("albumin", -1), ("platelet", -1)):
        assert sign * data.loc[b, variable].median() > sign * data.loc[~b, variable].median()
    assert data["alt"].corr(data["ast"], method="spearman") > 0.5
    event = data["ae_elevated_alt"] > 0
    assert data.loc[event, "alt_followup"].median() > data.loc[~event, "alt_followup"].median()
    described = data[data["afp_baseline"] > 7]
    fall = described["afp_followup"] / described["afp_baseline"]
    by_response = fall.groupby(described["response"], observed=True).median()
    assert by_response["cr"] < by_response["sd"] < by_response["pd"]
    assert by_response[["cr", "pr"]].max() < 1


@pytest.mark.parametrize("n", [31, 39])
def test_afp_can_be_described_in_31_to_39_of_the_control_arm(n, frame, ledger, study):
    filled = fill_patients(frame, with_described(ledger, n), study, 2)
    assert described_in_control(filled) == n


@pytest.mark.parametrize("n", [30, 40])
def test_fewer_or_more_exclude_the_printed_quartiles(n, frame, ledger, study):
    """With 30, the median lies between ranks 15 and 16; but the upper 15 values are above 400,
    and 220.5 as the mean of such a value and one below needs one below 41, under Q1. With 40,
    22 are left to the other arm, of which 17 are above 400: Q1 is a quarter of rank 5 and
    three quarters of rank 6, which is above 400."""
    with pytest.raises(ValueError, match="afp: no number of patients"):
        fill_patients(frame, with_described(ledger, n), study, 2)


def with_described(ledger, n):
    keys = {"analysis": "measurement", "variable": "afp", "level": "baseline", "group": "tace_t"}
    row = keys | {"id": "added", "statistic": "n", "printed": str(n), "precision": "0"}
    added = pd.DataFrame([row | {"class": "cohort", "decimals": "0"}])
    return pd.concat([ledger, added], ignore_index=True).fillna("")


def described_in_control(filled):
    return int(((filled["arm"] == "tace_t") & (filled["afp_baseline"] > 7)).sum())


@pytest.fixture(scope="module")
def patients():
    return true_patients()


@pytest.fixture(scope="module")
def tables(patients):
    return print_tables(patients)


@pytest.fixture(scope="module")
def rebuilt(patients, tables):
    return fill_patients(frame_of(patients), tables, STUDY, 3)


def test_every_number_of_an_invented_study_comes_back(rebuilt, tables):
    comparison = compared(cohort_from_frame(rebuilt, STUDY), tables)
    assert len(comparison) == len(tables)
    assert list(comparison.loc[comparison["verdict"] != REPRODUCED, "id"]) == []


def test_it_is_not_the_true_cohort(rebuilt, patients):
    assert set(rebuilt) == set(patients)
    assert not (rebuilt["weight"].to_numpy() == patients["weight"].to_numpy()).all()


def test_an_arm_of_which_nothing_is_printed_has_the_treatments_of_the_others(rebuilt):
    share = (rebuilt["iron"] == "oral").groupby(rebuilt["randomised"]).mean()
    assert min(share[1], share[2]) - 0.05 <= share[3] <= max(share[1], share[2]) + 0.05


def test_values_below_zero_are_allowed_where_the_print_has_them(rebuilt):
    assert rebuilt["be"].min() < 0 < rebuilt["crp"].min()


def test_codes_are_those_of_the_file(rebuilt):
    assert set(rebuilt["randomised"]) == {1, 2, 3}
    assert set(rebuilt["degree"]) == {"I", "II", "III"}


def test_what_is_not_printed_is_empty(patients, tables):
    silent = tables[~tables["variable"].isin(["crp", "rash", "lactate", "iron"])]
    rebuilt = fill_patients(frame_of(patients), silent, STUDY, 3)
    empty = {"crp", "ae_rash", "lactate_1", "lactate_2", "iron", "iron_weeks"}
    assert set(rebuilt.columns[rebuilt.isna().all()]) == empty
    cohort_from_frame(rebuilt, STUDY)


def test_an_association_with_a_later_column_is_refused(patients, tables):
    study = STUDY.model_copy(update={"associations": {"crp": {"ae_rash": 0.5}}})
    with pytest.raises(ValueError, match="crp goes with ae_rash, of which nothing is known"):
        fill_patients(frame_of(patients), tables, study, 3)


def test_counts_that_exclude_each_other_are_refused(patients, tables):
    severe = (tables["variable"] == "rash") & (tables["level"] == "severe")
    wrong = tables.assign(printed=tables["printed"].where(~severe, "19"))
    with pytest.raises(ValueError, match="rash, usual: 19 severe events are printed"):
        fill_patients(frame_of(patients), wrong, STUDY, 3)
