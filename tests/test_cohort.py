from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from random_cohort import random_frame

from helpers.cohort import cohort_from_frame, load_cohort
from helpers.errors import InputError
from helpers.study import Study, load_study

DATA = Path(__file__).parents[1] / "data"
STUDY = Study.model_validate(
    {
        "title": "Toy",
        "identifier": "id",
        "arm": {
            "column": "group",
            "label": "Group",
            "reference": "old",
            "levels": {"old": {"label": "Old", "code": 1}, "new": {"label": "New", "code": 2}},
        },
        "time": {"unit": "months", "days_per_month": 30},
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
            "grade": {
                "kind": "categorical",
                "label": "Grade",
                "reference": "low",
                "levels": {"low": {"label": "Low"}, "high": {"label": "High"}},
            },
            "marker": {
                "kind": "categorical",
                "label": "Marker",
                "column": "marker_value",
                "cutoff": 10,
                "reference": "below",
                "levels": {"below": {"label": "< 10"}, "above": {"label": "≥ 10"}},
            },
            "marker_amount": {"kind": "continuous", "label": "M", "column": "marker_value"},
        },
    }
)
HEADER = "id,group,days,dead,grade,marker_value\n"


def loaded(text, tmp_path, encoding="utf-8"):
    path = tmp_path / "cohort.csv"
    path.write_bytes(text.encode(encoding))
    return load_cohort(path, STUDY)


def problems_of(text, tmp_path, encoding="utf-8"):
    with pytest.raises(InputError) as caught:
        loaded(text, tmp_path, encoding)
    assert caught.value.source == str(tmp_path / "cohort.csv")
    return caught.value.problems


def test_a_cohort_is_named_by_the_study(tmp_path):
    cohort = loaded(HEADER + "a,1,60,0,low,9.99\nb,2,45,1,high,10\nc,2, 30 ,1,NA,\n", tmp_path)
    assert list(cohort.data.columns) == [
        "arm",
        "os_time",
        "os_event",
        "grade",
        "marker",
        "marker_amount",
    ]
    assert list(cohort.data["arm"]) == ["old", "new", "new"]
    assert list(cohort.data["os_time"]) == [2, 1.5, 1]
    assert list(cohort.data["os_event"]) == [0, 1, 1]
    assert list(cohort.data["marker"][:2]) == ["below", "above"]
    assert cohort.data.iloc[2][["grade", "marker", "marker_amount"]].isna().all()
    assert cohort.arms == ["old", "new"]
    assert cohort.compared_arms == ["new"]
    assert {group: len(patients) for group, patients in cohort.groups()} == {
        "overall": 3,
        "old": 1,
        "new": 2,
    }
    assert len(cohort.subset(cohort.data["os_event"] == 1).data) == 2


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        load_cohort(tmp_path / "none.csv", STUDY)


@pytest.mark.parametrize("text", ["", "\n \n,,\n"])
def test_an_empty_file_is_refused(text, tmp_path):
    assert problems_of(text, tmp_path) == ["is empty; a header and one row a patient are needed"]


def test_a_header_alone_is_refused(tmp_path):
    assert problems_of(HEADER, tmp_path) == ["has a header but no patient"]


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_delimiters_are_read(mark, tmp_path):
    text = HEADER + "a,1,60,0,low,9\nb,2,45,1,high,10\n"
    other = loaded(text.replace(",", mark), tmp_path).data
    pd.testing.assert_frame_equal(other, loaded(text, tmp_path).data)


def test_another_encoding_is_refused(tmp_path):
    assert "UTF-8" in problems_of(HEADER + "ä,1,60,0,low,9\n", tmp_path, "latin-1")[0]


def test_a_byte_order_mark_is_accepted(tmp_path):
    assert len(loaded(HEADER + "a,1,6,0,low,9\nb,2,6,0,low,9\n", tmp_path, "utf-8-sig").data) == 2


def test_the_shape_is_checked_first(tmp_path):
    text = "id,group,days,days\na,1,60\n\nb,2,60,1,1\n"
    assert problems_of(text, tmp_path) == [
        "row 1: columns named twice: days; rename one",
        "row 2: 3 cells where the header has 4",
        "row 4: 5 cells where the header has 4",
    ]


