"""Measured values: one search for each column, then each value to a patient."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from helpers.audit.quartiles import possible_sizes
from helpers.reconstruct.matching import give
from helpers.reconstruct.samples import Sample, Target, draw_sample
from helpers.results import BETWEEN_ARMS, OVERALL

MOMENTS = ("mean", "sd")
QUARTILES = ("q1", "median", "q3")
LOWEST = 0.25  # no value is below this share of the threshold from which values are described
UNDESCRIBED_CHANGE = 0.15  # at most by this share a value that is not described changes
AROUND_CUTOFF = 4  # values of which only a cut-off is known lie within this factor of it


@dataclass(frozen=True)
class Quantity:
    """What is measured in one column.

    Attributes
    ----------
    column : str
        Of the values at baseline.
    covariates : list of str
        Covariates that are read from the column.
    measurement : str or None
        Paired measurement whose baseline it is.
    decimals : int
        Of the values: the fewest at which one of their statistics is compared.
    """

    column: str
    covariates: list[str]
    measurement: str | None
    decimals: int


def fill_measurements(filling):
    """Find the values of every measured column and give them to the patients."""
    for quantity in _quantities(filling.study, filling.printed):
        _fill_baseline(filling, quantity)
        if quantity.measurement:
            _fill_followup(filling, quantity)


def _quantities(study, printed):
    covariates, measurements = {}, {}
    for key, covariate in study.covariates.items():
        if covariate.kind == "continuous" or covariate.cutoff is not None:
            covariates.setdefault(study.covariate_column(key), []).append(key)
    for key, measurement in study.measurements.items():
        if measurements.setdefault(measurement.baseline, key) != key:
            raise ValueError(f"column {measurement.baseline!r} is the baseline of two measurements")
    for column in dict.fromkeys([*covariates, *measurements]):
        keys, measurement = covariates.get(column, []), measurements.get(column)
        continuous = [key for key in keys if study.covariates[key].kind == "continuous"]
        decimals = [study.covariates[key].decimals for key in continuous]
        for analysis, key in (*(("baseline", key) for key in keys), ("measurement", measurement)):
            printed_decimals = printed.fewest_decimals(analysis, key, (*MOMENTS, *QUARTILES))
            decimals += [] if printed_decimals is None else [printed_decimals]
        yield Quantity(column, keys, measurement, min(decimals, default=0))


def _fill_baseline(filling, quantity):
    study, printed = filling.study, filling.printed
    cut = [key for key in quantity.covariates if study.covariates[key].cutoff is not None]
    cut = [key for key in cut if key in filling.known]
    n_upper, strata = _count_upper(filling, cut)
    n_described = _split(filling, quantity, n_upper)
    skipped = {arm: size - n_described[arm] for arm, size in filling.sizes.items()}
    targets = _covariate_targets(study, printed, quantity, filling.sizes)
    if quantity.measurement:
        targets += _measurement_targets(
            study, printed, quantity, "baseline", filling.sizes, skipped
        )
    bounds = {
        arm: _bounds(study, printed, quantity, size, n_upper[arm], n_described[arm])
        for arm, size in filling.sizes.items()
    }
    sample = Sample(
        quantity.column,
        {arm: low for arm, (low, _) in bounds.items()},
        {arm: high for arm, (_, high) in bounds.items()},
        targets,
    )
    names = [key for key in quantity.covariates if key not in cut]
    names += [f"{quantity.measurement}_baseline"] if quantity.measurement else []
    rng = filling.rng(f"values of {quantity.column}")
    if targets:
        values = draw_sample(sample, rng)
    elif cut:
        values = {arm: _around(sample, arm, rng) for arm in sample.arms}
    else:
        filling.write_empty(quantity.column)
        return
    scores = filling.scores(*names, quantity.column)
    given = give(values, scores, filling.arms, strata)
    _write(filling, quantity.column, given, quantity.decimals, names)


def _count_upper(filling, cut):
    """Patients above each cut-off, by arm; and the number of cut-offs that each patient is above.

    The known place of a level counts the reference first; here the upper level counts.
    """
    strata = np.zeros(len(filling.arms))
    n_upper = {arm: {} for arm in filling.sizes}
    for key in cut:
        covariate = filling.study.covariates[key]
        below, _ = covariate.levels
        is_upper = filling.known[key] == (1 if covariate.reference == below else 0)
        strata += is_upper
        for arm in filling.sizes:
            n_upper[arm][key] = int(is_upper[filling.arms == arm].sum())
    return n_upper, strata


def _split(filling, quantity, n_upper):
    """How many patients of each arm a measurement describes, where it has a threshold.

    What the print leaves open is bounded by the quartiles of each arm and by its patients above
    a cut-off. Among the possible splits, the arms' shares are as near to equal as they can be.
    """
    key, sizes = quantity.measurement, filling.sizes
    if key is None or filling.study.measurements[key].above is None:
        return dict(sizes)
    keys = {"analysis": "measurement", "variable": key, "level": "baseline"}
    total = filling.printed.count(sum(sizes.values()), group=OVERALL, **keys)
    possible = []
    for arm, size in sizes.items():
        known = filling.printed.count(size, group=arm, **keys)
        candidates = range(1, size + 1) if known is None else [known]
        possible.append(_possible_sizes(filling, quantity, arm, candidates, n_upper[arm]))
    splits = [
        split for split in itertools.product(*possible) if total is None or sum(split) == total
    ]
    if not splits:
        raise ValueError(f"{key}: no number of patients in each arm has the printed quartiles")
    at_most = np.array(list(sizes.values()))

    def imbalance(split):
        expected = at_most * (sum(split) / at_most.sum())
        return float(((split - expected) ** 2 / at_most).sum())

    return dict(zip(sizes, min(splits, key=imbalance), strict=True))


def _possible_sizes(filling, quantity, arm, candidates, n_upper):
    study, unit = filling.study, 10**quantity.decimals
    key, n_above = next(iter(n_upper.items()), (None, 0))
    cutoff = math.inf if key is None else study.covariates[key].cutoff * unit
    targets = _measurement_targets(study, filling.printed, quantity, "baseline", [arm], {})
    quartiles = {t.statistic: t for t in targets if t.group == arm and t.statistic in QUARTILES}
    if len(quartiles) < len(QUARTILES):
        return [size for size in candidates if size >= n_above]
    return possible_sizes(
        [quartiles[statistic] for statistic in QUARTILES],
        candidates,
        n_above,
        cutoff,
        study.measurements[quantity.measurement].above * unit,
        study.conventions.measurement_quantile,
    )


def _bounds(study, printed, quantity, size, n_upper, n_described):
    """Bounds of one arm's values in ascending order, in units of the grid."""
    unit = 10**quantity.decimals
    low, high = np.full(size, _least(study, printed, quantity)), np.full(size, math.inf)
    for key, n in n_upper.items():
        cutoff = math.ceil(round(study.covariates[key].cutoff * unit, 6))
        low[size - n :] = np.maximum(low[size - n :], cutoff)
        high[: size - n] = np.minimum(high[: size - n], cutoff - 1)
    above = study.measurements[quantity.measurement].above if quantity.measurement else None
    if above is not None:
        threshold = math.floor(round(above * unit, 6))
        first = size - n_described
        low[first:] = np.maximum(low[first:], threshold + 1)
        high[:first] = np.minimum(high[:first], threshold)
    return low, high


