"""Treatment effects of several cohorts, pooled."""

import math

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from helpers.lookup import Lookup
from helpers.results import collect_results, contrast, result_row

METHODS = {
    "fixed": "inverse variance, fixed effect",
    "random": "inverse variance, random effects, DerSimonian and Laird",
}


def pool_sites(results_of_sites, study) -> pd.DataFrame:
    """Pool the hazard ratios of each arm with the reference arm over cohorts.

    Parameters
    ----------
    results_of_sites : dict of str to DataFrame
        The results of each cohort, by its name.
    study : Study

    Returns
    -------
    DataFrame
        Results of the analysis ``pooled``, variable ``arm``. With the name of a cohort as level:
        ``hazard_ratio`` with its interval, ``p_wald``, ``weight_fixed`` and ``weight_random`` in
        percent; the method is that of the cohort, which says why there is no estimate. Without a
        level: ``fixed_hazard_ratio`` and ``random_hazard_ratio`` with
        intervals, ``fixed_p`` and ``random_p``,
        ``n_site``, and of heterogeneity ``q``, ``p_heterogeneity``, ``i_squared`` (percent) and
        ``tau_squared``. A cohort without an estimate has NaN and no weight.

    References
    ----------
    DerSimonian R, Laird N. Control Clin Trials 1986;7:177-188. Higgins JPT, Thompson SG. Stat
    Med 2002;21:1539-1558.
    """
    reference = study.arm.reference
    lookups = {site: Lookup(results) for site, results in results_of_sites.items()}
    return collect_results(
        row
        for endpoint in study.endpoints
        for arm in study.arm.levels
        if arm != reference
        for row in _contrast_rows(lookups, study, endpoint=endpoint, group=contrast(arm, reference))
    )


def _contrast_rows(lookups, study, **place):
    keys = {"analysis": "pooled", "variable": "arm", **place}
    sites = list(lookups)
    there = {**keys, "analysis": "survival"}
    coefs, errors = (
        np.array([lookup.value(statistic=name, **there) for lookup in lookups.values()])
        for name in ("coef", "std_error")
    )
    known = np.isfinite(coefs) & np.isfinite(errors) & (errors > 0)
    weights = {model: np.full(len(sites), math.nan) for model in METHODS}
    alpha = 1 - study.conventions.confidence_level
    yield result_row(statistic="n_site", value=known.sum(), **keys)
    if known.any():
        with np.errstate(invalid="ignore", divide="ignore"):  # of one cohort
            variances = errors[known] ** 2
            pooled = combine_effects(coefs[known], variances, method_re="chi2", alpha=alpha)
        weights["fixed"][known] = 100 * pooled.weights_rel_fe
        # Less variation than chance gives is no variation: the effects are then one.
        found = {"fixed": (pooled.mean_effect_fe, pooled.sd_eff_w_fe)}
        if known.sum() > 1:
            varies = pooled.tau2 > 0
            found["random"] = (
                (pooled.mean_effect_re, pooled.sd_eff_w_re) if varies else found["fixed"]
            )
            relative = pooled.weights_rel_re if varies else pooled.weights_rel_fe
            weights["random"][known] = 100 * relative
            yield from _heterogeneity_rows(pooled, keys)
        for model, (coef, std_error) in found.items():
            method, name = METHODS[model], f"{model}_hazard_ratio"
            yield from _ratio_rows(name, coef, std_error, alpha, method, keys)
            p = _p(coef, std_error)
            yield result_row(statistic=f"{model}_p", value=p, method=method, **keys)
    for place_, site in enumerate(sites):
        here = {**keys, "level": site}
        coef, std_error = coefs[place_], errors[place_]
        method = lookups[site].method(statistic="coef", **there)
        yield from _ratio_rows("hazard_ratio", coef, std_error, alpha, method, here)
        yield result_row(statistic="p_wald", value=_p(coef, std_error), method=method, **here)
        for model, share in weights.items():
            yield result_row(statistic=f"weight_{model}", value=share[place_], **here)


def _p(coef, std_error):
    return 2 * stats.norm.sf(abs(coef / std_error))


def _ratio_rows(statistic, coef, std_error, alpha, method, keys):
    spread = stats.norm.ppf(1 - alpha / 2) * std_error
    for end, value in (("", coef), ("_conf_low", coef - spread), ("_conf_high", coef + spread)):
        name = f"{statistic}{end}"
        yield result_row(statistic=name, value=np.exp(value), method=method, **keys)


def _heterogeneity_rows(pooled, keys):
    test = pooled.test_homogeneity()
    for statistic, value in (
        ("q", pooled.q),
        ("p_heterogeneity", test.pvalue),
        ("i_squared", 100 * max(pooled.i2, 0.0)),
        ("tau_squared", max(pooled.tau2, 0.0)),
    ):
        yield result_row(statistic=statistic, value=value, method=METHODS["random"], **keys)
