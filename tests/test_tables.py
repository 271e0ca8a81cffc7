import csv
import io
import math

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from drawn import HOSTILE, estimate, published_study, rows_of, small_study, survival_rows
from random_cohort import random_frame

from helpers.published import VERDICTS, summarize_verdicts
from helpers.results import collect_results, result_row
from helpers.tables import (
    Column,
    Row,
    Table,
    describe_comparison,
    describe_printed,
    show_table,
    table_adverse_events,
    table_baseline,
    table_comparison,
    table_conventions,
    table_cox,
    table_cox_models,
    table_cox_sensitivity,
    table_dictionary,
    table_eligibility,
    table_exposures,
    table_main_results,
    table_measurements,
    table_milestones,
    table_multiplicity,
    table_not_testable,
    table_response,
    table_response_tests,
    table_subgroups,
    table_survival,
    table_verdicts,
)

STUDY = small_study()


def cells_of(table):
    return [row.cells for row in table.rows]


def baseline_rows():
    table = {
        ("cohort", "", "", "", group): {"n": n}
        for group, n in (("overall", 9), ("old", 4), ("new", 5))
    }
    for group in ("overall", "old", "new"):
        table["baseline", "", "age", "", group] = {
            "median": 60.5,
            "q1": 50,
            "q3": 70,
            "n_missing": 1,
        }
        table["baseline", "", "sex", "m", group] = {"n": 3, "percent": 33.333}
        table["baseline", "", "sex", "f", group] = {"n": 6, "percent": 66.667}
        table["baseline", "", "sex", "", group] = {"n_missing": 0}
    table["baseline", "", "age", "", "between_arms"] = {"p": 0.0001}
    table["baseline", "", "sex", "", "between_arms"] = {"p": math.nan}
    table["baseline", "", "sex", "", "new_vs_old"] = {"smd": 0.125}
    results = rows_of(table)
    is_age_p = (results["variable"] == "age") & (results["statistic"] == "p")
    results.loc[is_age_p, "method"] = "mann_whitney_continuity"
    return results


def test_the_baseline_table_has_groups_levels_test_balance_and_missing():
    table = table_baseline(baseline_rows(), STUDY)
    assert [column.label for column in table.columns] == [
        "Characteristic",
        "Overall (n = 9)",
        "Old drug (n = 4)",
        "New drug (n = 5)",
        "p",
        "Test",
        "SMD",
        "Missing",
    ]
    assert cells_of(table) == [
        (
            "Age, years, median (quartiles)",
            *["61 (50 to 70)"] * 3,
            "< 0.001",
            "Mann-Whitney",
            "–",
            "1",
        ),
        ("Sex", "", "", "", "–", "", "0.13", "0"),
        ("Male", *["3 (33.3%)"] * 3, "", "", "", ""),
        ("Female", *["6 (66.7%)"] * 3, "", "", "", ""),
    ]
    assert [(row.kind, row.indent) for row in table.rows] == [
        ("plain", False),
        ("group", False),
        ("plain", True),
        ("plain", True),
    ]


def test_no_column_of_missing_values_where_none_is_missing():
    results = baseline_rows()
    results.loc[results["statistic"] == "n_missing", "value"] = 0
    table = table_baseline(results, STUDY)
    assert table.columns[-1].label == "SMD"
    assert "No value is missing." in table.notes


def test_the_survival_table_has_infinite_ends_and_contrasts():
    rows = cells_of(table_survival(survival_rows(), STUDY))
    assert ("Events/patients", "3/4", "2/5", "") in rows
    assert ("Median (95% CI), months", "10.0 (5.0 to 20.0)", "24.0 (12.0 to NA)", "") in rows
    assert ("Hazard ratio (95% CI)", "", "", "0.50 (0.25 to 1.00)") in rows
    assert ("Log-rank p", "", "", "< 0.001") in rows


