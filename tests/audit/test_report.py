import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from ledgers import ledger, row

from helpers.audit import CHECKS, VERDICTS, audit, describe, load_printed, summarize, unused
from helpers.audit.report import OPTIONAL
from helpers.audit.statements import CLAIMS
from helpers.cli import main
from helpers.errors import InputError
from helpers.published import CLASSES
from helpers.study import load_study

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="module")
def checks():
    return audit(load_printed(DATA / "published.csv"), load_study(DATA / "study.yml").conventions)


def test_every_check_says_what_it_asks():
    for question in CHECKS.values():
        assert question.summary.endswith("."), question.name
        assert question.title


def test_what_fires_on_the_print_of_the_study(checks):
    fired = Counter(check.name for check in checks if check.fired)
    assert fired == {
        "percentage": 6,
        "rounding_rule": 1,
        "t_test": 2,
        "overall": 3,
        "quartile_versions": 1,
        "label": 1,
        "direction": 2,
        "claim": 3,
    }


def test_every_check_names_numbers_of_the_ledger(checks):
    known = set(load_printed(DATA / "published.csv")["id"])
    for check in checks:
        assert check.verdict in VERDICTS
        assert check.printed.keys() <= known
        assert check.printed and check.subject and check.tested and check.found


def test_the_print_of_the_study_by_check(checks):
    table = summarize(checks)
    assert table["total"].sum() == len(checks)
    assert table.loc["contingency", "total"] == 43
    assert table.loc["log_symmetry", "consistent"] == 28
    assert table.loc["wald_p", "consistent"] == 28


def run(path, *options):
    return CliRunner().invoke(main, ["audit", str(path), *map(str, options)])


def test_a_consistent_ledger_exits_with_zero(tmp_path):
    frame = ledger(row("baseline", "n", 10, variable="x", level="yes", group="new"))
    rest = ledger(row("baseline", "n", 36, variable="x", level="no", group="new"))
    frame = pd.concat([frame, rest.tail(1).assign(id="last")])
    frame.to_csv(tmp_path / "ledger.csv", index=False)
    done = run(tmp_path / "ledger.csv")
    assert done.exit_code == 0, done.output
    assert "inconsistent:" not in done.output


def test_an_inconsistent_ledger_exits_with_one(tmp_path):
    row_ = row("response", "percent", "47.3", variable="orr", group="new")
    ledger(row_).to_csv(tmp_path / "ledger.csv", index=False)
    done = run(tmp_path / "ledger.csv", "--json", tmp_path / "checks.json")
    assert done.exit_code == 1
    assert "inconsistent: Percentages against counts: Orr, new" in done.output
    records = json.loads((tmp_path / "checks.json").read_text("utf-8"))
    (found,) = [record for record in records if record["verdict"] == "inconsistent"]
    assert found["printed"] == {"row3": "47.3"}
    assert found["low"] is None


def test_a_bad_ledger_exits_with_two_and_says_all(tmp_path):
    frame = ledger(row("response", "percent", "about half", variable="orr", group="new"))
    frame.to_csv(tmp_path / "ledger.csv", index=False)
    done = run(tmp_path / "ledger.csv", "--json", tmp_path / "checks.json")
    assert done.exit_code == 2
    assert not (tmp_path / "checks.json").exists()
    frame.loc[0, ["printed_group", "grain"]] = ["new/old", "-1"]
    frame.loc[1, ["class", "claim", "about"]] = ["guess", "share", "row0"]
    frame.loc[2, "claim"] = "some"
    frame.loc[3, "claim"] = "every"
    frame[["decimals", "precision"]] = "0"
    frame.to_csv(tmp_path / "ledger.csv", index=False)
    with pytest.raises(InputError) as caught:
        load_printed(tmp_path / "ledger.csv")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "row 2, column 'printed_group'",
        "row 2, column 'grain'",
        "row 3, column 'class'",
        "row 3, column 'about'",
        "row 4, column 'claim'",
        "row 5, column 'printed'",
    ]


def test_four_columns_are_enough(tmp_path):
    """22 of 46 is 47.8%; the second percentage is of no whole number of patients."""
    lines = [
        "analysis,variable,group,statistic,printed",
        "cohort,,new,n,46",
        "response,orr,new,percent,47.8",
        "response,dcr,new,percent,89.3",
        "response,orr,new,colour,1.5",
    ]
    (tmp_path / "ledger.csv").write_text("\n".join(lines) + "\n", "utf-8")
    done = run(tmp_path / "ledger.csv")
    assert done.exit_code == 1
    assert "inconsistent: Percentages against counts: Dcr, new" in done.output
    assert "[row4 89.3]" in done.output
    assert done.output.endswith("no check reads 1 printed numbers: row5\n")
    names, counts = (line.split() for line in done.output.splitlines()[-3:-1])
    assert " ".join(names) == f"{' '.join(VERDICTS)} total"
    assert counts == ["Percentages", "against", "counts", "1", "0", "0", "0", "1", "2"]


def test_an_empty_cell_is_as_a_column_that_is_not_there(tmp_path):
    lines = [
        "id,analysis,group,statistic,printed,class",
        "size,cohort,new,n,46,",
        ",response,new,percent,47.8,restated",
    ]
    (tmp_path / "ledger.csv").write_text("\n".join(lines) + "\n", "utf-8")
    read = load_printed(tmp_path / "ledger.csv")
    assert list(read["id"]) == ["size", "row3"]
    assert list(read["class"]) == ["print", "restated"]
    assert list(read["decimals"]) == ["0", "1"]


