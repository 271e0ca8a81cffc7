"""What the chapter about the making of the cohort computes, and the cohort as patients."""

import numpy as np
import pandas as pd
import pytest
from small_book import ROOT

from helpers.cohort import cohort_from_frame, load_cohort
from helpers.estimators.cox import fit_cox
from helpers.published import DIFFERS, NOT_TESTABLE, REPRODUCED, WITHIN_ROUNDING
from helpers.reconstruct.chapter import open_reconstruction
from helpers.reconstruct.exchanges import summarize_exchanges
from helpers.reconstruct.misses import count_misses, count_missing, summarize_misses
from helpers.reconstruct.plausible import (
    _at_visit,
    summarize_associations,
    summarize_plausibility,
    summarize_skew,
)
from helpers.reconstruct.readings import (
    summarize_event_bounds,
    summarize_open_intervals,
    summarize_readings,
)
from helpers.study import load_study


@pytest.fixture(scope="module")
def made():
    return open_reconstruction(
        ROOT / "data/cohort.csv", ROOT / "data/study.yml", ROOT / "data/published.csv"
    )


def test_every_synthetic_patient_could_be_a_patient(made):
    found = summarize_plausibility(made.cohort, ("os", "pfs"), (6, 8), 6.5)
    required = found[found["must"]]
    assert len(required) == 7
    assert (required["n"] == required["of"]).all(), required.to_string()
    assert (required["of"] > 0).all()


def test_laboratory_values_are_skewed_to_the_right(made):
    skew = summarize_skew(made.cohort).set_index("variable")
    liver = skew.loc[["alt", "ast", "ggt", "total_bilirubin"]]
    assert (liver["skewness"] > 1).all()
    assert (liver["skewness_log"].abs() < liver["skewness"]).all()
    afp = np.log(made.cohort.data["afp_baseline"])
    assert made.cohort.data["afp_baseline"].skew() > 2 > abs(afp.skew())


def test_what_goes_together_has_the_assumed_sign(made):
    found = summarize_associations(made.cohort)
    strong = found[found["assumed"].abs() >= 0.3]
    assert len(strong) > 10
    assert (np.sign(strong["found"]) == np.sign(strong["assumed"])).all()


@pytest.mark.parametrize(
    ("day", "reached"), [(41, 0), (42, 1), (56, 1), (57, 0), (84, 1), (112, 1), (120, 0), (300, 1)]
)
def test_days_that_visits_every_six_to_eight_weeks_reach(day, reached):
    assert _at_visit([day], (6, 8))[0] == reached


def test_a_patient_who_cannot_be_one_is_counted():
    study = load_study(ROOT / "data/ten_patients.yml")
    key = next(iter(study.endpoints))
    cells = pd.read_csv(ROOT / "data/ten_patients.csv", dtype=str)
    column = study.endpoints[key].time
    cells.loc[0, column] = "0.013"
    found = summarize_plausibility(cohort_from_frame(cells, study), (key, key), (6, 8), 100)
    assert found.set_index("check").iloc[0][["n", "of"]].tolist() == [
        _whole_days(cells[column], study, study.endpoints[key].unit),
        10,
    ]


def _whole_days(times, study, unit):
    days = times.astype(float) / study.time.per(unit) * study.time.per("days")
    return int(((days - days.round()).abs() < 1e-6).sum())


def test_misses_are_counted_in_units_of_the_last_digit():
    comparison = pd.DataFrame(
        {
            "section": ["a", "a", "a", "b", "b"],
            "printed": ["0.873", "14.1", "NA", "2", "5"],
            "computed": ["0.870", "14.2", "20.3", "2", ""],
            "precision": ["3", "1", "1", "0", "0"],
            "verdict": [DIFFERS, WITHIN_ROUNDING, DIFFERS, REPRODUCED, NOT_TESTABLE],
        }
    )
    assert summarize_misses(comparison)["units"].tolist() == [1.0, -3.0, np.inf]
    counts = count_misses(comparison)
    assert counts.loc["a"].tolist() == [0, 1, 0, 1, 0, 1, 3]
    assert counts.loc["b"].tolist() == [1, 0, 0, 0, 0, 0, 1]
    assert counts.loc["All"].tolist() == [1, 1, 0, 1, 0, 1, 4]


def test_every_miss_of_the_cohort_is_counted_once(made):
    counts = count_misses(made.comparison)
    assert counts.loc["All", counts.columns[:-1]].sum() == counts.loc["All", "total"]
    missing = count_missing(made.trace)
    assert (missing.diff().sum() <= 0).all()