def test_the_main_results_have_the_least_favourable_verdict_of_their_numbers():
    share = {"n": 2, "percent": 40}
    severe = ("adverse_event", "", "any", "severe")
    results = pd.concat(
        [
            survival_rows(),
            rows_of(
                {
                    ("cohort", "", "", "", "old"): {"n": 4},
                    (*severe, "old"): share,
                    (*severe, "new"): share,
                    (*severe, "new_vs_old"): estimate("risk_difference", 0, -1.25, 9),
                    (*severe, "between_arms"): {"p": 1},
                }
            ),
        ]
    )
    table = table_main_results(results, STUDY, comparison())
    assert [column.label for column in table.columns] == [
        "Result",
        "Old drug (n = 4)",
        "New drug",
        "Comparison",
        "p",
        "Verdict",
    ]
    rows = {row[0]: row[1:] for row in cells_of(table)}
    assert rows["Overall survival, months"] == (
        "10.0 (5.0 to 20.0)",
        "24.0 (12.0 to NA)",
        "HR 0.50 (0.25 to 1.00)",
        "0.050",
        "differs",
    )
    assert rows["Any adverse event of grade 3 or above"] == (
        *["2 (40.0%)"] * 2,
        "0.0 (−1.3 to 9.0)",
        "1.000",
        "",
    )
    assert len(table_main_results(results, STUDY).columns) == 5


def test_the_main_results_are_said_as_they_are_printed():
    def printed(analysis, variable, statistic, group, text):
        endpoint = "os" if analysis == "survival" else ""
        keys = {"analysis": analysis, "endpoint": endpoint, "variable": variable, "level": ""}
        return keys | {"group": group, "statistic": statistic, "printed": text}

    comparison = pd.DataFrame(
        [
            printed("survival", "arm", "median", "old", "10.0"),
            printed("survival", "arm", "median", "new", "NA"),
            printed("survival", "arm", "p_wald", "new_vs_old", "0.050"),
            printed("response", "orr", "percent", "new", "40.0"),
        ]
    )
    assert describe_printed(comparison, STUDY) == (
        "New drug against Old drug: "
        "median overall survival NA against 10.0 months (p\xa0=\xa00.050)."
    )
    assert describe_printed(comparison[1:], STUDY) == ""


def test_the_dictionary_has_every_column_that_a_cohort_needs():
    study = published_study()
    rows = [row.cells for row in table_dictionary(study).rows if row.kind == "plain"]
    needed = set(random_frame(study, n=2).columns)
    assert {row[0] for row in rows} == needed
    meanings = {row[0]: row[1:] for row in rows}
    assert meanings["os_event"] == ("Overall survival", "1 death, 0 censored", "event")
    assert meanings["afp_baseline"] == ("AFP, ng/mL, before treatment", "number", "paired value")
    assert meanings["child_pugh"] == (
        "Child-Pugh class",
        "a: A, b: B",
        "baseline, prognostic factor, reference A",
    )
    assert table_dictionary(STUDY).to_html()


def test_every_convention_is_named():
    rows = {name: cells for name, *cells in cells_of(table_conventions(published_study()))}
    assert rows["ties"] == ["Tied events in the Cox model", "efron"]
    assert rows["categorical_test"] == ["Contingency table", "fisher if observed below 5"]
    assert rows["confidence_level"] == ["Confidence level of intervals", "0.95"]
    assert len(rows) == len(type(STUDY.conventions).model_fields)


def test_the_restricted_mean_has_its_horizon_the_means_and_their_difference():
    keys = ("survival", "os", "arm", "20.0411")
    results = rows_of(
        {
            (*keys, "old"): estimate("rmst", 11, 8, 14),
            (*keys, "new"): estimate("rmst", 17.5, 14, 20),
            (*keys, "new_vs_old"): {
                **estimate("rmst_difference", 6.5, -0.5, 13.5),
                "p_rmst_difference": 0.069,
            },
        }
    )
    means = ("11.0 (8.0 to 14.0)", "17.5 (14.0 to 20.0)")
    assert cells_of(table_survival(results, STUDY))[-3:] == [
        ("Restricted mean to 20.0 months (95% CI), months", *means, ""),
        ("Difference of these (95% CI)", "", "", "6.5 (−0.5 to 13.5)"),
        ("p of the difference", "", "", "0.069"),
    ]


