import numpy as np
import pandas as pd
import pytest
from drawn import HOSTILE, at_risk, curves, lines, small_study, survival_rows, texts

from helpers.figures import choose_times, describe_kaplan_meier, plot_kaplan_meier
from helpers.figures.style import thin_steps

TIMES = [0, 6, 12, 18, 24, 30]


@pytest.fixture
def figure():
    return plot_kaplan_meier(curves(), at_risk(TIMES), survival_rows(), small_study(), "os")


def test_each_curve_steps_through_its_rows(figure):
    for line, arm in zip(lines(figure, "curve"), ("old", "new"), strict=True):
        rows = curves().query(f"group == {arm!r}")
        np.testing.assert_array_equal(line.get_xdata(), rows["time"])
        np.testing.assert_allclose(line.get_ydata(), 100 * rows["survival"])
        assert line.get_drawstyle() == "steps-post"


def test_the_axis_reaches_the_last_observation_beyond_the_last_tick():
    long = curves().assign(time=lambda frame: frame["time"] + 3)
    figure = plot_kaplan_meier(long, at_risk(TIMES), survival_rows(), small_study(), "os")
    assert figure.axes[0].get_xlim() == (0, 33)
    assert list(figure.axes[0].get_xticks()) == TIMES


def test_censored_patients_are_ticks_on_the_curve(figure):
    drawn = [line.get_xydata().tolist() for line in lines(figure, "censored")]
    assert drawn == [[[10, 50]], [[12, 80], [30, 40]]]


def test_of_many_steps_those_are_drawn_that_can_be_seen():
    n = 100_000
    survival = 1 - np.arange(n) / (2 * n)
    seen = thin_steps(survival, np.where(survival > 0.6, survival, np.nan))
    assert len(seen) < 4000
    drawn = survival[seen][np.searchsorted(seen, np.arange(n), side="right") - 1]
    assert np.abs(drawn - survival).max() < 0.5 / 1000
    assert thin_steps(np.ones(5)).tolist() == [0, 4]


def test_a_curve_with_many_censored_patients_has_no_ticks():
    many = [curves().assign(time=lambda rows, n=n: rows["time"] + n / 1000) for n in range(400)]
    drawn = pd.concat(many, ignore_index=True)
    figure = plot_kaplan_meier(drawn, at_risk(TIMES), survival_rows(), small_study(), "os")
    assert len(lines(figure, "censored")) == 0
    assert len(lines(figure, "curve")) == 2


def test_medians_drop_to_the_axis(figure):
    assert [line.get_xdata()[0] for line in lines(figure, "median")] == [10, 24]


def test_the_table_has_patients_at_risk_and_events_so_far_below_each_tick(figure):
    axes = figure.axes[0]
    cells = [text for text in axes.texts if text.get_gid() == "at_risk"]
    old = [(text.get_position()[0], text.get_text()) for text in cells[: len(TIMES)]]
    assert old == [
        (0, "4 (0)"),
        (6, "3 (1)"),
        (12, "1 (2)"),
        (18, "1 (2)"),
        (24, "0 (3)"),
        (30, "0 (3)"),
    ]
    heights = {text.get_position()[1] for text in cells[: len(TIMES)]}
    assert len(heights) == 1
    assert list(axes.get_xticks()) == TIMES


def test_of_a_million_patients_the_first_numbers_at_risk_stand_clear_of_the_names():
    many = at_risk(TIMES)
    many[["n_risk", "n_event"]] *= 250_000
    figure = plot_kaplan_meier(curves(), many, survival_rows(), small_study(), "os")
    texts = {text.get_text(): text.get_window_extent() for text in figure.axes[0].texts}
    assert texts["Old drug"].x1 < texts["1,000,000 (0)"].x0


def test_arms_are_told_apart_without_colour(figure):
    assert len({str(line.get_linestyle()) for line in lines(figure, "curve")}) == 2


def test_estimates_stand_on_the_figure(figure):
    shown = texts(figure)
    assert "24.0 (12.0 to NA)" in shown
    line = (
        "Hazard ratio New drug against Old drug 0.50 (0.25 to 1.00), p = 0.050, log-rank p < 0.001"
    )
    assert line in shown


def test_the_description_says_what_is_seen():
    text = describe_kaplan_meier(survival_rows(), small_study(), "os")
    assert text.startswith("Kaplan-Meier curves of overall survival.")
    assert "New drug: 5 patients, 2 events, median 24.0 (12.0 to NA) months." in text
    assert "0.50 (0.25 to 1.00), p = 0.050, log-rank p < 0.001." in text


def test_a_subgroup_reads_its_own_rows():
    rows = survival_rows("subgroup", "sex", "m")
    place = {"variable": "sex", "level": "m"}
    figure = plot_kaplan_meier(curves(), at_risk(TIMES), rows, small_study(), "os", **place)
    assert "Overall survival, Sex: Male (%)" in texts(figure)
    assert "log-rank p < 0.001" in describe_kaplan_meier(rows, small_study(), "os", **place)


def test_three_arms_one_of_them_absent_and_no_results():
    study = small_study(arms=3)
    figure = plot_kaplan_meier(curves(), at_risk(TIMES), survival_rows().iloc[:0], study, "os")
    assert len(lines(figure, "curve")) == 2
    assert not lines(figure, "median")
    assert "No drug: median –." in describe_kaplan_meier(survival_rows().iloc[:0], study, "os")


def test_a_label_is_text_and_nothing_else():
    figure = plot_kaplan_meier(
        curves(), at_risk(TIMES), survival_rows(), small_study(HOSTILE), "os"
    )
    assert any("<script>alert(1)</script>" in text for text in texts(figure))
    figure.canvas.draw()


@pytest.mark.parametrize(
    ("longest", "times"),
    [
        (30, [0, 6, 12, 18, 24, 30]),
        (5, [0, 1, 2, 3, 4, 5]),
        (0, [0]),
        (90, [0, 12, 24, 36, 48, 60, 72, 84]),
    ],
)
def test_times_are_round_and_few(longest, times):
    frame = curves().assign(time=longest)
    assert choose_times(frame) == times
