"""Printed numbers beside computed ones, and the count of verdicts."""

from helpers.published import DIFFERS, NOT_TESTABLE, REPRODUCED, VERDICTS, WITHIN_ROUNDING
from helpers.results import BETWEEN_ARMS, OVERALL, contrast
from helpers.tables.table import Column, Row, Table

STATISTICS = {
    "n": "patients",
    "n_event": "events",
    "percent": "%",
    "sd": "SD",
    "q1": "first quartile",
    "q3": "third quartile",
    "hazard_ratio": "hazard ratio",
    "p_wald": "p",
    "p_logrank": "log-rank p",
    "duration_mean": "mean duration",
}
ENDS = {"_conf_low": ", lower limit", "_conf_high": ", upper limit"}
PRINTED_AND_COMPUTED = "Printed and computed numbers"
ANALYSES = {"interruption": "treatment interrupted"}
PARTS = {"any_grade": "any grade", "severe": "severe", "baseline": "before", "followup": "after"}


def table_comparison(comparison, name, study=None, caption=PRINTED_AND_COMPUTED) -> Table:
    """Each printed number with the computed one, its verdict and its place.

    Parameters
    ----------
    comparison : DataFrame
        Made by `helpers.published.compare`.
    name : str
        Label of the table.
    study : Study, optional
        Gives the numbers the labels of the study in place of its keys.
    caption : str
    """
    names = labels_of(study) if study else {}
    columns = [
        Column("Number", "text"),
        Column("Printed"),
        Column("Computed"),
        Column("Verdict", "verdict"),
        Column("Note", "note"),
    ]
    rows = []
    for place, numbers in comparison.groupby("place", sort=False):
        rows.append(Row((place,), "section"))
        for number in numbers.to_dict("records"):
            cells = (number["printed"], number["computed"], number["verdict"], number["note"])
            rows.append(Row((name_number(number, names), *cells)))
    return Table(name, caption, columns, rows)


def describe_comparison(comparison) -> str:
    """Say in a sentence how many printed numbers come back."""
    counts = comparison["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    return (
        f"Of {len(comparison)} printed numbers {len(comparison) - counts[NOT_TESTABLE]} can be "
        f"compared: {counts[REPRODUCED]} reproduced, {counts[WITHIN_ROUNDING]} within rounding, "
        f"{counts[DIFFERS]} differing."
    )


def table_not_testable(comparison, study=None) -> Table:
    """The printed numbers that no computation can decide, with the reason."""
    names = labels_of(study) if study else {}
    columns = [Column("Number", "text"), Column("Printed"), Column("Why", "note")]
    rows = []
    untested = comparison[comparison["verdict"] == NOT_TESTABLE]
    for place, numbers in untested.groupby("place", sort=False):
        rows.append(Row((place,), "section"))
        for number in numbers.to_dict("records"):
            why = "; ".join(filter(None, (number["class"].replace("_", " "), number["note"])))
            rows.append(Row((name_number(number, names), number["printed"], why)))
    return Table("tab-not-testable", "Printed numbers that cannot be tested", columns, rows)


def table_verdicts(summary, name="tab-verdicts", caption="Verdicts by section") -> Table:
    """How many printed numbers got which verdict, by section or by place.

    Parameters
    ----------
    summary : DataFrame
        Made by `helpers.published.summarize_verdicts`.
    name, caption : str
    """
    columns = [Column(summary.index.name.capitalize(), "text"), *map(Column, summary.columns)]
    rows = [Row((part, *map(str, counts))) for part, *counts in summary.itertuples()]
    return Table(name, caption, columns, rows)


def name_number(number, names) -> str:
    """Name a printed number by its keys; without keys, by what the print calls it.

    Parameters
    ----------
    number : mapping
        A row of a ledger.
    names : dict
        Made by `labels_of`.
    """
    if not number["statistic"]:
        return number["label"] or number["id"]
    variable, level, group = number["variable"], number["level"], number["group"]
    parts = [
        ANALYSES.get(number["analysis"], ""),
        names.get(number["endpoint"], number["endpoint"].upper()),
        names.get(variable, variable.replace("_", " ")) if variable != "arm" else "",
        names.get((variable, level), PARTS.get(level, level.replace("_", " "))),
        names.get((variable, group), names.get(("arm", group), group.replace("_", " "))),
        _statistic(number["statistic"]),
    ]
    name = ", ".join(filter(None, parts))
    return f"{name[:1].upper()}{name[1:]}"


def _statistic(statistic):
    for end, shown in ENDS.items():
        if statistic.endswith(end):
            return f"{_statistic(statistic.removesuffix(end))}{shown}"
    return STATISTICS.get(statistic, statistic.replace("_", " "))


def labels_of(study):
    """Labels of a study's keys: by endpoint, by variable, by variable with level or contrast."""
    leveled = {"arm": study.arm, **study.covariates, **study.exposures}
    names = {key: endpoint.abbreviation for key, endpoint in study.endpoints.items()}
    names |= {key: described.label for key, described in leveled.items()}
    names |= {key: described.label for key, described in study.measurements.items()}
    if study.response:
        answers = study.response.categories | study.response.rates
        names |= {key: answer.label for key, answer in answers.items()}
    if study.adverse_events:
        names |= {key: event.label for key, event in study.adverse_events.events.items()}
    for variable, described in leveled.items():
        labels = {level: shown.label for level, shown in described.levels.items()}
        names |= {(variable, level): label for level, label in labels.items()}
        for one, first in labels.items():
            for other, second in labels.items():
                names[variable, contrast(one, other)] = f"{first} against {second}"
    return names | {("arm", OVERALL): "overall", ("arm", BETWEEN_ARMS): "between arms"}
