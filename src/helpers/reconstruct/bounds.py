"""What printed numbers alone say about the events behind them."""

from __future__ import annotations

import itertools
import math

import numpy as np

from helpers.estimators.kaplan_meier import kaplan_meier, median


def event_range(information, n_event) -> tuple[int, int]:
    """Fewest and most events among the exposed that an information of a Cox model allows.

    At the estimate the exposed's shares p of the hazard add up, over the D events, to the d
    events among the exposed, so that the information, the sum of p - p², is at most d - d²/D
    (Cauchy and Schwarz). Ties after Efron have such shares too.

    Parameters
    ----------
    information : float
        Of the coefficient of one binary covariate: 1 over its squared standard error.
    n_event : int
        All events, D.

    Returns
    -------
    fewest, most : int
        0 and D where no number of events has so much information.
    """
    counts = np.arange(n_event + 1)
    enough = counts[counts - counts**2 / n_event >= information]
    return (int(enough.min()), int(enough.max())) if len(enough) else (0, n_event)


def fewest_censored(n, reached, *, conf_type, conf_level, most) -> int | None:
    """Fewest censored patients of a group whose limits are reached, or not, as printed.

    Every place in the order of the group's times at which they may stand is tried.

    Parameters
    ----------
    n : int
        Patients of the group.
    reached : (bool, bool, bool)
        Whether the lower limit of the median, the median and the upper limit are reached.
    conf_type : {'log', 'log_log', 'plain'}
    conf_level : float
    most : int
        Largest number of censored patients that is tried.

    Returns
    -------
    int or None
        None where more than `most` are needed.
    """
    times = np.arange(1.0, n + 1)
    for n_censored in range(min(most, n) + 1):
        for places in itertools.combinations(range(n), n_censored):
            event = np.ones(n)
            event[list(places)] = 0
            curve = kaplan_meier(times, event, conf_level=conf_level, conf_type=conf_type)
            found = median(curve, at_half="midpoint")
            limits = found.conf_low, found.value, found.conf_high
            if tuple(map(math.isfinite, limits)) == tuple(reached):
                return n_censored
    return None
