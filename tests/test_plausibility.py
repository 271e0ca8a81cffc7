import pandas as pd
import pytest

from helpers.errors import InputError
from helpers.plausibility import check_cohort
from helpers.study import Study

CONTENT = {
    "title": "Toy",
    "identifier": "id",
    "arm": {
        "column": "arm",
        "label": "Arm",
        "reference": "a",
        "levels": {"a": {"label": "A"}, "b": {"label": "B"}},
    },
    "time": {"unit": "months"},
    "endpoints": {
        key: {"label": key, "abbreviation": key.upper(), "time": key, "event": f"{key}_event"}
        for key in ("os", "pfs")
    },
    "covariates": {
        "sex": {
            "kind": "categorical",
            "label": "Sex",
            "reference": "f",
            "levels": {"f": {"label": "Female"}, "m": {"label": "Male"}},
        },
        "age": {"kind": "continuous", "label": "Age"},
    },
}
N = 24
FRAME = pd.DataFrame(
    {
        "id": range(1, N + 1),
        "arm": ["a", "b"] * (N // 2),
        "os": range(10, 10 + N),
        "os_event": [1, 1, 0, 0] * (N // 4),
        "pfs": range(5, 5 + N),
        "pfs_event": [1, 1, 1, 0, 0, 1] * (N // 6),
        "sex": ["f", "m", "m", "f"] * (N // 4),
        "age": range(40, 40 + N),
    }
)


def warnings_of(tmp_path, content=CONTENT, **columns):
    path = tmp_path / "cohort.csv"
    FRAME.assign(**columns).to_csv(path, index=False)
    return check_cohort(path, Study.model_validate(content))[1]


def values(name, changes):
    return [changes.get(n, value) for n, value in enumerate(FRAME[name], start=2)]


def test_a_usual_cohort_gives_no_warning(tmp_path):
    assert warnings_of(tmp_path) == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"os_event": [0, 1] * (N // 2)},
            "column 'os_event': none of the 12 patients in 'A' has the event (event): its hazard "
            "ratio does not exist",
        ),
        (
            {"pfs_event": [1] * N},
            "column 'pfs_event': every patient has the event, none is censored",
        ),
        (
            {"pfs": values("pfs", {3: None, 9: None})},
            "rows 3, 9, column 'pfs_event': time or event is not known: left out of pfs",
        ),
        ({"pfs": values("pfs", {2: 0})}, "row 2, column 'pfs': has the event at time 0"),
        (
            {"pfs": values("pfs", {5: 0})},
            "row 5, column 'pfs': is censored at time 0: counts for nothing",
        ),
        ({"pfs": values("pfs", {4: 12.5})}, "row 4, column 'pfs': PFS is longer than OS"),
        (
            {"pfs": FRAME["os"] + 1},
            "rows 2, 3, 4, 5, 6 and 19 more, column 'pfs': PFS is longer than OS",
        ),
        (
            {"os": 30 * FRAME["os"]},
            "column 'os': the longest time is 990 months, 82 years: is the unit days?",
        ),
        ({"sex": values("sex", {2: "m"})}, None),
        ({"sex": ["m"] * (N - 2) + ["f"] * 2}, "column 'sex': level 'Female' has 2 patients"),
        ({"sex": ["m"] * N}, "column 'sex': no patient is at level 'Female'"),
        ({"age": [50] * N}, "column 'age': has one value: it can explain nothing"),
        (
            {"age": values("age", {3: 4100})},
            "row 3, column 'age': is far from all others: a slip of typing?",
        ),
        (
            {"age": FRAME["age"].where(FRAME["id"] < 11)},
            "column 'age': 14 of 24 patients have no value",
        ),
        (
            {"os_event": (FRAME["os"] > 22).astype(int)},
            "column 'os_event': those with the event were observed longer than those censored "
            "(medians): is the coding inverted?",
        ),
    ],
)
def test_what_is_odd_is_said(columns, message, tmp_path):
    found = warnings_of(tmp_path, **columns)
    assert ([] if message is None else [message]) == found


def test_an_event_named_as_in_cdisc_must_be_declared(tmp_path):
    content = CONTENT | {"endpoints": {"os": CONTENT["endpoints"]["os"] | {"event": "CNSR"}}}
    found = warnings_of(tmp_path, content, CNSR=FRAME["os_event"])
    assert len(found) == 1
    assert "CDISC's CNSR is 0 for an event" in found[0]
    content["endpoints"]["os"] |= {"event_codes": [0], "censored_codes": [1, 2]}
    assert warnings_of(tmp_path, content, CNSR=FRAME["os_event"]) == []


def test_times_in_days_that_are_not_whole_are_odd(tmp_path):
    content = CONTENT | {"endpoints": {"os": CONTENT["endpoints"]["os"] | {"unit": "days"}}}
    found = warnings_of(tmp_path, content, os=FRAME["os"] + 0.25)
    assert found == [
        "column 'os': most times are not whole, but the unit is days: are these months?"
    ]


def test_a_patient_entered_twice_is_odd(tmp_path):
    path = tmp_path / "cohort.csv"
    twin = FRAME.iloc[[3]].assign(id=99)
    pd.concat([FRAME, twin]).to_csv(path, index=False)
    found = check_cohort(path, Study.model_validate(CONTENT))[1]
    assert found == ["rows 5, 26: are the same in every column: one patient twice?"]


def test_problems_come_before_warnings(tmp_path):
    with pytest.raises(InputError, match="row 2, column 'os'"):
        warnings_of(tmp_path, os=values("os", {2: "x"}))


@pytest.mark.parametrize(("days_later", "odd_rows"), [(0, ()), (5, tuple(range(2, N + 2)))])
def test_the_rounding_of_a_time_is_not_odd_beside_dates(days_later, odd_rows, tmp_path):
    start = pd.Timestamp("2020-01-01")
    days = pd.Series(range(300, 300 + N))
    end = start + pd.to_timedelta(days + days_later, "D")
    content = CONTENT | {
        "endpoints": {
            "os": CONTENT["endpoints"]["os"],
            "pfs": {
                "label": "Progression-free",
                "abbreviation": "PFS",
                "start": "first",
                "end": "last",
                "event": "pfs_event",
            },
        }
    }
    found = warnings_of(
        tmp_path, content, os=(days / 30.4375).round(1), first=start.date(), last=end.dt.date
    )
    assert tuple(row for problem in found for row in problem.rows) == odd_rows
