"""Cumulative incidence of an endpoint's event and of the events that compete with it."""

import pandas as pd

from helpers.disclosure import hidden_estimate, hide_steps, shown_at, shown_of_all
from helpers.estimators.cumulative_incidence import cumulative_incidence, incidence_at
from helpers.regression import entry_times, estimate_rows, times
from helpers.results import result_row

OWN_EVENT = "event"


def causes_of(endpoint) -> dict[str, str]:
    """The event of an endpoint and those that compete with it, by key, with their labels.

    Parameters
    ----------
    endpoint : Endpoint
    """
    others = {key: level.label for key, level in endpoint.competing.items()}
    return {OWN_EVENT: endpoint.event_label} | others


def incidence_rows(cohort, endpoint):
    """Yield the number of each kind of event, and its cumulative incidence at the milestones.

    Results of the analysis ``cumulative_incidence``; the variable is ``event`` or the key of a
    competing event, the level a milestone. No rows without competing events.
    """
    study, below = cohort.study, cohort.study.suppress_below
    milestones = sorted(study.milestones)
    for number, cause in enumerate(_competing(study, endpoint), start=1):
        keys = {"analysis": "cumulative_incidence", "endpoint": endpoint, "variable": cause}
        estimates = {
            group: _estimate(patients, endpoint, number, study)
            for group, patients in cohort.groups()
        }
        falls = {
            group: _leaving(patients, endpoint, number, estimates[group])
            for group, patients in cohort.groups()
        }
        shown = shown_of_all(
            {group: shown_at(curve, milestones, below) for group, curve in falls.items()}
        )
        for group, estimate in estimates.items():
            n_event = falls[group]["n_event"].sum()
            yield result_row(statistic="n_event", value=n_event, group=group, **keys)
            for milestone, is_shown in zip(milestones, shown[group], strict=True):
                at = incidence_at(estimate, milestone) if is_shown else hidden_estimate(below)
                here = {"level": f"{milestone:g}", "group": group, **keys}
                yield from estimate_rows("incidence", at, **here)


def estimate_incidences(cohort, endpoint) -> pd.DataFrame:
    """Cumulative incidence of each kind of event by arm, from time zero.

    Returns
    -------
    DataFrame
        ``cause, group, time, n_risk, n_event, n_censored, incidence, conf_low, conf_high``, an
        interval at each event of the cause; empty without competing events.
    """
    frames = []
    for number, cause in enumerate(_competing(cohort.study, endpoint), start=1):
        by_arm = [
            hide_steps(
                _curve(patients, endpoint, number, cohort.study),
                sorted(cohort.study.milestones),
                cohort.study.suppress_below,
            ).assign(group=arm)
            for arm, patients in cohort.observed(endpoint).groups()
            if arm in cohort.arms and len(patients)
        ]
        frames.append(pd.concat(by_arm, ignore_index=True).assign(cause=cause))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"cause": []})


def _competing(study, endpoint):
    described = study.endpoints[endpoint]
    return causes_of(described) if described.competing else {}


def _estimate(patients, endpoint, number, study):
    return cumulative_incidence(
        times(patients, endpoint)[0],
        patients[f"{endpoint}_cause"],
        number,
        conf_level=study.conventions.confidence_level,
        entry=entry_times(patients, endpoint),
    )


def _curve(patients, endpoint, number, study):
    estimate = _estimate(patients, endpoint, number, study)
    frame = _leaving(patients, endpoint, number, estimate).assign(
        incidence=estimate.value, conf_low=estimate.conf_low, conf_high=estimate.conf_high
    )
    if estimate.time[0] > 0:
        frame.loc[-1] = [0.0, len(patients), 0, 0, 0, 0, 0]
    return frame.sort_index()


def _leaving(patients, endpoint, number, estimate):
    """At risk just before each time, with the event at it, and leaving without it."""
    time = patients[f"{endpoint}_time"]
    own = patients[f"{endpoint}_cause"] == number
    n_event, n_censored = (
        chosen.value_counts().reindex(estimate.time, fill_value=0).to_numpy(float)
        for chosen in (time[own], time[~own])
    )
    n_risk = estimate.n_risk.astype(float)
    counts = {"n_risk": n_risk, "n_event": n_event, "n_censored": n_censored}
    return pd.DataFrame({"time": estimate.time, **counts})
