"""Patients who are alike count as many: the same results as one row each."""

import numpy as np
import pandas as pd
import pytest
from three_arms import PATIENTS, three_arms

from helpers import condensed
from helpers.cohort import Cohort, cohort_from_frame
from helpers.condensed import N_PATIENT, condense, count
from helpers.estimators.cox import fit_cox
from helpers.estimators.proportional_hazards import TRANSFORMS, proportional_hazards
from helpers.regression import design_model
from helpers.results import KEYS
from helpers.survival import estimate_at_risk, estimate_curves, summarize_survival


@pytest.fixture
def always(monkeypatch):
    """Count small cohorts too."""
    monkeypatch.setattr(condensed, "LARGE", 1)
    monkeypatch.setattr(condensed, "CELLS_PER_PATIENT", 1000)


def test_rows_by_hand(always):
    cohort = three_arms()
    arm = pd.Categorical(list("aabba"), categories=["a", "b", "c"], ordered=True)
    columns = {"arm": arm, "os_time": [2.0, 2, 2, 1, 3], "os_event": [1.0, 1, 1, 0, 1]}
    data = pd.DataFrame({**columns, "age": [1.0, 2, 3, 4, 5]})
    found = condense(Cohort(data, cohort.study), "os", ["arm"]).data
    rows = sorted(found[["os_time", "os_event", "arm", N_PATIENT]].itertuples(index=False))
    assert rows == [(1, 0, "b", 1), (2, 1, "a", 2), (2, 1, "b", 1), (3, 1, "a", 1)]
    assert found["arm"].dtype == data["arm"].dtype
    assert (count(found), count(found, found["os_event"]), count(data)) == (5, 4, 5)


def test_a_missing_level_stays_missing(always):
    cohort = three_arms()
    data = cohort.data.copy()
    data.loc[data.index[:7], "arm"] = None
    found = condense(Cohort(data, cohort.study), "os", ["arm"]).data
    assert found.loc[found["arm"].isna(), N_PATIENT].sum() == 7


def test_few_patients_and_measured_covariates_are_left_as_they_are(always, monkeypatch):
    cohort = three_arms()
    assert condense(cohort, "os", ["karno"]) is cohort
    monkeypatch.setattr(condensed, "LARGE", 10_000)
    assert condense(cohort, "os", ["arm"]) is cohort


@pytest.mark.parametrize("times", ["as they are", "rounded"])
def test_survival_is_that_of_one_row_each(always, monkeypatch, times):
    frame = PATIENTS if times == "as they are" else PATIENTS.assign(os_days=PATIENTS.os_days // 30)
    cohort = cohort_from_frame(frame, three_arms().study)
    when = np.array([0.0, 1, 2.5, 12])

    def compute():
        at_risk = estimate_at_risk(cohort, "os", when)
        results = summarize_survival(cohort).set_index(KEYS)["value"]
        return results, estimate_curves(cohort, "os"), at_risk

    assert len(condense(cohort, "os", ["arm"]).data) < len(frame)
    counted = compute()
    monkeypatch.setattr(condensed, "LARGE", 10_000)
    results, *frames = compute()
    pd.testing.assert_series_equal(counted[0], results, rtol=1e-9)
    for found, expected in zip(counted[1:], frames, strict=True):
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_hazards_are_checked_as_with_one_row_each(always, monkeypatch, transform):
    study = three_arms().study
    cohort = cohort_from_frame(PATIENTS.assign(os_days=PATIENTS.os_days // 30 + 1), study)
    found, expected = [], []
    for tests in (found, expected):
        design = design_model(cohort, "os", ["arm"])
        fit = fit_cox(*design.arrays, ties="efron", **design.options)
        checked = proportional_hazards(fit, transform=transform)
        tests += [test.p for test in (*checked.tests, checked.overall)]
        tests += [fit.concordance, fit.n, fit.n_event]
        monkeypatch.setattr(condensed, "LARGE", 10_000)
    assert found == pytest.approx(expected, abs=1e-9)
