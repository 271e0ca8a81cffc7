"""Survival, response, laboratory values and adverse events."""

from helpers.formats import (
    NO_VALUE,
    format_count,
    format_estimate,
    format_events,
    format_interval,
    format_number,
    format_p,
    format_whole,
)
from helpers.lookup import Lookup
from helpers.results import BETWEEN_ARMS, OVERALL, select
from helpers.tables.parts import (
    against_reference,
    below_arms,
    contrasts,
    group_columns,
    interval_name,
    notes_of,
    why_no_ratio,
    with_unit,
)
from helpers.tables.table import Column, Row, Table

RESPONSE_TESTS = {
    "p_pearson": "Pearson",
    "p_yates": "Yates",
    "p_fisher": "Fisher",
    "p": "By the rule",
}
MOMENTS = {"baseline": "Before", "followup": "After", "change": "Change"}


def table_survival(results, study) -> Table:
    """Events, medians, follow-up, tests and contrasts, one section for each endpoint."""
    lookup = Lookup(results)
    arms = list(study.arm.levels)
    unit, interval = study.time.unit, interval_name(study)
    columns = [Column("Endpoint", "text"), *(Column(study.arm.levels[arm].label) for arm in arms)]
    columns.append(Column("Comparison"))
    rows, ratios = [], []
    for endpoint, described in study.endpoints.items():
        keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
        rows.append(Row((described.label,), "section"))
        cells = [_events(lookup, group=arm, **keys) for arm in arms]
        rows.append(Row(("Events/patients", *cells, "")))
        missing = [lookup.value(group=arm, statistic="n_missing", **keys) for arm in arms]
        if any(n != 0 for n in missing):
            counts = [format_whole(n) for n in missing]
            rows.append(Row(("Left out, time or event not known", *counts, "")))
        for statistic, label in (("median", "Median"), ("followup_median", "Median follow-up")):
            cells = [
                format_estimate(*lookup.interval(statistic, group=arm, **keys)) for arm in arms
            ]
            rows.append(Row((f"{label} ({interval}), {unit}", *cells, "")))
        for statistic, label in (
            ("p_logrank", "Log-rank p"),
            ("p_proportional_hazards", "Proportional hazards p"),
        ):
            p = lookup.value(group=BETWEEN_ARMS, statistic=statistic, **keys)
            rows.append(Row((label, *[""] * len(arms), format_p(p))))
        rows += _contrast_rows(lookup, study, keys)
        ratios += [
            (f"{described.label.lower()}, {label}", keys | {"group": group})
            for group, label in contrasts(study).items()
        ]
        rows += _restricted_mean_rows(lookup, results, study, keys)
    notes = notes_of(
        study,
        f"CI: confidence interval. NA: not reached. Median intervals: "
        f"{study.conventions.median_conf_type.replace('_', '-')}.",
        *why_no_ratio(lookup, ratios),
    )
    return Table("tab-survival", "Survival by arm", columns, rows, notes)


def table_milestones(results, study) -> Table:
    """Survival at the milestones that the study names, with intervals."""
    lookup = Lookup(results)
    arms = study.arm.levels
    columns = [
        Column(f"{study.time.unit.capitalize()}", "text"),
        *(Column(f"{arm.label}, % ({interval_name(study)})") for arm in arms.values()),
    ]
    rows = []
    for endpoint, described in study.endpoints.items():
        keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
        rows.append(Row((described.label,), "section"))
        times = select(results, **keys, statistic="survival")["level"].unique()
        for time in sorted(times, key=float):
            shares = [lookup.interval("survival", level=time, group=arm, **keys) for arm in arms]
            cells = [format_estimate(*(100 * share for share in three)) for three in shares]
            rows.append(Row((f"{float(time):g}", *cells)))
    open_ended = any(NO_VALUE in row.cells for row in rows)
    notes = notes_of(study, f"{NO_VALUE}: after the last observation." if open_ended else "")
    return Table("tab-milestones", "Survival at milestones", columns, rows, notes)


