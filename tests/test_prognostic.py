import numpy as np
import pytest
from three_arms import DESIGNS, PATIENTS, STUDY, assert_equals_r, three_arms

from helpers.estimators.cox import MONOTONE
from helpers.prognostic import summarize_prognostic_factors
from helpers.results import select, value_of
from helpers.tables import table_cox, table_cox_sensitivity

MODELS = ["cox_multivariable", "cox_full", "cox_firth"]


@pytest.fixture(scope="module")
def results():
    return summarize_prognostic_factors(three_arms())


@pytest.mark.parametrize("design", DESIGNS)
def test_equals_r(design):
    results = summarize_prognostic_factors(three_arms(design))
    assert_equals_r(results, design, "cox_univariable", "cox_multivariable", "cox_full")


def test_levels_are_counted_with_the_reference(results):
    rows = select(results, analysis="cox_univariable", endpoint="os", group="overall")
    counts = rows.set_index(["variable", "level", "statistic"])["value"]
    assert counts["arm", "squamous", "n"] == 35
    assert counts["arm", "large", "n_event"] == 26
    older = PATIENTS[PATIENTS["age"] >= 60]
    assert counts["age", "ge60", "n"] == len(older)
    assert counts["age", "ge60", "n_event"] == older["died"].sum()
    assert "karno" not in counts  # a continuous covariate has no levels


def test_a_model_takes_the_patients_in_whom_its_covariates_are_known(results):
    def n(analysis, variable=""):
        return value_of(
            select(results, endpoint="os", level="", group=""),
            analysis=analysis,
            variable=variable,
            statistic="n",
        )

    assert n("cox_univariable", "prior") == 110
    assert n("cox_univariable", "karno") == PATIENTS["karno"].notna().sum() == 99
    complete = PATIENTS[["karno", "age"]].notna().all(axis=1).sum()
    assert n("cox_full") == n("cox_multivariable") == complete


def test_a_hazard_ratio_is_for_the_step_that_the_study_file_names(results):
    study = three_arms().study
    karno = study.covariates["karno"].model_copy(update={"per": 10})
    wider = three_arms(covariates={**STUDY["covariates"], "karno": karno.model_dump()})
    keys = {"endpoint": "os", "variable": "karno", "group": "per_unit"}
    for analysis in ("cox_univariable", "cox_full"):
        one, ten = (
            value_of(rows, analysis=analysis, statistic="hazard_ratio", **keys)
            for rows in (results, summarize_prognostic_factors(wider))
        )
        assert ten == pytest.approx(one**10, rel=1e-9)
    assert wider.study.describe_step("karno") == "Karnofsky score (points), per 10"


def test_a_covariate_that_is_screened_out_says_so(results):
    # R: p 0.483 of earlier therapy.
    assert value_of(results, endpoint="os", variable="prior", statistic="entered") == 0
    for analysis in ("cox_multivariable", "cox_firth"):
        rows = select(results, analysis=analysis, endpoint="os", variable="prior")
        assert rows["value"].isna().all()
        assert set(rows["method"]) == {"none: screened out, p 0.483"}
        assert set(rows["group"]) == {"yes_vs_no", "no_vs_yes"}
    full = select(results, analysis="cox_full", variable="prior", statistic="hazard_ratio")
    assert full["value"].notna().all()


def test_models_have_the_same_statistics_whether_a_covariate_entered_or_not(results):
    for analysis in MODELS:
        rows = select(results, analysis=analysis, endpoint="os")
        found = {
            variable: set(select(rows, variable=variable)["statistic"])
            for variable in ("arm", "karno", "prior", "age")
        }
        assert found["prior"] == found["arm"] == found["karno"] == found["age"], analysis


@pytest.mark.parametrize(("threshold", "n_entered"), [(1e-9, 0), (0.01, 2), (0.1, 3), (1, 4)])
def test_screening_threshold(threshold, n_entered):
    cohort = three_arms(conventions={"screening_threshold": threshold})
    results = summarize_prognostic_factors(cohort)
    assert select(results, endpoint="os", statistic="entered")["value"].sum() == n_entered
    rows = select(results, analysis="cox_multivariable", endpoint="os", variable="")
    if not n_entered:
        assert value_of(rows, statistic="n_coefficient") == 0
        assert rows["method"].tolist() == ["none: no covariate to enter"]
    else:
        n_coefficient = n_entered + 1  # the arm has two
        assert value_of(rows, statistic="n_coefficient") == n_coefficient
        n_event = value_of(rows, statistic="n_event")
        per_variable = value_of(rows, statistic="events_per_variable")
        assert per_variable == pytest.approx(n_event / n_coefficient)


