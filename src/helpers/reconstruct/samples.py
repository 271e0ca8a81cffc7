"""Numbers on a grid that give back printed means, quartiles and p values, arm by arm."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.estimators.location import location_test, quantile
from helpers.results import BETWEEN_ARMS, OVERALL

PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}
MOST_STEPS = 60_000


@dataclass(frozen=True)
class Target:
    """A printed statistic of a sample, as the window that rounds to it.

    Attributes
    ----------
    statistic : {'mean', 'sd', 'q1', 'median', 'q3', 'p'}
    group : str
        An arm, ``overall`` or ``between_arms``.
    low, high : float
        Half-open window.
    rule : int or str
        Type of the quantile, or name of the test.
    """

    statistic: str
    group: str
    low: float
    high: float
    rule: int | str = ""

    def miss(self, value) -> float:
        """Distance of a value from the window, in widths of it."""
        width = self.high - self.low
        if self.low <= value < self.high:
            return 0.0
        return max(self.low - value, value - self.high, 0.0) / width + 1e-6


@dataclass(frozen=True)
class Sample:
    """Values to be found: one column of the cohort.

    Attributes
    ----------
    arms : ndarray of str, shape (n,)
    low, high : ndarray of shape (n,)
        Bounds of each patient's value, both included.
    step : float
        The grid: values are whole multiples of it.
    targets : list of Target
    """

    arms: np.ndarray
    low: np.ndarray
    high: np.ndarray
    step: float
    targets: list[Target] = field(default_factory=list)

    @property
    def groups(self) -> list[str]:
        return list(dict.fromkeys(self.arms))


class SearchError(Exception):
    """No values were found that give back every target."""


def window(printed, decimals) -> tuple[float, float]:
    """The values that round half up to a printed one."""
    half = 0.5 * 10.0**-decimals
    return float(printed) - half, float(printed) + half


def draw_sample(sample, rng) -> np.ndarray:
    """Find values that give back every target.

    A start is drawn from the printed quartiles or moments of each arm and then changed one
    value at a time; a change that does not increase the total miss is kept. The p value, which
    costs most, joins when all else holds.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    SearchError
        With the targets that were not met by the best values found.
    """
    cheap = [target for target in sample.targets if target.statistic != "p"]
    values = _start(sample, rng)
    values = _descend(values, sample, cheap, rng)
    values = _descend(values, sample, sample.targets, rng)
    missed = [t for t in sample.targets if t.miss(_statistic(values, sample, t))]
    if missed:
        raise SearchError("; ".join(f"{t.group} {t.statistic}" for t in missed))
    return values


def _start(sample, rng):
    values = np.empty(len(sample.arms))
    for group in sample.groups:
        inside = np.flatnonzero(sample.arms == group)
        known = {t.statistic: (t.low + t.high) / 2 for t in sample.targets if t.group == group}
        if "mean" in known:
            drawn = rng.normal(known["mean"], known["sd"], len(inside))
        elif "median" in known:
            drawn = _from_quartiles(known, len(inside), rng)
        else:
            drawn = rng.uniform(sample.low[inside], sample.high[inside])
        order = np.argsort((sample.low + sample.high)[inside], kind="stable")
        values[inside[order]] = np.sort(drawn)
    return _on_grid(values, sample)


def _from_quartiles(known, n, rng):
    """Values with the skew that the quartiles show; tails as those of a lognormal."""
    marks = np.array([known["q1"], known["median"], known["q3"]])
    level = rng.uniform(size=n)
    spread = max(np.log(marks[2] / marks[0]) / 1.349, 0.05) if marks[0] > 0 else 0.5
    normal = np.sqrt(2) * _inverse_erf(2 * level - 1)
    drawn = marks[1] * np.exp(spread * normal)
    middle = (level >= 0.25) & (level <= 0.75)
    drawn[middle] = np.interp(level[middle], [0.25, 0.5, 0.75], marks)
    return drawn


def _inverse_erf(x):
    from scipy.special import erfinv

    return erfinv(np.clip(x, -0.98, 0.98))


def _on_grid(values, sample):
    whole = np.rint(np.clip(values, sample.low, sample.high) / sample.step) * sample.step
    return np.round(np.clip(whole, sample.low, sample.high), 6)


def _descend(values, sample, targets, rng):
    by_group = {group: np.flatnonzero(sample.arms == group) for group in sample.groups}
    loss = _loss(values, sample, targets)
    sizes = np.array([1, 1, 1, 2, 3, 5, 10, 30]) * sample.step
    scale = max(float(np.std(values)), sample.step)
    for _ in range(MOST_STEPS):
        if loss == 0:
            break
        changed = values.copy()
        group = sample.groups[rng.integers(len(by_group))]
        index = by_group[group][rng.integers(len(by_group[group]))]
        if rng.random() < 0.15:
            changed[index] += rng.normal(0, scale)
        else:
            changed[index] += sizes[rng.integers(len(sizes))] * (1 if rng.random() < 0.5 else -1)
        if rng.random() < 0.3:
            other = by_group[group][rng.integers(len(by_group[group]))]
            changed[other] -= changed[index] - values[index]
        changed = _on_grid(changed, sample)
        new = _loss(changed, sample, targets, loss)
        if new <= loss:
            values, loss = changed, new
    return values


def _loss(values, sample, targets, bound=np.inf):
    total = 0.0
    for target in targets:
        total += target.miss(_statistic(values, sample, target))
        if total > bound:
            break
    return total


def _statistic(values, sample, target):
    if target.statistic == "p":
        groups = [values[sample.arms == group] for group in sample.groups]
        return location_test(groups, target.rule).p
    chosen = values if target.group == OVERALL else values[sample.arms == target.group]
    if target.statistic == "mean":
        return chosen.mean()
    if target.statistic == "sd":
        return chosen.std(ddof=1)
    return float(quantile(chosen, PROBABILITIES[target.statistic], target.rule))


def read_targets(ledger, arms, *, analysis, variable, level="", kind=7, rule="") -> list[Target]:
    """Take the printed statistics of one column from a ledger.

    Parameters
    ----------
    ledger : DataFrame
    arms : sequence of str
    analysis, variable, level : str
        Keys of the rows.
    kind : int
        Type of the quantiles.
    rule : str
        Name of the test.
    """
    rows = ledger[
        (ledger["analysis"] == analysis)
        & (ledger["variable"] == variable)
        & (ledger["level"] == level)
        & ledger["class"].isin(["cohort", "restated", "print"])
    ]
    targets = []
    for row in rows.to_dict("records"):
        low, high = window(row["printed"], int(row["precision"]))
        statistic, group = row["statistic"], row["group"]
        if statistic == "p" and group == BETWEEN_ARMS:
            targets.append(Target("p", group, low, high, rule))
        elif statistic in ("mean", "sd") and group in (*arms, OVERALL):
            targets.append(Target(statistic, group, low, high))
        elif statistic in PROBABILITIES and group in (*arms, OVERALL):
            targets.append(Target(statistic, group, low, high, kind))
    return targets
