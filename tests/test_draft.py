import json
from pathlib import Path

import lifelines
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from helpers.cli import main
from helpers.cohort import load_cohort
from helpers.draft import draft_study
from helpers.errors import InputError
from helpers.study import Study, load_study

DATA = Path(__file__).parents[1] / "data"
LIFELINES = Path(lifelines.__file__).parent / "datasets"
N = 40


def spreadsheet(tmp_path):
    """The cohort of a hospital: dates, words, an arm with a control, events of two kinds."""
    rng = np.random.default_rng(3)
    start = pd.Timestamp("2020-01-13") + pd.to_timedelta(rng.integers(0, 700, N), "D")
    frame = pd.DataFrame(
        {
            "Patient ID": [f"P{n:03}" for n in range(N)],
            "Treatment": np.tile(["Control", "New drug"], N // 2),
            "Date of treatment": start,
            "Last follow-up": start + pd.to_timedelta(rng.integers(30, 900, N), "D"),
            "Vital status": rng.choice(["alive", "dead"], N),
            "Age": rng.normal(60, 8, N).round(),
            "CRP mg/L": rng.lognormal(2, 1.5, N).round(1),
            "ECOG": rng.choice([0, 1, 2], N),
            "Best response": rng.choice(["CR", "PR", "SD", "PD"], N),
            "AE rash": rng.choice([0, 1, 2, 3], N),
            "AFP_baseline": rng.lognormal(4, 1, N).round(1),
            "AFP_followup": rng.lognormal(4, 1, N).round(1),
            "Comment": [f"seen on day {n}" for n in range(N)],
        }
    )
    frame.loc[3, "Age"] = np.nan
    path = tmp_path / "hospital.xlsx"
    frame.to_excel(path, index=False)
    return path


def drafted(path, tmp_path):
    text = draft_study(path)
    (tmp_path / "draft.yml").write_text(text, "utf-8")
    return text, load_study(tmp_path / "draft.yml")


def test_a_spreadsheet_is_drafted_and_runs_without_a_change(tmp_path):
    path = spreadsheet(tmp_path)
    text, study = drafted(path, tmp_path)
    assert study.identifier == "Patient ID"
    assert (study.arm.column, study.arm.reference) == ("Treatment", "control")
    os = study.endpoints["os"]
    assert (os.start, os.end, os.event) == ("Date of treatment", "Last follow-up", "Vital status")
    assert (os.event_codes, os.censored_codes) == (["dead"], ["alive"])
    kinds = {key: covariate.kind for key, covariate in study.covariates.items()}
    assert kinds == {
        "age": "continuous",
        "crp_mg_l": "continuous",
        "ecog": "categorical",
        "afp": "continuous",
    }
    assert study.covariates["age"].summary == "mean_sd"
    assert study.covariates["crp_mg_l"].summary == "median_iqr"
    assert list(study.response.categories) == ["cr", "pr", "sd", "pd"]
    assert study.response.rates["orr"].categories == ["cr", "pr"]
    assert list(study.adverse_events.events) == ["ae_rash"]
    assert study.measurements["afp"].followup == "AFP_followup"
    assert "#   Comment" in text
    data = load_cohort(path, study).data
    raw = pd.read_excel(path)
    days = (raw["Last follow-up"] - raw["Date of treatment"]).dt.days
    np.testing.assert_allclose(data["os_time"], days / 30.4375)
    assert data["os_event"].tolist() == raw["Vital status"].eq("dead").astype(int).tolist()


def test_times_go_with_their_events(tmp_path):
    _, study = drafted(DATA / "hepatocellular.csv", tmp_path)
    pairs = {key: (e.time, e.event, e.unit) for key, e in study.endpoints.items()}
    assert pairs == {"os": ("OS", "Death", "months"), "rfs": ("RFS", "Recurrence", "months")}
    assert study.identifier == "Number"


def test_what_is_to_be_corrected_in_the_file_is_said(tmp_path):
    path = spreadsheet(tmp_path)
    frame = pd.read_excel(path).assign(Grade=[*["A", "b"] * 19, "B", "A"])
    frame = frame.rename(columns={"Age": "Age (years)"}).astype({"CRP mg/L": object})
    frame.loc[5, "CRP mg/L"] = ">300"
    frame.to_excel(path, index=False)
    text, study = drafted(path, tmp_path)
    assert (
        "#   CRP mg/L  # DECIDE: numbers in all cells but 1 (row 7: '>300'); correct them" in text
    )
    assert "b_2: {label: B, code: b}  # DECIDE: the same as B? Correct the file" in text
    age = study.covariates["age_years"]
    assert (age.label, age.unit, study.milestones) == ("Age", "years", [12, 24])


def test_dates_of_events_end_follow_up(tmp_path):
    frame = pd.DataFrame(
        {
            "Arm": ["A", "B", "C"] * 4,
            "Date of diagnosis": ["1.2.2024"] * 12,
            "Date of progression": [*["10.2.2024", ""] * 5, "", ""],
            "Date of death": [*["", "1.3.2024"] * 5, "", ""],
            "Last contact": [*["20.3.2024"] * 11, ""],
        }
    )
    frame.to_csv(tmp_path / "c.csv", index=False)
    _, study = drafted(tmp_path / "c.csv", tmp_path)
    assert study.endpoints["os"].event_dates == ["Date of death"]
    assert study.endpoints["pfs"].event_dates == ["Date of progression", "Date of death"]
    assert {endpoint.end for endpoint in study.endpoints.values()} == {"Last contact"}
    cohort = load_cohort(tmp_path / "c.csv", study)
    days = cohort.data[["os_time", "pfs_time"]] * study.time.days_per_month
    assert days.iloc[[0, 1, 10]].round(6).to_numpy().tolist() == [[48, 9], [29, 29], [48, 48]]
    assert days.iloc[11].isna().all()


@pytest.mark.parametrize(
    ("name", "arm", "time", "event", "unit"),
    [
        ("ACTG175.csv", "arms", "days", "cens", "days"),
        ("gbsg2.csv", "horTh", "time", "cens", "days"),
        ("lung.csv", "sex", "time", "status", "days"),
    ],
)
def test_public_data_is_drafted(name, arm, time, event, unit, tmp_path):
    _, study = drafted(LIFELINES / name, tmp_path)
    endpoint = next(iter(study.endpoints.values()))
    assert (endpoint.time, endpoint.event, endpoint.unit) == (time, event, unit)
    if name != "lung.csv":
        assert study.arm.column == arm
    assert load_cohort(LIFELINES / name, study).data.notna()["arm"].all()


@pytest.mark.parametrize(
    ("name", "codes", "happened", "censored", "note"),
    [
        ("status", [0, 1], [1], [0], None),
        ("status", [1, 2], [2], [1], "2 is the event, as R writes it"),
        ("CNSR", [0, 1], [0], [1], "CDISC"),
        ("CNSR", [0, 1, 2], [0], [1, 2], "CDISC"),
        ("death", ["no", "yes"], ["yes"], ["no"], None),
        ("censored", [1, 0], [0], [1], "DECIDE: guessed"),
        ("status", [0, 1, 2], [1], [0], "DECIDE: events after which"),
    ],
)
def test_the_coding_of_an_event_is_read_or_marked(name, codes, happened, censored, note, tmp_path):
    codes_of = np.resize(codes, N)
    time = np.where(codes_of == codes[0], 500, 100) + np.arange(N)
    frame = pd.DataFrame({"arm": np.resize(list("aabb"), N), "days": time, name: codes_of})
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    text, study = drafted(tmp_path / "cohort.csv", tmp_path)
    (endpoint,) = study.endpoints.values()
    assert (endpoint.event_codes, endpoint.censored_codes) == (happened, censored)
    assert note is None or note in text
    assert len(endpoint.competing) == len(codes) - len(happened) - len(censored)


@pytest.mark.parametrize(
    ("cells", "style", "doubt"),
    [
        (["13.02.2024", "01.05.2024"], "day_first", False),
        (["02/13/2024", "05/01/2024"], "month_first", False),
        (["02/03/2024", "05/01/2024"], "day_first", True),
    ],
)
def test_the_style_of_dates_is_read_or_marked(cells, style, doubt, tmp_path):
    frame = pd.DataFrame(
        {"arm": list("ab"), "start": cells, "last": ["12.12.2025"] * 2, "death": [0, 1]}
    )
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    text, study = drafted(tmp_path / "cohort.csv", tmp_path)
    assert study.date_format == style
    assert ("could be either" in text) == doubt


def test_whole_numbers_written_with_a_point_are_codes(tmp_path):
    frame = pd.DataFrame(
        {
            "arm": [0.0, 1.0] * 4,
            "os": np.arange(8) + 0.5,
            "death": [0.0, 1.0, np.nan, 1.0] * 2,
            "ECOG": [np.nan, 0.0, 1.0, 2.0] * 2,
            "ae_rash": [0.0, 3.0, np.nan, 1.0] * 2,
            "tumour_grade": [1.0, 2.0, 3.0, np.nan] * 2,
        }
    )
    for mark, sep in ((".", ","), (",", ";")):
        path = tmp_path / "cohort.csv"
        frame.to_csv(path, index=False, sep=sep, decimal=mark)
        text, study = drafted(path, tmp_path)
        levels = {key: c.codes() for key, c in study.covariates.items()}
        assert levels["ecog"] == {"0": "code_0", "1": "code_1", "2": "code_2"}
        assert list(levels) == ["ecog", "tumour_grade"]
        assert study.adverse_events.events["ae_rash"].label == "Rash"
        assert "levels:  # DECIDE: labels in words" in text
        data = load_cohort(path, study).data
        assert data["ecog"].tolist()[1:4] == ["code_0", "code_1", "code_2"]
        assert data["ae_ae_rash"].tolist()[3] == 1


def test_a_sas_data_set_is_read_by_its_names_and_labels(tmp_path):
    import pyreadstat

    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), "D")
    frame = pd.DataFrame(
        {
            "PATNR": [f"P{n:03}" for n in range(N)],
            "GRP": np.tile([1.0, 2.0], N // 2),
            "RANDDT": start,
            "LSTALVDT": start + pd.to_timedelta(400, "D"),
            "DTHDT": (start + pd.to_timedelta(300, "D")).where(np.arange(N) % 3 == 0),
            "PROGDT": (start + pd.to_timedelta(100, "D")).where(np.arange(N) % 2 == 0),
            "OSMON": np.linspace(1, 30, N),
            "OSSTAT": np.tile([0.0, 1.0], N // 2),
            "HER2": np.tile([0.0, 1.0, 1.0, 0.0], N // 4),
        }
    )
    labels = [""] * 6 + ["Overall survival (months)", "Vital status", "HER2 status"]
    labels[1] = "Treatment group"
    pyreadstat.write_xport(frame, tmp_path / "c.xpt", file_format_version=5, column_labels=labels)
    _, study = drafted(tmp_path / "c.xpt", tmp_path)
    assert (study.identifier, study.arm.column) == ("PATNR", "GRP")
    survival, progression = study.endpoints["os"], study.endpoints["pfs"]
    assert (survival.time, survival.event, survival.unit) == ("OSMON", "OSSTAT", "months")
    assert (progression.start, progression.end) == ("RANDDT", "LSTALVDT")
    assert progression.event_dates == ["PROGDT", "DTHDT"]
    assert list(study.covariates) == ["her2"]
    data = load_cohort(tmp_path / "c.xpt", study).data
    days = (data["pfs_time"] * study.time.days_per_month).round(6)
    assert days[:4].tolist() == [100, 400, 100, 300]


def test_decimal_commas_are_seen(tmp_path):
    frame = pd.DataFrame(
        {"arm": list("aabb"), "os": ["1,5", "2,5", "3,5", "4"], "death": [0, 1] * 2}
    )
    frame.to_csv(tmp_path / "cohort.csv", index=False, sep=";")
    _, study = drafted(tmp_path / "cohort.csv", tmp_path)
    assert study.decimal_mark == "comma"
    assert load_cohort(tmp_path / "cohort.csv", study).data["os_time"].max() > 4


def test_what_cannot_be_compared_is_said(tmp_path):
    frame = pd.DataFrame({"age": range(50, 90), "weight": range(60, 100)})
    frame.to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(InputError) as caught:
        draft_study(tmp_path / "c.csv")
    assert len(caught.value.problems) == 2


def test_a_draft_counts_the_events_that_it_guesses(tmp_path):
    rows = [f"{n},{'ab'[n % 2]},{n + 1},{(0, 1, 1, 1, 2)[n % 5]},{n % 3}" for n in range(50)]
    path = tmp_path / "c.csv"
    path.write_text("\n".join(["id,arm,os_months,os_event,stage", *rows]), "utf-8")
    text, study = drafted(path, tmp_path)
    os = study.endpoints["os"]
    assert (os.time, os.event, os.event_codes) == ("os_months", "os_event", [1])
    assert list(os.competing) == ["code_2"]
    assert "os_event has about 30." in text
    assert study.prognostic == ["arm", "stage"]


def test_the_command_writes_the_draft_and_its_schema(tmp_path):
    path, out = spreadsheet(tmp_path), tmp_path / "study.yml"
    done = CliRunner().invoke(main, ["draft-study", str(path), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "guesses to check" in done.stdout
    text = out.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=study.schema.json\n")
    schema = json.loads((tmp_path / "study.schema.json").read_text("utf-8"))
    assert schema == Study.model_json_schema()
    again = CliRunner().invoke(main, ["draft-study", str(path), "--out", str(out)])
    assert again.exit_code == 2
    assert out.read_text("utf-8") == text


def test_the_schema_accepts_the_study_files_and_refuses_a_slip():
    import jsonschema

    schema = json.loads(CliRunner().invoke(main, ["schema"]).stdout)
    for name in ("study.yml", "hepatocellular.yml"):
        content = yaml.safe_load((DATA / name).read_text("utf-8"))
        jsonschema.validate(content, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content | {"titel": "slip"}, schema)