def _least(study, printed, quantity):
    """The least value in units of the grid; none where a printed centre or quartile is negative."""
    keys = [{"analysis": "baseline", "variable": key} for key in quantity.covariates]
    keys += [
        {"analysis": "measurement", "variable": quantity.measurement, "level": level}
        for level in ("baseline", "followup")
    ]
    windows = [
        printed.window(statistic=statistic, group=group, **key)
        for key in keys
        for group in (*study.arm.levels, OVERALL)
        for statistic in ("mean", "q1", "median")
    ]
    if any(window[0] < 0 for window in windows if window):
        return -math.inf
    above = study.measurements[quantity.measurement].above if quantity.measurement else None
    return max(1.0, math.ceil(LOWEST * (above or 0) * 10**quantity.decimals))


def _covariate_targets(study, printed, quantity, arms):
    conventions = study.conventions
    targets = []
    for key in quantity.covariates:
        covariate = study.covariates[key]
        if covariate.kind != "continuous":
            continue
        by_mean = covariate.summary == "mean_sd"
        test = conventions.mean_test if by_mean else conventions.rank_test
        keys = {"analysis": "baseline", "variable": key}
        targets += _targets(printed, quantity, arms, keys, conventions.baseline_quantile, test, {})
    return targets


def _measurement_targets(study, printed, quantity, moment, arms, skipped):
    conventions = study.conventions
    keys = {"analysis": "measurement", "variable": quantity.measurement, "level": moment}
    return _targets(
        printed,
        quantity,
        arms,
        keys,
        conventions.measurement_quantile,
        conventions.rank_test,
        skipped,
    )


