"""A file stands under its name only when all of it is written."""

import pytest

from helpers.errors import InputError
from helpers.whole_file import whole_file


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), whole_file(path) as file:
        file.write("half")
        file.flush()
        assert path.read_text() == "before"
        raise ZeroDivisionError
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_bytes_and_lines_are_written_as_given(tmp_path):
    with whole_file(tmp_path / "b", binary=True) as file:
        file.write(b"\x00\r\n")
    with whole_file(tmp_path / "c") as file:
        file.write("ä\r\n\n")
    assert (tmp_path / "b").read_bytes() == b"\x00\r\n"
    assert (tmp_path / "c").read_bytes() == "ä\r\n\n".encode()


def test_a_missing_folder_is_told(tmp_path):
    with pytest.raises(InputError, match="folder does not exist"), whole_file(tmp_path / "d" / "e"):
        pass
