from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from helpers.errors import InputError
from helpers.study import Study, Time, load_study

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def content():
    return yaml.safe_load((DATA / "study.yml").read_text(encoding="utf-8"))


def problems_of(content, tmp_path):
    path = tmp_path / "study.yml"
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study(path)
    assert caught.value.source == str(path)
    return caught.value.problems


@pytest.mark.parametrize("name", ["study.yml", "hepatocellular.yml"])
def test_the_study_files_of_the_repository_load(name):
    study = load_study(DATA / name)
    assert study.arm.reference in study.arm.levels


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_study(tmp_path / "none.yml")


@pytest.mark.parametrize("text", ["", "- a list\n", "just text"])
def test_what_is_not_a_mapping_is_refused(text, tmp_path):
    assert "not a mapping" in problems_of(text, tmp_path)[0]


def test_bad_yaml_is_located(tmp_path):
    assert problems_of("title: [open\narm: 1\n", tmp_path)[0].startswith("line 2, column 4")


def test_a_key_given_twice_is_refused(tmp_path):
    problems = problems_of("title: a\ntitle: b\n", tmp_path)
    assert problems == ["line 2, column 1: not valid YAML: key 'title' stands twice"]


def test_all_entries_are_named_at_once(content, tmp_path):
    del content["title"]
    content["arm"]["labell"] = "Arm"
    content["conventions"]["ties"] = "exact"
    content["time"]["days_per_month"] = 0
    problems = problems_of(content, tmp_path)
    assert [problem.split(":")[0] for problem in problems] == [
        "title",
        "arm.labell",
        "time.days_per_month",
        "conventions.ties",
    ]
    assert "(found 'exact')" in problems[3]


def test_names_that_do_not_fit_are_told_beside_damaged_entries(content, tmp_path):
    del content["title"]
    content["arm"]["reference"] = "x"
    content["covariates"]["sex"]["kind"] = "categoric"
    content["endpoints"]["os"]["unit"] = "decades"
    content["conventions"]["ties"] = "exact"
    content["baseline"].append("ages")
    content["strata"] = ["sexes"]
    content["exposures"]["tki"]["until"] = "cure"
    problems = problems_of(content, tmp_path)
    assert [problem.split(": ")[0] for problem in problems] == [
        "title",
        "arm",
        "endpoints.os.unit",
        "covariates.sex.kind",
        "conventions.ties",
        "baseline",
        "strata",
        "exposures",
    ]
    assert "'ages' is not a fitting covariate" in problems[5]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["arm"].update(reference="x"), "arm: reference 'x' is not one of the levels"),
        (lambda c: c["arm"]["levels"].pop("tace_tc"), "arm: at least two arms are needed"),
        (lambda c: c["arm"]["levels"]["tace_t"].update(code="tace_tc"), "code tace_tc"),
        (lambda c: c["covariates"]["sex"].update(reference="x"), "reference 'x'"),
        (lambda c: c["covariates"]["sex"]["levels"].pop("male"), "at least two levels"),
        (lambda c: c["covariates"]["sex"]["levels"]["male"].update(code="female"), "code female"),
        (lambda c: c["covariates"]["age"].update(cutoff=60), "belong to a categorical"),
        (lambda c: c["exposures"]["tki"].update(until="cure"), "ends with an unknown endpoint"),
        (lambda c: c["endpoints"]["os"].pop("event"), "give either the column of the event"),
        (
            lambda c: c["endpoints"]["os"].update(event=None, event_dates=["died"]),
            "event_dates go with start and end",
        ),
        (lambda c: c["associations"].update(ag={}), "associations: 'ag' is not a name"),
        (lambda c: c["associations"]["alt"].update(ages=0.1), "associations: 'ages' is not"),
        (lambda c: c["associations"]["alt"].update(sex=1), "squares of 'alt' add up to more"),
        (lambda c: c["associations"].update(tki={}), "'tki' follows from other columns"),
        (lambda c: c["covariates"].update(arm=c["covariates"]["age"]), "name of the treatment"),
        (lambda c: c["covariates"].update(tki=c["covariates"]["age"]), "'tki' names two things"),
        (lambda c: c["baseline"].append("ages"), "baseline: 'ages'"),
        (lambda c: c["subgroups"].append("age"), "subgroups: 'age'"),
        (lambda c: c["eligibility"][0]["any_of"][0].update(level="c"), "no level 'c'"),
        (lambda c: c["response"]["rates"]["orr"]["categories"].append("x"), "unknown categories"),
        (
            lambda c: c["response"]["rates"].update(cr=c["response"]["rates"]["orr"]),
            "key of a category",
        ),
        (lambda c: c["response"]["categories"]["cr"].update(code="pr"), "code pr"),
        (lambda c: c["adverse_events"]["events"].update(any={"label": "Any"}), "choose another"),
        (lambda c: c["adverse_events"].update(events={}), "at least 1 item"),
        (
            lambda c: c["reconstruction"]["endpoints"]["os"].update(ratio_alone=["metastasis"]),
            "'metastasis' is no prognostic factor",
        ),
        (
            lambda c: c["reconstruction"]["endpoints"].update(
                death=c["reconstruction"]["endpoints"].pop("os")
            ),
            "'death' is no endpoint",
        ),
    ],
)
def test_an_inconsistent_entry_is_explained(content, tmp_path, change, message):
    content = deepcopy(content)
    change(content)
    problems = problems_of(content, tmp_path)
    assert len(problems) == 1
    assert message in problems[0]


def test_codes_are_the_keys_unless_given():
    study = load_study(DATA / "hepatocellular.yml")
    assert study.arm.codes() == {"0": "absent", "1": "present"}
    assert load_study(DATA / "study.yml").arm.codes() == {"tace_t": "tace_t", "tace_tc": "tace_tc"}


@pytest.mark.parametrize(
    ("unit", "per", "expected"),
    [
        ("months", "days", 30.4375),
        ("months", "years", 1 / 12),
        ("years", "months", 12),
        ("days", "weeks", 1 / 7),
        ("weeks", "weeks", 1),
    ],
)
def test_units_of_time(unit, per, expected):
    assert Time(unit=unit).per(per) == pytest.approx(expected)


def test_the_treatment_is_named_like_a_covariate(content):
    study = Study.model_validate(content)
    assert study.label("arm") == "Treatment"
    assert list(study.levels("arm")) == ["tace_t", "tace_tc"]
    assert study.reference("arm") == "tace_t"
    assert study.reference("sex") == "female"
    assert study.covariate_column("afp") == "afp_baseline"
    assert study.covariate_column("age") == "age"
