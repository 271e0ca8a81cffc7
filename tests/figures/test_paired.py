import pandas as pd
from drawn import lines, rows_of, small_study

from helpers.figures import (
    describe_paired,
    plot_paired,
)

STUDY = small_study()


def paired_rows():
    table = {}
    for arm, before, after in (("old", 200, 220), ("new", 700, 350)):
        for level, value in (("baseline", before), ("followup", after)):
            quartiles = {"n": 9, "median": value, "q1": value / 2, "q3": value * 2}
            table["measurement", "", "afp", level, arm] = quartiles
        table["measurement", "", "afp", "change", arm] = {"n": 9, "p": 0.02}
    table["measurement", "", "afp", "change", "between_arms"] = {"p": 0.03}
    return rows_of(table)


def test_paired_values_show_medians_and_each_patient_only_where_given():
    pairs = pd.DataFrame(
        {"group": ["old", "new", "new"], "baseline": [1, 2, 3.0], "followup": [4, 5, 6.0]}
    )
    figure = plot_paired(pairs, paired_rows(), STUDY, "afp")
    assert [line.get_ydata().tolist() for line in lines(figure, "patient")] == [
        [1, 4],
        [2, 5],
        [3, 6],
    ]
    first = figure.axes[0]
    assert all(text.get_window_extent().x0 > first.bbox.x0 for text in first.texts)
    figure = plot_paired(None, paired_rows(), STUDY, "afp")
    assert not lines(figure, "patient")
    assert [list(line.get_ydata()) for line in lines(figure, "median")] == [[200, 220], [700, 350]]
    assert figure.axes[0].get_yscale() == "log"
    text = describe_paired(paired_rows(), STUDY, "afp")
    assert "New drug: median (quartiles) 700.0 ng/mL (350.0 to 1400.0) before" in text
