"""Tables of what a print determines and what it leaves open."""

from __future__ import annotations

import math

from helpers.estimators.e_value import approximate_risk_ratio, e_value, e_value_of_limit
from helpers.formats import NO_VALUE, format_interval, format_number, format_p
from helpers.tables.parts import contrasts, notes_of
from helpers.tables.table import Column, Row, Table

HALVES = {"early": "first half of the events", "late": "second half of the events"}


def table_ranges(ranges, study, n_draw) -> Table:
    """Each unprinted number: its value in one cohort, its range over an ensemble, the verdict.

    Parameters
    ----------
    ranges : DataFrame
        Made by `helpers.determined.summarize_ranges`.
    study : Study
    n_draw : int
    """
    rows, endpoint = [], None
    for row in ranges.to_dict("records"):
        if row["endpoint"] != endpoint:
            endpoint = row["endpoint"]
            rows.append(Row((study.endpoints[endpoint].label,), kind="section"))
        cells = (
            describe_number(row, study),
            _shown(row, row["value"]),
            _interval(row, "low", "high"),
            _interval(row, "least", "most"),
            str(row["n"]),
            row["verdict"],
        )
        rows.append(Row(cells))
    columns = [
        Column("Number", "text"),
        Column("The one cohort"),
        Column("Middle 95% of draws"),
        Column("All draws"),
        Column("Draws that have it"),
        Column("The print leaves it", "text"),
    ]
    notes = notes_of(
        study,
        "Pinned down: the middle 95% are no further apart than one event, 0.05 of a probability "
        "or a concordance, a factor of 1.1 of a ratio, 5% of the horizon of a restricted mean or "
        "of a follow-up, and that ratios and differences have one direction; p values, only that "
        f"they lie on one side of {study.conventions.significance_level:g}. Same in all draws: no "
        "walk moved it, which is no sign that the print fixes it. "
        f"{NO_VALUE}: beyond the last observation.",
    )
    caption = f"Numbers that are not printed, in {n_draw} cohorts that all hold the print"
    return Table("tab-ranges", caption, columns, rows, notes)


def describe_number(row, study) -> str:
    """What an unprinted number is, in words.

    Parameters
    ----------
    row : dict
        With the keys of a result.
    study : Study
    """
    unit = study.time.unit
    arm = study.arm.levels[row["group"]].label if row["group"] in study.arm.levels else ""
    against = contrasts(study).get(row["group"], "")
    level = row["level"]
    named = {
        "n_event": f"Events, {arm}",
        "followup_median": f"Median follow-up ({unit}), {arm}",
        "survival": f"Survival at {level} {unit}, {arm}",
        "rmst": f"Restricted mean to {level} {unit}, {arm}",
        "rmst_difference": f"Difference of restricted means to {level} {unit}",
        "p_proportional_hazards": "p, proportional hazards of treatment",
        "p_wald": "p of treatment, adjusted for all covariates",
        "concordance": "Concordance of the model with all covariates",
        "interaction_ratio": f"Ratio of the hazard ratios by {_variable(row, study)}",
        "p_interaction": f"p, interaction with {_variable(row, study)}",
    }
    if row["analysis"] == "surrogacy":
        inner = list(study.endpoints)[-1]
        return f"Concordance with {study.endpoints[inner].abbreviation} time"
    if row["statistic"] != "hazard_ratio":
        return named[row["statistic"]]
    of_analysis = {
        "cox_full": "Hazard ratio, adjusted for all covariates",
        "cox_weighted": "Hazard ratio, weighted by the propensity",
        "cox_halves": f"Hazard ratio, {HALVES.get(level, '')}",
    }
    return of_analysis.get(row["analysis"]) or (
        f"Hazard ratio, {_variable(row, study)} {_level(row, study)}, {against}"
    )


def _variable(row, study):
    return study.label(row["variable"]) if row["variable"] not in ("", "arm") else ""


def _level(row, study):
    covariate = study.covariates.get(row["variable"])
    level = covariate.levels.get(row["level"]) if covariate and covariate.levels else None
    return level.label if level else ""


