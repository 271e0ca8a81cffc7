import math

import numpy as np
import pytest

from helpers.estimators.location import location_test, quantile
from helpers.formats import format_number
from helpers.reconstruct.samples import Sample, SearchError, Target, draw_sample

PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


def sample_of(sizes, targets, low=0.0, high=math.inf):
    return Sample(
        "x",
        {arm: np.full(n, float(low)) for arm, n in sizes.items()},
        {arm: np.full(n, float(high)) for arm, n in sizes.items()},
        targets,
    )


def quartiles(group, printed, kind):
    return [
        Target(statistic, group, value - 0.5, value + 0.5, kind)
        for statistic, value in zip(PROBABILITIES, printed, strict=True)
    ]


@pytest.mark.parametrize("kind", range(1, 10))
def test_quartiles_by_every_definition_come_back(kind):
    targets = quartiles("a", (18, 27, 37), kind) + quartiles("b", (19, 29, 56), kind)
    values = draw_sample(sample_of({"a": 42, "b": 45}, targets), np.random.default_rng(1))
    for arm, printed in (("a", (18, 27, 37)), ("b", (19, 29, 56))):
        found = quantile(values[arm], list(PROBABILITIES.values()), kind)
        assert [float(format_number(value, 0)) for value in found] == list(printed)


@pytest.mark.parametrize("seed", range(3))
def test_means_spreads_and_p_come_back_together(seed):
    printed = {("mean", "a"): 53, ("sd", "a"): 9, ("mean", "b"): 57, ("sd", "b"): 12}
    printed |= {("mean", "overall"): 55, ("sd", "overall"): 11}
    targets = [Target(s, g, value - 0.5, value + 0.5) for (s, g), value in printed.items()]
    targets.append(Target("p", "between_arms", 0.1255, 0.1265, "student_t"))
    values = draw_sample(sample_of({"a": 42, "b": 46}, targets), np.random.default_rng(seed))
    groups = {**values, "overall": np.concatenate(list(values.values()))}
    for (statistic, group), value in printed.items():
        found = groups[group].mean() if statistic == "mean" else groups[group].std(ddof=1)
        assert format_number(found, 0) == str(value)
    assert format_number(location_test(list(values.values()), "student_t").p, 3) == "0.126"


def test_values_keep_to_their_bounds_in_ascending_order():
    low, high = np.array([0, 0, 0, 40, 40.0]), np.array([39, 39, 39, 90, 90.0])
    sample = Sample("x", {"a": low}, {"a": high}, quartiles("a", (20, 30, 50), 7))
    values = draw_sample(sample, np.random.default_rng(4))["a"]
    assert (np.diff(values) >= 0).all()
    assert (low <= values).all() and (values <= high).all()


def test_the_lowest_values_can_be_left_out():
    targets = [
        Target("median", "a", 29.5, 30.5, 7, {"a": 3}),
        Target("q1", "a", 19.5, 20.5, 7, {"a": 3}),
    ]
    targets.append(Target("q3", "a", 49.5, 50.5, 7, {"a": 3}))
    values = draw_sample(sample_of({"a": 9}, targets, low=1), np.random.default_rng(5))["a"]
    assert [round(q) for q in quantile(values[3:], [0.25, 0.5, 0.75], 7)] == [20, 30, 50]


def test_targets_that_exclude_each_other_are_named(monkeypatch):
    monkeypatch.setattr("helpers.reconstruct.samples.STARTS", 1)
    targets = [*quartiles("a", (10, 20, 30), 7), Target("median", "overall", 39.5, 40.5, 7)]
    with pytest.raises(SearchError, match="x: no values .* median of (a|overall)"):
        draw_sample(sample_of({"a": 5}, targets), np.random.default_rng(6))


def test_a_mean_alone_is_too_little():
    with pytest.raises(SearchError, match="x: neither quartiles nor mean and SD are printed for a"):
        draw_sample(sample_of({"a": 5}, [Target("mean", "a", 3, 4)]), np.random.default_rng(7))