def table_response(results, study) -> Table:
    """Response categories and rates by arm with exact intervals, and what compares the arms."""
    lookup = Lookup(results)
    groups = group_columns(lookup, study)
    columns = [
        Column("Response", "text"),
        *(Column(c.label, spanner=f"n (%), {interval_name(study)}") for c in groups.values()),
        *_contrast_columns(study),
    ]
    rows = []
    for key, label in _answers(study).items():
        keys = {"analysis": "response", "variable": key}
        cells = [_share(lookup, group=group, **keys) for group in groups]
        rows.append(Row((label, *cells, *_contrast_cells(lookup, study, **keys))))
    n_missing = lookup.value(analysis="response", group=OVERALL, statistic="n_missing")
    notes = notes_of(
        study,
        f"Criteria: {study.response.criteria}." if study.response.criteria else "",
        f"Not evaluated: {format_whole(n_missing)}." if n_missing > 0 else "",
    )
    return Table("tab-response", study.response.label, columns, rows, notes, stacked=True)


def table_response_tests(results, study) -> Table:
    """The p values that different tests give for the same counts."""
    lookup = Lookup(results)
    columns = [Column("Response", "text"), *map(Column, RESPONSE_TESTS.values())]
    rows = []
    for key, label in _answers(study).items():
        keys = {"analysis": "response", "variable": key, "group": BETWEEN_ARMS}
        rows.append(Row((label, *map(format_p, lookup.values(*RESPONSE_TESTS, **keys)))))
    caption = f"{study.response.label}: p by three tests, and by the rule of the study file"
    return Table("tab-response-tests", caption, columns, rows, notes_of(study))


def table_measurements(results, study) -> Table:
    """Laboratory values before and after, their change, and the tests of it."""
    lookup = Lookup(results)
    groups = group_columns(lookup, study)
    columns = [Column("Value", "text"), *groups.values(), Column("p between arms")]
    rows = []
    for variable, measurement in study.measurements.items():
        rows.append(Row((_title(measurement),), "section"))
        for level, label in MOMENTS.items():
            keys = {"analysis": "measurement", "variable": variable, "level": level}
            is_ratio = level == "change" and measurement.scale == "log"
            cells = [_quartiles(lookup, 2 if is_ratio else 1, group=g, **keys) for g in groups]
            p = lookup.value(group=BETWEEN_ARMS, statistic="p", **keys)
            how = " (ratio)" if is_ratio else ""
            rows.append(Row((f"{label}{how}, median (quartiles)", *cells, format_p(p))))
        ps = [lookup.value(group=group, statistic="p", **keys) for group in groups]
        rows.append(Row(("p of the change", *(format_p(p) for p in ps), "")))
        counts = [lookup.value(group=group, statistic="n", **keys) for group in groups]
        rows.append(Row(("Patients with both values", *(format_whole(n) for n in counts), "")))
    notes = notes_of(study)
    return Table("tab-measurements", "Laboratory values before and after", columns, rows, notes)


def table_adverse_events(results, study) -> Table:
    """Adverse events of any grade and severe ones by arm, the most frequent first."""
    lookup = Lookup(results)
    described = study.adverse_events
    arms = group_columns(lookup, study, overall=False)
    grades = {"any_grade": "Any grade", "severe": f"Grade {described.severe_from} or above"}
    columns = [Column("Event", "text")]
    for grade in grades.values():
        columns += [Column(column.label, spanner=grade) for column in arms.values()]
        columns += [Column("p", spanner=grade)]
        columns += [Column(column.heading, spanner=grade) for column in _risk_columns(study)]

    def cells(analysis, variable, levels):
        for level in levels:
            keys = {"analysis": analysis, "variable": variable, "level": level}
            yield from (format_count(*lookup.values("n", "percent", group=a, **keys)) for a in arms)
            yield format_p(lookup.value(group=BETWEEN_ARMS, statistic="p", **keys))
            for group in contrasts(study):
                yield format_estimate(*lookup.interval("risk_difference", group=group, **keys))

    def frequency(event):
        keys = {"analysis": "adverse_event", "variable": event, "level": "any_grade"}
        percent = lookup.value(group=OVERALL, statistic="percent", **keys)
        return percent if percent == percent else 0.0

    events = sorted(described.events, key=frequency, reverse=True)
    labels = {event: described.events[event].label for event in events}
    rows = [
        Row((label, *cells("adverse_event", event, grades)))
        for event, label in (labels | {"any": "Any of these"}).items()
    ]
    if described.interruption:
        own = list(cells("interruption", "", [""]))
        rows.append(Row(("Treatment interrupted", *own, *[""] * (len(columns) - 1 - len(own)))))
    explained = [
        f"{event.label}: {event.description}."
        for event in described.events.values()
        if event.description
    ]
    notes = notes_of(
        study,
        "A patient counts once for each event, at the highest grade; "
        "the denominator is the patients of the arm whose grade is known.",
        f"Graded by {described.criteria}." if described.criteria else "",
        *explained,
    )
    caption = "Adverse events by arm, the most frequent first"
    return Table("tab-adverse-events", caption, columns, rows, notes, stacked=True)


