"""Checks of the label of a hazard ratio: which level is compared with which."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats

from helpers.audit.check import CONSISTENT, IMPLAUSIBLE, Check, register
from helpers.audit.hazard_ratios import (
    UNADJUSTED,
    hazard_ratios,
    implied_total,
    least_events,
    side_sizes,
)
from helpers.audit.medians import open_without_event
from helpers.audit.printed import sides, texts
from helpers.formats import format_p

LIKELIER = 50  # times as likely the other way round, for a label not to be believed


@register("label", "A labelled hazard ratio against the events of its level")
def labels(printed):
    """The events that a standard error implies at a level are likely under its hazard ratio.

    A small standard error needs many events at both levels. If the hazards are proportional,
    the events at the level are a draw without replacement with the hazard ratio as odds:
    Wallenius's noncentral hypergeometric distribution. The chance of as many as are needed
    is taken for the total of events that favours the label most, among the totals that the
    standard errors and the open limits of the medians allow. A label is called implausible
    where the other way round is fifty times as likely.

    References
    ----------
    Wallenius KT. Biased sampling: the noncentral hypergeometric probability distribution.
    Stanford University, 1963. The bound on events is that of the check of events.
    """
    for row in hazard_ratios(printed, UNADJUSTED):
        sizes = side_sizes(printed, row.ratio)
        if sizes is None or not len(row.corners):
            continue
        information = 1 / row.std_error[1] ** 2
        if least_events(information, *sizes) is None:
            continue
        least = implied_total(printed, row.ratio.endpoint)
        most = sum(sizes) - open_without_event(printed, row.ratio.endpoint)
        totals = range(least, max(least, most) + 1)
        odds = row.ratio.value
        chance = max(event_chance(information, *sizes, total, odds) for total in totals)
        swapped = max(event_chance(information, *sizes, total, 1 / odds) for total in totals)
        fits = swapped < LIKELIER * chance
        yield Check(
            "label",
            row.ratio.subject,
            f"events of {sizes[0]} and {sizes[1]} patients, {totals[0]} to {totals[-1]} in all",
            row.numbers,
            f"chance {format_p(chance)} as labelled, {format_p(swapped)} the other way round",
            CONSISTENT if fits else IMPLAUSIBLE,
            "" if fits else "the label is the other way round",
            chance,
            chance,
        )


@lru_cache(maxsize=4096)
def event_chance(information, n_level, n_reference, total, odds) -> float:
    """Chance of as many events at each level as a Cox coefficient's information needs.

    Parameters
    ----------
    information : float
        One over the squared standard error.
    n_level, n_reference : int
        Patients.
    total : int
        Events in all.
    odds : float
        Hazard ratio of the level against the reference.
    """
    events = np.arange(max(0, total - n_reference), min(n_level, total) + 1)
    needed = events * (total - events) / total >= information * (1 - 1e-9)
    if needed.all():
        return 1.0
    drawn = stats.nchypergeom_wallenius.pmf(
        events[needed], n_level + n_reference, n_level, total, odds
    )
    return float(drawn.sum())


@register("direction", "A labelled hazard ratio against the medians")
def directions(printed):
    """A hazard ratio whose interval excludes one points the way the medians do.

    The level with the higher hazard has the shorter medians. Reported where the medians
    point the other way in every arm in which both are printed: with crossing curves this
    could happen, which is why it is called implausible and not inconsistent.
    """
    for row in hazard_ratios(printed, UNADJUSTED):
        pairs = _median_pairs(printed, row.ratio)
        if not pairs or row.low.low <= 1 <= row.high.high:
            continue
        shorter = row.ratio.low > 1
        against = [
            (level.low > reference.high) if shorter else (level.high < reference.low)
            for level, reference in pairs
        ]
        medians = [median for pair in pairs for median in pair]
        shown = "; ".join(f"{level.text} against {reference.text}" for level, reference in pairs)
        yield Check(
            "direction",
            row.ratio.subject,
            f"{'shorter' if shorter else 'longer'} medians are expected at the first level",
            {**row.numbers, **texts(*medians)},
            f"found {shown}",
            IMPLAUSIBLE if all(against) else CONSISTENT,
            "the label is the other way round" if all(against) else "",
        )


def _median_pairs(printed, ratio):
    if sides(ratio.group) is None:
        return []
    level, reference = sides(ratio.group)
    if ratio.variable == "arm":
        keys = {"analysis": "survival", "endpoint": ratio.endpoint, "variable": "arm"}
        places = [[{"group": side} for side in (level, reference)]]
    else:
        keys = {"analysis": "subgroup", "endpoint": ratio.endpoint, "variable": ratio.variable}
        places = [
            [{"level": side, "group": arm} for side in (level, reference)] for arm in printed.arms
        ]
    pairs = [[printed.find("median", **keys, **place) for place in pair] for pair in places]
    return [pair for pair in pairs if None not in pair]
