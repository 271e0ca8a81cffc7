"""P values of whole numbers in ascending order, fast enough for a search."""

from __future__ import annotations

import math
from itertools import chain, groupby

from scipy.special import fdtrc

from helpers.estimators.location import location_test


def quick_location_test(groups, rule) -> float:
    """The p value of `helpers.estimators.location.location_test`, some fifty times faster.

    Sums are of whole numbers, hence exact whatever the order.

    Parameters
    ----------
    groups : sequence of list of int
        Each in ascending order.
    rule : str
        See `location_test`. Rules and numbers of groups without a quick way go there.
    """
    if rule == "student_t":
        return _student_t(groups)
    if rule in ("mann_whitney", "mann_whitney_continuity") and len(groups) == 2:
        return _mann_whitney(*groups, 0.5 if rule == "mann_whitney_continuity" else 0.0)
    return location_test(groups, rule).p


def _student_t(groups):
    """One-way analysis of variance; of two groups, Student's t."""
    sizes, totals = [len(group) for group in groups], [sum(group) for group in groups]
    n, k = sum(sizes), len(groups)
    by_group = sum(total * total / size for total, size in zip(totals, sizes, strict=True))
    between = by_group - sum(totals) ** 2 / n
    within = sum(value * value for value in chain(*groups)) - by_group
    if within <= 0:
        return math.nan
    return float(fdtrc(k - 1, n - k, (between / (k - 1)) / (within / (n - k))))


def _mann_whitney(x, y, correction):
    """Normal approximation, corrected for ties."""
    twice_rank, ties, start = {}, 0, 0
    for value, equal in groupby(sorted(x + y)):
        count = sum(1 for _ in equal)
        twice_rank[value] = 2 * start + count + 1
        ties += count * (count * count - 1)
        start += count
    n = len(x) + len(y)
    twice_sum = sum(twice_rank[value] for value in x)
    distance = abs(twice_sum - len(x) * (n + 1)) / 2
    variance = len(x) * len(y) / 12 * (n + 1 - ties / (n * (n - 1)))
    if variance <= 0:
        return math.nan
    return min(1.0, math.erfc((distance - correction) / math.sqrt(2 * variance)))
