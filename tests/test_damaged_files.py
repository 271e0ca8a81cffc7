"""Damaged and unusual cohort files: each gives the right message or the right patients."""

import datetime
import io
import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest
from click.testing import CliRunner

from helpers import cohort_files
from helpers.cli import main
from helpers.cohort import load_cohort
from helpers.cohort_files import read_cohort_file
from helpers.draft import draft_study
from helpers.errors import InputError
from helpers.study import Study, load_study

REFERENCE = Path(__file__).parent / "reference"
CONTENT = {
    "title": "Toy",
    "identifier": "id",
    "arm": {
        "column": "group",
        "label": "Group",
        "reference": "old",
        "levels": {"old": {"label": "Old", "code": 1}, "new": {"label": "New", "code": 2}},
    },
    "time": {"unit": "days"},
    "endpoints": {
        "os": {
            "label": "Survival",
            "abbreviation": "OS",
            "time": "days",
            "event": "dead",
            "unit": "days",
        }
    },
    "covariates": {
        "sex": {
            "kind": "categorical",
            "label": "Sex",
            "reference": "male",
            "levels": {
                "male": {"label": "Male", "code": "Male"},
                "female": {"label": "Female", "code": "Female"},
            },
        },
        "marker": {"kind": "continuous", "label": "Marker"},
    },
    "adverse_events": {"events": {"rash": {"label": "Rash"}}},
}
DATED = {
    "label": "Survival",
    "abbreviation": "OS",
    "start": "first",
    "end": "last",
    "event": "dead",
}
EVENTS = {"label": "Survival", "abbreviation": "OS"}
HEADER = "id,group,days,dead,sex,marker,ae_rash"
ROWS = ["a,1,60,0,Male,1.5,0", "b,2,45,1,Female,2,3", "c,2,30,1,Male,,", "d,1,90,0,Female,4,1"]
GOOD = "\n".join([HEADER, *ROWS]) + "\n"
FRAME = pd.read_csv(io.StringIO(GOOD))
SCRIPT = "<script>alert(1)</script>"


def study(**changes):
    return Study.model_validate(CONTENT | changes)


def dated(date_format):
    return study(endpoints={"os": DATED}, date_format=date_format)


def changed(old, new):
    assert old in GOOD
    return GOOD.replace(old, new)


def dates(first, last):
    rows = [HEADER.replace("days", "first,last")]
    for row in ROWS:
        identifier, group, _, *rest = row.split(",")
        rows.append(",".join([identifier, group, first, last, *rest]))
    return "\n".join(rows) + "\n"


