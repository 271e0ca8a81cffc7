"""Adverse events, counted once a patient at the highest grade, and interruptions."""

import functools
import operator

import pandas as pd

from helpers.results import collect_results
from helpers.shares import comparison_rows, contrast_rows, count_levels, level_rows, missing_rows

ANY_EVENT = "any"


def summarize_safety(cohort) -> pd.DataFrame:
    """Describe adverse events of any grade and severe ones, and compare the arms.

    Returns
    -------
    DataFrame
        Results of the analyses ``adverse_event`` and ``interruption``. The variable ``any``
        is the worst grade of a patient over all events; it is missing where an event with a
        missing grade could change the answer.
    """
    return collect_results(_rows(cohort))


def _rows(cohort):
    adverse_events = cohort.study.adverse_events
    if adverse_events is None:
        return
    grades = {event: cohort.data[f"ae_{event}"] for event in adverse_events.events}
    for level, lowest in (("any_grade", 1), ("severe", adverse_events.severe_from)):
        affected = {event: _at_least(grade, lowest) for event, grade in grades.items()}
        affected[ANY_EVENT] = functools.reduce(operator.or_, affected.values())
        for event, has in affected.items():
            keys = {"analysis": "adverse_event", "variable": event, "level": level}
            yield from _event_rows(cohort, has, **keys)
    if adverse_events.interruption:
        has = _at_least(cohort.data["interruption"], 1)
        yield from _event_rows(cohort, has, analysis="interruption")


def _at_least(values, lowest):
    return (values >= lowest).astype("boolean").mask(values.isna())


def _event_rows(cohort, has, **keys):
    conventions = cohort.study.conventions
    counts = count_levels(cohort, has)
    yield from level_rows(counts, True, conventions.confidence_level, **keys)
    yield from missing_rows(cohort, counts, **keys)
    yield from comparison_rows(counts, {"p": conventions.categorical_test}, **keys)
    yield from contrast_rows(cohort, counts, **keys)
