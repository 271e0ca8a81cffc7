"""Checks of median survival times and their limits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from helpers.audit.check import (
    CONSISTENT,
    IMPLAUSIBLE,
    INCONSISTENT,
    UNDECIDED,
    Check,
    register,
)
from helpers.audit.hazard_ratios import implied_total
from helpers.audit.printed import Number, texts
from helpers.estimators.kaplan_meier import CONF_TYPES, kaplan_meier

ANALYSES = ("survival", "subgroup")


def _medians(printed):
    return [number for number in printed.all("median") if number.analysis in ANALYSES]


@register("median_interval", "Median inside its interval")
def median_interval(printed):
    """A median survival time lies inside its interval, limits included.

    A lower limit that is printed as not reached does not exist: the band ends above one half.
    """
    for median in _medians(printed):
        low = printed.beside(median, "median_conf_low")
        high = printed.beside(median, "median_conf_high")
        if low is None or high is None:
            continue
        above = math.isinf(low.low) or low.low <= median.high
        fits = above and median.low <= high.high
        yield Check(
            "median_interval",
            median.subject,
            "lower ≤ median ≤ upper",
            texts(median, low, high),
            f"{low.text} ≤ {median.text} ≤ {high.text}",
            CONSISTENT if fits else INCONSISTENT,
        )


@register("subgroup_medians", "Subgroup medians bracket the overall median")
def subgroup_medians(printed):
    """The median of an arm lies between those of the subgroups that make it up.

    Without censoring the curve of an arm is a mixture of its subgroups' curves and the
    median lies between theirs. With censoring the mixture changes over time and the median
    can lie just outside: such a case is undecided if the arm's median lies within the
    interval of a subgroup's, and implausible if not.
    """
    for median in printed.all("median", analysis="survival"):
        for variable, levels in _levels(printed, median):
            low, high = min(p.low for p in levels), max(p.high for p in levels)
            inside = low <= median.high and median.low <= high
            verdict = CONSISTENT if inside else _outside(printed, median, levels)
            yield Check(
                "subgroup_medians",
                f"{median.subject}, by {printed.describe(variable=variable)}",
                "between the medians of its subgroups",
                texts(median, *levels),
                f"{median.text} between {' and '.join(part.text for part in levels)}",
                verdict,
                "" if inside else "censoring that differs between the subgroups",
                low,
                high,
            )


@register("subgroup_limits", "Limits of an arm's median within those of its subgroups")
def subgroup_limits(printed):
    """The interval of an arm's median reaches no further than those of its subgroups.

    Where the bands of all subgroups lie above one half, so does that of the arm, which is
    their mixture and narrower. With censoring the mixture changes over time, which is why an
    interval that reaches further is called implausible and not inconsistent.
    """
    for median in printed.all("median", analysis="survival"):
        for end in ("low", "high"):
            limit = printed.beside(median, f"median_conf_{end}")
            if limit is None:
                continue
            for variable, levels in _levels(printed, limit):
                if end == "low":
                    furthest = min(levels, key=lambda number: number.low)
                    fits = limit.high >= furthest.low
                else:
                    furthest = max(levels, key=lambda number: number.high)
                    fits = limit.low <= furthest.high
                yield Check(
                    "subgroup_limits",
                    f"{limit.subject}, by {printed.describe(variable=variable)}",
                    f"{'lower' if end == 'low' else 'upper'} limit within those of the subgroups",
                    texts(limit, *levels),
                    f"{limit.text} against {' and '.join(level.text for level in levels)}",
                    CONSISTENT if fits else IMPLAUSIBLE,
                    "" if fits else "censoring that differs between the subgroups",
                )


def _levels(printed, whole):
    """A statistic of an arm at the levels of each covariate that make the arm up."""
    keys = {"analysis": "subgroup", "endpoint": whole.endpoint, "group": whole.group}
    parts = printed.all(whole.statistic, **keys)
    for variable in dict.fromkeys(part.variable for part in parts):
        levels = [part for part in parts if part.variable == variable]
        known = set(printed.level_sizes(variable, whole.group))
        if len(levels) > 1 and (not known or {part.level for part in levels} == known):
            yield variable, levels


def _outside(printed, median, levels):
    for part in levels:
        low, high = (printed.beside(part, f"median_conf_{end}") for end in ("low", "high"))
        if low and high and low.low <= median.high and median.low <= high.high:
            return UNDECIDED
    return IMPLAUSIBLE


@cache
def most_events_not_reached(n, conf_type, conf_level=0.95) -> int:
    """The most events of n patients, all before any censoring, that leave the limit open.

    Parameters
    ----------
    n : int
    conf_type : {'log', 'log_log', 'plain'}
    conf_level : float

    Returns
    -------
    int
        With one event more the upper limit of the median is reached. Events of all n leave
        it open for ``log`` bands that never fall below one half.

    References
    ----------
    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    curve = kaplan_meier(
        np.arange(1, n + 1), np.ones(n), conf_level=conf_level, conf_type=conf_type
    )
    reached = np.flatnonzero(curve.conf_high < 0.5)
    return int(reached[0]) if len(reached) else n


