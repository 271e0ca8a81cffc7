"""Sums over the steps of tied events, by hand and against the plain sum over all steps."""

import math

import numpy as np
import pytest

from helpers.estimators.tied_events import N_NODE, TiedEvents


def test_the_steps_of_two_and_of_one_event_by_hand():
    at_risk, tied, n_event = np.array([4.0, 5.0]), np.array([2.0, 1.0]), np.array([2, 1])
    efron = TiedEvents(at_risk, tied, n_event, efron=True)
    assert efron.logs == pytest.approx([math.log(4) + math.log(3), math.log(5)], rel=1e-15)
    assert efron.moment(1, 0) == pytest.approx([1 / 4 + 1 / 3, 1 / 5], rel=1e-15)
    assert efron.moment(2, 1) == pytest.approx([0.5 / 9, 0.0], rel=1e-15)
    breslow = TiedEvents(at_risk, tied, n_event, efron=False)
    assert breslow.logs == pytest.approx([2 * math.log(4), math.log(5)], rel=1e-15)
    assert breslow.moment(1, 0) == pytest.approx([1 / 2, 1 / 5], rel=1e-15)
    assert breslow.moment(1, 1) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("share", [1e-4, 0.1, 0.5, 0.6, 1.0])
def test_nodes_give_the_sum_over_all_steps(share):
    numbers = np.array([N_NODE, N_NODE + 1, 40, 3000])
    at_risk = np.full(len(numbers), 7.0)
    events = TiedEvents(at_risk, share * at_risk, numbers, efron=True)
    for place, n in enumerate(numbers):
        steps = [step / n for step in range(n)]
        left = [7 - gone * (share * 7) for gone in steps]
        assert events.logs[place] == pytest.approx(math.fsum(map(math.log, left)), rel=1e-13)
        for power, degree in ((1, 0), (1, 1), (2, 0), (2, 1), (2, 2), (3, 0), (3, 3)):
            terms = (gone**degree / one**power for gone, one in zip(steps, left, strict=True))
            found = events.moment(power, degree)[place]
            assert found == pytest.approx(math.fsum(terms), rel=1e-13)
