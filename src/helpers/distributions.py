"""Measured values of a group as results: mean and spread, or quartiles."""

import math

from helpers.estimators import location
from helpers.results import result_row

QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


def mean_rows(values, prefix="", **keys):
    """Yield ``mean`` and ``sd`` of values; NaN where there are too few."""
    mean = values.mean() if len(values) else math.nan
    sd = values.std(ddof=1) if len(values) > 1 else math.nan
    yield result_row(statistic=f"{prefix}mean", value=mean, **keys)
    yield result_row(statistic=f"{prefix}sd", value=sd, **keys)


def quartile_rows(values, kind, **keys):
    """Yield ``q1``, ``median`` and ``q3`` of values by Hyndman and Fan's definition `kind`."""
    found = location.quantile(values, list(QUARTILES.values()), kind)
    for statistic, value in zip(QUARTILES, found, strict=True):
        yield result_row(statistic=statistic, value=value, method=f"type_{kind}", **keys)