def test_milestones_are_percentages_in_order_of_time():
    rows = rows_of(
        {
            ("survival", "os", "arm", time, arm): estimate("survival", share, share - 0.1, 1)
            for time, share in (("12", 0.5), ("6", 0.9))
            for arm in ("old", "new")
        }
    )
    assert cells_of(table_milestones(rows, STUDY)) == [
        ("Overall survival",),
        ("6", *["90.0 (80.0 to 100.0)"] * 2),
        ("12", *["50.0 (40.0 to 100.0)"] * 2),
    ]


def test_the_cox_table_sets_the_models_side_by_side_with_reference_rows():
    results = rows_of(
        {
            ("cox_univariable", "os", "sex", "", "m_vs_f"): {
                **estimate("hazard_ratio", 2, 1, 4),
                "p_wald": 0.05,
            },
            ("cox_univariable", "os", "age", "", "per_unit"): {
                **estimate("hazard_ratio", 1.01, 1, 1.02),
                "p_wald": 0.5,
            },
        }
    )
    table = table_cox(results, STUDY, "os")
    assert table.name == "tab-cox-os"
    assert [column.spanner for column in table.columns] == [
        "",
        "",
        *["Univariable"] * 3,
        *["Multivariable"] * 3,
    ]
    assert cells_of(table) == [
        ("Sex", *[""] * 7),
        ("Female (reference)", "", "1", "", "", "", "", ""),
        ("Male", "", "2.000 (1.000 to 4.000)", "0.050", "–", "", "", ""),
        ("Age (years), per 1", "", "1.010 (1.000 to 1.020)", "0.500", "–", "", "", ""),
    ]


def test_a_covariate_that_was_screened_out_is_blank_and_one_without_estimate_is_a_dash():
    nan = math.nan
    table = {("cox_univariable", "os", "sex", "", ""): {"entered": 0}}
    for model in ("cox_univariable", "cox_multivariable", "cox_full"):
        table[model, "os", "sex", "", "m_vs_f"] = estimate("hazard_ratio", nan, nan, nan)
    rows = cells_of(table_cox(rows_of(table), STUDY, "os"))
    assert rows[1:3] == [
        ("Female (reference)", "", "1", "", "", "", "", ""),
        ("Male", "", "–", "–", "–", "", "", ""),
    ]
    rows = cells_of(table_cox_sensitivity(rows_of(table), STUDY, "os"))
    assert rows[2] == ("Male", "", "", "", "–", "–", "", "")


@pytest.mark.parametrize(
    ("build", "place", "words"),
    [
        (table_cox, ("cox_univariable", "os", "sex", "", "m_vs_f"), "Sex: Male"),
        (table_cox, ("cox_univariable", "os", "age", "", "per_unit"), "Age"),
        (table_subgroups, ("subgroup", "os", "sex", "m", "new_vs_old"), "Sex: Male"),
    ],
)
def test_a_hazard_ratio_that_does_not_exist_has_its_reason_below_the_table(build, place, words):
    rows = rows_of({place: {"hazard_ratio": math.nan}})
    table = build(rows.assign(method="none: no event"), STUDY, "os")
    assert f"No hazard ratio (–) of {words}: no event." in table.notes
    for method in ("none: screened out, p 0.5", "hidden: a count below 5"):
        table = build(rows.assign(method=method), STUDY, "os")
        assert not any("(–) of" in note for note in table.notes)


def test_the_survival_table_says_why_a_hazard_ratio_does_not_exist():
    place = ("survival", "os", "arm", "", "new_vs_old")
    rows = rows_of({place: {"hazard_ratio": math.nan}}).assign(method="none: no event")
    compared = "overall survival, New drug against Old drug"
    assert f"No hazard ratio (–) of {compared}: no event." in table_survival(rows, STUDY).notes


def test_the_tests_of_response_stand_side_by_side():
    ps = {"p": 0.036, "p_pearson": 0.0362, "p_yates": 0.061, "p_fisher": 0.048}
    table = table_response_tests(rows_of({("response", "", "orr", "", "between_arms"): ps}), STUDY)
    assert cells_of(table)[-1] == ("Response rate", "0.036", "0.061", "0.048", "0.036")
    assert [column.label for column in table.columns] == [
        "Response",
        "Pearson",
        "Yates",
        "Fisher",
        "By the rule",
    ]


