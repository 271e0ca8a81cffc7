"""Adverse events: each patient counted once, at the highest grade."""

from __future__ import annotations

import numpy as np

from helpers.reconstruct.matching import give

RARER = 2  # below the severe grades, each grade is so many times rarer than the one before


def fill_adverse_events(filling):
    """Give the grades of each event by its printed counts, then the interruptions.

    Severe patients are among those of any grade and have the lowest severe grade. Treatment
    was interrupted in the patients with the worst events of their arm.
    """
    adverse_events = filling.study.adverse_events
    if adverse_events is None:
        return
    for event in adverse_events.events:
        grades = {arm: _grades(filling, event, arm) for arm in filling.sizes}
        column = adverse_events.column(event)
        if any(of_arm is None for of_arm in grades.values()):
            filling.write_empty(column)
            continue
        name = f"ae_{event}"
        given = give(grades, filling.scores(name), filling.arms)
        filling.known[name] = given.astype(float)
        filling.write(column, given)
    if adverse_events.interruption:
        _fill_interruption(filling, adverse_events)


def _grades(filling, event, arm):
    size = filling.sizes[arm]
    keys = {"analysis": "adverse_event", "variable": event, "group": arm}
    n_any = filling.printed.count(size, level="any_grade", **keys)
    n_severe = filling.printed.count(size, level="severe", **keys) or 0
    if n_any is None:
        return None
    if n_severe > n_any:
        raise ValueError(f"{event}, {arm}: {n_severe} severe events are printed, {n_any} in all")
    severe_from = filling.study.adverse_events.severe_from
    grades = np.full(size, 0)
    grades[:n_severe] = severe_from
    mild = np.repeat(np.arange(1, severe_from), [RARER**n for n in range(severe_from - 1)][::-1])
    if n_any > n_severe:
        if not mild.size:
            raise ValueError(f"{event}, {arm}: every grade is severe, yet {n_any} > {n_severe}")
        rng = filling.rng(f"grades of {event} in {arm}")
        draws = rng.integers(mild.size, size=n_any - n_severe)
        grades[n_severe:n_any] = mild[draws]
    return grades


def _fill_interruption(filling, adverse_events):
    counts = {
        arm: filling.printed.count(size, analysis="interruption", group=arm)
        for arm, size in filling.sizes.items()
    }
    if None in counts.values():
        filling.write_empty(adverse_events.interruption)
        return
    grades = [
        filling.known[f"ae_{event}"]
        for event in adverse_events.events
        if f"ae_{event}" in filling.known
    ]
    burden = np.sum(np.square(grades), axis=0)
    stopped = {arm: np.repeat([0, 1], [filling.sizes[arm] - n, n]) for arm, n in counts.items()}
    order = burden + filling.rng("interruption").uniform(size=len(burden))
    given = give(stopped, order, filling.arms)
    filling.known["interruption"] = given.astype(float)
    filling.write(adverse_events.interruption, given)
