"""Who the patients were, whom the criteria let in, what they were given."""

from helpers.formats import format_count, format_estimate, format_number, format_p, format_whole
from helpers.lookup import Lookup
from helpers.results import BETWEEN_ARMS, OVERALL
from helpers.tables.parts import contrasts, group_columns, name_test, notes_of, with_unit
from helpers.tables.table import Column, Row, Table

EVERY_CRITERION = "all"


def table_flow(study) -> Table:
    """The way into the cohort; a count that is not known says so."""
    rows = [
        Row((step.label, "not known" if step.n is None else f"{step.n}")) for step in study.flow
    ]
    columns = [Column("Step", "text"), Column("Patients")]
    return Table("tab-flow", "The way into the cohort", columns, rows)


def table_baseline(results, study) -> Table:
    """Table 1: each characteristic overall and by arm, test, balance and missing values."""
    lookup = Lookup(results)
    groups = group_columns(lookup, study)
    compared = contrasts(study)
    several = len(compared) > 1
    whole = {"analysis": "baseline", "group": OVERALL, "statistic": "n_missing"}
    absent = {name: lookup.value(variable=name, **whole) for name in study.baseline}
    complete = not any(absent.values())
    columns = [
        Column("Characteristic", "text"),
        *groups.values(),
        Column("p"),
        Column("Test", "text"),
        *(Column(f"SMD, {label}" if several else "SMD") for label in compared.values()),
        *([] if complete else [Column("Missing")]),
    ]
    rows = []
    for variable in study.baseline:
        covariate = study.covariates[variable]
        keys = {"analysis": "baseline", "variable": variable}
        p = {"group": BETWEEN_ARMS, "statistic": "p", **keys}
        tail = (
            format_p(lookup.value(**p)),
            name_test(lookup.method(**p)),
            *(format_number(lookup.value(group=g, statistic="smd", **keys), 2) for g in compared),
            *([] if complete else [format_whole(absent[variable])]),
        )
        if covariate.kind == "continuous":
            cells = [_describe(lookup, covariate, group=group, **keys) for group in groups]
            how = "mean (SD)" if covariate.summary == "mean_sd" else "median (quartiles)"
            label = f"{with_unit(covariate.label, covariate.unit)}, {how}"
            rows.append(Row((label, *cells, *tail)))
            continue
        rows.append(Row((covariate.label, *[""] * len(groups), *tail), "group"))
        for level, described in covariate.levels.items():
            cells = [_count(lookup, group=group, level=level, **keys) for group in groups]
            rows.append(Row((described.label, *cells, *[""] * len(tail)), indent=True))
    notes = notes_of(
        study,
        "SD: standard deviation. SMD: standardized mean difference. Counts: n (%).",
        "No value is missing." if complete else "",
    )
    return Table("tab-baseline", "Characteristics before treatment", columns, rows, notes)


def table_eligibility(results, study) -> Table:
    """How many patients meet each criterion, and all of them."""
    lookup = Lookup(results)
    groups = group_columns(lookup, study)
    labels = {str(number): c.label for number, c in enumerate(study.eligibility, start=1)}
    labels[EVERY_CRITERION] = "All criteria"
    rows = [
        Row(
            (
                label,
                *(_count(lookup, analysis="eligibility", variable=key, group=g) for g in groups),
            )
        )
        for key, label in labels.items()
    ]
    columns = [Column("Criterion", "text"), *groups.values()]
    return Table(
        "tab-eligibility", "Patients who meet the criteria", columns, rows, notes_of(study)
    )


def table_exposures(results, study) -> Table:
    """Treatments received by arm, with their durations."""
    lookup = Lookup(results)
    groups = group_columns(lookup, study)
    timed = any(exposure.duration for exposure in study.exposures.values())
    kinds = ["n (%)", "duration"] if timed else ["n (%)"]
    spanners = {group: column.label for group, column in groups.items()}
    columns = [Column("Treatment", "text")]
    columns += [Column(kind, spanner=spanners[group]) for group in groups for kind in kinds]
    rows = []
    for variable, exposure in study.exposures.items():
        keys = {"analysis": "exposure", "variable": variable}
        rows.append(Row((exposure.label, *[""] * (len(columns) - 1)), "group"))
        for level, described in exposure.levels.items():
            cells = []
            for group in groups:
                here = {"level": level, "group": group, **keys}
                cells.append(_count(lookup, **here))
                mean, sd = lookup.values("duration_mean", "duration_sd", **here)
                if timed:
                    cells.append(f"{format_number(mean, 2)} ({format_number(sd, 2)})")
            rows.append(Row((described.label, *cells), indent=True))
    units = ", ".join(dict.fromkeys(e.unit for e in study.exposures.values() if e.duration))
    notes = notes_of(study, f"Duration: mean (standard deviation), {units}." if timed else "")
    return Table("tab-exposures", "Treatments received", columns, rows, notes)


def _count(lookup, **keys):
    return format_count(*lookup.values("n", "percent", **keys))


def _describe(lookup, covariate, **keys):
    if covariate.summary == "mean_sd":
        mean, sd = lookup.values("mean", "sd", **keys)
        decimals = covariate.decimals
        return f"{format_number(mean, decimals)} ({format_number(sd, decimals)})"
    return format_estimate(*lookup.values("median", "q1", "q3", **keys), covariate.decimals)
