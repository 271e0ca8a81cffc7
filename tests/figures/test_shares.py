import numpy as np
from drawn import estimate, lines, rows_of, small_study, texts

from helpers.figures import (
    describe_adverse_events,
    describe_response,
    plot_adverse_events,
    plot_response,
)

STUDY = small_study()


def share(n, percent):
    return {"n": n, **estimate("percent", percent, percent - 5, percent + 5)}


def event_rows():
    table = {}
    for event, old, new in (("rash", 10, 20), ("fever", 40, 30), ("any", 45, 50)):
        for level in ("any_grade", "severe"):
            keys = ("adverse_event", "", event, level)
            table[(*keys, "overall")] = share(6, (old + new) / 2)
            table[(*keys, "old")], table[(*keys, "new")] = share(old / 5, old), share(new / 5, new)
            table[(*keys, "new_vs_old")] = estimate("risk_difference", new - old, -3, 23)
    return rows_of(table)


def response_rows():
    table = {}
    for variable, old, new in (("cr", 20, 40), ("pd", 80, 60), ("orr", 20, 40)):
        keys = ("response", "", variable, "")
        table[(*keys, "old")], table[(*keys, "new")] = share(old / 5, old), share(new / 5, new)
        table[(*keys, "new_vs_old")] = estimate("risk_difference", new - old, 1, 39)
    return rows_of(table)


def test_adverse_events_are_sorted_and_stand_where_the_rows_say():
    figure = plot_adverse_events(event_rows(), STUDY)
    for line, shares in zip(lines(figure, "share-new"), ([30, 20, 50],) * 2, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), shares)
    differences = [line.get_xdata()[0] for line in lines(figure, "difference")]
    assert differences == [-10, 10, 5] * 2
    assert "difference: New drug minus Old drug" in texts(figure)
    text = describe_adverse_events(event_rows(), STUDY)
    assert text.index("Fever") < text.index("Rash")
    assert (
        "Rash: Old drug 2 (10.0%), New drug 4 (20.0%), difference 10.0 points (−3.0 to 23.0)."
        in text
    )


def test_a_share_of_nobody_is_drawn_whole():
    rows = event_rows()
    rows["value"] = rows["value"].where(rows["group"] != "new", 0.0)
    for line in lines(plot_adverse_events(rows, STUDY), "share-new"):
        assert set(line.get_xdata()) == {0}
        assert line.axes.get_xlim()[0] == 0
        assert not line.get_clip_on()


def test_response_shows_categories_rates_and_differences():
    figure = plot_response(response_rows(), STUDY)
    (line,) = lines(figure, "share-old")
    np.testing.assert_array_equal(line.get_xdata(), [20, 80, 20])
    assert "Response rate: Old drug 4 (20.0%), New drug 8 (40.0%)" in describe_response(
        response_rows(), STUDY
    )