def save(tmp_path, content, name="cohort.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def problems_of(path, described):
    with pytest.raises(InputError) as caught:
        load_cohort(path, described)
    return "\n".join(caught.value.problems)


REFUSED = {
    "empty": ("", "is empty"),
    "blank lines": ("\n\n  \n", "is empty"),
    "a header alone": (HEADER, "a header but no patient"),
    "latin-1": (GOOD.replace("Old", "o").replace("a,1", "ä,1").encode("latin-1"), "row 2: is not"),
    "utf-16 without its mark": (GOOD.encode("utf-16-le"), "is not"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00", "is not UTF-8 text"),
    "zeros": (b"id,group\x00\x00\n", "is not a text file"),
    "an unclosed quote": (changed("a,1,60", '"a,1,60'), "a quotation mark is not closed"),
    "spaces between columns": (GOOD.replace(",", " "), "row 1: one column, 'id group days"),
    "another delimiter": (GOOD.replace(",", "^"), "separate the cells by commas, semicolons"),
    "a missing cell": (changed("a,1,60,0,Male,1.5,0", "a,1,60,0,Male,1.5"), "row 2: 6 cells"),
    "a cell too many": (changed("Male,1.5,0", "Male,1.5,0,7"), "row 2: 8 cells"),
    "a decimal comma among commas": (changed("Male,1.5,0", "Male,1,5,0"), "row 2: 8 cells"),
    "a quoted decimal comma": (changed("1.5", '"1,5"'), "decimal_mark: comma"),
    "thousands": (changed("60,0", '"1,060.0",0'), "found '1,060.0'"),
    "a title above the header": ("Our patients\n" + GOOD, "delete what stands above"),
    "a title and blanks above": ("Our patients,,,,,,\n\n" + GOOD, "row 1: one cell"),
    "a column without a name": (changed("marker", ""), "the 6th column has values but no name"),
    "columns named twice": (changed("marker", "days"), "columns named twice: days"),
    "columns that differ in case": (changed("days", "Days"), "did you mean 'Days'?"),
    "a missing column": (changed("dead", "deceased"), "column 'dead' is missing"),
    "a repeated header": (GOOD + HEADER, "found 'days': a time must be a number"),
    "repeated patients": (changed("b,2", "a,2"), "rows 2, 3, column 'id': identifier 'a' stands 2"),
    "a long table of events": (
        GOOD + "a,1,60,0,Male,1.5,2\na,1,60,0,Male,1.5,1",
        "identifier 'a' stands 3 times; a patient has one row",
    ),
    "no identifier": (changed("a,1", ",1"), "row 2, column 'id': is empty"),
    "a unit in a cell": (changed("60,0", "60 days,0"), "found '60 days'"),
    "a sign in a cell": (changed("1.5", "<1.5"), "found '<1.5'"),
    "a comment in a cell": (changed("1.5", "1.5*"), "found '1.5*'"),
    "infinity": (changed("60,0", "inf,0"), "found 'inf': a time must be a number"),
    "minus infinity": (changed("1.5", "-Infinity"), "found '-Infinity'"),
    "a negative time": (changed("60,0", "-60,0"), "found '-60': a time must be a number, not neg"),
    "an arm without times": (GOOD.replace("45,1", ",1").replace("30,1", "30,"), "has both time"),
    "a dash for missing": (changed("60,0", "-,0"), "found '-': a time must be a number"),
    "a formula as a time": (changed("60,0", "=1+1,0"), "found '=1+1'"),
    "an error of a spreadsheet": (changed("60,0", "#DIV/0!,0"), "found '#DIV/0!'"),
    "a hexadecimal number": (changed("1.5", "0x1F"), "found '0x1F'"),
    "digits with underscores": (changed("1.5", "1_5"), "found '1_5'"),
    "another event code": (changed("60,0", "60,2"), "found '2': an event is 1, its absence 0"),
    "an event in words": (changed("60,0", "60,alive"), "found 'alive': an event is 1"),
    "another arm": (changed("a,1", "a,3"), "found '3': not a level of the study file; its lev"),
    "mixed case of levels": (changed("Male,1.5", "MALE,1.5"), "found 'MALE': not a level"),
    "an empty arm": (GOOD.replace(",2,", ",1,"), "no patient in arm 'new'"),
    "one patient": ("\n".join([HEADER, ROWS[0]]), "no patient in arm 'new'"),
    "a grade beyond 5": (changed("2,3", "2,6"), "found '6': a grade is 0 (none) to 5"),
    "a grade in words": (changed("2,3", "2,mild"), "found 'mild': a grade is"),
    "markup in a level": (changed("Male,1.5", f"{SCRIPT},1.5"), f"found '{SCRIPT}': not a level"),
    "Markdown in a time": (changed("60,0", "![x](y),0"), "found '![x](y)'"),
    "a very long cell": (changed("60,0", f"{'9x' * 500},0"), "...': a time must be"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_text_file_is_refused_with_its_reason(name, tmp_path):
    content, message = REFUSED[name]
    path = save(tmp_path, content)
    assert message in problems_of(path, study())


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_text_file_ends_the_command_with_status_2(name, tmp_path):
    path = save(tmp_path, REFUSED[name][0])
    described = tmp_path / "study.yml"
    described.write_text(study().model_dump_json(), "utf-8")
    report = tmp_path / "problems.csv"
    arguments = ["check", path, "--study", described, "--report", report]
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit)
    written = pd.read_csv(report, dtype=str, keep_default_na=False)
    assert len(written) == len(done.stderr.splitlines()) > 0
    assert not any(cell[:1] in "=+-@" for cell in written.to_numpy().ravel() if cell)


READ = {
    "as it should be": GOOD,
    "a byte order mark": GOOD.encode("utf-8-sig"),
    "utf-16": GOOD.encode("utf-16"),
    "line ends of Windows": GOOD.replace("\n", "\r\n"),
    "line ends of old computers": GOOD.replace("\n", "\r"),
    "no line end at the end": GOOD.rstrip("\n"),
    "semicolons": GOOD.replace(",", ";"),
    "tabs": GOOD.replace(",", "\t"),
    "bars": GOOD.replace(",", "|"),
    "spaces around cells": GOOD.replace(",", " , "),
    "spaces that do not break": GOOD.replace(",", "\u00a0,\u00a0"),
    "invisible marks": changed("Male,1.5", "\u200bMale\ufeff,1.5"),
    "blank lines": GOOD.replace("\n", "\n\n"),
    "rows of commas at the end": GOOD + ",,,,,,\n,,,,,,\n",
    "trailing commas": GOOD.replace("\n", ",\n"),
    "row names of R": "\n".join(f'"{n or ""}",{row}' for n, row in enumerate(GOOD.splitlines())),
    "quotes": "\n".join(",".join(f'"{c}"' for c in r.split(",")) for r in GOOD.splitlines()),
    "codes with a decimal": GOOD.replace(",1,", ",1.0,").replace(",2,", ",2.0,"),
    "words for missing": changed("Male,,", "Male,NA,N/A"),
    "columns in another order": FRAME[FRAME.columns[::-1]].to_csv(index=False),
    "more columns": FRAME.assign(note=SCRIPT, date="soon").to_csv(index=False),
}


@pytest.mark.parametrize("name", READ)
def test_an_unusual_text_file_is_read(name, tmp_path):
    expected = load_cohort(save(tmp_path, GOOD, "good.csv"), study()).data
    assert expected["os_time"].tolist() == [60, 45, 30, 90]
    assert expected["sex"].tolist() == ["male", "female", "male", "female"]
    found = load_cohort(save(tmp_path, READ[name]), study()).data
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("cells", [",0", "NaN,0", "60,", "NA,NA"])
def test_who_has_no_time_or_event_is_left_out(cells, tmp_path):
    cohort = load_cohort(save(tmp_path, GOOD + f"e,1,{cells},Male,3,0\n"), study())
    assert len(cohort.data) == 5
    assert cohort.data.loc[4, ["os_time", "os_event"]].isna().all()
    assert cohort.observed("os").data["os_time"].tolist() == [60, 45, 30, 90]


@pytest.mark.parametrize(
    ("progressed", "died", "last", "days", "event"),
    [
        ("2024-02-11", "2024-03-01", "2024-02-20", 10, 1),
        ("", "2024-03-01", "2024-02-20", 29, 1),
        ("2024-02-11", "", "", 10, 1),
        ("", "", "2024-02-20", 19, 0),
        ("", "", "", np.nan, np.nan),
    ],
)
def test_the_first_of_several_dates_ends_follow_up(progressed, died, last, days, event, tmp_path):
    columns = {"start": "begun", "end": "last", "event_dates": ["progressed", "died"]}
    frame = FRAME.assign(begun="2024-02-01", progressed="", died="", last="2024-03-31")
    frame.loc[0, ["progressed", "died", "last"]] = [progressed, died, last]
    frame.loc[4] = frame.loc[3].to_dict() | {"id": "e", "group": 1}
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    described = study(endpoints={"pfs": EVENTS | columns})
    found = load_cohort(tmp_path / "cohort.csv", described).data
    assert found["pfs_time"].tolist()[1:] == [59] * 4
    assert found["pfs_event"].tolist()[1:] == [0] * 4
    np.testing.assert_equal(found.loc[0, ["pfs_time", "pfs_event"]].to_list(), [days, event])
    assert not any("date" in name for name in found)


def test_an_event_before_the_start_is_refused(tmp_path):
    columns = {"start": "begun", "end": "last", "event_dates": ["died"]}
    frame = FRAME.assign(begun="2024-02-01", died="", last="2024-03-31")
    frame.loc[1, "died"] = "2024-01-31"
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    message = "row 3: columns 'begun' and 'last' and 'died': ends before it starts"
    described = study(endpoints={"os": EVENTS | columns})
    assert message in problems_of(tmp_path / "cohort.csv", described)


def test_dates_out_of_order_are_told_beside_damaged_entries(tmp_path):
    columns = {"start": "begun", "end": "last", "entry": "treated"}
    frame = FRAME.assign(begun="2024-02-01", last="2024-03-31", treated="2024-02-05")
    frame.loc[0, "last"] = "2024-01-31"
    frame.loc[1, "begun"] = "2024-02-31"
    frame["group"] = frame["group"].astype(object)
    frame.loc[2, "group"] = "third"
    frame.to_csv(tmp_path / "cohort.csv", index=False)
    described = study(endpoints={"os": EVENTS | {"event": "dead"} | columns})
    found = problems_of(tmp_path / "cohort.csv", described)
    for part in (
        "row 2: columns 'begun' and 'last': ends before it starts",
        "row 2: column 'treated': enters only when follow-up has ended",
        "row 3, column 'begun': found '2024-02-31'",
        "row 4, column 'group': found 'third'",
    ):
        assert part in found


def test_decimal_commas_are_read_where_the_study_file_says_so(tmp_path):
    path = save(tmp_path, GOOD.replace(",", ";").replace("1.5", "1,5"))
    assert load_cohort(path, study(decimal_mark="comma")).data["marker"][0] == 1.5
    assert "row 2, column 'marker': found '1,5'" in problems_of(path, study())


@pytest.mark.parametrize(
    ("style", "first", "last"),
    [
        ("iso", "2024-02-01", "2024-03-31"),
        ("iso", "1 Feb 2024", "31-MAR-2024"),
        ("iso", "01FEB2024", "2024-3-31"),
        ("iso", "2024-02-01 00:00:00", "2024-03-31T12:30:00"),
        ("day_first", "1.2.2024", "31.03.2024"),
        ("day_first", "01/02/2024", "31-03-2024"),
        ("month_first", "2/1/2024", "03/31/2024"),
        ("month_first", "2024-02-01", "3/31/2024"),
    ],
)
def test_dates_in_their_styles_become_times(style, first, last, tmp_path):
    cohort = load_cohort(save(tmp_path, dates(first, last)), dated(style))
    assert cohort.data["os_time"].tolist() == [59] * 4
    assert not any("start" in name or "end" in name for name in cohort.data)


@pytest.mark.parametrize(
    ("style", "first", "message"),
    [
        ("iso", "2024-02-30", "found '2024-02-30': not a day of the calendar"),
        ("iso", "2023-02-29", "not a day of the calendar written as 2024-03-31"),
        ("iso", "01.02.2024", "written as 2024-03-31"),
        ("day_first", "02/13/2024", "written as 31.3.2024"),
        ("month_first", "31.3.2024", "written as 3/31/2024"),
        ("day_first", "1.2.24", "found '1.2.24'"),
        ("iso", "45352", "found '45352'"),
        ("iso", "yesterday", "found 'yesterday'"),
        ("iso", "2024-05-01", "ends before it starts"),
        ("iso", "", "no patient of 'Old' has both time and event"),
    ],
)
def test_impossible_dates_are_refused(style, first, message, tmp_path):
    path = save(tmp_path, dates(first, "2024-03-31"))
    assert message in problems_of(path, dated(style))


# spreadsheets


def workbook(tmp_path, edit=None, name="cohort.xlsx", **sheets):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Patients"
    for row in [HEADER.split(","), *FRAME.astype(object).where(FRAME.notna(), None).to_numpy()]:
        sheet.append(list(row))
    for title, value in sheets.items():
        book.create_sheet(title)["A1"] = value
    if edit:
        edit(sheet)
    book.save(tmp_path / name)
    return tmp_path / name


def put(place, value):
    return lambda sheet: sheet.__setitem__(place, value)


def test_a_spreadsheet_gives_the_same_patients(tmp_path):
    expected = load_cohort(save(tmp_path, GOOD), study()).data
    found = load_cohort(workbook(tmp_path, Empty=None), study()).data
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda s: s.merge_cells("A1:B1"), "cells A1:B1 are merged"),
        (lambda s: s.merge_cells("B2:B3"), "cells B2:B3 are merged"),
        (lambda s: s.insert_rows(1), "ok"),
        (lambda s: (s.insert_rows(1), put("A1", "Our patients")(s)), "delete what stands above"),
        (put("C2", "=30*2"), "row 2: cell C2 is a formula without a saved value"),
        (put("C2", "60 days"), "row 2, column 'days': found '60 days'"),
        (put("C2", datetime.datetime(2024, 3, 1)), "found '2024-03-01'"),
        (put("C2", True), "found 'True'"),
        (put("H3", "a note"), "the 8th column has values but no name"),
        (put("E2", SCRIPT), f"found '{SCRIPT}'"),
        (put("A9", "Total"), "row 9, column 'group': is empty"),
    ],
)
def test_a_damaged_spreadsheet(edit, message, tmp_path):
    path = workbook(tmp_path, edit)
    if message == "ok":
        assert len(load_cohort(path, study()).data) == 4
    else:
        assert message in problems_of(path, study())