def test_a_name_that_stands_twice_is_told_with_its_rows(tmp_path):
    frame = ledger(row("response", "percent", "<>5", variable="orr", group="new"))
    frame.assign(id=["a", "b", "b", "c"]).to_csv(tmp_path / "ledger.csv", index=False)
    done = run(tmp_path / "ledger.csv")
    assert done.exit_code == 2
    assert [line.partition("ledger.csv: ")[2] for line in done.output.splitlines()] == [
        "rows 3, 4, column 'id': 'b' stands 2 times; each number has a name of its own",
        "row 5, column 'printed': '<>5' is no number",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("analysis;group;statistic;printed\ncohort;new;n;46\n", "separate its cells with commas"),
        ("analysis,group,statistic,printed\ncohort,new,n,46,\n", "its rows have more cells than"),
        ("analysis,group,statistic\ncohort,new,n\n", "column 'printed' is missing"),
        ("", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused(tmp_path, text, problem):
    (tmp_path / "ledger.csv").write_text(text, "utf-8")
    done = run(tmp_path / "ledger.csv")
    assert done.exit_code == 2
    assert problem in done.output and len(done.output.splitlines()) == 1


def test_the_page_on_ledgers_shows_what_the_command_says(tmp_path):
    page = (DATA.parent / "book" / "your_paper.md").read_text("utf-8")
    example, shown, refused = re.findall(r"^```\n(.*?)^```", page, re.S | re.M)
    (tmp_path / "paper.csv").write_text(example, "utf-8")
    done = run(tmp_path / "paper.csv", "--json", tmp_path / "checks.json")
    lines = [line for line in shown.splitlines() if ": " in line]
    assert len(lines) == 2
    assert all(line in done.output.splitlines() for line in lines)
    assert "no check reads" not in done.output
    for field in json.loads((tmp_path / "checks.json").read_text("utf-8"))[0]:
        assert f"`{field}`" in page
    for word in (*CLAIMS, *OPTIONAL, *VERDICTS, *CLASSES):
        assert f"`{word}`" in page
    damaged = example.replace("p_wald,0.130", "p_wald,1.7").replace("p,0.048", "p,1.7")
    (tmp_path / "paper.csv").write_text(damaged, "utf-8")
    done = run(tmp_path / "paper.csv")
    assert done.exit_code == 2
    problems = [line.partition("paper.csv: ")[2] for line in done.output.splitlines()]
    assert refused.strip().partition("paper.csv: ")[2] in problems
    assert len(problems) == 2


def test_a_folder_is_no_ledger(tmp_path):
    done = run(tmp_path)
    assert done.exit_code == 2
    assert "cannot be read: Is a directory" in done.output


def test_numbers_that_no_check_reads_are_no_consistent_ledger(tmp_path):
    text = "analysis,group,statistic,printed\nresponse,new,percent,47.8\n"
    (tmp_path / "ledger.csv").write_text(text, "utf-8")
    done = run(tmp_path / "ledger.csv", "--json", tmp_path / "checks.json")
    assert done.exit_code == 2
    assert "no check reads any of its numbers" in done.output
    assert not (tmp_path / "checks.json").exists()


def test_what_no_check_reads_on_the_print_of_the_study(checks):
    left = unused(load_printed(DATA / "published.csv"), checks)
    drugs = ["apatinib", "sorafenib", "lenvatinib"]
    assert left == [f"text.tki.{drug}.tace_tc.duration_mean" for drug in drugs]


def test_a_check_in_one_line(checks):
    line = describe(next(check for check in checks if check.name == "claim"))
    assert line.startswith("inconsistent: Statements about several p values: ")
    assert "[text.os.uni.p_threshold <0.01, " in line


@pytest.mark.parametrize(
    ("analysis", "statistic", "printed", "problem"),
    [
        ("baseline", "n", "10.5", "found '10.5'; 'n' needs a whole number from 0"),
        ("cohort", "n", "0", "found '0'; 'n' needs a whole number from 1"),
        ("baseline", "mean", "<5", "found '<5'; 'mean' needs a number"),
        ("baseline", "p", "1.7", "found '1.7'; 'p' needs a probability, a bound of one, or -"),
        ("survival", "median", "-3.0", "found '-3.0'; 'median' needs a number that is not"),
        ("cox_univariable", "hazard_ratio", "-", "found '-'; 'hazard_ratio' needs a number"),
    ],
)
def test_a_number_that_cannot_be_one_is_refused(tmp_path, analysis, statistic, printed, problem):
    frame = ledger(row(analysis, statistic, printed, variable="x", group="other"))
    frame.to_csv(tmp_path / "ledger.csv", index=False)
    with pytest.raises(InputError) as caught:
        load_printed(tmp_path / "ledger.csv")
    assert caught.value.problems[0].startswith(f"row 5, column 'printed': {problem}")


@pytest.mark.parametrize("printed", ["NA", "14.0", "-", "<0.001"])
def test_what_stands_for_no_number_is_read(tmp_path, printed):
    statistic = "median" if printed in ("NA", "14.0") else "p"
    frame = ledger(row("survival", statistic, printed, variable="x", group="new"))
    frame.to_csv(tmp_path / "ledger.csv", index=False)
    assert load_printed(tmp_path / "ledger.csv")["printed"].iloc[-1] == printed
