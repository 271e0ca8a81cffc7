import numpy as np
import pandas as pd
import pytest

from helpers.cohort import cohort_from_frame
from helpers.imputation import fit_imputed, impute, pool
from helpers.regression import design_model, fit_model
from helpers.study import Study

CONTENT = {
    "title": "Toy",
    "arm": {
        "column": "arm",
        "label": "Arm",
        "reference": "a",
        "levels": {"a": {"label": "A"}, "b": {"label": "B"}},
    },
    "endpoints": {"os": {"label": "OS", "abbreviation": "OS", "time": "t", "event": "e"}},
    "covariates": {
        "age": {"kind": "continuous", "label": "Age"},
        "stage": {
            "kind": "categorical",
            "label": "Stage",
            "reference": "i",
            "levels": {"i": {"label": "I"}, "ii": {"label": "II"}, "iii": {"label": "III"}},
        },
    },
    "prognostic": ["arm", "age", "stage"],
    "conventions": {"missing": "mice", "imputations": 3},
}
STUDY = Study.model_validate(CONTENT)
VARIABLES = STUDY.prognostic


@pytest.fixture
def frame():
    rng = np.random.default_rng(5)
    n = 60
    return pd.DataFrame(
        {
            "arm": np.tile(["a", "b"], n // 2),
            "age": rng.normal(60, 8, n).round(),
            "stage": rng.choice(["i", "ii", "iii"], n),
            "t": rng.exponential(20, n).round(1) + 0.1,
            "e": rng.choice([0, 1], n, p=[0.3, 0.7]),
        }
    )


def test_nothing_to_impute_gives_the_fit_of_all_patients(frame):
    cohort = cohort_from_frame(frame, STUDY)
    design, fit = fit_imputed(cohort, "os", VARIABLES)
    plain = fit_model(design_model(cohort, "os", VARIABLES), STUDY.conventions)
    np.testing.assert_array_equal(fit.coef, plain.coef)
    np.testing.assert_allclose(fit.std_error, plain.std_error, rtol=1e-14)
    np.testing.assert_allclose(fit.wald_p(), plain.wald_p(), rtol=1e-9)
    assert fit.method.endswith("nothing to impute")


def test_known_values_stay_and_imputed_ones_were_observed(frame):
    gaps = frame.assign(age=frame["age"].mask(frame.index % 7 == 0))
    gaps["stage"] = gaps["stage"].mask(frame.index % 11 == 3)
    cohort = cohort_from_frame(gaps, STUDY)
    filled = list(impute(cohort, "os", VARIABLES))
    assert len(filled) == 3
    for one in filled:
        assert one.data[VARIABLES].notna().all(axis=None)
        known = cohort.data["age"].notna()
        assert (one.data["age"][known] == cohort.data["age"][known]).all()
        assert set(one.data["age"]) <= set(cohort.data["age"].dropna())
        assert one.data["stage"].dtype == cohort.data["stage"].dtype
    again = list(impute(cohort, "os", VARIABLES))
    pd.testing.assert_frame_equal(filled[2].data, again[2].data)
    assert not filled[0].data.equals(filled[2].data)


class Fit:
    reasons = ("",)
    n, n_event, method = 10, 6, "cox"

    def __init__(self, coef, std_error):
        self.coef, self.std_error = np.array([coef]), np.array([std_error])


def test_rubins_rules_by_hand():
    """Coefficients 1, 2, 3 with variances 1, 1, 4: within 2, between 1, total 2 + 4/3."""
    fit = pool([Fit(1, 1), Fit(2, 1), Fit(3, 2)])
    assert fit.coef[0] == 2
    assert fit.std_error[0] == pytest.approx(np.sqrt(10 / 3))
    assert fit.freedom[0] == pytest.approx(2 * (1 + 2 / (4 / 3)) ** 2)
