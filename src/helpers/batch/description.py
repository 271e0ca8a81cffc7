"""Patients, response, measurements and adverse events of many cohorts at once."""

from __future__ import annotations

import math

import numpy as np

from helpers.batch.cohorts import all_of, answer, any_of, batch_row
from helpers.demographics import EVERY_CRITERION
from helpers.distributions import QUARTILES
from helpers.estimators import contingency, location
from helpers.response import change, response_tests
from helpers.results import BETWEEN_ARMS
from helpers.safety import ANY_EVENT

DURATION = ("duration_n", "duration_mean", "duration_sd", "duration_median")


def describe_batch(batch, wanted):
    """Yield the wanted numbers of all analyses but those of survival, see `batch_row`.

    Parameters
    ----------
    batch : Batch
        What needs a column that it does not have is left out.
    wanted : Wanted
    """
    for group, members in batch.groups.items():
        yield batch_row("cohort", "n", members.sum(axis=1), group=group)
    yield from _baseline_rows(batch, wanted)
    yield from _eligibility_rows(batch, wanted)
    yield from _exposure_rows(batch, wanted)
    if "response" in batch.columns:
        yield from _response_rows(batch, wanted)
    yield from _measurement_rows(batch, wanted)
    yield from _adverse_event_rows(batch, wanted)


def _baseline_rows(batch, wanted):
    conventions = batch.study.conventions
    for variable in batch.study.baseline:
        keys = {"analysis": "baseline", "variable": variable}
        if variable not in batch.columns or not wanted(**keys):
            continue
        covariate, values = batch.study.covariates[variable], batch.columns[variable]
        if covariate.kind == "categorical":
            tests = {"p": conventions.categorical_test}
            yield from _level_rows(batch, values, covariate.levels, tests, wanted, **keys)
            continue
        described_by_mean = covariate.summary == "mean_sd"
        for group, members in batch.groups.items():
            sample = np.where(members, values, math.nan)
            n_known = (~np.isnan(sample)).sum(axis=1)
            yield batch_row(statistic="n", values=n_known, group=group, **keys)
            n_missing = members.sum(axis=1) - n_known
            yield batch_row(statistic="n_missing", values=n_missing, group=group, **keys)
            if described_by_mean:
                yield from _mean_rows(sample, group=group, **keys)
            else:
                kind = conventions.baseline_quantile
                yield from _quartile_rows(sample, kind, group=group, **keys)
        if wanted(statistic="p", **keys):
            samples = [np.where(members, values, math.nan) for members in batch.arms]
            rule = conventions.mean_test if described_by_mean else conventions.rank_test
            p = location.location_test_batch(samples, rule)
            yield batch_row(statistic="p", values=p, group=BETWEEN_ARMS, **keys)


def _eligibility_rows(batch, wanted):
    if not wanted(analysis="eligibility"):
        return
    met = {}
    for number, criterion in enumerate(batch.study.eligibility, start=1):
        conditions = criterion.any_of
        if all(condition.variable in batch.columns for condition in conditions):
            met[str(number)] = any_of([batch.is_at(c.variable, c.level) for c in conditions])
    if met and len(met) == len(batch.study.eligibility):
        met[EVERY_CRITERION] = all_of(met.values())
    for variable, has in met.items():
        yield from _answer_rows(batch, has, {}, wanted, analysis="eligibility", variable=variable)


def _exposure_rows(batch, wanted):
    for variable, exposure in batch.study.exposures.items():
        keys = {"analysis": "exposure", "variable": variable}
        if variable not in batch.columns or not wanted(**keys):
            continue
        received, levels = batch.columns[variable], list(exposure.levels)
        yield from _level_rows(batch, received, levels, {}, wanted, **keys)
        if exposure.duration is None:
            continue
        duration = batch.columns[f"{variable}_duration"]
        for level in ["", *levels]:
            has = received == levels.index(level) if level else True
            for group, members in batch.groups.items():
                here = {"level": level, "group": group, **keys}
                if not any(wanted(statistic=name, **here) for name in DURATION):
                    continue
                sample = np.where(members & has, duration, math.nan)
                n = (~np.isnan(sample)).sum(axis=1)
                yield batch_row(statistic="duration_n", values=n, **here)
                yield from _mean_rows(sample, prefix="duration_", **here)
                kind = batch.study.conventions.baseline_quantile
                (median,) = location.quantile_batch(sample, [0.5], kind)
                yield batch_row(statistic="duration_median", values=median, **here)


def _response_rows(batch, wanted):
    response, values = batch.study.response, batch.columns["response"]
    tests = response_tests(batch.study.conventions)
    categories = list(response.categories)
    counts = _count(batch, values, len(categories))
    for place, (group, members) in enumerate(batch.groups.items()):
        n_known = counts[:, place].sum(axis=1)
        yield batch_row("response", "n", n_known, group=group)
        yield batch_row("response", "n_missing", members.sum(axis=1) - n_known, group=group)
    yield from _test_rows(counts, tests, wanted, analysis="response", variable="")
    answers = {category: [category] for category in categories}
    answers |= {key: rate.categories for key, rate in response.rates.items()}
    for variable, chosen in answers.items():
        keys = {"analysis": "response", "variable": variable}
        if wanted(**keys):
            has = np.isin(values, [categories.index(category) for category in chosen])
            yield from _answer_rows(batch, answer(values, has), tests, wanted, **keys)