@dataclass(frozen=True)
class OpenLimits:
    """What the upper limits of the medians of a covariate's subgroups need.

    Attributes
    ----------
    numbers : list of Number
        The limits of subgroups of known size.
    without_event : dict of str to int
        The fewest patients without an event, by kind of interval.
    possible : dict of str to bool
        Whether the finite limits can be reached, by kind of interval.
    """

    numbers: list[Number]
    without_event: dict[str, int]
    possible: dict[str, bool]


def open_limits(printed, endpoint) -> dict[str, OpenLimits]:
    """The `OpenLimits` of each covariate whose subgroups have limits for an endpoint."""
    conf_level = printed.conventions.confidence_level
    uppers = printed.all("median_conf_high", analysis="subgroup", endpoint=endpoint)
    found = {}
    for variable in dict.fromkeys(number.variable for number in uppers):
        sized = [
            (number, printed.level_sizes(variable, number.group).get(number.level))
            for number in uppers
            if number.variable == variable
        ]
        sized = [(number, size) for number, size in sized if size]
        without_event, possible = {}, {}
        for kind in CONF_TYPES:
            left = [
                (number, size - most_events_not_reached(size, kind, conf_level))
                for number, size in sized
            ]
            without_event[kind] = sum(n for number, n in left if math.isinf(number.low))
            possible[kind] = all(n > 0 for number, n in left if number.finite)
        if sized:
            found[variable] = OpenLimits([n for n, _ in sized], without_event, possible)
    return found


def open_without_event(printed, endpoint) -> int:
    """The fewest patients without an event that the open limits of an endpoint need."""
    needed = open_limits(printed, endpoint).values()
    return max((min(limits.without_event.values()) for limits in needed), default=0)


@register("limits", "Limits of a median that can be reached")
def limits(printed):
    """An upper limit that is not reached needs patients who are not seen to have the event.

    Over the subgroups of one covariate these may not be more than the patients without an
    event in the whole study, which the standard errors of the Cox models bound from above.
    A finite limit needs a band that falls below one half. If no kind of interval (log,
    log-log, plain) allows both, the limits contradict the models.

    References
    ----------
    Brookmeyer R, Crowley J. A confidence interval for the median survival time. Biometrics
    1982;38:29-41.
    """
    sizes = [printed.size(arm) for arm in printed.arms]
    if not sizes or None in sizes:
        return
    uppers = printed.all("median_conf_high", analysis="subgroup")
    for endpoint in dict.fromkeys(number.endpoint for number in uppers):
        total = implied_total(printed, endpoint)
        if total is None:
            continue
        free = sum(sizes) - total
        for variable, needs in open_limits(printed, endpoint).items():
            fits = [
                needs.without_event[kind] <= free and needs.possible[kind] for kind in CONF_TYPES
            ]
            shown = ", ".join(
                f"{kind.replace('_', '-')} {needs.without_event[kind]}" for kind in CONF_TYPES
            )
            yield Check(
                "limits",
                printed.describe(endpoint=endpoint, variable=variable),
                "patients without an event that the open limits need",
                texts(*needs.numbers),
                f"{shown}; at most {free} are without an event",
                CONSISTENT if any(fits) else INCONSISTENT,
                low=min(needs.without_event.values()),
                high=free,
            )