def _targets(printed, quantity, arms, keys, kind, test, skipped):
    targets = []
    for group in (*arms, OVERALL):
        for statistic in (*MOMENTS, *QUARTILES):
            window = printed.window(group=group, statistic=statistic, **keys)
            if window:
                low, high = (float(end.scaleb(quantity.decimals)) for end in window)
                rule = kind if statistic in QUARTILES else ""
                targets.append(Target(statistic, group, low, high, rule, skipped))
    window = printed.window(group=BETWEEN_ARMS, statistic="p", **keys)
    if window:
        targets.append(Target("p", BETWEEN_ARMS, *map(float, window), test, skipped))
    return targets


def _around(sample, arm, rng):
    """Values of which only a cut-off is known, evenly on either side of it."""
    low, high = sample.low[arm], sample.high[arm]
    low = np.where(np.isfinite(high), np.ceil(high / AROUND_CUTOFF), low)
    high = np.where(np.isfinite(high), high, low * AROUND_CUTOFF)
    return np.sort(np.rint(rng.uniform(low, high))).astype(np.int64)


def _fill_followup(filling, quantity):
    study, key = filling.study, quantity.measurement
    measurement, name = study.measurements[key], f"{key}_followup"
    baseline = filling.known.get(f"{key}_baseline")
    if baseline is None:
        filling.write_empty(measurement.followup)
        return
    rng = filling.rng(f"values of {measurement.followup}")
    change = rng.uniform(1 - UNDESCRIBED_CHANGE, 1 + UNDESCRIBED_CHANGE, len(baseline))
    units = np.rint(baseline * change * 10**quantity.decimals).astype(np.int64)
    described = np.full(len(baseline), True)
    if measurement.above is not None:
        described = baseline > measurement.above
    arms = filling.arms[described]
    sizes = {arm: int((arms == arm).sum()) for arm in filling.sizes}
    least = _least(study, filling.printed, quantity)
    sample = Sample(
        measurement.followup,
        {arm: np.full(n, least) for arm, n in sizes.items()},
        {arm: np.full(n, math.inf) for arm, n in sizes.items()},
        _measurement_targets(study, filling.printed, quantity, "followup", sizes, {}),
    )
    if not sample.targets:
        filling.write_empty(measurement.followup)
        return
    scores = filling.scores(name, measurement.followup)[described]
    units[described] = give(draw_sample(sample, rng), scores, arms)
    _write(filling, measurement.followup, units, quantity.decimals, [name])


def _write(filling, column, units, decimals, names):
    values = units / 10**decimals
    filling.known |= dict.fromkeys(names, values)
    filling.write(column, units if decimals == 0 else values)
