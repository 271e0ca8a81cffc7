"""Survival by arm: curves, medians, tests, hazard ratios, milestones, restricted means."""

import math

import numpy as np
import pandas as pd

from helpers.competing import incidence_rows
from helpers.condensed import condense, count, n_patient_of
from helpers.disclosure import (
    hidden_estimate,
    hide_steps,
    round_at_risk,
    shown_at,
    shown_of_all,
    tells_of_few,
    times_of,
)
from helpers.estimators import kaplan_meier as km
from helpers.estimators.logrank import logrank
from helpers.estimators.proportional_hazards import schoenfeld_residuals
from helpers.estimators.restricted_mean import (
    common_horizon,
    restricted_mean,
    restricted_mean_difference,
)
from helpers.regression import (
    check_hazards,
    coefficient_rows,
    design_model,
    entry_times,
    estimate_rows,
    fit_model,
    strata_of,
    times,
)
from helpers.results import BETWEEN_ARMS, collect_results, contrast, result_row

CURVE = ["time", "n_risk", "n_event", "n_censored", "survival", "conf_low", "conf_high"]
FEWEST_TO_SMOOTH = 10  # residuals below which a trend is not drawn
MOST_RESIDUALS = 500  # of a figure
SMOOTHED_SHARE = 2 / 3  # of the residuals, around each point of the trend


def summarize_survival(cohort) -> pd.DataFrame:
    """Describe each endpoint by arm and compare the arms.

    Returns
    -------
    DataFrame
        Results of the analysis ``survival``, variable ``arm``, and of ``cumulative_incidence``
        where the study names competing events. The level of a survival
        probability is its time, that of a restricted mean its horizon: the earliest of the
        arms' last observations, rounded down, as it would be the time of one patient.
        ``n_missing`` counts the patients whose time or event is not known; they are in no other
        number.
    """
    return collect_results(
        row for endpoint in cohort.study.endpoints for row in _endpoint_rows(cohort, endpoint)
    )


def _endpoint_rows(cohort, endpoint):
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
    for group, unknown in cohort.split(cohort.data[f"{endpoint}_time"].isna()).items():
        yield result_row(statistic="n_missing", value=unknown.sum(), group=group, **keys)
    everyone, cohort = cohort.observed(endpoint), _by_arm(cohort, endpoint)
    yield from median_rows(cohort, endpoint, **keys)
    yield from _milestone_rows(cohort, endpoint, keys)
    yield from _followup_rows(cohort, endpoint, keys)
    yield from comparison_rows(cohort, endpoint, **keys)
    yield from _hazard_rows(cohort, endpoint, keys)
    yield from _restricted_mean_rows(cohort, endpoint, keys)
    yield from incidence_rows(everyone, endpoint)


def median_rows(cohort, endpoint, /, **keys):
    """Yield the patients, events and median of the whole cohort and of each arm.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    **keys
        Keys of the results other than group and statistic.
    """
    conventions = cohort.study.conventions
    for group, patients in cohort.groups():
        here = {"group": group, **keys}
        yield result_row(statistic="n", value=count(patients), **here)
        n_event = count(patients, patients[f"{endpoint}_event"])
        yield result_row(statistic="n_event", value=n_event, **here)
        median, method = _median(_curve(patients, endpoint, conventions), cohort.study)
        yield from estimate_rows("median", median, method, **here)


def comparison_rows(cohort, endpoint, /, **keys):
    """Yield the log-rank test and the hazard ratio of each arm with the reference arm.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    **keys
        Keys of the results other than group and statistic.
    """
    conventions = cohort.study.conventions
    known = cohort.data[cohort.data[cohort.study.strata].notna().all(axis=1)]
    test = logrank(
        *times(known, endpoint),
        known["arm"],
        strata=strata_of(known, cohort.study),
        entry=entry_times(known, endpoint),
        n_patient=n_patient_of(known),
    )
    yield result_row(
        statistic="p_logrank", value=test.p, group=BETWEEN_ARMS, method=test.method, **keys
    )
    design = design_model(cohort, endpoint, ["arm"])
    fit = fit_model(design, conventions)
    limits = fit.interval(conventions.confidence_level)
    yield from coefficient_rows(design, fit, limits, **keys)


