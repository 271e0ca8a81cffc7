import csv
import json
import re
import subprocess
import sys

import pandas as pd
import pytest
from click.testing import CliRunner
from small_book import ROOT

from helpers.cli import main
from helpers.cohort import load_cohort
from helpers.published import COLUMNS
from helpers.results import KEYS, read_results
from helpers.sections import summarize_all
from helpers.study import load_study

COHORT = ROOT / "data" / "hepatocellular.csv"
STUDY = ROOT / "data" / "hepatocellular.yml"


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", ["book", "run", "results", "score", "check"])
def test_each_command_explains_itself(command, option):
    done = call(command, option)
    assert done.exit_code == 0
    assert "Usage: " in done.stdout
    assert len(done.stdout.splitlines()) > 6


def test_help_lists_every_command_and_the_exit_statuses():
    done = call("-h")
    for word in (*main.commands, "Exit status"):
        assert word in done.stdout
    assert not re.search(r"\.\.\.$", done.stdout.split("Commands:")[1], re.MULTILINE)


def test_help_imports_no_heavy_library():
    program = "import sys, helpers.cli, helpers.pipeline.book; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_check_accepts_a_good_cohort():
    done = call("check", COHORT, "--study", STUDY)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "227 patients" in done.stdout


def test_results_are_the_numbers_of_every_section(tmp_path):
    target = tmp_path / "results.csv"
    done = call("results", COHORT, "--study", STUDY, "--out", target)
    assert (done.exit_code, done.stderr) == (0, "")
    found = read_results(target)
    expected = summarize_all(load_cohort(COHORT, load_study(STUDY)))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    done = call("results", COHORT, "--study", STUDY, "--out", target, "--suppress-below", 20)
    hidden = read_results(target)["value"]
    assert done.exit_code == 0
    assert hidden.isna().sum() > found["value"].isna().sum()


def test_results_of_a_bad_cohort_are_not_written(bad_cohort, tmp_path):
    done = call("results", bad_cohort, "--study", STUDY, "--out", tmp_path / "results.csv")
    assert done.exit_code == 2
    assert "column 'Recurrence' is missing" in done.stderr
    assert not (tmp_path / "results.csv").exists()


@pytest.fixture
def bad_cohort(tmp_path):
    frame = pd.read_csv(COHORT, dtype=str)
    frame = pd.concat([frame, frame.iloc[[0]]])
    path = tmp_path / "bad.csv"
    frame.drop(columns=frame.columns[-1]).to_csv(path, index=False)
    return path


def test_check_lists_every_problem_and_exits_with_2(bad_cohort, tmp_path):
    done = call("check", bad_cohort, "--study", STUDY, "--report", tmp_path / "problems.csv")
    assert done.exit_code == 2
    lines = done.stderr.splitlines()
    assert lines
    assert all(line.startswith(f"{bad_cohort}: ") for line in lines)
    with (tmp_path / "problems.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "kind", "rows", "column", "problem"]
    assert {kind for _, kind, *_ in rows} == {"problem"}
    again = "identifier '1' stands 2 times; a patient has one row"
    assert rows[-1][2:] == ["2 229", "Number", again]
    assert len(rows) == len(lines)


def test_an_earlier_report_of_problems_is_replaced(tmp_path):
    report = tmp_path / "problems.csv"
    report.write_text("old")
    call("check", COHORT, "--study", STUDY, "--report", report)
    header, *warnings = report.read_text().splitlines()
    assert header == "file,kind,rows,column,problem"
    assert all(",warning," in line for line in warnings)


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "missing.csv", "--study", STUDY),
        ("check", COHORT, "--study", "missing.yml"),
        ("run", "missing.csv", "--study", STUDY, "--out", "out"),
        ("run", COHORT, "--study", "missing.yml", "--out", "out"),
        ("run", COHORT, "--study", STUDY, "--out", "out", "--ledger", "missing.csv"),
        ("run", COHORT, "--study", STUDY),
        ("run", COHORT, "--study", STUDY, "--out", "out", "--suppress-below", "-1"),
        ("run", COHORT, "--study", STUDY, "--out", "out", "--jobs", "0"),
        ("run", COHORT, "--study", STUDY, "--out", "out", "--typo"),
        ("score", "missing.csv"),
        ("score", COHORT, "--study", STUDY),
    ],
)
def test_bad_input_is_exit_2_without_a_traceback(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*arguments)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output
    assert done.stderr
    assert not (tmp_path / "out").exists()


