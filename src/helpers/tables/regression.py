"""Cox models and subgroups."""

from helpers.estimators.firth import WALD
from helpers.formats import format_estimate, format_events, format_number, format_p, format_whole
from helpers.lookup import Lookup, covariates_of_model
from helpers.results import BETWEEN_ARMS, OVERALL, PER_UNIT, contrast, select
from helpers.tables.parts import contrasts, interval_name, notes_of, why_no_ratio
from helpers.tables.table import Column, Row, Table

MODELS = {
    "cox_univariable": "Univariable",
    "cox_multivariable": "Multivariable",
    "cox_full": "All covariates",
    "cox_firth": "Firth’s penalty",
    "cox_imputed": "Multiple imputation",
}
SUBGROUP_TESTS = {"logrank": "log-rank test", "wald": "Wald test"}
ENGINES = {
    "lifelines": "lifelines",
    "newton": "Newton’s method",
    "counts": "Newton’s method on counts of patients by time and pattern of covariates",
    "compiled": "Newton’s method in compiled sweeps over the patients",
}
ADJUSTED = {"p_holm": "Holm", "p_benjamini_hochberg": "Benjamini-Hochberg"}


def table_cox(results, study, endpoint) -> Table:
    """Univariable and multivariable hazard ratios side by side, reference levels included."""
    label = study.endpoints[endpoint].label.lower()
    models = ["cox_univariable", "cox_multivariable"]
    threshold = study.conventions.screening_threshold
    notes = [
        f"Covariates with a univariable p below {threshold:g} entered the multivariable model. "
        "HR: hazard ratio. PH p: test of proportional hazards."
    ]
    return _cox_table(
        results, study, endpoint, models, f"tab-cox-{endpoint}", f"Cox regression of {label}", notes
    )


def table_cox_sensitivity(results, study, endpoint) -> Table:
    """The screened model beside the one with all covariates and the penalized one."""
    label = study.endpoints[endpoint].label.lower()
    models = ["cox_multivariable", "cox_full", "cox_firth"]
    if study.conventions.missing == "mice":
        models.append("cox_imputed")
    name = f"tab-cox-sensitivity-{endpoint}"
    caption = f"Other Cox models of {label}"
    is_wald = select(results, analysis="cox_firth", endpoint=endpoint)["method"].eq(WALD).any()
    limits = "Wald’s limits, as patients are many" if is_wald else "profile likelihood"
    firth, screened = (
        covariates_of_model(results, study, endpoint, model)
        for model in ("cox_firth", "cox_multivariable")
    )
    more = ", with those that alone have no estimate" if firth != screened else ""
    notes = [f"Firth’s penalty: the covariates of the multivariable model{more}; {limits}."]
    return _cox_table(results, study, endpoint, models, name, caption, notes, hazards=False)


def table_cox_models(results, study) -> Table:
    """Patients, events, covariates, concordance and likelihood of each model, and who found it."""
    lookup = Lookup(results)
    columns = [
        Column("Model", "text"),
        *map(Column, ("Patients", "Events", "Coefficients", "Events per coefficient")),
        *map(Column, ("Concordance", "Log likelihood")),
    ]
    rows = []
    for endpoint, described in study.endpoints.items():
        rows.append(Row((described.label,), "section"))
        for analysis, label in MODELS.items():
            keys = {"analysis": analysis, "endpoint": endpoint}
            if analysis == "cox_univariable" or not lookup.has(**keys):
                continue
            n, events, size, ratio = lookup.values(
                "n", "n_event", "n_coefficient", "events_per_variable", **keys
            )
            concordance, likelihood = lookup.values("concordance", "log_likelihood", **keys)
            counts = [format_whole(value) for value in (n, events, size)]
            fit = [
                format_number(ratio, 1),
                format_number(concordance, 3),
                format_number(likelihood, 2),
            ]
            rows.append(Row((label, *counts, *fit)))
    fitted = select(results, analysis=list(MODELS), statistic="log_likelihood")["method"]
    engines = [ENGINES[e] for e in fitted.str.split(", ").str[-1].unique() if e in ENGINES]
    note = f"Likelihoods maximized by {'; '.join(engines)}." if engines else ""
    return Table("tab-cox-models", "The Cox models", columns, rows, notes_of(study, note))


def table_subgroups(results, study, endpoint) -> Table:
    """Each level's events, medians, hazard ratio and p; in a subgroup's row the interaction p."""
    lookup = Lookup(results)
    arms, compared = study.arm.levels, contrasts(study)
    interval = interval_name(study)
    columns = [Column("Subgroup", "text")]
    for arm in arms.values():
        columns.append(Column("Events/n", spanner=arm.label))
        columns.append(Column(f"Median ({interval})", spanner=arm.label))
    several = len(compared) > 1
    for label in compared.values():
        columns.append(Column(f"HR ({interval}){f', {label}' if several else ''}"))
    test = study.conventions.subgroup_test
    columns.append(Column("p"))

    def cells(p, **keys):
        for arm in arms:
            n, events = lookup.values("n", "n_event", group=arm, **keys)
            yield format_events(events, n)
            yield format_estimate(*lookup.interval("median", group=arm, **keys))
        for group in compared:
            yield format_estimate(*lookup.interval("hazard_ratio", group=group, **keys), 2)
        yield format_p(lookup.value(**p, **keys))

    within = {"group": BETWEEN_ARMS, "statistic": "p"}
    whole = {"group": BETWEEN_ARMS, "statistic": "p_logrank"}
    if test == "wald":
        whole = {"group": next(iter(compared)), "statistic": "p_wald"}
    overall = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
    rows = []
    if lookup.has(**overall):
        rows.append(Row(("All patients", *cells(whole, **overall))))
    for variable in study.subgroups:
        keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
        found = select(results, **keys, statistic="p_interaction")["value"]
        p = format_p(found.iloc[0]) if len(found) else ""
        label = f"{study.label(variable)}, interaction"
        rows.append(Row((label, *[""] * (len(columns) - 2), p), "group"))
        for level, described in study.levels(variable).items():
            rows.append(Row((described.label, *cells(within, level=level, **keys)), indent=True))
    caption = f"Treatment effect by subgroup: {study.endpoints[endpoint].label.lower()}"
    notes = notes_of(
        study,
        f"p: {SUBGROUP_TESTS[test]}; of an interaction, likelihood-ratio test. "
        "HR: hazard ratio. NA: not reached.",
        *why_no_ratio(lookup, _subgroup_ratios(study, endpoint)),
    )
    return Table(f"tab-subgroups-{endpoint}", caption, columns, rows, notes, stacked=True)


