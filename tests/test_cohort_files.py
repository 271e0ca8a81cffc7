"""Parquet is read in pieces of row groups, and only the columns that are needed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from pyarrow import parquet

from helpers import cohort, cohort_files
from helpers.cohort import load_cohort
from helpers.cohort_files import read_cohort_file
from helpers.errors import InputError
from helpers.sections import summarize_all
from helpers.study import load_study

ROOT = Path(__file__).parents[1]
STUDY = load_study(ROOT / "data/hepatocellular.yml")
PATIENTS = pd.read_csv(ROOT / "data/hepatocellular.csv")


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(cohort_files, "PIECE", 20)
    monkeypatch.setattr(cohort, "PIECE", 20)


def write(frame, folder, rows=7):
    path = folder / "cohort.parquet"
    frame.to_parquet(path, row_group_size=rows, index=False)
    return path


def columns_read(monkeypatch):
    """Columns of each piece that is read."""
    read = []
    plain = parquet.ParquetFile.read_row_groups

    def spy(self, groups, columns):
        read.append((tuple(groups), *columns))
        return plain(self, groups, columns=columns)

    monkeypatch.setattr(parquet.ParquetFile, "read_row_groups", spy)
    return read


def test_results_of_pieces_are_those_of_the_whole_file(tmp_path, small_pieces, monkeypatch):
    path = write(PATIENTS.assign(note="not in the study file"), tmp_path)
    read = columns_read(monkeypatch)
    in_pieces = load_cohort(path, STUDY)
    assert {column for _, column in read}.isdisjoint({"note"})
    assert {len(groups) for groups, _ in read} <= {3, 2, 1}
    assert len({groups for groups, _ in read}) == -(-len(PATIENTS) // 21)
    monkeypatch.setattr(cohort_files, "PIECE", len(PATIENTS))
    whole = load_cohort(write(PATIENTS, tmp_path, len(PATIENTS)), STUDY)
    assert_frame_equal(in_pieces.data, whole.data)
    assert_frame_equal(summarize_all(in_pieces), summarize_all(whole))


def test_cells_of_pieces_are_those_of_the_whole_file(tmp_path, small_pieces, monkeypatch):
    rng = np.random.default_rng(1)
    n = 70
    frame = pd.DataFrame(
        {
            "id": [f" p{number}" for number in range(n)],
            "first_few": [*("ab" * 20), *map(str, range(n - 40))],
            "first_many": [*map(str, range(40)), *("ab" * 15)],
            "grade": pd.array([1, None, 3, 0, 2] * 14, dtype="Int64"),
            "value": np.where(rng.random(n) < 0.3, np.nan, rng.normal(size=n).round(2)),
            "kind": pd.Categorical(rng.choice(["x", "y", "z"], n)),
            "day": pd.date_range("2024-01-30", periods=n),
            "blank": None,
        }
    )
    frame.loc[n - 1] = None
    in_pieces = read_cohort_file(write(frame, tmp_path))
    monkeypatch.setattr(cohort_files, "PIECE", n)
    whole = read_cohort_file(write(frame, tmp_path, n))
    assert list(whole.cells.columns) == list(frame)
    assert whole.cells.loc[[1, 41, n - 1], "first_few"].tolist() == ["a", "0", "28"]
    assert len(whole.cells) == n - 1
    assert_frame_equal(in_pieces.cells.astype(str), whole.cells.astype(str))
    assert in_pieces.dates == whole.dates == {"day"}


def test_codes_of_pieces_take_no_more_room_than_they_need(tmp_path, small_pieces):
    frame = pd.DataFrame({"arm": ["a", "b"] * 300, "day": np.arange(600) // 3})
    cells = read_cohort_file(write(frame, tmp_path)).cells
    assert [cells[name].cat.codes.dtype for name in frame] == [np.int8, np.int16]


def test_an_error_names_all_columns_though_few_are_needed(tmp_path, small_pieces):
    frame = PATIENTS.rename(columns={STUDY.arm.column: "treatment"})
    with pytest.raises(InputError) as caught:
        load_cohort(write(frame, tmp_path), STUDY)
    assert f"the columns of the file are {', '.join(frame.columns)}" in str(caught.value)


def test_a_row_with_nothing_but_what_is_not_needed_is_an_error(tmp_path, small_pieces):
    frame = PATIENTS.astype(object).assign(note="here")
    frame.loc[30, frame.columns != "note"] = None
    with pytest.raises(InputError, match=r"row 31, column .*is empty"):
        load_cohort(write(frame.astype(str).replace({"None": None}), tmp_path), STUDY)


def test_needed_columns_without_any_value_are_named(tmp_path, small_pieces):
    frame = PATIENTS.astype(object).assign(note="here")
    frame.loc[:, frame.columns != "note"] = None
    with pytest.raises(InputError, match=f"column '{STUDY.identifier}': is empty"):
        load_cohort(write(frame, tmp_path), STUDY)


def test_identifiers_of_pieces_are_compared_across_pieces(tmp_path, small_pieces):
    study = STUDY.model_copy(update={"identifier": "number"})
    numbers = np.arange(len(PATIENTS))
    load_cohort(write(PATIENTS.assign(number=numbers), tmp_path), study)
    numbers[-1] = 3
    with pytest.raises(InputError, match="identifier '3' stands 2 times"):
        load_cohort(write(PATIENTS.assign(number=numbers), tmp_path), study)
