import pandas as pd
from drawn import estimate, lines, rows_of, small_study, survival_rows, texts

from helpers.figures import (
    cox_rows,
    describe_forest_cox,
    describe_forest_subgroups,
    plot_forest_cox,
    plot_forest_subgroups,
    subgroup_rows,
)


def cox_results():
    keys = ("cox_multivariable", "os")
    return rows_of(
        {
            (*keys, "sex", "", "m_vs_f"): {**estimate("hazard_ratio", 2, 1, 4), "p_wald": 0.05},
            (*keys, "age", "", "per_unit"): {
                **estimate("hazard_ratio", 1.01, 0.001, 90),
                "p_wald": 0.5,
            },
        }
    )


def subgroup_results():
    nan = float("nan")
    return pd.concat(
        [
            survival_rows(),
            survival_rows("subgroup", "sex", "m"),
            rows_of(
                {
                    ("subgroup", "os", "sex", "f", "new_vs_old"): estimate(
                        "hazard_ratio", nan, nan, nan
                    ),
                    ("subgroup", "os", "sex", "", "new_vs_old"): {"p_interaction": 0.31},
                }
            ),
        ]
    )


def test_reference_levels_come_first_and_continuous_covariates_have_their_unit():
    rows = cox_rows(cox_results(), small_study(), "os")
    assert [(row.label, row.kind, row.estimate) for row in rows] == [
        ("Sex", "heading", ""),
        ("Female", "reference", "1 (reference)"),
        ("Male", "estimate", "2.00 (1.00 to 4.00)"),
        ("Age (years), per 1", "estimate", "1.01 (0.00 to 90.00)"),
    ]


def test_a_covariate_that_was_screened_out_has_no_line():
    nan = float("nan")
    screened = rows_of(
        {
            ("cox_univariable", "os", "sex", "", ""): {"entered": 1},
            ("cox_univariable", "os", "age", "", ""): {"entered": 0},
            ("cox_univariable", "os", "sex", "m", "overall"): {"n": 6, "n_event": 4},
        }
    )
    absent = rows_of(
        {
            ("cox_multivariable", "os", "age", "", "per_unit"): estimate(
                "hazard_ratio", nan, nan, nan
            )
        }
    )
    results = cox_results()
    results = pd.concat([results[results["variable"] == "sex"], absent, screened])
    rows = cox_rows(results, small_study(), "os")
    assert [(row.label, row.counts) for row in rows] == [
        ("Sex", ()),
        ("Female", ("",)),
        ("Male", ("4/6",)),
    ]


def test_ratios_and_intervals_stand_where_the_rows_say():
    figure = plot_forest_cox(cox_results(), small_study(), "os")
    assert [line.get_xdata()[0] for line in lines(figure, "ratio")] == [2, 1.01]
    first, second = (line.get_xdata() for line in lines(figure, "interval"))
    assert list(first) == [1, 4]
    left, right = figure.axes[0].get_xlim()
    assert list(second) == [left, right]
    assert figure.axes[0].get_xscale() == "log"
    assert "2.00 (1.00 to 4.00)" in texts(figure)


def test_subgroups_have_an_overall_row_events_and_the_interaction():
    rows = subgroup_rows(subgroup_results(), small_study(), "os")
    assert rows[0].kind == "overall"
    assert rows[0].counts == ("3/4", "2/5")
    assert rows[1].estimate == "interaction p 0.310"
    figure = plot_forest_subgroups(subgroup_results(), small_study(), "os")
    assert [line.get_xdata()[0] for line in lines(figure, "ratio")] == [0.5, 0.5]


def test_the_descriptions_give_each_estimate():
    text = describe_forest_cox(cox_results(), small_study(), "os")
    assert "Sex; reference Female; Male: hazard ratio 2.00 (1.00 to 4.00)." in text
    text = describe_forest_subgroups(subgroup_results(), small_study(), "os")
    assert "All patients: hazard ratio 0.50 (0.25 to 1.00)." in text
    assert "Sex, interaction p 0.310; Male: hazard ratio" in text


def test_counts_of_a_million_patients_leave_room_for_the_labels():
    results = subgroup_results()
    counts = results["statistic"].isin(["n", "n_event"])
    results.loc[counts, "value"] *= 100_000
    figure = plot_forest_subgroups(results, small_study(), "os")
    drawn = {text.get_text(): text.get_window_extent() for text in figure.texts}
    counts = [box.x0 for text, box in drawn.items() if "00,000/" in text]
    assert counts and max(drawn[label].x1 for label in ("Male", "Female")) < min(counts)


def test_three_arms_give_a_row_for_each_comparison():
    rows = subgroup_rows(subgroup_results(), small_study(arms=3), "os")
    assert [row.label for row in rows[:2]] == ["All patients, New drug", "All patients, No drug"]
    plot_forest_subgroups(subgroup_results(), small_study(arms=3), "os")
