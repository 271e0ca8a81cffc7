from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.formats import format_number
from helpers.published import load_ledger
from helpers.reconstruct.exposures import fill_exposures
from helpers.reconstruct.filling import Filling
from helpers.study import load_study

DATA = Path(__file__).parents[2] / "data"
COUNTS = {"apatinib": 30, "sorafenib": 8, "lenvatinib": 8}
MEANS = {"apatinib": "13.14", "sorafenib": "17.48", "lenvatinib": "19.70"}


@pytest.fixture(scope="module")
def study():
    return load_study(DATA / "study.yml")


@pytest.fixture(scope="module")
def ledger():
    return load_ledger(DATA / "published.csv")


def months(progression_free, overall):
    """Patients whose progression-free and overall survival have these means, in months."""
    rng = np.random.default_rng(1)
    shape = rng.exponential(size=88)
    shape /= np.repeat([shape[:42].mean(), shape[42:].mean()], [42, 46])
    return pd.DataFrame(
        {
            "arm": np.repeat(["tace_t", "tace_tc"], [42, 46]),
            "pfs_days": np.rint(shape * progression_free * 30.4375),
            "os_days": np.rint(shape * overall * 30.4375),
        }
    )


def filled(frame, ledger, study):
    filling = Filling(frame, ledger, study, 1)
    fill_exposures(filling)
    return frame.assign(**filling.columns)


@pytest.mark.parametrize("progression_free", [16, 14])
def test_counts_and_mean_durations_come_back(progression_free, ledger, study):
    patients = filled(months(progression_free, 30), ledger, study)
    triple = patients[patients["arm"] == "tace_tc"].groupby("tki")["tki_months"]
    assert triple.count().to_dict() == COUNTS
    assert {drug: format_number(mean, 2) for drug, mean in triple.mean().items()} == MEANS
    assert (patients["tki_months"] * 30.4375 <= patients["os_days"]).all()


def test_treatment_ends_at_progression_where_the_printed_means_allow(ledger, study):
    """The mean over the 46 patients is 15.03 months."""
    patients = filled(months(16, 30), ledger, study)
    assert (patients["tki_months"] * 30.4375 <= patients["pfs_days"]).all()
    patients = filled(months(14, 30), ledger, study)
    later = patients["tki_months"] * 30.4375 > patients["pfs_days"]
    assert later[patients["arm"] == "tace_tc"].any()
    assert not later[patients["arm"] == "tace_t"].any()


def test_means_that_outlast_the_patients_are_refused(ledger, study):
    with pytest.raises(ValueError, match="tki .*: the printed mean duration is longer"):
        filled(months(10, 12), ledger, study)


def test_an_arm_without_print_has_the_shares_of_the_other(ledger, study):
    patients = filled(months(16, 30), ledger, study)
    control = patients.loc[patients["arm"] == "tace_t", "tki"].value_counts()
    assert control.to_dict() == {"apatinib": 28, "sorafenib": 7, "lenvatinib": 7}
