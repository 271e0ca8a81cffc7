"""Best response and its rates, and laboratory values before and after treatment."""

import numpy as np
import pandas as pd

from helpers.distributions import quartile_rows
from helpers.estimators import location
from helpers.results import BETWEEN_ARMS, collect_results, result_row
from helpers.shares import comparison_rows, contrast_rows, count_levels, level_rows, missing_rows

MOST_PAIRS = 300  # of an arm in a figure
CHANGE_DECIMALS = 12  # equal changes must tie, although a binary fraction makes them differ


def summarize_response(cohort) -> pd.DataFrame:
    """Describe response and paired measurements, and compare the arms.

    Returns
    -------
    DataFrame
        Results of the analyses ``response`` and ``measurement``. In ``response``, an empty
        variable means all categories together: patients who could be evaluated, and the
        test of the whole table. In ``measurement``, a change on the log scale is a ratio,
        follow-up over baseline; its quartiles are taken of the logarithms.
    """
    return collect_results(_rows(cohort))


def list_pairs(cohort, variable) -> pd.DataFrame:
    """List the patients in whom a measurement is described and known at both moments.

    Returns
    -------
    DataFrame
        ``group`` (the arm), ``baseline`` and ``followup``, one row a patient; of more than
        `MOST_PAIRS` in an arm, as many at even distances in the order of their first values.
    """
    patients = _described(cohort, variable).data
    values = patients[[f"{variable}_baseline", f"{variable}_followup"]]
    pairs = values.set_axis(["baseline", "followup"], axis=1).assign(group=patients["arm"])
    pairs = pairs.dropna()
    rank = pairs.groupby("group", observed=True)["baseline"].rank(method="first") - 1
    n = pairs["group"].map(pairs["group"].value_counts()).astype(int)
    place = rank * MOST_PAIRS // n
    return pairs[(n <= MOST_PAIRS) | (place != (rank - 1) * MOST_PAIRS // n)]


def _described(cohort, variable):
    above = cohort.study.measurements[variable].above
    if above is None:
        return cohort
    return cohort.subset(cohort.data[f"{variable}_baseline"] > above)


def _rows(cohort):
    if cohort.study.response:
        yield from _response_rows(cohort)
    for variable in cohort.study.measurements:
        yield from _measurement_rows(cohort, variable)


def response_tests(conventions) -> dict[str, str]:
    """The rules by which response is compared, by statistic."""
    return {
        "p": conventions.categorical_test,
        "p_pearson": "chi_square",
        "p_yates": "chi_square_yates",
        "p_fisher": "fisher",
    }


def _response_rows(cohort):
    response = cohort.data["response"]
    conventions = cohort.study.conventions
    rules = response_tests(conventions)
    counts = count_levels(cohort, response)
    for group, n in counts.sum().items():
        yield result_row("response", "n", n, group=group)
    yield from missing_rows(cohort, counts, analysis="response")
    yield from comparison_rows(counts, rules, analysis="response")
    answers = {category: [category] for category in cohort.study.response.categories}
    answers |= {key: rate.categories for key, rate in cohort.study.response.rates.items()}
    for variable, categories in answers.items():
        keys = {"analysis": "response", "variable": variable}
        has = response.isin(categories).astype("boolean").mask(response.isna())
        counts = count_levels(cohort, has)
        yield from level_rows(counts, True, conventions.confidence_level, **keys)
        yield from comparison_rows(counts, rules, **keys)
        yield from contrast_rows(cohort, counts, **keys)


def _measurement_rows(cohort, variable):
    measurement = cohort.study.measurements[variable]
    conventions = cohort.study.conventions
    keys = {"analysis": "measurement", "variable": variable}
    cohort = _described(cohort, variable)
    before, after = (cohort.data[f"{variable}_{moment}"] for moment in ("baseline", "followup"))
    changes = pd.Series(change(before, after, measurement.scale), index=before.index)
    for level, values in (("baseline", before), ("followup", after), ("change", changes)):
        samples = {group: own.dropna().to_numpy() for group, own in cohort.split(values).items()}
        on_log_scale = level == "change" and measurement.scale == "log"
        for group, sample in samples.items():
            here = {"level": level, "group": group, **keys}
            yield result_row(statistic="n", value=len(sample), **here)
            for row in quartile_rows(sample, conventions.measurement_quantile, **here):
                yield row | {"value": np.exp(row["value"])} if on_log_scale else row
        if level == "change":
            yield from _paired_test_rows(samples, conventions, level=level, **keys)
        test = location.location_test([samples[arm] for arm in cohort.arms], conventions.rank_test)
        yield result_row(
            statistic="p",
            value=test.p,
            level=level,
            group=BETWEEN_ARMS,
            method=test.method,
            **keys,
        )


def change(before, after, scale):
    """Differences, or logarithms of ratios where both values are positive, NaN where not.

    Parameters
    ----------
    before, after : Series or ndarray
    scale : {'linear', 'log'}
    """
    if scale == "log":
        before, after = (np.log(np.where(values > 0, values, np.nan)) for values in (before, after))
    return np.round(after - before, CHANGE_DECIMALS)


def _paired_test_rows(samples, conventions, **keys):
    continuity = conventions.rank_test == "mann_whitney_continuity"
    for group, sample in samples.items():
        test = location.signed_rank(sample, continuity=continuity)
        yield result_row(statistic="p", value=test.p, group=group, method=test.method, **keys)