def test_one_of_several_sheets_must_be_named(tmp_path):
    path = workbook(tmp_path, Codes="1 = old")
    assert "has several sheets, 'Patients', 'Codes'" in problems_of(path, study())
    assert "has no sheet 'Other'" in problems_of(path, study(sheet="Other"))
    assert len(load_cohort(path, study(sheet="Patients")).data) == 4


def test_dates_of_a_spreadsheet_are_read_whatever_the_style(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "group", "first", "last", "dead", "sex", "marker", "ae_rash"])
    for n in range(4):
        first, last = datetime.datetime(2024, 2, 1), datetime.date(2024, 3, 31)
        book.active.append([n, 1 + n % 2, first, last, 1, "Male", 1, 0])
    book.save(tmp_path / "cohort.xlsx")
    cohort = load_cohort(tmp_path / "cohort.xlsx", dated("day_first"))
    assert cohort.data["os_time"].tolist() == [59] * 4


def an_archive():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "not a workbook")
    return content.getvalue()


@pytest.mark.parametrize("content", [b"", GOOD.encode(), b"PK\x03\x04broken", an_archive()])
@pytest.mark.parametrize("suffix", ["xlsx", "parquet", "sav", "dta", "sas7bdat", "xpt"])
def test_what_is_not_what_its_name_says_is_refused(suffix, content, tmp_path):
    path = save(tmp_path, content, f"cohort.{suffix}")
    assert problems_of(path, study()).startswith(("is damaged", "is empty"))