def test_tests_of_interaction_and_of_levels_are_adjusted_apart():
    keys = ("subgroup", "os", "sex")
    results = rows_of(
        {
            (*keys, "", "between_arms"): {"p_interaction": 0.2, "p_holm": 0.4},
            (*keys, "m", "between_arms"): {"p": 0.01, "p_holm": 0.04},
        }
    )
    assert cells_of(table_multiplicity(results, STUDY))[1:3] == [
        ("Sex, interaction", "0.200", "0.400", "–"),
        ("Male", "0.010", "0.040", "–"),
    ]


def test_the_p_of_subgroups_is_that_of_the_convention():
    conventions = STUDY.conventions.model_copy(update={"subgroup_test": "wald"})
    study = STUDY.model_copy(update={"conventions": conventions})
    results = pd.concat([survival_rows(), survival_rows("subgroup", "sex", "m")])
    table = table_subgroups(results, study, "os")
    assert table.notes[0].startswith("p: Wald test; of an interaction, likelihood-ratio test.")
    assert cells_of(table)[0][-1] == "0.050"


def test_subgroups_begin_with_all_patients():
    interaction = {("subgroup", "os", "sex", "", "between_arms"): {"p_interaction": 0.31}}
    results = pd.concat(
        [survival_rows(), survival_rows("subgroup", "sex", "m"), rows_of(interaction)]
    )
    table = table_subgroups(results, STUDY, "os")
    expected = ("3/4", "10.0 (5.0 to 20.0)", "2/5", "24.0 (12.0 to NA)", "0.50 (0.25 to 1.00)")
    assert cells_of(table)[0] == ("All patients", *expected, "< 0.001")
    assert cells_of(table)[1] == ("Sex, interaction", *[""] * 5, "0.310")
    assert cells_of(table)[2] == ("Male", *expected, "< 0.001")


def test_adverse_events_are_sorted_by_frequency_with_any_event_last():
    table = {}
    for event, percent in (("rash", 10), ("fever", 40), ("any", 50)):
        for group in ("overall", "old", "new"):
            key = ("adverse_event", "", event, "any_grade", group)
            table[key] = {"n": percent / 10, "percent": percent}
    rows = cells_of(table_adverse_events(rows_of(table), STUDY))
    assert [row[0] for row in rows] == ["Fever", "Rash", "Any of these"]
    assert rows[0][1:4] == ("4 (40.0%)", "4 (40.0%)", "–")


def comparison():
    keys = {"analysis": "survival", "endpoint": "os", "variable": "arm", "level": ""}
    number = {
        "printed": "10.0",
        "computed": "10.0",
        "place": "Fig. 2",
        "section": "Survival",
        "class": "cohort",
        "label": "old",
        "note": "",
        "id": "a",
        "verdict": "reproduced",
    }
    other = {
        "analysis": "",
        "endpoint": "",
        "variable": "",
        "level": "",
        "group": "",
        "statistic": "",
        "class": "design",
        "verdict": "not testable",
        "note": "a constant",
    }
    return pd.DataFrame(
        [
            {**number, **keys, "group": "old", "statistic": "median"},
            {
                **number,
                **keys,
                "group": "new_vs_old",
                "statistic": "hazard_ratio_conf_low",
                "verdict": "differs",
            },
            {**number, **other, "label": HOSTILE},
        ]
    )


def test_the_comparison_names_numbers_as_the_study_does():
    table = table_comparison(comparison(), "tab-x", STUDY)
    assert cells_of(table) == [
        ("Fig. 2",),
        ("OS, Old drug, median", "10.0", "10.0", "reproduced", ""),
        ("OS, New drug against Old drug, hazard ratio, lower limit", "10.0", "10.0", "differs", ""),
        (HOSTILE, "10.0", "10.0", "not testable", "a constant"),
    ]
    interrupted = comparison().assign(analysis="interruption", endpoint="", variable="")
    first = cells_of(table_comparison(interrupted, "tab-x", STUDY))[1]
    assert first[0] == "Treatment interrupted, Old drug, median"
    assert describe_comparison(comparison()) == (
        "Of 3 printed numbers 2 can be compared: 1 reproduced, 0 within rounding, 1 differing."
    )
    assert cells_of(table_not_testable(comparison(), STUDY))[1:] == [
        (HOSTILE, "10.0", "design; a constant")
    ]
    summary = summarize_verdicts(comparison())
    assert cells_of(table_verdicts(summary))[-1] == ("All", "1", "0", "1", "1", "3")
    assert [column.label for column in table_verdicts(summary).columns[1:-1]] == VERDICTS
    by_place = table_verdicts(summarize_verdicts(comparison(), by="place"), "tab-y", "Places")
    assert by_place.columns[0].label == "Place"
    assert cells_of(by_place) == [(p, "1", "0", "1", "1", "3") for p in ("Fig. 2", "All")]


