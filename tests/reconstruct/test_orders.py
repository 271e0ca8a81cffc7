"""Bounds over all orders of the patients, against every order of a few."""

import itertools
import math

import numpy as np
import pytest

from helpers.estimators.cox import fit_cox
from helpers.reconstruct.orders import information_range, largest_sum, possible_events


def every_order(n_exposed, n_others, n_event):
    """Exposure and events of each order, the first to leave first."""
    n = n_exposed + n_others
    for exposed in itertools.combinations(range(n), n_exposed):
        for with_event in itertools.combinations(range(n), n_event):
            x, event = np.zeros(n), np.zeros(n)
            x[list(exposed)] = 1
            event[list(with_event)] = 1
            yield x, event


def score_and_information(coef, x, event):
    at_risk = np.cumsum(x[::-1])[::-1]
    others = np.cumsum((1 - x)[::-1])[::-1]
    share = math.exp(coef) * at_risk / (math.exp(coef) * at_risk + others)
    return (event * (x - share)).sum(), (event * share * (1 - share)).sum()


@pytest.mark.parametrize(("weight", "multiplier"), [(1, 0), (1, 0.3), (-1, 0.3), (-1, -2)])
def test_the_largest_sum_is_that_of_the_best_order(weight, multiplier):
    sums = (score_and_information(0.7, *order) for order in every_order(3, 3, 4))
    best = max(weight * information + multiplier * score for score, information in sums)
    assert largest_sum(0.7, 3, 3, 4, weight, multiplier) == pytest.approx(best, abs=1e-12)


def test_no_order_has_an_information_outside_of_the_range():
    for x, event in itertools.islice(every_order(3, 4, 4), 0, None, 29):
        fit = fit_cox(np.arange(1.0, 8), event, x[:, None], ties="efron")
        if not abs(fit.coef[0]) < 3:  # all events on one side: no estimate
            continue
        least, most = information_range(fit.coef[0], 3, 4, 4)
        assert least - 1e-6 <= fit.std_error[0] ** -2 <= most + 1e-6


def test_two_alike_and_one_event_have_a_quarter_of_information():
    # one exposed and one other, first leaves with the event, at a coefficient of 0: p = 1/2;
    # the second alone has no information, so that half an event is always missing to the score
    assert largest_sum(0.0, 1, 1, 1, 1.0, 0.0) == pytest.approx(0.25)
    assert largest_sum(0.0, 1, 1, 1, 1.0, 1.0) == pytest.approx(0.75)


def test_events_that_a_printed_information_needs():
    # 20 against 20: at most a quarter of an event's information each
    assert list(possible_events(0.0, (3.0, 3.1), 20, 20, range(8, 16))) == [12, 13, 14, 15]
