"""Bounds of what a print says about the events behind it."""

import pytest

from helpers.reconstruct.bounds import event_range, fewest_censored


@pytest.mark.parametrize(
    ("information", "n_event", "expected"),
    [
        (2.4, 10, (4, 6)),  # d - d²/10 is 2.4 at 4 and at 6, 2.1 at 3 and at 7
        (2.5, 10, (5, 5)),  # a quarter of an event's information each: at most 2.5
        (2.51, 10, (0, 10)),
        (0.9, 10, (1, 9)),
    ],
)
def test_events_among_the_exposed(information, n_event, expected):
    assert event_range(information, n_event) == expected


@pytest.mark.parametrize(("conf_type", "expected"), [("log", 0), ("log_log", 2), ("plain", 2)])
def test_censored_patients_that_an_open_interval_needs(conf_type, expected):
    # eleven patients with a median and a lower limit, but no upper one
    rule = {"conf_type": conf_type, "conf_level": 0.95}
    assert fewest_censored(11, (True, True, False), **rule, most=4) == expected


def test_a_group_without_a_median_has_censored_patients():
    # of three, one may have the event: 2/3 are left, with a lower limit of 0.30 but no median
    rule = {"conf_type": "log", "conf_level": 0.95}
    assert fewest_censored(3, (True, False, False), **rule, most=2) == 2
    assert fewest_censored(3, (True, False, False), **rule, most=1) is None
