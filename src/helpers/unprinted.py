"""Numbers of a randomized or observational comparison that an article may leave out."""

import math

import numpy as np
import pandas as pd

from helpers.estimators import kaplan_meier as km
from helpers.estimators.concordance import concordance
from helpers.estimators.cox import fit_cox
from helpers.estimators.propensity import propensity_weights
from helpers.estimators.proportional_hazards import proportional_hazards
from helpers.estimators.restricted_mean import restricted_mean
from helpers.regression import design_model, times
from helpers.results import BETWEEN_ARMS, OVERALL, collect_results, contrast, result_row

ENGINE = "newton"
HALVES = ("early", "late")


def summarize_unprinted(cohort) -> pd.DataFrame:
    """Compute what is left open by medians, hazard ratios and their p values.

    Parameters
    ----------
    cohort : Cohort
        Two arms; categorical covariates of two levels; complete.

    Returns
    -------
    DataFrame
        Results. For each endpoint: events, survival and restricted means at the milestones,
        median follow-up, the test of proportional hazards (analysis ``survival``); hazard ratios
        within subgroups, their ratio and the likelihood-ratio test of it (``subgroup``); the
        treatment adjusted for all prognostic covariates (``cox_full``) and weighted by the
        propensity (``cox_weighted``); its effect before and after the time at which half of the
        events have happened (``cox_halves``). Once: how well the time of the inner endpoint
        orders the patients by the outer one (``surrogacy``).
    """
    rows = []
    for endpoint in cohort.study.endpoints:
        rows += _curve_rows(cohort, endpoint)
        rows += _treatment_rows(cohort, endpoint)
        for variable in cohort.study.subgroups:
            rows += _subgroup_rows(cohort, endpoint, variable)
    rows += _surrogacy_rows(cohort)
    return collect_results(rows)


def _curve_rows(cohort, endpoint):
    study, keys = cohort.study, {"endpoint": endpoint, "variable": "arm"}
    conventions = study.conventions
    options = {
        "conf_level": conventions.confidence_level,
        "conf_type": conventions.median_conf_type,
    }
    reference = study.arm.reference
    groups = {arm: cohort.data[cohort.data["arm"] == arm] for arm in cohort.arms}
    curves = {arm: km.kaplan_meier(*times(data, endpoint), **options) for arm, data in
              groups.items()}
    for arm, data in groups.items():
        here = {"analysis": "survival", "group": arm, **keys}
        yield result_row(statistic="n_event", value=data[f"{endpoint}_event"].sum(), **here)
        follow_up = km.median(
            km.reverse_kaplan_meier(*times(data, endpoint), **options),
            at_half=conventions.median_at_half,
        )
        yield result_row(statistic="followup_median", value=follow_up.value, **here)
    for milestone in study.milestones:
        level = f"{milestone:g}"
        means = {}
        for arm, curve in curves.items():
            here = {"analysis": "survival", "level": level, "group": arm, **keys}
            yield result_row(
                statistic="survival", value=km.survival_at(curve, milestone).value, **here
            )
            means[arm] = restricted_mean(
                curve, milestone, conf_level=conventions.confidence_level
            ).value
            yield result_row(statistic="rmst", value=means[arm], **here)
        for arm in cohort.compared_arms:
            yield result_row(
                "survival",
                "rmst_difference",
                means[arm] - means[reference],
                level=level,
                group=contrast(arm, reference),
                **keys,
            )


def _treatment_rows(cohort, endpoint):
    study, arm = cohort.study, cohort.compared_arms[0]
    keys = {"endpoint": endpoint, "variable": "arm", "group": contrast(arm, study.arm.reference)}
    design = design_model(cohort, endpoint, study.prognostic)
    time, event, x = design.arrays
    (place,) = design.places("arm")
    treated = x[:, place]
    alone = _fit(study, time, event, treated[:, None])
    test = proportional_hazards(alone, transform=study.conventions.proportional_hazards).overall
    yield result_row(
        "survival",
        "p_proportional_hazards",
        test.p,
        endpoint=endpoint,
        variable="arm",
        group=BETWEEN_ARMS,
        method=test.method,
    )
    full = _fit(study, time, event, x)
    yield result_row("cox_full", "hazard_ratio", np.exp(full.coef[place]), **keys)
    yield result_row("cox_full", "p_wald", full.wald_p()[place], **keys)
    yield result_row("cox_full", "concordance", full.concordance, endpoint=endpoint)
    weights = propensity_weights(treated == 1, np.delete(x, place, axis=1))
    weighted = _fit(study, time, event, treated[:, None], weights=weights)
    yield result_row("cox_weighted", "hazard_ratio", np.exp(weighted.coef[0]), **keys)
    middle = np.median(time[event])
    early = _fit(study, np.minimum(time, middle), event & (time <= middle), treated[:, None])
    later = time > middle
    late = _fit(study, time[later], event[later], treated[later, None])
    for half, fit in zip(HALVES, (early, late), strict=True):
        yield result_row("cox_halves", "hazard_ratio", np.exp(fit.coef[0]), level=half, **keys)


def _subgroup_rows(cohort, endpoint, variable):
    study, arm = cohort.study, cohort.compared_arms[0]
    keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
    treatment = contrast(arm, study.arm.reference)
    design = design_model(cohort, endpoint, ["arm", variable])
    time, event, x = design.arrays
    crossed = _fit(study, time, event, np.column_stack([x, x.prod(axis=1)]))
    plain = _fit(study, time, event, x)
    one = design.terms[1]
    for level, exposed in ((one.reference, 0), (one.level, 1)):
        inside = x[:, 1] == exposed
        within = _fit(study, time[inside], event[inside], x[inside, :1])
        yield result_row(
            statistic="hazard_ratio",
            value=np.exp(within.coef[0]),
            level=level,
            group=treatment,
            **keys,
        )
    yield result_row(
        statistic="interaction_ratio", value=np.exp(crossed.coef[2]), group=one.group, **keys
    )
    gain = max(2 * (crossed.log_likelihood - plain.log_likelihood), 0.0)
    p = math.erfc(math.sqrt(gain / 2))
    yield result_row(
        statistic="p_interaction",
        value=p,
        group=BETWEEN_ARMS,
        method="likelihood-ratio test",
        **keys,
    )


def _surrogacy_rows(cohort):
    if len(cohort.study.endpoints) != 2:
        return
    outer, inner = cohort.study.endpoints
    time, event = times(cohort.data, outer)
    agreement = concordance(time, event, -cohort.data[f"{inner}_time"].to_numpy(float))
    yield result_row("surrogacy", "concordance", agreement, endpoint=outer, group=OVERALL)


def _fit(study, time, event, x, **options):
    return fit_cox(time, event, x, ties=study.conventions.ties, engine=ENGINE, **options)