def table_multiplicity(results, study) -> Table:
    """The subgroup and interaction tests with their p values before and after adjustment."""
    lookup = Lookup(results)
    columns = [Column("Subgroup", "text"), Column("p")]
    columns += [Column(label, spanner="Adjusted p") for label in ADJUSTED.values()]
    rows = []

    def cells(statistic, **keys):
        return map(format_p, lookup.values(statistic, *ADJUSTED, group=BETWEEN_ARMS, **keys))

    for endpoint, described in study.endpoints.items():
        rows.append(Row((described.label,), "section"))
        for variable in study.subgroups:
            keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
            label = f"{study.label(variable)}, interaction"
            rows.append(Row((label, *cells("p_interaction", **keys)), "group"))
            for level, shown in study.levels(variable).items():
                rows.append(Row((shown.label, *cells("p", level=level, **keys)), indent=True))
    caption = "Subgroup tests, adjusted for their number"
    note = "The tests of interaction and those within levels are adjusted apart."
    return Table("tab-multiplicity", caption, columns, rows, notes_of(study, note))


def _cox_table(results, study, endpoint, models, name, caption, notes, hazards=True):
    lookup = Lookup(results)
    interval = interval_name(study)
    ps = {"p_wald": "p"} | ({"p_proportional_hazards": "PH p"} if hazards else {})
    members = {model: covariates_of_model(results, study, endpoint, model) for model in models}
    columns = [Column("Covariate", "text"), Column("Events/n")]
    for model in models:
        columns.append(Column(f"HR ({interval})", spanner=MODELS[model]))
        columns += [Column(label, spanner=MODELS[model]) for label in ps.values()]
    blank = [""] * (len(columns) - 1)

    def cells(variable, group):
        for model, members_of_model in members.items():
            if variable not in members_of_model:
                yield from [""] * (1 + len(ps))
                continue
            keys = {"analysis": model, "endpoint": endpoint, "variable": variable, "group": group}
            yield format_estimate(*lookup.interval("hazard_ratio", **keys), 3)
            yield from map(format_p, lookup.values(*ps, **keys))

    rows = []
    for variable in study.prognostic:
        reference = study.reference(variable)
        if reference is None:
            rows.append(Row((study.describe_step(variable), "", *cells(variable, "per_unit"))))
            continue
        rows.append(Row((study.label(variable), *blank), "group"))
        levels = study.levels(variable)
        for level in sorted(levels, key=lambda level, first=reference: level != first):
            counts = _events(lookup, endpoint, variable, level)
            if level == reference:
                ones = [
                    text
                    for used in members.values()
                    for text in ("1" if variable in used else "", *[""] * len(ps))
                ]
                rows.append(Row((f"{levels[level].label} (reference)", counts, *ones), indent=True))
            else:
                own = cells(variable, contrast(level, reference))
                rows.append(Row((levels[level].label, counts, *own), indent=True))
    ratios = [pair for model in models for pair in _cox_ratios(study, endpoint, model)]
    notes = notes_of(study, *notes, *why_no_ratio(lookup, ratios))
    return Table(name, caption, columns, rows, notes, stacked=True)


def _cox_ratios(study, endpoint, model):
    """What a Cox model compares, with the keys of its hazard ratio."""
    for variable in study.prognostic:
        keys = {"analysis": model, "endpoint": endpoint, "variable": variable}
        reference = study.reference(variable)
        if reference is None:
            yield study.label(variable), keys | {"group": PER_UNIT}
            continue
        for level in study.levels(variable):
            if level != reference:
                group = contrast(level, reference)
                yield study.describe_level(variable, level), keys | {"group": group}


def _subgroup_ratios(study, endpoint):
    """What is compared within subgroups, with the keys of its hazard ratio."""
    compared = contrasts(study)
    for variable in study.subgroups:
        for level in study.levels(variable):
            keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
            for group, label in compared.items():
                words = study.describe_level(variable, level)
                words += f", {label}" if len(compared) > 1 else ""
                yield words, keys | {"level": level, "group": group}


def _events(lookup, endpoint, variable, level):
    keys = {"analysis": "cox_univariable", "endpoint": endpoint, "variable": variable}
    n, events = lookup.values("n", "n_event", level=level, group=OVERALL, **keys)
    return "" if n != n else format_events(events, n)