def test_everything_wrong_is_reported_at_once(tmp_path):
    rows = ["a,1,-5,0,low,9", "", "a,1,soon,2,middle,9 ng", "c,1,inf,,low,9", ",3,10,0,low,9"]
    assert problems_of(HEADER + "\n".join(rows) + "\n", tmp_path) == [
        "row 6, column 'group': found '3': not a level of the study file; its levels are 1, 2",
        *(
            f"row {row}, column 'days': found {found!r}: a time must be a number, not negative, "
            "with a decimal point, no unit"
            for row, found in ((2, "-5"), (4, "soon"), (5, "inf"))
        ),
        "row 4, column 'dead': found '2': an event is 1, its absence 0",
        "row 4, column 'grade': found 'middle': not a level of the study file; "
        "its levels are low, high",
        "row 4, column 'marker_value': found '9 ng': a value must be a number, "
        "with a decimal point, no unit",
        "rows 2, 4, column 'id': identifier 'a' stands 2 times; a patient has one row",
        "row 6, column 'id': is empty; each patient needs an identifier",
        "column 'group': no patient in arm 'new'; "
        "remove the arm from the study file or correct the column",
    ]


def test_missing_columns_are_named_with_what_there_is(tmp_path):
    problems = problems_of("id,group,Days,grade\na,1,60,middle\nb,2,50,low\n", tmp_path)
    text = "\n".join(problems)
    assert "column 'dead' is missing" in text
    assert "column 'days' is missing" in text
    assert "did you mean 'Days'?" in text
    assert "the columns of the file are id, group, Days, grade" in text
    assert "row 2, column 'grade': found 'middle'" in text


def test_many_bad_rows_are_counted(tmp_path):
    rows = "".join(f"p{i},{1 + i % 2},x,0,low,9\n" for i in range(8))
    problems = problems_of(HEADER + rows, tmp_path)
    (problem,) = problems
    assert problem.startswith("rows 2, 3, 4, 5, 6 and 3 more, column 'days': found 'x': a time")
    assert problem.rows == tuple(range(2, 10))


def test_many_bad_values_are_counted(tmp_path):
    rows = "".join(f"p{i},{1 + i % 2},x{i},0,low,9\n" for i in range(8))
    problems = problems_of(HEADER + rows, tmp_path)
    assert len(problems) == 6
    assert problems[4].startswith("row 6, column 'days': found 'x4'")
    assert problems[5] == "rows 7, 8, 9, column 'days': 3 more values like these"


def test_an_error_says_the_file_in_each_line(tmp_path):
    with pytest.raises(InputError) as caught:
        loaded(HEADER + "a,1,-5,0,low,9\n", tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(line.startswith(str(tmp_path / "cohort.csv")) for line in lines)


def test_a_frame_is_checked_like_a_file_whatever_its_index():
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "group": [1.0, 2.0],
            "days": [60, 30],
            "dead": [0, 1],
            "grade": ["low", np.nan],
            "marker_value": [np.nan, 12.5],
        },
        index=["x", "y"],
    )
    before = frame.copy()
    cohort = cohort_from_frame(frame, STUDY)
    pd.testing.assert_frame_equal(frame, before)
    assert list(cohort.data.index) == [0, 1]
    assert cohort.data["marker"].isna().tolist() == [True, False]
    with pytest.raises(InputError, match="row 3, column 'days': found '-1'"):
        cohort_from_frame(frame.assign(days=[1, -1]), STUDY)


def test_grades_of_a_column_with_gaps_are_read(tmp_path):
    study = load_study(DATA / "study.yml")
    frame = random_frame(study, n=6)
    event = study.adverse_events.column(next(iter(study.adverse_events.events)))
    frame[event] = [0.0, 1.0, 2.0, 3.0, np.nan, 0.0]
    path = tmp_path / "cohort.csv"
    frame.to_csv(path, index=False)
    grades = load_cohort(path, study).data[event]
    assert list(grades[:4]) == [0, 1, 2, 3]
    assert np.isnan(grades[4])


def test_the_real_cohort_loads():
    cohort = load_cohort(DATA / "hepatocellular.csv", load_study(DATA / "hepatocellular.yml"))
    assert len(cohort.data) == 227
