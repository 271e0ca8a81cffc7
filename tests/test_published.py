from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.errors import InputError
from helpers.estimators.contingency import categorical_test
from helpers.formats import format_number
from helpers.published import (
    COLUMNS,
    COMPARED,
    DIFFERS,
    NOT_TESTABLE,
    REPRODUCED,
    VERDICTS,
    WITHIN_ROUNDING,
    compare,
    is_about,
    load_ledger,
    load_ledger_of,
    summarize_verdicts,
)
from helpers.results import collect_results, result_row, select
from helpers.study import load_study

DATA = Path(__file__).parents[1] / "data"


def ledger_of(*rows):
    names = ["variable", "printed", "decimals", "precision", "class"]
    ledger = pd.DataFrame([dict(zip(names, row, strict=True)) for row in rows])
    ledger["id"] = [f"row{i}" for i in range(len(rows))]
    ledger["section"] = ["Text", *["Tables"] * (len(rows) - 1)]
    return ledger.assign(analysis="toy", statistic="x").reindex(columns=COLUMNS, fill_value="")


def verdict_of(value, printed, decimals=1, precision=None, kind="cohort"):
    precision = decimals if precision is None else precision
    ledger = ledger_of(["a", printed, str(decimals), str(precision), kind])
    results = collect_results([result_row("toy", "x", value, variable="a")])
    return compare(results, ledger).loc[0]


@pytest.mark.parametrize(
    ("value", "printed", "decimals", "precision", "verdict", "computed"),
    [
        (14.04, "14.0", 1, 1, REPRODUCED, "14.0"),
        (13.95, "14.0", 1, 1, REPRODUCED, "14.0"),
        (0.0006, "0.001", 3, 3, REPRODUCED, "0.001"),
        (28.4, "28.0", 1, 0, REPRODUCED, "28.0"),
        (28.5, "29.0", 1, 0, REPRODUCED, "29.0"),
        (100 / 46, "2.1", 1, 1, WITHIN_ROUNDING, "2.2"),
        (14.09, "14.0", 1, 1, WITHIN_ROUNDING, "14.1"),
        (28.9, "28.0", 1, 0, WITHIN_ROUNDING, "29.0"),
        (14.1, "14.0", 1, 1, DIFFERS, "14.1"),
        (np.inf, "14.0", 1, 1, DIFFERS, "NA"),
        (np.nan, "14.0", 1, 1, DIFFERS, "–"),
        (np.inf, "NA", 1, 1, REPRODUCED, "NA"),
        (40.0, "NA", 1, 1, DIFFERS, "40.0"),
        (np.nan, "-", 3, 3, REPRODUCED, "-"),
        (1.0, "-", 3, 3, DIFFERS, "1.000"),
    ],
)
def test_verdict(value, printed, decimals, precision, verdict, computed):
    judged = verdict_of(value, printed, decimals, precision)
    assert (judged["verdict"], judged["computed"]) == (verdict, computed)


@pytest.mark.parametrize("kind", ["design", "literature", "not_testable"])
def test_what_is_not_compared_is_not_testable(kind):
    assert verdict_of(14.0, "14.0", kind=kind)["verdict"] == NOT_TESTABLE


def test_a_number_that_was_not_computed_is_not_testable():
    ledger = ledger_of(["a", "1.0", "1", "1", "cohort"], ["b", "2.0", "1", "1", "cohort"])
    comparison = compare(collect_results([result_row("toy", "x", 1, variable="a")]), ledger)
    assert list(comparison["verdict"]) == [REPRODUCED, NOT_TESTABLE]
    assert comparison["difference"].tolist() == pytest.approx([0, np.nan], nan_ok=True)


def test_verdicts_are_counted_by_section():
    ledger = ledger_of(["a", "1.0", "1", "1", "cohort"], ["b", "2.0", "1", "1", "cohort"])
    comparison = compare(collect_results([result_row("toy", "x", 1, variable="a")]), ledger)
    summary = summarize_verdicts(comparison)
    assert list(summary.index) == ["Text", "Tables", "All"]
    assert list(summary.columns) == [*VERDICTS, "total"]
    assert summary.loc["All", "total"] == 2


