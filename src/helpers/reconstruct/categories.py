"""Categorical covariates and best response: printed counts given to patients."""

from __future__ import annotations

import numpy as np

from helpers.reconstruct.filling import codes
from helpers.reconstruct.matching import give
from helpers.reconstruct.printed import category_counts, level_counts


def fill_covariates(filling):
    """Take the categorical covariates of the frame, and give the others by their counts."""
    study = filling.study
    for key, covariate in study.covariates.items():
        if covariate.kind != "categorical":
            continue
        order = sorted(covariate.levels, key=lambda level: level != covariate.reference)
        if key in filling.frame:
            levels = filling.frame[key].to_numpy(dtype=str)
        else:
            keys = {"analysis": "baseline", "variable": key}
            counts = {
                arm: level_counts(filling.printed, order, size, group=arm, **keys)
                for arm, size in filling.sizes.items()
            }
            if None in counts.values():
                if covariate.cutoff is None:
                    filling.write_empty(study.covariate_column(key))
                continue
            levels = give_levels(counts, order, filling.scores(key), filling.arms)
        filling.known[key] = np.array([order.index(level) for level in levels], dtype=float)
        if covariate.cutoff is None:
            filling.write(study.covariate_column(key), codes(covariate.levels, levels))


def fill_response(filling):
    """Give best response by the printed rates.

    A category that no rate counts is a failure. Failures are those whom the associations put
    last, without chance: who progressed first cannot have responded.
    """
    response = filling.study.response
    if response is None:
        return
    rated = {category for rate in response.rates.values() for category in rate.categories}
    order = sorted(response.categories, key=lambda category: category not in rated)
    counts = {arm: _response_counts(filling, order, arm) for arm in filling.sizes}
    if None in counts.values():
        filling.write_empty(response.column)
        return
    n_failures = {
        arm: sum(count for category, count in of_arm.items() if category not in rated)
        for arm, of_arm in counts.items()
    }
    failed = give(
        {
            arm: np.arange(filling.sizes[arm]) >= filling.sizes[arm] - n_failures[arm]
            for arm in filling.sizes
        },
        filling.scores("response", exact=True),
        filling.arms,
    )
    categories = give_levels(counts, order, filling.scores("response"), filling.arms, failed)
    filling.known["response"] = np.array([order.index(c) for c in categories], dtype=float)
    filling.write(response.column, codes(response.categories, categories))


def _response_counts(filling, categories, arm):
    size = filling.sizes[arm]
    members = {category: {category} for category in categories}
    members |= {key: set(rate.categories) for key, rate in filling.study.response.rates.items()}
    sums = [
        (members[variable], count)
        for variable in members
        if (count := filling.printed.count(size, analysis="response", variable=variable, group=arm))
        is not None
    ]
    return category_counts(categories, sums, size) if sums else None


def give_levels(counts, order, scores, arms, strata=None) -> np.ndarray:
    """Give levels to patients: in each arm the first level of `order` to the lowest scores."""
    places = {
        arm: np.repeat(np.arange(len(order)), [of_arm[level] for level in order])
        for arm, of_arm in counts.items()
    }
    return np.array(order)[give(places, scores, arms, strata)]
