"""Numbers on a grid that give back printed means, quartiles and p values, arm by arm."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.special import ndtri

from helpers.estimators.location import location_test, quantile
from helpers.results import BETWEEN_ARMS, OVERALL

PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}
QUARTILE_OF_NORMAL = 0.6744897501960817
STARTS = 20
STEPS, STEPS_FOR_P = 10_000, 2_000
EDGE = 0.01  # least miss of a value that is outside its window
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
    low, high : dict of str to ndarray
        For each arm, bounds of the values, both included and ascending, in units of the grid.
    targets : list of Target
    """

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

    A start with the printed quartiles or moments of each arm is changed one value at a time,
    by threshold accepting, until all targets but the p values are met. From there on a change
    must keep them and must not move a p value away from its window.

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
    for _ in range(STARTS):
        values = {arm: _start(sample, arm, rng) for arm in sample.arms}
        values, loss = _search(values, sample, described, rng)
        if loss == 0:
            values, loss = _approach_p(values, sample, described, compared, rng)
        if loss == 0:
            return {arm: np.array(of_arm) for arm, of_arm in values.items()}
    missed = [t for t in sample.targets if t.miss(_statistic(values, t))]
    raise SearchError("; ".join(f"{t.statistic} of {t.group}" for t in missed))


def is_feasible(sample, arm) -> bool:
    """Whether real numbers in the bounds have the printed quartiles of one arm.

    The ordered values are the unknowns of a linear program. Where it has no solution, no
    values on any grid exist either.
    """
    n = len(sample.low[arm])
    rows, limits = [], []
    ascending = np.eye(n)[:-1] - np.eye(n)[1:]
    for target in sample.targets:
        if target.group == arm and target.statistic in PROBABILITIES:
            skipped = target.skipped.get(arm, 0)
            place, weight = _place(n - skipped, target)
            row = np.zeros(n)
            row[skipped + place] = 1 - weight
            row[min(skipped + place + 1, n - 1)] += weight
            rows += [row, -row]
            limits += [target.high, -target.low]
    constraints = np.vstack([ascending, *rows])
    solution = linprog(
        np.zeros(n),
        A_ub=constraints,
        b_ub=np.concatenate([np.zeros(n - 1), limits]),
        bounds=list(zip(sample.low[arm], sample.high[arm], strict=True)),
    )
    return solution.status == 0


def _start(sample, arm, rng):
    """Values with the printed centre, spread and skew, squeezed into their bounds."""
    low, high = sample.low[arm], sample.high[arm]
    n = len(low)
    known, skipped = _shape(sample.targets, arm)
    level = (np.arange(n - skipped) + rng.uniform(size=n - skipped)) / (n - skipped)
    values = np.full(n, -np.inf)
    values[skipped:] = _quantiles(known, ndtri(np.clip(level, 0.001, 0.999)))
    for bounds in dict.fromkeys(zip(low, high, strict=True)):
        block = (low == bounds[0]) & (high == bounds[1])
        values[block] = _squeeze(values[block], *bounds)
    return sorted(int(value) for value in np.clip(np.rint(values), low, high))


def _shape(targets, arm):
    """The printed statistics of an arm, or of all patients, that describe the most values."""
    for group in (arm, OVERALL):
        of_group = [t for t in targets if t.group == group]
        if of_group:
            skipped = min(t.skipped.get(arm, 0) for t in of_group)
            chosen = [t for t in of_group if t.skipped.get(arm, 0) == skipped]
            return {t.statistic: (t.low + t.high) / 2 for t in chosen}, skipped
    raise ValueError(f"nothing is printed about the values of arm {arm!r}")


def _quantiles(known, normal):
    """Quantiles of a lognormal, with two spreads where quartiles are printed."""
    if "median" in known:
        centre, ends = known["median"], (known["q1"], known["q3"])
        if known["q1"] <= 0:
            spread = np.where(normal < 0, centre - ends[0], ends[1] - centre)
            return centre + spread / QUARTILE_OF_NORMAL * normal
        spread = np.where(normal < 0, np.log(centre / ends[0]), np.log(ends[1] / centre))
        return centre * np.exp(spread / QUARTILE_OF_NORMAL * normal)
    mean, sd = known["mean"], known["sd"]
    if mean <= 0:
        return mean + sd * normal
    spread = np.sqrt(np.log1p((sd / mean) ** 2))
    return mean * np.exp(spread * normal - spread**2 / 2)


def _squeeze(values, low, high):
    """Spread values that lie beyond a bound evenly between the bound and the nearest other."""
    values = values.copy()
    below, beyond = values < low, values > high
    inside = values[~below & ~beyond]
    first, last = (inside.min(), inside.max()) if inside.size else (high, low)
    values[below] = np.linspace(low, first, below.sum(), endpoint=False)
    values[beyond] = np.linspace(high, last, beyond.sum(), endpoint=False)[::-1]
    return values


def _search(values, sample, targets, rng):
    """Lower the loss to 0, if possible; the threshold of acceptance falls to 0."""
    loss = _loss(values, targets)
    for step, draws in enumerate(rng.random((STEPS, 5)).tolist()):
        if loss == 0:
            break
        trial = _changed(values, sample, draws)
        trial_loss = _loss(trial, targets)
        if trial_loss <= loss + THRESHOLD * (1 - step / STEPS) ** 2:
            values, loss = trial, trial_loss
    return values, loss


def _approach_p(values, sample, kept, targets, rng):
    """Lower the loss of p values to 0, if possible, by changes that keep the other targets."""
    loss = _loss(values, targets)
    for draws in rng.random((STEPS_FOR_P, 5)).tolist():
        if loss == 0:
            break
        trial = _changed(values, sample, draws)
        if _loss(trial, kept) == 0:
            trial_loss = _loss(trial, targets)
            if trial_loss <= loss:
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
        return location_test(list(described.values()), target.rule).p
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
