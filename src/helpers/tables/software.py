"""Tables of what changes from program to program."""

from __future__ import annotations

import math

from helpers.formats import NO_VALUE, format_estimate, format_number, format_p
from helpers.results import BETWEEN_ARMS, OVERALL, select, value_of
from helpers.software import OWN, PROGRAMS
from helpers.tables.comparison import PARTS
from helpers.tables.parts import contrasts, interval_name, notes_of
from helpers.tables.table import Column, Row, Table

OWN_LABEL = "This study file"
CHOICES = {
    "ties": "Tied events in the Cox model",
    "median_conf_type": "Band for the interval of a median",
    "median_at_half": "Median where the curve is at one half",
    "baseline_quantile": "Quartiles, type",
    "categorical_test": "Contingency table",
    "mean_test": "Two means",
    "rank_test": "Mann-Whitney test, normal approximation",
    "proportional_hazards": "Test of proportional hazards",
}
VALUES = {
    "efron": "Efron",
    "breslow": "Breslow",
    "log": "log",
    "log_log": "log-log",
    "plain": "plain",
    "midpoint": "midpoint",
    "first": "first time",
    "chi_square": "χ²",
    "chi_square_yates": "χ², Yates",
    "fisher": "Fisher",
    "fisher_if_observed_below_5": "χ² or Fisher",
    "fisher_if_expected_below_5": "χ² or Fisher",
    "student_t": "Student",
    "welch_t": "Welch",
    "mann_whitney": "without continuity",
    "mann_whitney_continuity": "with continuity",
    "score_km": "score, KM",
    "score_identity": "score, time",
    "score_log": "score, log time",
    "score_rank": "score, ranks",
}
QUARTILES = {"q1": "first quartile", "median": "median", "q3": "third quartile"}


def _columns(first):
    return [Column(first, "text"), *map(Column, (OWN_LABEL, *PROGRAMS))]


def table_defaults(study) -> Table:
    """The conventions of the study file beside the defaults of each program."""
    own = study.conventions.model_dump()
    rows = [
        Row((label, *(_choice(found.get(name)) for found in (own, *PROGRAMS.values()))))
        for name, label in CHOICES.items()
    ]
    return Table("tab-defaults", "Conventions by program", _columns("Choice"), rows)


def _choice(value):
    return NO_VALUE if value is None else VALUES.get(value, str(value))


def table_software_survival(results, study) -> Table:
    """Medians, hazard ratios and p values of each endpoint under each program's defaults.

    Parameters
    ----------
    results : DataFrame
        As of `helpers.software.summarize_software`.
    study : Study
    """
    rows = []
    for endpoint, described in study.endpoints.items():
        rows.append(Row((described.label,), kind="section"))
        keys = {"analysis": "survival", "endpoint": endpoint, "level": ""}
        for arm, level in study.arm.levels.items():
            cells = _estimates(results, "median", 1, **keys, group=arm)
            rows.append(Row((f"Median, {level.label} ({interval_name(study)})", *cells)))
        for group, label in contrasts(study).items():
            here = {**keys, "group": group}
            cells = _values(results, _ratio, "hazard_ratio", **here)
            rows.append(Row((f"Hazard ratio, {label}", *cells)))
            cells = _values(results, lambda p: format_p(p, 4), "p_wald", **here)
            rows.append(Row((f"p (Wald), {label}", *cells)))
        cells = _values(results, format_p, "p_proportional_hazards", **keys, group=BETWEEN_ARMS)
        rows.append(Row(("p, proportional hazards", *cells)))
    return Table(
        "tab-software-survival",
        f"Survival in {study.time.unit} under the defaults of each program",
        _columns("Quantity"),
        rows,
        notes_of(study, f"{NO_VALUE}: no default, or computed by another method."),
    )


def _ratio(value):
    return format_number(value, 4)


def _values(results, shown, statistic, **keys):
    found = select(results, statistic=statistic, **keys)
    return [
        shown(float(found[program].iloc[0])) if len(found) else NO_VALUE
        for program in (OWN, *PROGRAMS)
    ]


def _estimates(results, statistic, decimals, **keys):
    names = (statistic, f"{statistic}_conf_low", f"{statistic}_conf_high")
    found = [select(results, statistic=name, **keys) for name in names]
    cells = []
    for program in (OWN, *PROGRAMS):
        value, low, high = (float(rows[program].iloc[0]) for rows in found)
        known = not (math.isnan(low) and math.isnan(high))
        shown = format_estimate(value, low, high, decimals)
        cells.append(shown if known else format_number(value, decimals))
    return cells


def table_hazard_tests(results, study) -> Table:
    """The tests of proportional hazards of each endpoint, by the scale of time.

    Parameters
    ----------
    results : DataFrame
        As of `helpers.software.summarize_hazard_tests`.
    study : Study
    """
    tests = {
        "p_score_km": "one minus Kaplan-Meier (R)",
        "p_score_identity": "time",
        "p_score_log": "log time",
        "p_score_rank": "ranks",
        "p_lifelines": "ranks, approximate (lifelines)",
    }
    rows = [
        Row(
            (
                described.label,
                *(format_p(value_of(results, endpoint=endpoint, statistic=name)) for name in tests),
            )
        )
        for endpoint, described in study.endpoints.items()
    ]
    absent = select(results, statistic="p_lifelines")["value"].isna().any()
    missing = f"{NO_VALUE}: several contrasts, or too many patients for lifelines."
    return Table(
        "tab-hazard-tests",
        "p of proportional hazards, treatment, by what time is measured on",
        [Column("Endpoint", "text"), *map(Column, tests.values())],
        rows,
        notes_of(study, missing if absent else ""),
    )


def table_software_tests(results, study) -> Table:
    """The p values of the patients and of response that differ between programs."""
    tests = select(results, analysis=["baseline", "response"], statistic="p", group=BETWEEN_ARMS)
    rows = _differing(tests, lambda row: _name(row, study), lambda row, value: format_p(value))
    return Table(
        "tab-software-tests",
        "p values between the arms that depend on the program",
        _columns("p of"),
        rows,
        notes_of(study, "Programs that print several tests: the first one."),
    )


def table_software_quartiles(results, study) -> Table:
    """The quartiles, as shown, that differ between programs."""
    found = select(results, analysis=["baseline", "measurement"], statistic=list(QUARTILES))
    found = found[found["group"] != OVERALL]
    rows = _differing(
        found,
        lambda row: (
            f"{_name(row, study)}, {study.arm.levels[row['group']].label}, "
            f"{QUARTILES[row['statistic']]}"
        ),
        lambda row, value: format_number(value, _decimals(row, study)),
    )
    return Table(
        "tab-software-quartiles",
        "Quartiles that depend on the program, at the decimals shown elsewhere",
        _columns("Variable, arm"),
        rows,
        notes_of(study),
    )


def _differing(found, name, shown):
    rows = []
    for row in found.to_dict("records"):
        cells = [shown(row, float(row[program])) for program in (OWN, *PROGRAMS)]
        if len(set(cells)) > 1:
            rows.append(Row((name(row), *cells)))
    return rows


def _name(row, study):
    variable, level = row["variable"], row["level"]
    if row["analysis"] == "baseline":
        return study.label(variable)
    if row["analysis"] == "measurement":
        label = study.measurements[variable].label
        return f"{label}, {PARTS.get(level, level)}" if level else label
    named = {**study.response.categories, **study.response.rates}
    return named[variable].label if variable else study.response.label


def _decimals(row, study):
    covariate = study.covariates.get(row["variable"])
    return covariate.decimals if row["analysis"] == "baseline" and covariate else 1