def _shown(row, value):
    statistic = row["statistic"]
    if statistic.startswith("p_"):
        return format_p(value)
    decimals = 0 if statistic == "n_event" else 1 if statistic == "followup_median" else 2
    return format_number(value, decimals)


def _interval(row, low, high):
    ends = [_shown(row, row[end]) for end in (low, high)]
    return NO_VALUE if math.isnan(row[low]) else " to ".join(ends)


def table_nearness(ensemble, cohort_nearness, study) -> Table:
    """How near draws and the cohort come to the print, and how unlike they are.

    Parameters
    ----------
    ensemble : DataFrame
    cohort_nearness : Nearness
        Of the cohort.
    study : Study
    """
    rows = []
    for name, label, decimals in (
        ("n_hit", "Survival numbers hit", 0),
        ("n_curve_hit", "… of them read off Kaplan-Meier curves", 0),
        ("energy", "Energy (sum of squared half-windows)", 0),
    ):
        own = getattr(cohort_nearness, name)
        values = ensemble[name]
        rows.append(Row((label, format_number(own, decimals), *_five(values, decimals))))
    for endpoint, described in study.endpoints.items():
        for name, what in (("unlike_cohort", "the cohort"), ("unlike_next", "another draw")):
            values = ensemble[f"{name}/{endpoint}"]
            label = f"Unlikeness of the order, {described.abbreviation}, from {what}"
            rows.append(Row((label, NO_VALUE, *_five(values, 2))))
    columns = [
        Column("Measure", "text"),
        Column("The cohort"),
        *(Column(name, spanner="Draws") for name in ("least", "median", "most")),
    ]
    printed = ensemble["n_printed"].iloc[0]
    note = (
        f"{printed} survival numbers are printed. Unlikeness: share of places in the order of the "
        "times at which arm and covariates differ; 0 is the same order, 1 one that was shuffled."
    )
    caption = f"{len(ensemble)} draws and the cohort of this book"
    return Table("tab-nearness", caption, columns, rows, notes_of(study, note))


def _five(values, decimals):
    return [format_number(float(values.quantile(q)), decimals) for q in (0, 0.5, 1)]


def table_e_values(estimates, notes=()) -> Table:
    """E-values of printed hazard ratios.

    Parameters
    ----------
    estimates : dict of str to tuple of float
        By label: hazard ratio, and its limits.
    notes : sequence of str
    """
    rows = []
    for label, (ratio, low, high) in estimates.items():
        risk = [approximate_risk_ratio(value) for value in (ratio, low, high)]
        rows.append(
            Row(
                (
                    label,
                    f"{format_number(ratio, 3)} ({format_interval(low, high, 3)})",
                    f"{format_number(risk[0], 2)} ({format_interval(*risk[1:], 2)})",
                    format_number(e_value(risk[0]), 2),
                    format_number(e_value_of_limit(*risk[1:]), 2),
                )
            )
        )
    columns = [
        Column("Endpoint", "text"),
        Column("Printed hazard ratio"),
        Column("As a risk ratio"),
        Column("E-value of the estimate"),
        Column("E-value of the limit"),
    ]
    return Table("tab-e-values", "E-values of the treatment effect", columns, rows, list(notes))




def table_doubts(doubts, printed, notes=()) -> Table:
    """The printed hazard ratios, freed of the bias that a doubt would make without any effect.

    Parameters
    ----------
    doubts : list of tuple
        Label, and by endpoint the hazard ratio that the design gives where no effect exists.
    printed : dict of str to tuple
        By endpoint: abbreviation, and printed hazard ratio.
    notes : sequence of str
    """
    columns = [Column("If", "text")]
    for abbreviation, ratio in printed.values():
        spanner = f"{abbreviation}, printed {format_number(ratio, 2)}"
        columns += [Column("bias alone", spanner=spanner), Column("left", spanner=spanner)]
    rows = []
    for label, bias in doubts:
        cells = []
        for endpoint, (_, ratio) in printed.items():
            cells += [format_number(bias[endpoint], 2), format_number(ratio / bias[endpoint], 2)]
        rows.append(Row((label, *cells)))
    caption = "What would be left of the hazard ratios if a doubt were true"
    return Table("tab-doubts", caption, columns, rows, list(notes))
