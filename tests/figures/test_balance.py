import numpy as np
from drawn import lines, rows_of, small_study

from helpers.figures import (
    describe_balance,
    plot_balance,
)

STUDY = small_study()


def test_balance_shows_each_difference_beside_the_line():
    rows = rows_of(
        {
            ("baseline", "", "age", "", "new_vs_old"): {"smd": 0.04},
            ("baseline", "", "sex", "", "new_vs_old"): {"smd": 0.3},
        }
    )
    figure = plot_balance(rows, STUDY)
    (line,) = lines(figure, "difference")
    np.testing.assert_array_equal(line.get_xdata(), [0.04, 0.3])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["0.04", "0.30"]
    # In a column of their own, where nothing crosses them.
    assert all(text.get_window_extent().x0 > axes.bbox.x1 for text in axes.texts)
    assert describe_balance(rows, STUDY).endswith(
        "New drug against Old drug: 1 of 2 above 0.1, largest first: Sex 0.30."
    )


def test_a_marker_at_zero_keeps_its_distance_from_the_label():
    figure = plot_balance(rows_of({("baseline", "", "age", "", "new_vs_old"): {"smd": 0.0}}), STUDY)
    figure.draw_without_rendering()
    (axes,) = figure.axes
    (line,) = lines(figure, "difference")
    half = line.get_markersize() / 2 * figure.dpi / 72
    edge = axes.transData.transform((0, 0))[0] - half
    assert all(label.get_window_extent().x1 < edge - half for label in axes.get_yticklabels())
