"""Books of a difficult cohort, built for real, and every byte that they left.

Three arms, one without an event; dates, entries, competing events, strata, imputation; a
covariate with one level; labels that try to be markup; patients who can be recognized. Once
with all counts and once with small ones hidden.
"""

import json
import re
import zipfile

import numpy as np
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from small_book import ROOT

from helpers.disclosure import COUNTS
from helpers.pipeline import build_book
from helpers.results import read_results, value_of

pytestmark = pytest.mark.xdist_group("private")  # one process builds each book, once

HOSTILE = "<script>alert(1)</script> *x* {ref}`y` $z$ <img src=x onerror=alert(2)>"
N = 90
BELOW = 5


def levels(*names):
    return {
        name.lower().replace(" ", "_"): {"label": f"{name} {HOSTILE}", "code": name}
        for name in names
    }


def difficult_cohort():
    rng = np.random.default_rng(2)
    arm = np.tile(["Control", "Drug A", "Drug B"], N // 3)
    start = pd.Timestamp("2019-03-01") + pd.to_timedelta(rng.integers(0, 500, N), "D")
    frame = pd.DataFrame(
        {
            "pid": [f"CANARY-ID-{n:05d}" for n in range(N)],
            "arm": arm,
            "first": start,
            "last": start + pd.to_timedelta(rng.integers(20, 1500, N), "D"),
            "late": start + pd.to_timedelta(rng.integers(0, 15, N), "D"),
            "status": np.where(arm == "Drug B", 0, rng.choice([0, 1, 2], N)),
            "age": rng.normal(60, 9, N).round(3),
            "sex": "male",
            "grade": rng.choice(["low", "high"], N),
            "ecog": rng.choice(["zero", "one"], N),
            "rash": rng.choice([0, 1, 2, 3, 4], N, p=[0.7, 0.1, 0.1, 0.06, 0.04]),
            "response": rng.choice(["CR", "PR", "SD", "PD", ""], N),
            "before": rng.lognormal(4, 1, N).round(3),
            "after": rng.lognormal(4, 1, N).round(3),
            "note": "CANARY-NOTE",
        }
    )
    frame.loc[::9, "age"] = np.nan
    frame.loc[3, ["age", "before", "after"]] = [97.31313, 31415.92653, 27182.81828]
    return frame


def difficult_study():
    described = {
        "title": f"Title {HOSTILE}",
        "identifier": "pid",
        "arm": {
            "column": "arm",
            "label": f"Arm {HOSTILE}",
            "reference": "control",
            "levels": levels("Control", "Drug A", "Drug B"),
        },
        "endpoints": {
            "os": {
                "label": f"Survival {HOSTILE}",
                "abbreviation": "OS",
                "start": "first",
                "end": "last",
                "event": "status",
                "entry": "late",
                "origin": f"start {HOSTILE}",
                "event_label": f"death {HOSTILE}",
                "competing": {"other": {"label": f"other {HOSTILE}", "code": 2}},
            }
        },
        "milestones": [6, 12],
        "covariates": {
            "age": {"kind": "continuous", "label": f"Age {HOSTILE}", "unit": HOSTILE},
        },
        "baseline": ["age", "sex", "grade"],
        "prognostic": ["arm", "age", "sex"],
        "subgroups": ["grade"],
        "strata": ["ecog"],
        "response": {
            "column": "response",
            "label": f"Response {HOSTILE}",
            "criteria": HOSTILE,
            "categories": {k.lower(): {"label": k, "code": k} for k in ("CR", "PR", "SD", "PD")},
            "rates": {"orr": {"label": f"ORR {HOSTILE}", "categories": ["cr", "pr"]}},
        },
        "measurements": {
            "afp": {"label": HOSTILE, "baseline": "before", "followup": "after", "scale": "log"}
        },
        "adverse_events": {
            "criteria": HOSTILE,
            "events": {"rash": {"label": HOSTILE, "column": "rash", "description": HOSTILE}},
        },
        "conventions": {"missing": "mice", "imputations": 2},
    }
    for key, names in (
        ("sex", ("male", "female")),
        ("grade", ("low", "high")),
        ("ecog", ("zero", "one")),
    ):
        described["covariates"][key] = {
            "kind": "categorical",
            "label": f"{key} {HOSTILE}",
            "reference": names[0],
            "levels": levels(*names),
        }
    return described


@pytest.fixture(scope="module", params=[0, BELOW], ids=["all counts", "small counts hidden"])
def book(request, tmp_path_factory):
    """The folder of a book, what its run said, and the limit below which counts are hidden."""
    folder = tmp_path_factory.mktemp("private")
    difficult_cohort().to_csv(folder / "cohort.csv", index=False)
    text = yaml.safe_dump(difficult_study(), sort_keys=False, allow_unicode=True)
    (folder / "study.yml").write_text(text, "utf-8")
    lines = []
    build_book(
        folder / "cohort.csv",
        folder / "study.yml",
        folder / "out",
        suppress_below=request.param,
        root=ROOT,
        report=lines.append,
    )
    return folder / "out", lines, request.param


def contents(folder):
    """Every file with its bytes, those inside archives too."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, path.read_bytes()
            if path.suffix == ".docx":
                with zipfile.ZipFile(path) as archive:
                    yield from ((path / name, archive.read(name)) for name in archive.namelist())


def canaries_of(frame, results):
    """What tells a patient of the difficult cohort: names, rare values, dates, times."""
    canaries = {b"CANARY", b"97.31313", b"31415.92653", b"27182.81828"}
    for column in ("first", "last", "late"):
        canaries |= {day.strftime("%Y-%m-%d").encode() for day in frame[column]}
    days = (frame["last"] - frame["first"]).dt.days
    canaries |= {repr(time).encode() for time in days / 30.4375 if len(repr(time)) > 9}
    return canaries - {repr(value).encode() for value in results["value"]}


def canaries_in(folder, canaries):
    return {
        (path.name, canary)
        for path, content in contents(folder)
        for canary in canaries
        if canary in content
    }


def test_no_value_of_a_patient_leaves_the_cohort(book):
    canaries = canaries_of(difficult_cohort(), read_results(book[0] / "results.csv"))
    assert len(canaries) > N
    assert canaries_in(book[0], canaries) == set()


def assert_no_markup(folder):
    for path, content in contents(folder):
        if path.suffix in (".html", ".svg"):
            page = BeautifulSoup(content, "xml" if path.suffix == ".svg" else "html.parser")
            assert not page.find_all(onerror=True), path
            assert not [script for script in page.find_all("script") if script.text == "alert(1)"]


def test_no_label_becomes_markup(book):
    assert_no_markup(book[0])


def test_the_run_warned_of_nothing(book):
    assert not [line for line in book[1] if line.lstrip().startswith("warning,")]


def test_everything_for_a_manuscript_is_there(book):
    out = book[0]
    names = {path.name for path in out.iterdir()}
    expected = {"html", "notebooks", "tables", "figures", "results.csv"}
    assert expected | {"tables.docx", "methods.md", "run.json"} <= names
    tables = {path.stem for path in (out / "tables").glob("*.csv")}
    assert {path.stem for path in (out / "tables").glob("*.html")} == tables
    assert {"tab-baseline", "tab-survival", "tab-competing"} <= tables
    figures = {path.stem for path in (out / "figures").glob("*.svg")}
    assert {path.stem for path in (out / "figures").glob("*.png")} == figures
    assert {"fig-survival-os", "fig-incidence-os"} <= figures
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert set(run["inputs"]) == {"cohort", "study"}
    assert run["parameters"] == {"suppress_below": book[2]}
    methods = (out / "methods.md").read_text("utf-8")
    for word in ("left truncation", "Aalen-Johansen", "multiple imputation", "stratified by"):
        assert word in methods


def test_an_arm_without_an_event_has_its_reason(book):
    results = read_results(book[0] / "results.csv")
    keys = {"analysis": "survival", "endpoint": "os", "variable": "arm", "level": ""}
    assert value_of(results, group="drug_b", statistic="n_event", **keys) == 0
    rows = results[(results["group"] == "drug_b_vs_control") & (results["analysis"] == "survival")]
    ratio = rows[rows["statistic"] == "hazard_ratio"].iloc[0]
    assert np.isnan(ratio["value"])
    assert ratio["method"].startswith(("none: ", "hidden: "))


def small_counts(out):
    """Counts from 1 to one less than the limit, wherever a reader or a program finds them."""
    results = read_results(out / "results.csv")
    counts = results[results["statistic"].isin(COUNTS)]["value"]
    yield from counts[counts.between(1, BELOW - 1)]
    small = rf"(?<![\d.,/])[1-{BELOW - 1}](?: \(\d+\.\d%|/\d)|\d/[1-{BELOW - 1}](?![\d.])"
    for path, content in contents(out):
        if path.suffix in (".csv", ".html", ".ipynb", ".xml") and "_static" not in path.parts:
            text = BeautifulSoup(content, "html.parser").text if path.suffix == ".html" else None
            yield from re.findall(small, text or content.decode("utf-8"))


def test_small_counts_are_nowhere(book):
    out, _, below = book
    found = set(small_counts(out))
    assert found == set() if below else len(found) > 5