def _answers(study):
    """Labels of the response categories and of the rates made from them."""
    answers = study.response.categories | study.response.rates
    return {key: answer.label for key, answer in answers.items()}


def _events(lookup, **keys):
    n, events = lookup.values("n", "n_event", **keys)
    return format_events(events, n)


def _contrast_rows(lookup, study, keys):
    def ratio(group):
        return format_estimate(*lookup.interval("hazard_ratio", group=group, **keys), 2)

    def p(group):
        return format_p(lookup.value(group=group, statistic="p_wald", **keys))

    yield _contrast_row(f"Hazard ratio ({interval_name(study)})", study, ratio)
    yield _contrast_row("Wald p", study, p)


def _contrast_row(label, study, show):
    """What compares an arm with the reference: at the end, or of several below its arm."""
    groups = contrasts(study)
    if len(groups) == 1:
        return Row((label, *[""] * len(study.arm.levels), show(*groups)))
    return Row((f"{label}, {against_reference(study)}", *below_arms(study, show), ""))


def _restricted_mean_rows(lookup, results, study, keys):
    arms, interval, unit = study.arm.levels, interval_name(study), study.time.unit
    for horizon in select(results, **keys, statistic="rmst")["level"].unique():
        here = {**keys, "level": horizon}
        means = [format_estimate(*lookup.interval("rmst", group=arm, **here)) for arm in arms]
        until = format_number(float(horizon))
        yield Row((f"Restricted mean to {until} {unit} ({interval}), {unit}", *means, ""))

        def difference(group, here=here):
            return format_estimate(*lookup.interval("rmst_difference", group=group, **here))

        def p(group, here=here):
            return format_p(lookup.value(group=group, statistic="p_rmst_difference", **here))

        yield _contrast_row(f"Difference of these ({interval})", study, difference)
        yield _contrast_row("p of the difference", study, p)


def _risk_columns(study):
    compared = contrasts(study)
    name = f"Difference, points ({interval_name(study)})"
    return [
        Column(f"{name}, {label}" if len(compared) > 1 else name) for label in compared.values()
    ]


def _contrast_columns(study):
    odds = f"Odds ratio ({interval_name(study)})"
    several = len(contrasts(study)) > 1
    for risk, label in zip(_risk_columns(study), contrasts(study).values(), strict=True):
        yield risk
        yield Column(f"{odds}, {label}" if several else odds)


def _contrast_cells(lookup, study, **keys):
    for group in contrasts(study):
        yield format_estimate(*lookup.interval("risk_difference", group=group, **keys))
        yield format_estimate(*lookup.interval("odds_ratio", group=group, **keys), 2)


def _share(lookup, **keys):
    count = format_count(*lookup.values("n", "percent", **keys))
    low, high = lookup.values("percent_conf_low", "percent_conf_high", **keys)
    return count if low != low else f"{count}, {format_interval(low, high)}"


def _title(measurement):
    title = with_unit(measurement.label, measurement.unit)
    if measurement.above is not None:
        title += f"; patients above {measurement.above:g} before treatment"
    return title + (f"; after {measurement.interval}" if measurement.interval else "")


def _quartiles(lookup, decimals, **keys):
    return format_estimate(*lookup.values("median", "q1", "q3", **keys), decimals)
