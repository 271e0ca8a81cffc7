"""Each program's defaults against R, on public patients."""

import math
from pathlib import Path

import pandas as pd
import pytest

from helpers.cohort import Cohort, load_cohort
from helpers.disclosure import suppress
from helpers.results import join_results, value_of
from helpers.software import (
    OWN,
    PROGRAMS,
    SUMMARIES,
    adopt,
    summarize_hazard_tests,
    summarize_software,
)
from helpers.study import load_study
from helpers.survival import summarize_survival
from helpers.tables.software import (
    table_defaults,
    table_software_quartiles,
    table_software_survival,
    table_software_tests,
)

ROOT = Path(__file__).parents[1]
ARMS = {"0": "absent", "1": "present"}
CONF_TYPES = {"R": "log", "SAS": "log-log", "lifelines": "log-log"}
ENDS = {"0.95LCL": "median_conf_low", "0.95UCL": "median_conf_high"}


@pytest.fixture(scope="module")
def r():
    values = pd.read_csv(ROOT / "tests/reference/software.csv", float_precision="round_trip")
    return dict(zip(values["quantity"], values["value"], strict=True))


@pytest.fixture(scope="module")
def cohort():
    study = load_study(ROOT / "data/hepatocellular.yml")
    return load_cohort(ROOT / "data/hepatocellular.csv", study)


@pytest.fixture(scope="module")
def results(cohort):
    return summarize_software(cohort)


def number(results, program, **keys):
    return value_of(results.rename(columns={program: "value"}), **keys)


@pytest.mark.parametrize("program", CONF_TYPES)
@pytest.mark.parametrize("arm", ARMS)
def test_intervals_of_medians_are_those_of_r_on_the_same_scale(results, r, program, arm):
    keys = {"analysis": "survival", "endpoint": "os", "group": ARMS[arm]}
    for column, statistic in ENDS.items():
        found = number(results, program, **keys, statistic=statistic)
        assert found == r[f"median/{CONF_TYPES[program]}/{arm}/{column}"]
        assert math.isnan(number(results, "SPSS", **keys, statistic=statistic))
    found = number(results, program, **keys, statistic="median")
    assert found == r[f"median/log/{arm}/median"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_hazard_ratios_are_those_of_r_with_the_same_ties(results, r, program):
    keys = {"analysis": "survival", "endpoint": "os", "group": "present_vs_absent"}
    ties = PROGRAMS[program]["ties"]
    ratio = number(results, program, **keys, statistic="hazard_ratio")
    assert ratio == pytest.approx(r[f"cox/{ties}/hazard_ratio"], abs=1e-8)
    p = number(results, program, **keys, statistic="p_wald")
    assert p == pytest.approx(r[f"cox/{ties}/p"], abs=1e-8)


@pytest.mark.parametrize(
    ("program", "yates", "means"),
    [("R", "TRUE", "welch"), ("SAS", "FALSE", "student"), ("lifelines", "TRUE", "student")],
)
def test_tests_are_those_of_r_by_the_same_rule(results, r, program, yates, means):
    keys = {"analysis": "baseline", "group": "between_arms", "statistic": "p"}
    found = number(results, program, **keys, variable="cirrhosis")
    assert found == pytest.approx(r[f"chi_square/{yates}"], abs=1e-10)
    found = number(results, program, **keys, variable="age")
    assert found == pytest.approx(r[means], abs=1e-10)


def test_tests_of_proportional_hazards_are_those_of_r(cohort, results, r):
    tests = summarize_hazard_tests(cohort, summarize_survival(cohort))
    for transform in ("km", "identity", "log", "rank"):
        p = value_of(tests, endpoint="os", statistic=f"p_score_{transform}")
        assert p == pytest.approx(r[f"zph/{transform}"], abs=1e-8)
    keys = {"analysis": "survival", "endpoint": "os", "statistic": "p_proportional_hazards"}
    assert number(results, "R", **keys) == pytest.approx(r["zph/km"], abs=1e-8)
    assert math.isnan(number(results, "SAS", **keys))


def test_a_program_keeps_what_it_has_no_default_for(cohort):
    assert adopt(cohort, OWN) is cohort
    adopted = adopt(cohort, "SPSS").study.conventions
    assert adopted.baseline_quantile == 6
    assert adopted.median_conf_type == cohort.study.conventions.median_conf_type
    assert cohort.study.conventions.baseline_quantile == 7


def test_what_a_study_hides_is_hidden_for_every_program(cohort):
    study = cohort.study.model_copy(update={"suppress_below": 400})
    found = summarize_software(type(cohort)(cohort.data, study))
    counts = found[(found["statistic"] == "n") & (found["analysis"] == "survival")]
    assert len(counts)
    assert counts[[OWN, *PROGRAMS]].isna().all(axis=None)


def test_a_hidden_test_of_proportional_hazards_is_hidden_on_every_scale(cohort):
    study = cohort.study.model_copy(update={"suppress_below": 400})
    hidden = type(cohort)(cohort.data, study)
    tests = summarize_hazard_tests(hidden, suppress(summarize_survival(hidden), study))
    assert len(tests) == 5 * len(study.endpoints)
    assert tests["value"].isna().all()


def test_with_small_counts_hidden_no_program_gives_a_median_at_another_time(cohort):
    study = cohort.study.model_copy(update={"suppress_below": 2})
    own, names = cohort.study.conventions.median_conf_type, list(PROGRAMS)
    own_results = join_results(summarize(Cohort(cohort.data, study)) for summarize in SUMMARIES)
    found = summarize_software(Cohort(cohort.data, study), own_results)
    rows = found[found["statistic"].str.contains("median") & (found["analysis"] == "survival")]
    shown = rows[names].notna()
    assert shown.any(axis=None)
    assert (rows[names].eq(rows[OWN], axis=0) | ~shown).all(axis=None)
    others = [name for name in names if PROGRAMS[name].get("median_conf_type") not in (None, own)]
    limits = rows["statistic"].eq("median_conf_low")
    assert not shown.loc[limits, others].all(axis=None)


def test_tables_show_only_what_differs(cohort, results):
    defaults = table_defaults(cohort.study)
    assert [column.label for column in defaults.columns][2:] == list(PROGRAMS)
    assert defaults.rows[0].cells == (
        "Tied events in the Cox model",
        *("Efron", "Efron", "Breslow", "Breslow", "Efron"),
    )
    for table in (
        table_software_tests(results, cohort.study),
        table_software_quartiles(results, cohort.study),
    ):
        assert all(len(set(row.cells[1:])) > 1 for row in table.rows)
    survival = table_software_survival(results, cohort.study)
    medians = [row.cells for row in survival.rows if row.cells[0].startswith("Median, Invasion")]
    assert medians[0][4:] == ("22.0", "22.0 (10.0 to NA)")