def test_a_bad_ledger_is_reported_at_once(tmp_path):
    path = tmp_path / "ledger.csv"
    ledger = ledger_of(
        ["a", "1.0", "1", "1", "guess"],
        ["b", "<0.1", "1", "1", "cohort"],
        ["c", "2.0", "", "x", "print"],
        ["d", "NA", "", "", "cohort"],
    )
    ledger.loc[3, "id"] = "row0"
    ledger.to_csv(path, index=False)
    with pytest.raises(InputError) as caught:
        load_ledger(path)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "row 2, column 'class'",
        "row 3, column 'printed'",
        "row 4, column 'decimals'",
        "row 4, column 'precision'",
        "rows 2, 5, column 'id'",
    ]


def test_a_ledger_without_a_column_is_refused(tmp_path):
    path = tmp_path / "ledger.csv"
    ledger_of(["a", "1", "0", "0", "print"]).drop(columns="place").to_csv(path, index=False)
    with pytest.raises(InputError, match="column 'place' is missing"):
        load_ledger(path)


def test_a_missing_or_empty_ledger_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_ledger(tmp_path / "none.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match="cannot be read as CSV"):
        load_ledger(tmp_path / "empty.csv")


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (["overall", "tace_t"], True),
        (["overall", "absent"], False),
        (["overall", "between_arms", "per_unit", "absent_vs_present", ""], True),
        ([], True),
    ],
)
def test_a_ledger_is_about_a_study_whose_arms_it_names(groups, expected):
    study = load_study(DATA / "study.yml")
    rows = [["a", "1", "0", "0", "print"]] * len(groups)
    ledger = ledger_of(*rows).assign(group=groups) if rows else pd.DataFrame(columns=COLUMNS)
    assert is_about(ledger, study) is expected


def test_a_ledger_of_another_study_is_refused():
    study = load_study(DATA / "hepatocellular.yml")
    with pytest.raises(InputError, match="no number is of an arm of the study file"):
        load_ledger_of(study, DATA / "published.csv")


def test_the_ledger_holds_all_printed_values():
    ledger = load_ledger(DATA / "published.csv")
    assert len(ledger) == 684
    compared = ledger[ledger["class"].isin(COMPARED)]
    assert (compared["analysis"] != "").all()


def printed_tables():
    """Each printed p of a contingency table, with the printed counts of its arms."""
    study = load_study(DATA / "study.yml")
    ledger = load_ledger(DATA / "published.csv")
    ledger = ledger[ledger["class"] != "restated"]
    arms = list(study.arm.levels)

    def printed(statistic, **keys):
        rows = select(ledger, statistic=statistic, group=arms, **keys)
        return rows.pivot(index="level", columns="group", values="printed")[arms].astype(float)

    sizes = printed("n", analysis="cohort").to_numpy()
    analyses = ["baseline", "response", "adverse_event"]
    tests = select(ledger, analysis=analyses, group="between_arms", statistic="p")
    for _, row in tests.iterrows():
        keys = {"analysis": row["analysis"], "variable": row["variable"]}
        if row["analysis"] == "baseline":
            if study.covariates[row["variable"]].kind == "continuous":
                continue
            table = printed("n", **keys).to_numpy()
            assert (table.sum(axis=0) == sizes).all()
        elif row["analysis"] == "response":
            n = (printed("percent", **keys).to_numpy() * sizes / 100).round()
            table = np.vstack([n, sizes - n])
        else:
            n = printed("n", level=row["level"], **keys).to_numpy()
            table = np.vstack([n, sizes - n])
        yield f"{row['variable']}-{row['level']}", table.astype(int), row["printed"]


@pytest.mark.parametrize(
    ("table", "printed"), [pytest.param(*rest, id=name) for name, *rest in printed_tables()]
)
def test_printed_p_follows_from_printed_counts(table, printed):
    rule = load_study(DATA / "study.yml").conventions.categorical_test
    p = categorical_test(table, rule).p
    assert np.isnan(p) if printed == "-" else format_number(p, 3) == printed


def test_thirty_seven_p_values_are_printed():
    printed = [printed for _, _, printed in printed_tables()]
    assert len([p for p in printed if p != "-"]) == 37


def test_the_usual_rule_misses_one():
    missed = [
        name
        for name, table, printed in printed_tables()
        if printed != "-"
        and format_number(categorical_test(table, "fisher_if_expected_below_5").p, 3) != printed
    ]
    assert missed == ["hand_foot-any_grade"]