@pytest.mark.parametrize("name", ["cohort.xls", "cohort.ods", "cohort.docx", "cohort"])
def test_other_formats_are_named(name, tmp_path):
    assert "is not" in problems_of(save(tmp_path, GOOD, name), study())


# statistical packages


def written(tmp_path, suffix):
    path = tmp_path / f"cohort.{suffix}"
    frame = FRAME.assign(sex=FRAME["sex"].map({"Male": 1.0, "Female": 2.0}))
    labels = {"sex": {1.0: "Male", 2.0: "Female"}, "group": {1: "Old", 2: "New"}}
    if suffix == "sas7bdat":  # written by reference/sas_files.c
        for name in ("cohort.sas7bdat", "cohort.sas7bcat"):
            shutil.copy(REFERENCE / name, tmp_path)
    elif suffix == "parquet":
        FRAME.to_parquet(path)
    elif suffix == "xpt":
        pyreadstat.write_xport(FRAME, str(path))
    elif suffix == "dta":
        labels = {"sex": {1: "Male", 2: "Female"}, "group": {1: "Old", 2: "New"}}
        frame = frame.assign(sex=frame["sex"].astype(int))
        pyreadstat.write_dta(frame, str(path), variable_value_labels=labels)
    else:
        pyreadstat.write_sav(
            frame,
            str(path),
            variable_value_labels=labels,
            column_labels={"sex": "Sex of the patient"},
        )
    return path