def test_a_level_without_events_does_not_enter_and_firth_gives_it_a_ratio(results):
    assert np.isnan(value_of(results, endpoint="pfs", variable="arm", statistic="p_screening"))
    full = select(results, analysis="cox_full", endpoint="pfs", group="large_vs_squamous")
    assert set(full.loc[full["statistic"] == "hazard_ratio", "method"]) == {f"none: {MONOTONE}"}
    cohort = three_arms(conventions={"screening_threshold": 1})
    everything = summarize_prognostic_factors(cohort)
    firth = select(everything, analysis="cox_firth", endpoint="os").set_index(
        ["group", "statistic"]
    )
    ratio = firth["value"]["large_vs_squamous", "hazard_ratio"]
    limits = [
        firth["value"]["large_vs_squamous", f"hazard_ratio_conf_{end}"] for end in ("low", "high")
    ]
    assert limits[0] < ratio < limits[1]
    assert firth["method"]["large_vs_squamous", "hazard_ratio_conf_low"] == (
        "profile penalized likelihood"
    )


def test_a_covariate_without_a_maximum_is_left_to_firth_and_the_tables_say_why(results):
    study = three_arms().study
    keys = {"endpoint": "pfs", "variable": "arm"}
    rows = select(results, analysis="cox_multivariable", **keys)
    assert set(rows["method"]) == {f"none: screened out, no p: {MONOTONE}"}
    rows = select(results, analysis="cox_firth", group="large_vs_squamous", **keys)
    value = rows.set_index("statistic")["value"]
    assert 0 < value["hazard_ratio_conf_low"] < value["hazard_ratio"] < 0.5  # of no event
    assert value["hazard_ratio"] < value["hazard_ratio_conf_high"] < np.inf
    reason = f"No hazard ratio (–) of Cell type: large: {MONOTONE}."
    assert reason in table_cox(results, study, "pfs").notes
    table = table_cox_sensitivity(results, study, "pfs")
    assert reason in table.notes
    assert "with those that alone have no estimate" in table.notes[0]
    table = table_cox_sensitivity(results, study, "os")
    assert table.notes == [
        "Firth’s penalty: the covariates of the multivariable model; profile likelihood."
    ]


def test_firth_shrinks_towards_no_effect_and_mirrors_its_limits(results):
    rows = select(results, endpoint="os", variable="karno", statistic="coef")
    coef = rows.set_index("analysis")["value"]
    assert abs(coef["cox_firth"]) < abs(coef["cox_multivariable"])
    firth = select(results, analysis="cox_firth", endpoint="os", variable="arm")
    value = firth.set_index(["group", "statistic"])["value"]
    assert value["large_vs_squamous", "hazard_ratio_conf_low"] == pytest.approx(
        1 / value["squamous_vs_large", "hazard_ratio_conf_high"]
    )
    assert (
        value["large_vs_squamous", "p_likelihood_ratio"]
        == (value["squamous_vs_large", "p_likelihood_ratio"])
    )


def test_joint_test_of_several_levels(results):
    rows = select(results, analysis="cox_univariable", endpoint="os", variable="arm")
    assert set(select(rows, statistic="p_screening")["method"]) == {"joint Wald test"}
    single = select(results, analysis="cox_univariable", endpoint="os", variable="karno")
    assert value_of(single, statistic="p_screening") == pytest.approx(
        value_of(single, statistic="p_wald")
    )


def test_no_event_at_all():
    cohort = three_arms()
    data = cohort.data.assign(os_event=0, pfs_event=0)
    results = summarize_prognostic_factors(type(cohort)(data, cohort.study))
    assert select(results, statistic="hazard_ratio")["value"].isna().all()
    assert (select(results, statistic="entered")["value"] == 0).all()
    assert (select(results, statistic="n_event")["value"] == 0).all()


def test_limits_of_many_patients_are_walds_and_the_table_says_so(results, monkeypatch):
    assert "profile likelihood" in table_cox_sensitivity(results, three_arms().study, "os").notes[0]
    monkeypatch.setattr("helpers.prognostic.LARGE", 1)
    cohort = three_arms()
    found = summarize_prognostic_factors(cohort)
    assert "Wald" in table_cox_sensitivity(found, cohort.study, "os").notes[0]