def _milestone_rows(cohort, endpoint, keys):
    conventions, below = cohort.study.conventions, cohort.study.suppress_below
    milestones = sorted(cohort.study.milestones)
    curves = {group: _curve(patients, endpoint, conventions) for group, patients in cohort.groups()}
    shown = shown_of_all(
        {
            group: shown_at(curve, milestones, below, _median_times(curve, cohort.study))
            for group, curve in curves.items()
        }
    )
    for group, curve in curves.items():
        for milestone, is_shown in zip(milestones, shown[group], strict=True):
            at = km.survival_at(curve, milestone)
            method = _method(at, conventions)
            if not is_shown:
                at, method = hidden_estimate(below), ""
            here = {"level": f"{milestone:g}", "group": group, **keys}
            yield from estimate_rows("survival", at, method, **here)


def _followup_rows(cohort, endpoint, keys):
    conventions = cohort.study.conventions
    for group, patients in cohort.groups():
        curve = _curve(patients, endpoint, conventions, km.reverse_kaplan_meier)
        median, method = _median(curve, cohort.study, "reverse ")
        yield from estimate_rows("followup_median", median, method, group=group, **keys)


def _hazard_rows(cohort, endpoint, keys):
    design = design_model(cohort, endpoint, ["arm"])
    fit = fit_model(design, cohort.study.conventions)
    test = check_hazards(fit, cohort.study.conventions).overall
    yield result_row(
        statistic="p_proportional_hazards",
        value=test.p,
        group=BETWEEN_ARMS,
        method=test.method,
        **keys,
    )


def _restricted_mean_rows(cohort, endpoint, keys):
    conventions = cohort.study.conventions
    conf_level = conventions.confidence_level
    curves = {arm: _curve(patients, endpoint, conventions) for arm, patients in _arms(cohort)}
    horizon = _round_down(common_horizon(curves.values()))
    keys = {"level": f"{horizon:g}", **keys}
    means = {
        arm: restricted_mean(curve, horizon, conf_level=conf_level) for arm, curve in curves.items()
    }
    for arm, mean in means.items():
        yield from estimate_rows("rmst", mean, group=arm, **keys)
    reference = cohort.study.arm.reference
    for arm in cohort.compared_arms:
        difference, test = restricted_mean_difference(
            means[arm], means[reference], conf_level=conf_level
        )
        here = {"group": contrast(arm, reference), **keys}
        yield from estimate_rows("rmst_difference", difference, **here)
        yield result_row(statistic="p_rmst_difference", value=test.p, method=test.method, **here)


def _round_down(time):
    """A time to whole units; one below a unit, to its first digit."""
    unit = min(1.0, 10.0 ** math.floor(math.log10(time))) if time > 0 else 1.0
    return math.floor(time / unit) * unit


def estimate_curves(cohort, endpoint) -> pd.DataFrame:
    """Kaplan-Meier estimate of each arm, from time zero.

    Returns
    -------
    DataFrame
        ``group, time, n_risk, n_event, n_censored, survival, conf_low, conf_high``; an arm
        without patients has no rows.
    """
    frames = []
    for arm, patients in _arms(_by_arm(cohort, endpoint)):
        if patients.empty:
            continue
        curve = _curve(patients, endpoint, cohort.study.conventions)
        frame = pd.DataFrame({name: getattr(curve, name) for name in CURVE}).astype(float)
        if curve.time[0] > 0:
            frame.loc[-1] = [0.0, count(patients), 0, 0, 1.0, 1.0, 1.0]
        shown = hide_steps(
            frame.sort_index(),
            sorted(cohort.study.milestones),
            cohort.study.suppress_below,
            _median_times(curve, cohort.study),
        )
        frames.append(shown.assign(group=arm))
    if not frames:
        return pd.DataFrame(columns=["group", *CURVE])
    return pd.concat(frames, ignore_index=True)[["group", *CURVE]]


def estimate_at_risk(cohort, endpoint, when) -> pd.DataFrame:
    """Number at risk just before each time, and number of events up to it, by arm.

    Returns
    -------
    DataFrame
        ``group, time, n_risk, n_event``.
    """
    frames = []
    for arm, patients in _arms(_by_arm(cohort, endpoint)):
        rows = {"entry": entry_times(patients, endpoint), "n_patient": n_patient_of(patients)}
        n_risk, n_event = round_at_risk(
            *km.count_at(*times(patients, endpoint), when, **rows),
            count(patients),
            cohort.study.suppress_below,
        )
        frames.append(
            pd.DataFrame({"group": arm, "time": when, "n_risk": n_risk, "n_event": n_event})
        )
    return pd.concat(frames, ignore_index=True)