@pytest.mark.parametrize("suffix", ["sav", "dta", "sas7bdat", "xpt", "parquet"])
def test_files_of_statistical_packages_give_the_same_patients(suffix, tmp_path):
    content = study().model_dump()
    if suffix in ("sav", "dta", "sas7bdat"):
        content["covariates"]["sex"]["levels"]["male"]["code"] = 1
        content["covariates"]["sex"]["levels"]["female"]["code"] = 2
    expected = load_cohort(save(tmp_path, GOOD), study()).data
    found = load_cohort(written(tmp_path, suffix), Study.model_validate(content)).data
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("suffix", ["sav", "dta", "sas7bdat"])
def test_a_draft_takes_value_labels_from_the_file(suffix, tmp_path):
    path = tmp_path / "study.yml"
    path.write_text(draft_study(written(tmp_path, suffix)), "utf-8")
    described = load_study(path)
    assert described.arm.column == "group"
    assert [level.label for level in described.arm.levels.values()] == ["Old", "New"]
    assert described.covariates["sex"].codes() == {"1": "male", "2": "female"}
    assert described.endpoints["os"].time == "days"


def test_labels_of_sas_are_in_the_catalogue_beside_the_table(tmp_path):
    path = written(tmp_path, "sas7bdat")
    expected = {"group": {"1": "Old", "2": "New"}, "sex": {"1": "Male", "2": "Female"}}
    assert read_cohort_file(path).value_labels == expected
    assert read_cohort_file(path).column_labels == {"sex": "Sex of the patient"}
    catalogue = path.with_suffix(".sas7bcat").rename(tmp_path / "formats.sas7bcat")
    assert read_cohort_file(path).value_labels == expected
    catalogue.write_bytes(b"not a catalogue")
    with pytest.raises(InputError, match="damaged") as caught:
        read_cohort_file(path)
    assert caught.value.source == str(catalogue)
    catalogue.unlink()
    assert read_cohort_file(path).value_labels == {}