@pytest.mark.parametrize("arms", [2, 3])
def test_no_table_crashes_without_results(arms):
    nothing, study = survival_rows().iloc[:0], small_study(HOSTILE, arms)
    for build in (
        table_baseline,
        table_eligibility,
        table_exposures,
        table_main_results,
        table_survival,
        table_response,
        table_response_tests,
        table_milestones,
        table_measurements,
        table_adverse_events,
        table_cox_models,
        table_multiplicity,
    ):
        assert build(nothing, study).to_html()
    for build in (table_cox, table_cox_sensitivity, table_subgroups):
        assert build(nothing, study, "os").to_csv()


def test_the_table_of_models_names_who_found_them():
    keys = {"analysis": "cox_full", "statistic": "log_likelihood", "value": -5}
    results = collect_results(
        result_row(**keys, endpoint=endpoint, method=f"cox, efron ties, {engine}")
        for endpoint, engine in (("os", "lifelines"), ("pfs", "counts"))
    )
    notes = table_cox_models(results, small_study()).notes
    assert notes[0] == (
        "Likelihoods maximized by lifelines; Newton’s method on counts of patients by time and "
        "pattern of covariates."
    )


def test_no_table_has_a_column_without_a_name(monkeypatch):
    built = []
    check = Table.__post_init__
    monkeypatch.setattr(Table, "__post_init__", lambda self: (built.append(self), check(self)))
    test_no_table_crashes_without_results(2)
    assert len(built) > 10
    assert all(column.label for table in built for column in table.columns)


def spanned(text="x"):
    columns = [
        Column("Name", "text"),
        Column("n", spanner="A"),
        Column("p", spanner="A"),
        Column("Verdict", "verdict"),
    ]
    rows = [
        Row((text,), "section"),
        Row((text, "", "", ""), "group"),
        Row((text, "1", "2", "within rounding"), indent=True),
    ]
    return Table("tab-x", text, columns, rows, [text])


def test_every_text_is_escaped_in_html():
    page = BeautifulSoup(spanned(HOSTILE).to_html(), "html.parser")
    assert page.script is None
    assert page.caption.text == HOSTILE
    assert [cell.text for cell in page.select("tbody th")] == [HOSTILE] * 3


def test_the_flat_file_keeps_sections_groups_and_spanners():
    rows = list(csv.reader(io.StringIO(spanned(HOSTILE).to_csv())))
    assert rows == [
        ["section", "group", "Name", "A: n", "A: p", "Verdict"],
        [HOSTILE, "", HOSTILE, "", "", ""],
        [HOSTILE, HOSTILE, HOSTILE, "1", "2", "within rounding"],
    ]


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="a row of 1 cells"):
        Table("tab-x", "", [Column("a"), Column("b")], [Row(("1",))])


def test_a_table_leaves_its_file(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.tables.table.display_view", lambda *view: shown.append(view))
    show_table(spanned(), tmp_path)
    assert (tmp_path / "tables" / "tab-x.csv").read_text("utf-8") == spanned().to_csv()
    assert shown[0][3]["rows"][0] == {"cells": ("x",), "kind": "section", "indent": False}
    assert (shown[0][3]["fold"], shown[0][1]) == ("", spanned().to_html())


def test_a_folded_table_opens_under_its_words(monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.tables.table.display_view", lambda *view: shown.append(view))
    show_table(spanned(), fold="All <3>")
    ((_, content, _, view),) = shown
    assert content.startswith("<details><summary>All &lt;3&gt;</summary><table>")
    assert view["fold"] == "All <3>"
