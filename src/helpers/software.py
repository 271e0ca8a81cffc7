"""The same cohort under the defaults of several programs."""

import math

import pandas as pd
from lifelines import CoxPHFitter
from lifelines.statistics import proportional_hazard_test

from helpers.cohort import Cohort
from helpers.demographics import summarize_demographics
from helpers.disclosure import hidden_estimate
from helpers.estimators.compiling import LARGE
from helpers.estimators.proportional_hazards import proportional_hazards
from helpers.regression import design_model, fit_model
from helpers.response import summarize_response
from helpers.results import (
    BETWEEN_ARMS,
    KEYS,
    collect_results,
    join_results,
    result_row,
    value_of,
)
from helpers.sections import SECTIONS, summarize_sections
from helpers.survival import summarize_survival

OWN = "study"
# What each program does unless told otherwise; of several tests that it prints, the first.
PROGRAMS = {
    "R": {
        "ties": "efron",
        "median_conf_type": "log",
        "median_at_half": "midpoint",
        "baseline_quantile": 7,
        "measurement_quantile": 7,
        "categorical_test": "chi_square_yates",
        "mean_test": "welch_t",
        "rank_test": "mann_whitney_continuity",
        "proportional_hazards": "score_km",
    },
    "SAS": {
        "ties": "breslow",
        "median_conf_type": "log_log",
        "median_at_half": "midpoint",
        "baseline_quantile": 2,
        "measurement_quantile": 2,
        "categorical_test": "chi_square",
        "mean_test": "student_t",
        "rank_test": "mann_whitney_continuity",
    },
    "SPSS": {
        "ties": "breslow",
        "median_at_half": "first",
        "baseline_quantile": 6,
        "measurement_quantile": 6,
        "categorical_test": "chi_square",
        "mean_test": "student_t",
        "rank_test": "mann_whitney",
    },
    "lifelines": {
        "ties": "efron",
        "median_conf_type": "log_log",
        "median_at_half": "first",
        "baseline_quantile": 7,
        "measurement_quantile": 7,
        "categorical_test": "chi_square_yates",
        "mean_test": "student_t",
        "rank_test": "mann_whitney_continuity",
    },
}
TRANSFORMS = ("score_km", "score_identity", "score_log", "score_rank")
SUMMARIES = (summarize_demographics, summarize_survival, summarize_response)


def adopt(cohort, program) -> Cohort:
    """The same cohort, with the conventions of a program in its study.

    What the program has no default for stays as the study file has it.

    Parameters
    ----------
    cohort : Cohort
    program : str
        A key of `PROGRAMS`, or `OWN` for the study's own conventions.
    """
    if program == OWN:
        return cohort
    conventions = cohort.study.conventions.model_copy(update=PROGRAMS[program])
    return Cohort(cohort.data, cohort.study.model_copy(update={"conventions": conventions}))


def summarize_software(cohort, own=None) -> pd.DataFrame:
    """Compute patients, survival and response under each program's defaults.

    Parameters
    ----------
    cohort : Cohort
    own : DataFrame, optional
        The results of every section by the study's conventions; computed if not given.

    Returns
    -------
    DataFrame
        The keys of a result and its ``value`` by program: a column for `OWN` and for each of
        `PROGRAMS`. NaN where a program has no default for what the number depends on, the
        study hides the number, or, where it hides small counts, for a median at another time.
    """
    if own is None:
        own = summarize_sections(cohort, SECTIONS)
    columns = {}
    for program in PROGRAMS:
        adopted = adopt(cohort, program)
        results = join_results(summarize(adopted) for summarize in SUMMARIES)
        values = results.set_index(KEYS)["value"]
        columns[program] = values.where(~_without_default(values.index, program))
    frame = pd.DataFrame(columns)
    frame.insert(0, OWN, own.set_index(KEYS)["value"].reindex(frame.index))
    if cohort.study.suppress_below >= 2:
        frame.loc[frame[OWN].isna(), list(PROGRAMS)] = math.nan
        differs = frame[list(PROGRAMS)].ne(frame[OWN], axis=0)
        at_another_time = differs.mul(_are_medians_of_times(frame.index), axis=0)
        frame[list(PROGRAMS)] = frame[list(PROGRAMS)].mask(at_another_time)
    return frame.reset_index()


def _are_medians_of_times(index):
    """Whether results are medians of survival; each tells how many have had the event by it."""
    analysis, statistic = (index.get_level_values(name) for name in ("analysis", "statistic"))
    return (analysis == "survival") & statistic.str.contains("median")


def _without_default(index, program):
    """Whether a result depends on a convention for which a program has no default."""
    known = PROGRAMS.get(program)
    statistic = index.get_level_values("statistic")
    missing = statistic == ""
    if known is not None and "median_conf_type" not in known:
        on_curve = index.get_level_values("analysis") == "survival"
        limit = statistic.str.contains(r"^(?:median|survival|followup_median)_conf", regex=True)
        missing = missing | (on_curve & limit)
    if known is not None and "proportional_hazards" not in known:
        missing = missing | (statistic == "p_proportional_hazards")
    return missing


def summarize_hazard_tests(cohort, own) -> pd.DataFrame:
    """Test the treatment for proportional hazards, exactly and as lifelines does.

    Parameters
    ----------
    cohort : Cohort
    own : DataFrame
        The results of every section. An endpoint whose test is hidden in them has none.

    Returns
    -------
    DataFrame
        Results of the analysis ``survival``: ``p_{transform}`` for each transform of the exact
        score test, and ``p_lifelines``, its approximation on ranks; none with several
        contrasts, which lifelines does not test together, or of many patients, for whom it
        takes too long.
    """
    return collect_results(
        row for endpoint in cohort.study.endpoints for row in _hazard_rows(cohort, endpoint, own)
    )


def _hazard_rows(cohort, endpoint, own):
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm", "group": BETWEEN_ARMS}
    below = cohort.study.suppress_below
    if below > 1 and math.isnan(value_of(own, statistic="p_proportional_hazards", **keys)):
        method = hidden_estimate(below).method
        for name in (*(f"p_{transform}" for transform in TRANSFORMS), "p_lifelines"):
            yield result_row(statistic=name, value=math.nan, method=method, **keys)
        return
    design = design_model(cohort, endpoint, ["arm"])
    fit = fit_model(design, cohort.study.conventions)
    for transform in TRANSFORMS:
        test = proportional_hazards(fit, transform=transform).overall
        yield result_row(statistic=f"p_{transform}", value=test.p, method=test.method, **keys)
    p, method = math.nan, "none: several contrasts, or many patients"
    if len(design.terms) == 1 and len(design.time) < LARGE:
        frame = pd.DataFrame(
            {"x": design.covariates[:, 0], "time": design.time, "event": design.event}
        )
        fitted = CoxPHFitter().fit(frame, "time", "event")
        test = proportional_hazard_test(fitted, frame, time_transform="rank")
        p, method = float(test.summary["p"].iloc[0]), "lifelines, rank"
    yield result_row(statistic="p_lifelines", value=p, method=method, **keys)
