"""Survival by arm: curves, medians, tests, hazard ratios, milestones, restricted means."""

import numpy as np
import pandas as pd
from statsmodels.nonparametric.smoothers_lowess import lowess

from helpers.estimators import kaplan_meier as km
from helpers.estimators.cox import fit_cox
from helpers.estimators.logrank import logrank
from helpers.estimators.proportional_hazards import proportional_hazards
from helpers.estimators.restricted_mean import restricted_mean, restricted_mean_difference
from helpers.results import BETWEEN_ARMS, collect_results, contrast, result_row

FEWEST_TO_SMOOTH = 10


def summarize_survival(cohort) -> pd.DataFrame:
    """Describe each endpoint by arm and compare the arms.

    Returns
    -------
    DataFrame
        Results of the analysis ``survival``, variable ``arm``.
    """
    return collect_results(
        row
        for endpoint in cohort.study.endpoints
        for row in arm_rows(cohort, endpoint, analysis="survival", variable="arm")
    )


def arm_rows(cohort, endpoint, **keys):
    """Yield the results of one endpoint: each group described, the arms compared.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    **keys
        The other keys of the rows.
    """
    keys = {"endpoint": endpoint, **keys}
    for group, patients in cohort.groups():
        yield from _described(cohort.study, patients, endpoint, group, keys)
    test = logrank(*times(cohort.data, endpoint), cohort.data["arm"])
    yield result_row(
        statistic="p_logrank", value=test.p, group=BETWEEN_ARMS, method=test.method, **keys
    )
    yield from _hazard_ratio_rows(cohort, endpoint, keys)
    yield from _restricted_mean_rows(cohort, endpoint, keys)


def times(patients, endpoint):
    """Times and events of an endpoint as arrays."""
    return (
        patients[f"{endpoint}_time"].to_numpy(float),
        patients[f"{endpoint}_event"].to_numpy(bool),
    )


def estimate_curve(patients, endpoint, study) -> km.Curve:
    """Kaplan-Meier estimate of one endpoint by the study's conventions."""
    return km.kaplan_meier(*times(patients, endpoint), **_options(study))


def estimate_curves(cohort, endpoint) -> pd.DataFrame:
    """Kaplan-Meier estimate of each arm.

    Returns
    -------
    DataFrame
        ``group, time, n_risk, n_event, n_censored, survival, conf_low, conf_high``; each arm
        begins at time zero.
    """
    frames = []
    for arm in cohort.arms:
        patients = cohort.data[cohort.data["arm"] == arm]
        curve = estimate_curve(patients, endpoint, cohort.study)
        columns = ["time", "n_risk", "n_event", "n_censored", "survival", "conf_low", "conf_high"]
        frame = pd.DataFrame({name: getattr(curve, name) for name in columns})
        start = pd.DataFrame([[0.0, len(patients), 0, 0, 1.0, 1.0, 1.0]], columns=columns)
        frames.append(pd.concat([start, frame], ignore_index=True).assign(group=arm))
    return pd.concat(frames, ignore_index=True)


