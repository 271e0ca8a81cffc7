"""Figures of an ensemble: what they draw and say."""

import pandas as pd
import pytest

from helpers.figures.determined import describe_ratios, describe_walk, plot_ratios, plot_walk


@pytest.fixture(scope="module")
def ranges():
    keys = {"variable": "arm", "level": "", "group": "tace_tc_vs_tace_t", "endpoint": "os"}
    ends = {"least": 0.4, "low": 0.5, "median": 0.55, "high": 0.6, "most": 0.7}
    ratio = {"analysis": "cox_full", "statistic": "hazard_ratio", "value": 0.52, "n": 9}
    missing = {"analysis": "cox_weighted", "statistic": "hazard_ratio", "value": 0.5, "n": 0}
    other = {"analysis": "survival", "statistic": "rmst", "value": 0.5, "n": 9}
    return pd.DataFrame([keys | ends | each for each in (ratio, missing, other)])


def test_ratios_are_drawn_from_least_to_most(ranges, study):
    (axes,) = plot_ratios(ranges, study).axes
    lines = [collection.get_segments()[0][:, 0].tolist() for collection in axes.collections]
    assert lines == [[0.4, 0.7], [0.5, 0.6]]
    (label,) = (text.get_text() for text in axes.get_yticklabels())
    assert label.replace("\n", " ") == "OS: hazard ratio, adjusted for all covariates"


def test_ratios_in_words(ranges, study):
    assert describe_ratios(ranges, study) == (
        "Lines of the middle 95% of the draws: OS: hazard ratio, adjusted for all covariates "
        "0.50 to 0.60, one cohort 0.52."
    )


def test_a_walk_is_drawn_and_said(study):
    steps, along = [0, 1000, 2000], {"os": [0.0, 0.5, 0.75], "pfs": [0.0, 0.25, 0.5]}
    (axes,) = plot_walk(steps, along, study).axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
    assert list(drawn["Overall survival"]) == along["os"]
    assert describe_walk(steps, along, study) == (
        "Curves of unlikeness from the start, rising from 0: overall survival 0.50 after 1,000 "
        "steps, 0.75 after 2,000; progression-free survival 0.25 after 1,000 steps, 0.50 after "
        "2,000."
    )
