"""Numbers on a grid that give back printed means, quartiles and p values, arm by arm."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtri

from helpers.estimators.location import quantile
from helpers.reconstruct.p_values import quick_location_test
from helpers.results import BETWEEN_ARMS, OVERALL

PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}
QUARTILE_OF_NORMAL = 0.6744897501960817
STARTS = 60
STEPS, STEPS_FOR_P = 10_000, 1_000
EDGE = 0.01  # least miss of a value that is outside its window
LEEWAY = 0.1  # share of the arm's values that a value can pass, at the first start
THRESHOLD = 0.5  # at first, a change may increase the loss by so much


@dataclass(frozen=True)
class Target:
    """A printed statistic of a sample, as the window that rounds to it.

    Attributes
    ----------
    statistic : {'mean', 'sd', 'q1', 'median', 'q3', 'p'}
    group : str
        An arm, ``overall`` or ``between_arms``.
    low, high : float
        Half-open window, in units of the grid (for a p value, as it is).
    rule : int or str
        Type of the quantile, or name of the test.
    skipped : dict of str to int
        How many of the lowest values of each arm are not described.
    """

    statistic: str
    group: str
    low: float
    high: float
    rule: int | str = ""
    skipped: dict = field(default_factory=dict)

    def miss(self, value) -> float:
        """Root of the distance of a value from the window, in widths of it; 0 inside."""
        if self.low <= value < self.high:
            return 0.0
        outside = self.low - value if value < self.low else value - self.high
        return math.sqrt(outside / (self.high - self.low)) + EDGE


@dataclass(frozen=True)
class Sample:
    """Values to be found: one column of the cohort, each arm in ascending order.

    Attributes
    ----------
    column : str
    low, high : dict of str to ndarray
        For each arm, bounds of the values, both included and ascending, in units of the grid.
    targets : list of Target
    """

    column: str
    low: dict
    high: dict
    targets: list[Target] = field(default_factory=list)

    @property
    def arms(self) -> list[str]:
        return list(self.low)


class SearchError(Exception):
    """No values were found that give back every target."""


def draw_sample(sample, rng) -> dict:
    """Find values that give back every target.

    A start with the printed quartiles or moments of each arm, and with tails as those of a
    lognormal, is changed one value at a time, by threshold accepting, until all targets but
    the p values are met; from there on a change must keep them. Each value stays near its
    start, and so does the shape.

    Returns
    -------
    dict of str to ndarray of int
        Values of each arm in ascending order, in units of the grid.

    Raises
    ------
    SearchError
        No start led to values that meet every target.

    References
    ----------
    Dueck G, Scheuer T. Threshold accepting: a general purpose optimization algorithm appearing
    superior to simulated annealing. J Comput Phys 1990;90:161-175.
    """
    described = [target for target in sample.targets if target.group != BETWEEN_ARMS]
    compared = [target for target in sample.targets if target.group == BETWEEN_ARMS]
    for attempt in range(STARTS):
        values = {arm: _start(sample, arm, rng) for arm in sample.arms}
        near = _near(sample, values, LEEWAY * (1 + attempt / 4))
        values, loss = _search(values, near, described, rng, STEPS)
        if loss == 0:
            values, loss = _search(values, near, compared, rng, STEPS_FOR_P, kept=described)
        if loss == 0:
            return {arm: np.array(of_arm) for arm, of_arm in values.items()}
    missed = [t for t in sample.targets if t.miss(_statistic(values, t))]
    names = ", ".join(f"{t.statistic} of {t.group}" for t in missed)
    raise SearchError(f"{sample.column}: no values were found that give back {names}")


def _start(sample, arm, rng):
    """Values with the printed centre, spread and skew, squeezed into their bounds."""
    low, high = sample.low[arm], sample.high[arm]
    n = len(low)
    known, skipped = _shape(sample, arm)
    level = (np.arange(n - skipped) + rng.uniform(0.2, 0.8, n - skipped)) / (n - skipped)
    values = np.full(n, -np.inf)
    values[skipped:] = _quantiles(known, ndtri(level))
    for bounds in dict.fromkeys(zip(low, high, strict=True)):
        block = (low == bounds[0]) & (high == bounds[1])
        values[block] = _squeeze(values[block], *bounds)
    return sorted(int(value) for value in np.clip(np.rint(values), low, high))


def _shape(sample, arm):
    """Printed centre and spread of an arm, or else of all patients, and the values left out."""
    for group in (arm, OVERALL):
        of_group = [t for t in sample.targets if t.group == group]
        skipped = min((t.skipped.get(arm, 0) for t in of_group), default=0)
        chosen = [t for t in of_group if t.skipped.get(arm, 0) == skipped]
        known = {t.statistic: (t.low + t.high) / 2 for t in chosen}
        if known.keys() >= PROBABILITIES.keys() or known.keys() >= {"mean", "sd"}:
            return known, skipped
    raise SearchError(f"{sample.column}: neither quartiles nor mean and SD are printed for {arm}")


def _quantiles(known, normal):
    """Quantiles of a lognormal, with two spreads where quartiles are printed.

    Beyond the quartiles the spread is the smaller of that on the same side and that of both.
    """
    if not known.keys() >= PROBABILITIES.keys():
        mean, sd = known["mean"], known["sd"]
        if mean <= 0:
            return mean + sd * normal
        spread = np.sqrt(np.log1p((sd / mean) ** 2))
        return mean * np.exp(spread * normal - spread**2 / 2)
    quartiles = np.array([known["q1"], known["median"], known["q3"]])
    positive = quartiles[0] > 0
    if positive:
        quartiles = np.log(quartiles)
    at = QUARTILE_OF_NORMAL
    below, above = np.diff(quartiles) / at
    both = (below + above) / 2
    values = np.interp(normal, [-at, 0, at], quartiles)
    values += np.minimum(normal + at, 0) * min(below, both)
    values += np.maximum(normal - at, 0) * min(above, both)
    return np.exp(values) if positive else values


def _near(sample, values, leeway):
    """The sample with bounds narrowed to the values a few places below and above each."""
    low, high = {}, {}
    for arm, of_arm in values.items():
        start, places = np.array(of_arm), np.arange(len(of_arm))
        passed = max(1, math.ceil(leeway * len(of_arm)))
        low[arm] = np.maximum(sample.low[arm], start[np.maximum(places - passed, 0)])
        high[arm] = np.minimum(sample.high[arm], start[np.minimum(places + passed, places[-1])])
    return replace(sample, low=low, high=high)


def _squeeze(values, low, high):
    """Spread values that lie beyond a bound evenly between the bound and the nearest other."""
    values = values.copy()
    below, beyond = values < low, values > high
    inside = values[~below & ~beyond]
    first, last = (inside.min(), inside.max()) if inside.size else (high, low)
    values[below] = np.linspace(low, first, below.sum(), endpoint=False)
    values[beyond] = np.linspace(high, last, beyond.sum(), endpoint=False)[::-1]
    return values


def _search(values, sample, targets, rng, steps, kept=()):
    """Lower the loss to 0, if possible, by changes that keep the targets `kept`.

    A change may increase the loss by a threshold that falls to 0.
    """
    loss = _loss(values, targets)
    for step, draws in enumerate(rng.random((steps, 5)).tolist()):
        if loss == 0:
            break
        trial = _changed(values, sample, draws)
        if trial is values or _loss(trial, kept) > 0:
            continue
        trial_loss = _loss(trial, targets)
        if trial_loss <= loss + THRESHOLD * (1 - step / steps) ** 2:
            values, loss = trial, trial_loss
    return values, loss


def _changed(values, sample, draws):
    """The values with one of them moved; its size is any power of two up to the middle half."""
    arm = sample.arms[int(draws[0] * len(sample.arms))]
    of_arm = values[arm]
    n = len(of_arm)
    index = int(draws[1] * n)
    middle_half = of_arm[(3 * n) // 4] - of_arm[n // 4]
    reach = 1 << int(draws[2] * max(1, middle_half.bit_length()))
    size = 1 + int(draws[3] * reach)
    new = of_arm[index] + (size if draws[4] < 0.5 else -size)
    if not sample.low[arm][index] <= new <= sample.high[arm][index]:
        return values
    changed = of_arm[:index] + of_arm[index + 1 :]
    bisect.insort(changed, new)
    return {**values, arm: changed}


def _loss(values, targets):
    return sum(target.miss(_statistic(values, target)) for target in targets)


def _statistic(values, target):
    described = {arm: v[target.skipped.get(arm, 0) :] for arm, v in values.items()}
    if target.group == BETWEEN_ARMS:
        return quick_location_test(list(described.values()), target.rule)
    if target.group == OVERALL:
        chosen = sorted(itertools.chain(*described.values()))
    else:
        chosen = described[target.group]
    n = len(chosen)
    if target.statistic in PROBABILITIES:
        place, weight = _place(n, target)
        return (1 - weight) * chosen[place] + weight * chosen[min(place + 1, n - 1)]
    total = sum(chosen)
    if target.statistic == "mean":
        return total / n
    return math.sqrt((n * sum(value * value for value in chosen) - total * total) / (n * (n - 1)))


def _place(n, target):
    position = _position(n, PROBABILITIES[target.statistic], target.rule)
    return int(position), position - int(position)


@functools.cache
def _position(n, probability, kind):
    """Place of a quantile among n ordered values, counted from 0; it lies between two."""
    return float(quantile(np.arange(n), probability, kind))
