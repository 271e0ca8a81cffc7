"""Printed numbers beside computed ones, and the count of verdicts."""

from helpers.published import NOT_TESTABLE
from helpers.tables.table import Column, Row, Table


def table_comparison(comparison, name) -> Table:
    """Each printed number with the computed one, its verdict and its place.

    Parameters
    ----------
    comparison : DataFrame
        Made by `helpers.published.compare`.
    name : str
        Label of the table.
    """
    columns = [
        Column("Number", "text"),
        Column("Printed"),
        Column("Computed"),
        Column("Verdict", "verdict"),
        Column("Note", "text"),
    ]
    rows = []
    for place, numbers in comparison.groupby("place", sort=False):
        rows.append(Row((place,), "section"))
        for number in numbers.to_dict("records"):
            cells = (number["printed"], number["computed"], number["verdict"], number["note"])
            rows.append(Row((_name(number), *cells)))
    return Table(name, "Printed and computed numbers", columns, rows)


def table_not_testable(comparison) -> Table:
    """The printed numbers that no computation can decide, with the reason."""
    columns = [Column("Number", "text"), Column("Printed"), Column("Why", "text")]
    rows = []
    untested = comparison[comparison["verdict"] == NOT_TESTABLE]
    for place, numbers in untested.groupby("place", sort=False):
        rows.append(Row((place,), "section"))
        for number in numbers.to_dict("records"):
            why = "; ".join(filter(None, (number["class"].replace("_", " "), number["note"])))
            rows.append(Row((_name(number), number["printed"], why)))
    return Table("tab-not-testable", "Printed numbers that cannot be tested", columns, rows)


def table_verdicts(summary) -> Table:
    """How many printed numbers got which verdict, by section.

    Parameters
    ----------
    summary : DataFrame
        Made by `helpers.published.summarize_verdicts`.
    """
    columns = [Column("Section", "text"), *map(Column, summary.columns)]
    rows = [Row((section, *map(str, counts))) for section, *counts in summary.itertuples()]
    return Table("tab-verdicts", "Verdicts by section", columns, rows)


def _name(number):
    """Name a printed number by its keys; the label is what the print calls it."""
    parts = [number["variable"], number["level"], number["group"], number["statistic"]]
    keys = ", ".join(part.replace("_", " ") for part in parts if part)
    return keys or number["label"] or number["id"]