def estimate_log_minus_log(cohort, endpoint) -> pd.DataFrame:
    """Logarithm of the cumulative hazard -log S at each event, by arm.

    Returns
    -------
    DataFrame
        ``group, time, log_minus_log``.
    """
    curves = estimate_curves(cohort, endpoint)
    inside = curves[(curves["n_event"] > 0) & curves["survival"].between(0, 1, "neither")]
    height = np.log(-np.log(inside["survival"]))
    return inside[["group", "time"]].assign(log_minus_log=height).reset_index(drop=True)


def estimate_schoenfeld_residuals(cohort, endpoint) -> pd.DataFrame:
    """Scaled Schoenfeld residuals of the treatment, with a locally weighted trend.

    Returns
    -------
    DataFrame
        ``group`` (the contrast of an arm with the reference arm), ``time``, ``n_event``,
        ``residual``, the coefficient added, and ``trend``; NaN with few events. A row is an
        event or, of more than `MOST_RESIDUALS`, the mean of events that follow each other,
        all of a time together. A contrast without an estimate has no rows; no contrast has, where
        small counts are hidden.

    References
    ----------
    Cleveland WS. J Am Stat Assoc 1979;74:829-836.
    """
    if cohort.study.suppress_below > 1:
        return pd.DataFrame(columns=["group", "time", "n_event", "residual", "trend"])
    design = design_model(cohort, endpoint, ["arm"])
    found = schoenfeld_residuals(fit_model(design, cohort.study.conventions))
    frames = []
    for term, values in zip(design.terms, found.values.T, strict=True):
        events = {"time": found.time, "n_event": found.n_event, "residual": values}
        frame = _average(pd.DataFrame(events).dropna())
        frames.append(frame.assign(trend=_trend, group=term.group))
    return pd.concat(frames, ignore_index=True)


def _average(residuals):
    """Means of neighbours in time, where there are too many residuals to see."""
    if len(residuals) <= MOST_RESIDUALS:
        return residuals
    n_event = residuals["n_event"]
    until = n_event.groupby(residuals["time"]).sum().cumsum()
    place = residuals["time"].map((until - 1) * MOST_RESIDUALS // n_event.sum())
    sums = residuals[["time", "residual"]].mul(n_event, axis=0).groupby(place).sum()
    total = n_event.groupby(place).sum()
    return sums.div(total, axis=0).assign(n_event=total).reset_index(drop=True)


def _trend(frame):
    if len(frame) < FEWEST_TO_SMOOTH or frame["time"].nunique() == 1:
        return np.nan
    from statsmodels.nonparametric.smoothers_lowess import lowess

    return lowess(frame["residual"], frame["time"], frac=SMOOTHED_SHARE, return_sorted=False)


def _by_arm(cohort, endpoint):
    return condense(cohort.observed(endpoint), endpoint, ["arm"])


def _arms(cohort):
    return [(group, patients) for group, patients in cohort.groups() if group in cohort.arms]


def _curve(patients, endpoint, conventions, estimate=km.kaplan_meier):
    rows = {"entry": entry_times(patients, endpoint), "n_patient": n_patient_of(patients)}
    return estimate(*times(patients, endpoint), **rows, **_band(conventions))


def _band(conventions):
    return {
        "conf_level": conventions.confidence_level,
        "conf_type": conventions.median_conf_type,
    }


def _median(curve, study, kind=""):
    """The median of a curve, and its method."""
    median = km.median(curve, at_half=study.conventions.median_at_half)
    if tells_of_few(curve, median, study.suppress_below):
        return hidden_estimate(study.suppress_below), ""
    return median, f"{kind}{_method(median, study.conventions)}"


def _median_times(curve, study):
    """The times of a median that is shown."""
    median, _ = _median(curve, study)
    return times_of(median)


def _method(estimate, conventions):
    return f"{estimate.method}, {conventions.median_conf_type} interval"