def estimate_at_risk(cohort, endpoint, when) -> pd.DataFrame:
    """Number at risk just before each time, and events up to it, by arm.

    Returns
    -------
    DataFrame
        ``group, time, n_risk, n_event``.
    """
    rows = []
    for arm in cohort.arms:
        observed = times(cohort.data[cohort.data["arm"] == arm], endpoint)
        rows += [(arm, moment, *km.count_at(*observed, moment)) for moment in when]
    return pd.DataFrame(rows, columns=["group", "time", "n_risk", "n_event"])


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
        ``group`` (the contrast of an arm with the reference arm), ``time``, ``residual``,
        ``trend``.
    """
    _, checked = _treatment_model(cohort, endpoint)
    frames = []
    for place, arm in enumerate(cohort.compared_arms):
        frame = pd.DataFrame({"time": checked.time, "residual": checked.residuals[:, place]})
        frame["trend"] = _trend(frame)
        frames.append(frame.assign(group=contrast(arm, cohort.study.arm.reference)))
    return pd.concat(frames, ignore_index=True)


def _trend(frame):
    if len(frame) < FEWEST_TO_SMOOTH:
        return np.nan
    return lowess(frame["residual"], frame["time"], frac=2 / 3, return_sorted=False)


def _options(study):
    conventions = study.conventions
    return {
        "conf_level": conventions.confidence_level,
        "conf_type": conventions.median_conf_type,
    }


def _described(study, patients, endpoint, group, keys):
    keys = {"group": group, **keys}
    observed = times(patients, endpoint)
    conventions = study.conventions
    curve = km.kaplan_meier(*observed, **_options(study))
    band = f"{conventions.median_conf_type} interval"
    yield result_row(statistic="n", value=len(patients), **keys)
    yield result_row(statistic="n_event", value=observed[1].sum(), **keys)
    middle = km.median(curve, at_half=conventions.median_at_half)
    yield from estimate_rows("median", middle, f"{middle.method}, {band}", **keys)
    followup = km.reverse_kaplan_meier(*observed, **_options(study))
    middle = km.median(followup, at_half=conventions.median_at_half)
    method = f"reverse {middle.method}, {band}"
    yield from estimate_rows("followup_median", middle, method, **keys)
    if "level" in keys:  # a subgroup, whose rows have no place for another level
        return
    for milestone in study.milestones:
        at = km.survival_at(curve, milestone)
        here = {**keys, "level": f"{milestone:g}"}
        yield from estimate_rows("survival", at, f"{at.method}, {band}", **here)


def estimate_rows(statistic, estimate, method="", **keys):
    """Yield an estimate and the limits of its interval as three results."""
    method = method or estimate.method
    yield result_row(statistic=statistic, value=estimate.value, method=method, **keys)
    for limit in ("conf_low", "conf_high"):
        value = getattr(estimate, limit)
        yield result_row(statistic=f"{statistic}_{limit}", value=value, method=method, **keys)


def _treatment_model(cohort, endpoint):
    conventions = cohort.study.conventions
    design = np.column_stack([cohort.data["arm"] == arm for arm in cohort.compared_arms])
    observed = times(cohort.data, endpoint)
    fit = fit_cox(*observed, design, ties=conventions.ties)
    checked = proportional_hazards(
        fit, *observed, design, ties=conventions.ties, transform=conventions.proportional_hazards
    )
    return fit, checked


def _hazard_ratio_rows(cohort, endpoint, keys):
    fit, checked = _treatment_model(cohort, endpoint)
    conventions = cohort.study.conventions
    reference = cohort.study.arm.reference
    for place, arm in enumerate(cohort.compared_arms):
        yield from ratio_rows(fit, place, arm, reference, conventions.confidence_level, **keys)
    yield result_row(
        statistic="p_proportional_hazards",
        value=checked.p_global,
        group=BETWEEN_ARMS,
        method=conventions.proportional_hazards,
        **keys,
    )


def ratio_rows(fit, place, compared, reference, conf_level, /, **keys):
    """Yield the hazard ratio of a level against its reference, and the reciprocal.

    Parameters
    ----------
    fit : CoxFit
    place : int
        Position of the coefficient.
    compared, reference : str
    conf_level : float
    **keys
        The other keys of the rows.
    """
    low, high = fit.interval(conf_level)
    limits = (fit.coef[place], low[place], high[place])
    p = fit.wald_p()[place]
    swapped = (-limits[0], -limits[2], -limits[1])
    for group, logs in (
        (contrast(compared, reference), limits),
        (contrast(reference, compared), swapped),
    ):
        here = {"group": group, "method": fit.method, **keys}
        names = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high")
        for name, log in zip(names, logs, strict=True):
            yield result_row(statistic=name, value=np.exp(log), **here)
        yield result_row(statistic="p_wald", value=p, **here)


def _restricted_mean_rows(cohort, endpoint, keys):
    """The horizon is the earliest of the arms' last observations."""
    study = cohort.study
    conf_level = study.conventions.confidence_level
    curves = {
        arm: estimate_curve(cohort.data[cohort.data["arm"] == arm], endpoint, study)
        for arm in cohort.arms
    }
    if "level" in keys or any(not len(curve.time) for curve in curves.values()):
        return
    horizon = min(curve.time[-1] for curve in curves.values())
    keys = {**keys, "level": f"{horizon:.6g}"}
    for arm, curve in curves.items():
        mean, _ = restricted_mean(curve, horizon, conf_level=conf_level)
        yield from estimate_rows("rmst", mean, group=arm, **keys)
    reference = study.arm.reference
    for arm in cohort.compared_arms:
        difference, test = restricted_mean_difference(
            curves[arm], curves[reference], horizon, conf_level=conf_level
        )
        group = contrast(arm, reference)
        yield from estimate_rows("rmst_difference", difference, group=group, **keys)
        yield result_row(
            statistic="p_rmst_difference", value=test.p, group=group, method=test.method, **keys
        )