def test_an_exchange_of_neighbours(made):
    found = summarize_exchanges(made.cohort, made.printed).set_index(["endpoint", "variable"])
    data = made.cohort.data.sort_values("os_time", kind="stable")
    x = (data["pvtt"] == "yes").to_numpy(float)
    event = data["os_event"].to_numpy(float)
    time = np.arange(1.0, len(x) + 1)
    start = fit_cox(time, event, x[:, None], ties="efron")
    moved = []
    for i in range(len(x) - 1):
        if x[i] != x[i + 1] and (event[i] or event[i + 1]):
            order = np.arange(len(x))
            order[[i, i + 1]] = i + 1, i
            fit = fit_cox(time, event[order], x[order][:, None], ties="efron")
            moved.append((fit.coef[0] - start.coef[0], fit.std_error[0] - start.std_error[0]))
    # printed 2.881: half of what prints alike is 0.0005 / 2.881 on the log scale, and a little
    # less, as the limits have to print alike too
    expected = np.median(np.abs(np.array(moved)), axis=0)
    row = found.loc["os", "pvtt"]
    assert row["n_exchange"] == len(moved)
    assert row["coef"] == pytest.approx(expected[0] / (0.0005 / 2.881), rel=0.03)
    assert row["coef"] > 1 > row["std_error"] > 0
    assert (found["std_error"] < found["coef"]).all()


def test_bounds_of_events(made):
    found = summarize_event_bounds(made.printed, {"os": 58, "pfs": 83})
    rows = found.set_index(["endpoint", "variable", "level"])
    # thrombus: information 7.21; d - d²/58 is 6.90 for 8 and 7.60 for 9
    assert rows.loc[("os", "pvtt", "yes"), ["n", "fewest", "most"]].tolist() == [10, 9, 10]
    assert rows.loc[("os", "pvtt", "no"), ["n", "fewest", "most"]].tolist() == [78, 48, 49]
    assert found.groupby("endpoint")["fewest_total"].max().to_dict() == {"os": 57, "pfs": 81}


def test_no_label_is_excluded_by_its_row_alone(made):
    found = summarize_readings(made.printed, {"os": 58, "pfs": 83})
    assert len(found) == 36
    assert (found["most"] >= found["information_low"]).all()
    assert (found["most"] <= 83 / 4).all()
    child_pugh = found[(found["endpoint"] == "os") & (found["variable"] == "child_pugh")]
    # at most d - d²/58 with all nine events of class B
    assert (child_pugh["most"] <= 9 - 81 / 58 + 1e-6).all()
    assert child_pugh["group"].tolist() == ["b_vs_a", "a_vs_b"]


def test_open_intervals(made):
    found = summarize_open_intervals(made.printed)
    assert found["n"].tolist() == [11, 12, 11, 12]
    assert found["log"].tolist() == [0, 0, 0, 0]
    assert found["log_log"].tolist() == [2, 2, 2, 2]
    assert found["at_most"].tolist() == [31, 31, 7, 7]


def test_the_cohort_is_read_as_stored(made):
    stored = load_cohort(ROOT / "data/cohort.csv", made.study)
    pd.testing.assert_frame_equal(stored.data, made.cohort.data)


def test_an_order_gives_the_three_rows_that_eligibility_couples(made):
    order = pd.read_csv(ROOT / "data/three_rows.csv")
    large, metastatic, thrombus = (
        (order[name] == level).to_numpy(float)
        for name, level in (("tumor_diameter", "ge5"), ("extrahepatic", "yes"), ("pvtt", "yes"))
    )
    assert ((large + metastatic + thrombus) > 0).all()
    assert [large.sum(), metastatic.sum(), thrombus.sum()] == [25, 63, 10]
    printed = {
        "tumor_diameter": (large, 0.873, 0.489, 1.561),
        "extrahepatic": (metastatic, 1.203, 0.645, 2.244),
        "pvtt": (thrombus, 2.881, 1.389, 5.975),
    }
    for x, *numbers in printed.values():
        fit = fit_cox(order["place"], order["death"], x[:, None], ties="efron")
        z = np.array([0, -1.959963984540054, 1.959963984540054])
        found = np.exp(fit.coef[0] + z * fit.std_error[0])
        np.testing.assert_allclose(found, numbers, rtol=0, atol=0.0005)