@pytest.fixture
def computed(monkeypatch):
    """Results of one number, in place of those of every section."""
    row = dict.fromkeys(KEYS, "") | {"analysis": "counts", "statistic": "n", "value": 46.0}
    frame = pd.DataFrame([row | {"method": "count"}])
    monkeypatch.setattr("helpers.sections.summarize_all", lambda cohort: frame)


def ledger(path, *printed):
    keys = dict.fromkeys(COLUMNS, "") | {"analysis": "counts", "statistic": "n"}
    rows = [
        keys
        | {"id": f"n{number}", "printed": text, "decimals": "0", "precision": "0"}
        | {"place": "Table 1", "section": "demographics", "class": "cohort"}
        for number, text in enumerate(printed)
    ]
    pd.DataFrame(rows, columns=COLUMNS).to_csv(path, index=False)
    return path


def test_score_is_0_when_every_number_holds(computed, tmp_path):
    done = call(
        "score", COHORT, "--study", STUDY, "--ledger", ledger(tmp_path / "l.csv", "46", "46")
    )
    assert done.exit_code == 0, done.output
    assert "demographics" in done.stdout


def test_score_names_each_miss_and_is_1(computed, tmp_path):
    printed = ledger(tmp_path / "l.csv", "46", "44")
    target = tmp_path / "score.json"
    done = call("score", COHORT, "--study", STUDY, "--ledger", printed, "--json", target)
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "n1: printed 44, computed 46, differs (Table 1)"
    rows = json.loads(target.read_text())
    assert [row["verdict"] for row in rows] == ["reproduced", "differs"]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["score", COHORT, "--study", STUDY], "--json"),
        (["audit", ROOT / "data" / "published.csv"], "--json"),
        (["check", COHORT, "--study", STUDY], "--report"),
    ],
)
def test_a_file_that_cannot_be_written_whole_stays_what_it_was(
    command, option, computed, tmp_path, monkeypatch
):
    def fails(*arguments):
        raise OSError(28, "No space left on device")

    if command[0] == "score":
        command = [*command, "--ledger", ledger(tmp_path / "l.csv", "46")]
    target = tmp_path / "answer"
    target.write_text("before", "utf-8")
    before = sorted(tmp_path.iterdir())
    with monkeypatch.context() as patch:
        patch.setattr("helpers.whole_file.os.replace", fails)
        done = call(*command, option, target)
    assert done.exit_code == 1
    assert done.stderr.endswith("error: a file: No space left on device\n")
    assert target.read_text("utf-8") == "before"
    assert sorted(tmp_path.iterdir()) == before
    call(*command, option, target)
    assert target.read_text("utf-8") != "before"
    assert sorted(tmp_path.iterdir()) == before


def test_the_folder_of_an_answer_must_exist(tmp_path):
    target = tmp_path / "absent" / "problems.csv"
    done = call("check", COHORT, "--study", STUDY, "--report", target)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{target}: cannot be written, as its folder")


def test_an_answer_can_go_to_standard_output():
    rows = subprocess.run(
        [sys.executable, "-m", "helpers.cli", "check", COHORT, "--study", STUDY]
        + ["--report", "/dev/stdout"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert rows.stdout.startswith("file,kind,rows,column,problem\n")


def test_score_that_compares_nothing_is_1(computed, tmp_path):
    path = ledger(tmp_path / "l.csv", "46")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False).assign(analysis="other")
    frame.to_csv(path, index=False)
    done = call("score", COHORT, "--study", STUDY, "--ledger", path)
    assert done.exit_code == 1
    assert "1 more could be compared" in done.stdout


def test_outside_a_clone_the_book_is_the_one_that_was_installed_from(tmp_path, monkeypatch):
    from helpers.pipeline.project import find_project

    monkeypatch.chdir(tmp_path)
    assert find_project() == ROOT