def _measurement_rows(batch, wanted):
    kind = batch.study.conventions.measurement_quantile
    for variable, measurement in batch.study.measurements.items():
        names = [f"{variable}_{moment}" for moment in ("baseline", "followup")]
        if not set(names) <= set(batch.columns):
            continue
        before, after = (batch.columns[name] for name in names)
        is_described = True if measurement.above is None else before > measurement.above
        values = {"baseline": before, "followup": after}
        values["change"] = change(before, after, measurement.scale)
        for level, own in values.items():
            for group, members in batch.groups.items():
                keys = {"variable": variable, "level": level, "group": group}
                if not wanted(analysis="measurement", **keys):
                    continue
                sample = np.where(members & is_described, own, math.nan)
                yield batch_row("measurement", "n", (~np.isnan(sample)).sum(axis=1), **keys)
                on_log_scale = level == "change" and measurement.scale == "log"
                for key, found, _ in _quartile_rows(sample, kind, analysis="measurement", **keys):
                    yield key, np.exp(found) if on_log_scale else found, None


def _adverse_event_rows(batch, wanted):
    adverse_events = batch.study.adverse_events
    if adverse_events is None:
        return
    tests = {"p": batch.study.conventions.categorical_test}
    names = {event: f"ae_{event}" for event in adverse_events.events}
    if set(names.values()) <= set(batch.columns):
        for level, lowest in (("any_grade", 1), ("severe", adverse_events.severe_from)):
            keys = {"analysis": "adverse_event", "level": level}
            for event, name in names.items():
                if wanted(variable=event, **keys):
                    has = answer(batch.columns[name], batch.columns[name] >= lowest)
                    yield from _answer_rows(batch, has, tests, wanted, variable=event, **keys)
            if wanted(variable=ANY_EVENT, **keys):
                grades = [batch.columns[name] for name in names.values()]
                has = any_of([answer(grade, grade >= lowest) for grade in grades])
                yield from _answer_rows(batch, has, tests, wanted, variable=ANY_EVENT, **keys)
    if "interruption" in batch.columns and wanted(analysis="interruption"):
        has = batch.columns["interruption"]
        yield from _answer_rows(batch, has, tests, wanted, analysis="interruption")


def _answer_rows(batch, has, tests, wanted, **keys):
    """Yield the numbers of a yes or no."""
    yield from _share_rows(batch, has, 2, {1: {}}, tests, wanted, **keys)


def _level_rows(batch, values, levels, tests, wanted, **keys):
    """Yield the numbers of each level of a categorical variable."""
    shown = {place: {"level": level} for place, level in enumerate(levels)}
    yield from _share_rows(batch, values, len(levels), shown, tests, wanted, **keys)


def _share_rows(batch, values, n_level, shown, tests, wanted, **keys):
    counts = _count(batch, values, n_level)
    for place, (group, members) in enumerate(batch.groups.items()):
        n_known = counts[:, place].sum(axis=1)
        n_missing = members.sum(axis=1) - n_known
        yield batch_row(statistic="n_missing", values=n_missing, group=group, **keys)
        here = {"group": group, "exists": n_known > 0, **keys}
        for level, own in shown.items():
            n = counts[:, place, level]
            percent = 100 * (n / np.maximum(n_known, 1))
            yield batch_row(statistic="n", values=n, **here, **own)
            yield batch_row(statistic="percent", values=percent, **here, **own)
    yield from _test_rows(counts, tests, wanted, **keys)


def _test_rows(counts, tests, wanted, **keys):
    tables = np.swapaxes(counts[:, 1:], 1, 2)
    for statistic, rule in tests.items():
        if wanted(statistic=statistic, **keys):
            p = contingency.categorical_test_batch(tables, rule)
            yield batch_row(statistic=statistic, values=p, group=BETWEEN_ARMS, **keys)


def _count(batch, values, n_level):
    """Patients at each level, of shape (n_cohort, n_group, n_level), all of them first."""
    shape = (batch.n_cohort, len(batch.arms), n_level)
    known = ~np.isnan(values)
    cohort = np.broadcast_to(np.arange(batch.n_cohort)[:, None], values.shape)[known]
    cell = (cohort * shape[1] + batch.columns["arm"][known]) * n_level + values[known]
    counts = np.bincount(cell.astype(int), minlength=math.prod(shape)).reshape(shape)
    return np.concatenate([counts.sum(axis=1, keepdims=True), counts], axis=1)


def _mean_rows(sample, prefix="", **keys):
    n = (~np.isnan(sample)).sum(axis=1)
    mean = np.where(n > 0, np.nansum(sample, axis=1) / np.maximum(n, 1), math.nan)
    squares = np.nansum((sample - mean[:, None]) ** 2, axis=1)
    sd = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), math.nan)
    yield batch_row(statistic=f"{prefix}mean", values=mean, **keys)
    yield batch_row(statistic=f"{prefix}sd", values=sd, **keys)


def _quartile_rows(sample, kind, **keys):
    found = location.quantile_batch(sample, list(QUARTILES.values()), kind)
    for statistic, values in zip(QUARTILES, found, strict=True):
        yield batch_row(statistic=statistic, values=values, **keys)
