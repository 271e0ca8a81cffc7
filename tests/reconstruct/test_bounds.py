"""Bounds of what a print says about the events behind it."""

import pytest

from helpers.reconstruct.bounds import event_range


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