# a draft of whatever text


@pytest.mark.parametrize(
    "text", [SCRIPT, "a: [b", "# x", "'\"", "{{7*7}}", "*b* `c` $d$", "- y\tz"]
)
def test_a_draft_of_a_hostile_file_is_a_study_file(text, tmp_path):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            f"arm {text}": np.tile([text, "B"], 20),
            "time": rng.integers(1, 900, 40),
            "status": rng.integers(0, 2, 40),
            f"grade of {text}": rng.choice([text, "low"], 40),
            f"free {text}": [f"{text}{n}" for n in range(40)],
        }
    )
    cohort = tmp_path / "cohort.csv"
    frame.to_csv(cohort, index=False)
    path = tmp_path / "study.yml"
    path.write_text(draft_study(cohort), "utf-8")
    described = load_study(path)
    assert described.arm.column == f"arm {text}"
    assert load_cohort(cohort, described).data["os" if "os_time" in frame else "arm"].notna().all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_draft_of_a_damaged_file_is_a_study_file_or_a_reason(name, tmp_path):
    try:
        text = draft_study(save(tmp_path, REFUSED[name][0]))
    except InputError as error:
        assert error.problems
    else:
        (tmp_path / "study.yml").write_text(text, "utf-8")
        load_study(tmp_path / "study.yml")


@pytest.mark.parametrize("name", ["plain", "semicolons", "blank line", "quoted", *REFUSED])
def test_a_large_text_file_is_read_as_a_small_one(tmp_path, monkeypatch, name):
    others = {
        "plain": GOOD,
        "semicolons": GOOD.replace(",", ";").replace("1.5", " 1.5 "),
        "blank line": GOOD.replace("\n", "\n\n", 1),
        "quoted": GOOD.replace("Male", '"Male"'),
    }
    path = save(tmp_path, others[name] if name in others else REFUSED[name][0])

    def read():
        try:
            return load_cohort(path, study()).data
        except InputError as error:
            return [str(problem) for problem in error.problems]

    small = read()
    monkeypatch.setattr(cohort_files, "LARGE_TEXT", 0)
    large = read()
    assert large == small if isinstance(small, list) else large.equals(small)
