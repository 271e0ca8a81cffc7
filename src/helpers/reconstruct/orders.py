"""Which standard errors any order of the patients can give a printed hazard ratio.

A Cox model of one binary covariate sees no times, only in which order patients leave, and which
of them with an event. Read from the last patient back to the first, an order is a walk: each step
adds one patient, exposed or not, to those at risk. Score and information are sums over its steps,
so that the best of all walks is found by dynamic programming, without trying them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize_scalar

from helpers.jit import njit

STEEPEST = 50.0  # multiplier of the score
TOLERANCE = 1e-6


def information_range(coef, n_exposed, n_others, n_event) -> tuple[float, float]:
    """Bounds of the information of a coefficient that is its model's own estimate.

    Without ties. The bounds hold for every order, as each is a Lagrangian bound: where the
    score is zero, any multiple of it may be added to the information before the largest sum
    over all walks is taken. The multiple with the tightest bound is used.

    Parameters
    ----------
    coef : float
        Log hazard ratio of the exposed.
    n_exposed, n_others, n_event : int
        Patients, and events among them all.

    Returns
    -------
    least, most : float
        An information outside belongs to no order of these patients.
    """
    sizes = (int(n_exposed), int(n_others), int(n_event))
    bounds = []
    for sign in (-1.0, 1.0):
        found = minimize_scalar(
            lambda multiplier, sign=sign: largest_sum(coef, *sizes, sign, multiplier),
            bounds=(-STEEPEST, STEEPEST),
            method="bounded",
            options={"xatol": TOLERANCE},
        )
        bounds.append(sign * float(found.fun))
    return max(bounds[0], 0.0), bounds[1]


def possible_events(coef, information, n_exposed, n_others, candidates) -> Iterator[int]:
    """Yield numbers of events with which some order may give a coefficient a printed information.

    Parameters
    ----------
    coef : float
    information : (float, float)
        Least and most that the print allows.
    n_exposed, n_others : int
    candidates : iterable of int
        Numbers of events to be asked for.
    """
    for n_event in candidates:
        least, most = information_range(coef, n_exposed, n_others, n_event)
        if information[0] <= most and least <= information[1]:
            yield n_event


@njit
def largest_sum(coef, n_exposed, n_others, n_event, weight, multiplier):
    """The most that weight times information plus multiplier times score is over all orders.

    Parameters
    ----------
    coef : float
    n_exposed, n_others, n_event : int
    weight, multiplier : float
    """
    n_censored = n_exposed + n_others - n_event
    ratio = np.exp(coef)
    best = np.full((n_exposed + 1, n_others + 1, n_censored + 1), -np.inf)
    best[0, 0, 0] = 0.0
    for exposed in range(n_exposed + 1):
        for others in range(n_others + 1):
            if exposed + others == 0:
                continue
            share = ratio * exposed / (ratio * exposed + others)
            event = weight * share * (1.0 - share) - multiplier * share
            for censored in range(n_censored + 1):
                most = -np.inf
                if exposed > 0:
                    most = best[exposed - 1, others, censored] + event + multiplier
                    if censored > 0:
                        most = max(most, best[exposed - 1, others, censored - 1])
                if others > 0:
                    most = max(most, best[exposed, others - 1, censored] + event)
                    if censored > 0:
                        most = max(most, best[exposed, others - 1, censored - 1])
                best[exposed, others, censored] = most
    return best[n_exposed, n_others, n_censored]
