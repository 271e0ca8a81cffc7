import math

import pandas as pd
import pytest

from helpers.results import (
    KEYS,
    collect_results,
    contrast,
    read_results,
    result_row,
    select,
    value_of,
    write_results,
)


@pytest.fixture
def results():
    return collect_results(
        [
            result_row("survival", "median", math.inf, endpoint="os", group="new", method="NA"),
            result_row("survival", "median", 0.1 + 0.2, endpoint="os", group="old"),
            result_row("adverse_event", "p", math.nan, variable="rash", level="severe"),
        ]
    )


def test_a_key_that_does_not_apply_is_empty(results):
    assert list(results.loc[1, KEYS]) == ["survival", "os", "", "", "old", "median"]


def test_written_results_are_read_back_exactly(results, tmp_path):
    path = tmp_path / "results.csv"
    write_results(results, path)
    pd.testing.assert_frame_equal(read_results(path), results, check_exact=True)


def test_equal_keys_are_an_error():
    row = result_row("cohort", "n", 88, group="overall")
    with pytest.raises(ValueError, match="same keys"):
        collect_results([row, row | {"value": 89.0}])


def test_no_rows_are_results_too():
    assert select(collect_results([]), analysis="cohort").empty


def test_select_takes_a_list_of_alternatives(results):
    assert len(select(results, group=["new", "old"])) == 2
    assert len(select(results, group=["new", "old"], method="NA")) == 1


def test_value_of(results):
    assert value_of(results, endpoint="os", group="old") == 0.1 + 0.2
    assert math.isnan(value_of(results, endpoint="pfs"))
    with pytest.raises(ValueError, match="2 results"):
        value_of(results, endpoint="os")


def test_contrast_names_the_reference_last():
    assert contrast("new", "old") == "new_vs_old"
