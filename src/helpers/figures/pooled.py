"""Hazard ratios of several cohorts, and pooled."""

from helpers.figures.forest import ForestRow, describe_forest, plot_forest
from helpers.lookup import Lookup
from helpers.results import contrast
from helpers.tables.parts import contrasts

MODELS = {"fixed": "Fixed effect", "random": "Random effects"}


def plot_pooled(results, study, endpoint, arm, sites):
    """Draw the hazard ratio of an arm in each cohort, and pooled.

    Parameters
    ----------
    results : DataFrame
        Made by `helpers.pooling.pool_sites`.
    study : Study
    endpoint, arm : str
    sites : list of str

    Returns
    -------
    Figure
    """
    rows = pooled_rows(results, study, endpoint, arm, sites)
    return plot_forest(rows, study, contrast_label=_compared(study, arm))


def caption_pooled(study, endpoint, arm) -> str:
    """The caption of `plot_pooled`."""
    return f"{study.endpoints[endpoint].label} by cohort, {_compared(study, arm)}"


def describe_pooled(results, study, endpoint, arm, sites) -> str:
    """Say in words what `plot_pooled` shows."""
    label = study.endpoints[endpoint].label.lower()
    title = f"{label} by cohort, {_compared(study, arm)}"
    return describe_forest(pooled_rows(results, study, endpoint, arm, sites), title)


def pooled_rows(results, study, endpoint, arm, sites) -> list[ForestRow]:
    """Make the lines of a forest plot by cohort."""
    lookup = Lookup(results)
    keys = {"analysis": "pooled", "endpoint": endpoint, "variable": "arm"}
    keys["group"] = contrast(arm, study.arm.reference)
    rows = [
        ForestRow(
            site,
            "estimate",
            (),
            *lookup.interval("hazard_ratio", level=site, **keys),
            lookup.value(statistic="p_wald", level=site, **keys),
        )
        for site in sites
    ]
    rows += [
        ForestRow(
            name,
            "overall",
            (),
            *lookup.interval(f"{model}_hazard_ratio", **keys),
            lookup.value(statistic=f"{model}_p", **keys),
        )
        for model, name in MODELS.items()
    ]
    return rows


def _compared(study, arm):
    return contrasts(study)[contrast(arm, study.arm.reference)]
