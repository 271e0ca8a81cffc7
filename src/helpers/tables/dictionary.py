"""What the study file says: the columns of a cohort, and the conventions of its analysis."""

from helpers.tables.parts import with_unit
from helpers.tables.software import CHOICES
from helpers.tables.table import Column, Row, Table

CONVENTIONS = CHOICES | {
    "confidence_level": "Confidence level of intervals",
    "significance_level": "A p value below it is called significant",
    "rounding": "Rounding of what is shown",
    "baseline_quantile": "Quartiles before treatment, type",
    "measurement_quantile": "Quartiles of laboratory values, type",
    "subgroup_test": "p value within a subgroup",
    "screening_threshold": "Entry into the multivariable model, p below",
    "missing": "Missing values",
    "imputations": "Imputed cohorts, if missing values are imputed",
    "imputation_seed": "Seed of the imputation",
}


def table_dictionary(study) -> Table:
    """Every column of the cohort file: its meaning, its values, and what it is used for."""
    columns = [
        Column("Column", "text"),
        Column("Meaning", "note"),
        Column("Values", "note"),
        Column("Used as", "note"),
    ]
    rows = []
    for section, lines in _sections(study).items():
        if lines:
            rows.append(Row((section,), "section"))
            rows += [Row(line) for line in lines]
    return Table("tab-dictionary", "The columns of the cohort", columns, rows)


def table_conventions(study) -> Table:
    """Every statistical choice of the study file, by name."""
    columns = [Column("Entry", "text"), Column("Meaning", "note"), Column("Value", "note")]
    rows = [
        Row((name, CONVENTIONS[name], _value(value)))
        for name, value in study.conventions.model_dump().items()
    ]
    return Table("tab-study-conventions", "The conventions of the analysis", columns, rows)


def _value(value):
    return value.replace("_", " ") if isinstance(value, str) else f"{value:g}"


def _sections(study):
    return {
        "Patient": _patient(study),
        "Endpoints": [line for endpoint in study.endpoints.values() for line in _times(endpoint)],
        "Characteristics before treatment": [*_covariates(study)],
        "Treatments received": [*_exposures(study)],
        "Response": _response(study),
        "Laboratory values before and after treatment": [*_measurements(study)],
        "Adverse events": [*_adverse_events(study)],
    }


def _patient(study):
    lines = [(study.arm.column, study.arm.label, _levels(study.arm.levels), "arms")]
    if study.identifier:
        lines.insert(0, (study.identifier, "Identifier", "one for each patient", "not shown"))
    return lines


def _times(endpoint):
    origin = f" since {endpoint.origin}" if endpoint.origin else ""
    if endpoint.counted_from_dates:
        yield (endpoint.start, f"{endpoint.label}{origin}", "date", "start")
        yield (endpoint.end, endpoint.label, "date", "end")
    else:
        yield (endpoint.time, f"{endpoint.label}{origin}", endpoint.unit, "time")
    if endpoint.entry:
        unit = "date" if endpoint.counted_from_dates else endpoint.unit
        yield (endpoint.entry, f"{endpoint.label}: under observation from", unit, "entry")
    for column in endpoint.event_dates:
        yield (column, f"{endpoint.label}: {endpoint.event_label}", "date, or empty", "event")
    if endpoint.event_dates:
        return
    codes = {endpoint.event_label: endpoint.event_codes, "censored": endpoint.censored_codes}
    meanings = [f"{code} {label}" for label, found in codes.items() for code in found]
    meanings += [
        f"{key if level.code is None else level.code} {level.label}"
        for key, level in endpoint.competing.items()
    ]
    yield (endpoint.event, endpoint.label, ", ".join(meanings), "event")


def _covariates(study):
    for key, covariate in study.covariates.items():
        if covariate.kind == "continuous":
            values = covariate.unit or "number"
        elif covariate.cutoff is not None:
            labels = " or ".join(level.label for level in covariate.levels.values())
            values = f"number, cut at {covariate.cutoff:g}: {labels}"
        else:
            values = _levels(covariate.levels)
        roles = [
            role
            for role, names in (
                ("baseline", study.baseline),
                ("prognostic factor", study.prognostic),
                ("subgroup", study.subgroups),
            )
            if key in names
        ]
        if covariate.reference:
            roles.append(f"reference {covariate.levels[covariate.reference].label}")
        yield (study.covariate_column(key), covariate.label, values, ", ".join(roles))


def _exposures(study):
    for exposure in study.exposures.values():
        yield (exposure.column, exposure.label, _levels(exposure.levels), "treatment")
        if exposure.duration:
            yield (exposure.duration, f"{exposure.label}, duration", exposure.unit, "duration")


def _response(study):
    if not study.response:
        return []
    criteria = f" ({study.response.criteria})" if study.response.criteria else ""
    label = f"{study.response.label}{criteria}"
    rates = ", ".join(rate.label for rate in study.response.rates.values())
    return [(study.response.column, label, _levels(study.response.categories), rates)]


def _measurements(study):
    for measurement in study.measurements.values():
        label = with_unit(measurement.label, measurement.unit)
        yield (measurement.baseline, f"{label}, before treatment", "number", "paired value")
        after = f"after {measurement.interval}" if measurement.interval else "after treatment"
        yield (measurement.followup, f"{label}, {after}", "number", "paired value")


def _adverse_events(study):
    events = study.adverse_events
    if not events:
        return
    for key, event in events.events.items():
        label = f"{event.label} ({event.description})" if event.description else event.label
        yield (events.column(key), label, "highest grade, 0 none", "adverse event")
    if events.interruption:
        yield (events.interruption, "Treatment interrupted", "1 yes, 0 no", "interruption")


def _levels(levels):
    return ", ".join(
        f"{key if level.code is None else level.code}: {level.label}"
        for key, level in levels.items()
    )
