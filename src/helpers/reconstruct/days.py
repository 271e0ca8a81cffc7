"""Days between those that an order of times and its Kaplan-Meier curves ask for.

No number of a Cox model depends on a day, only on the order; a curve fixes the days of a few
patients to the windows of its median and limits. All other days are free between their neighbours.
"""

from __future__ import annotations

from helpers.jit import njit
from helpers.reconstruct.kernel import curve_energy, random_below

SWEEPS = 300  # times that each day is drawn anew


@njit
def make_room(p, s, e):
    """Move the days of an order away from the other's, as far as order and curves allow.

    The inner endpoint's days as early as they can be, or the outer one's as late.
    """
    for turn in range(p.n):
        k = turn if e == 1 else p.n - 1 - turn
        old = s.now.day[e, k]
        low, high = _between(p, s, e, k)
        energy = _curves_of(p, s, e, k)
        day = low if e == 1 else high
        while day != old:
            s.now.day[e, k] = day
            if _curves_of(p, s, e, k) <= energy:
                break
            day += 1 if e == 1 else -1
        s.now.day[e, k] = day


@njit
def spread_days(p, s, orders):
    """Draw days anew, evenly from those that order, curves and the other order allow.

    Parameters
    ----------
    orders : tuple of int
        Endpoints whose days are drawn.
    """
    for _ in range(SWEEPS * len(orders) * p.n):
        e, k = orders[random_below(s.rng, len(orders))], random_below(s.rng, p.n)
        other = s.now.day[1 - e, s.place[1 - e, s.now.patient[e, k]]]
        low, high = _between(p, s, e, k)
        low, high = (max(low, other), high) if e == 0 else (low, min(high, other))
        old, energy = s.now.day[e, k], _curves_of(p, s, e, k)
        s.now.day[e, k] = low + random_below(s.rng, high - low + 1)
        if _curves_of(p, s, e, k) > energy:
            s.now.day[e, k] = old


@njit
def _between(p, s, e, k):
    """The first and the last day after the position before and before the one after."""
    low = s.now.day[e, k - 1] + 1 if k > 0 else p.day_low[e]
    high = s.now.day[e, k + 1] - 1 if k < p.n - 1 else p.day_high[e]
    return low, high


@njit
def _curves_of(p, s, e, k):
    """Energy of the curves that the patient at a position belongs to."""
    energy = 0.0
    for q in range(p.curve_arm.shape[0]):
        if s.in_curve[q, s.now.patient[e, k]]:
            energy += curve_energy(p, s, s.now, e, q)
    return energy
