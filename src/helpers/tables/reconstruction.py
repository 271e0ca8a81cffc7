"""Tables of how a synthetic cohort was made, and of what it does not give back."""

from __future__ import annotations

import math

from helpers.audit.printed import ANALYSES
from helpers.formats import MINUS, NOT_REACHED, format_number
from helpers.tables.comparison import PARTS, labels_of, name_number
from helpers.tables.table import Column, Row, Table

UNPRINTED = {
    "n_event": "Events",
    "median": "Median ({unit})",
    "survival": "Without event at {level} {unit}",
}
BANDS = {"log": "log", "log_log": "log-log", "plain": "plain"}


def table_event_bounds(bounds, study) -> Table:
    """Events at each level that the printed standard errors allow.

    Parameters
    ----------
    bounds : DataFrame
        Made by `helpers.reconstruct.readings.summarize_event_bounds`.
    study : Study
    """
    labels = labels_of(study)
    columns = [
        Column("Level", "text"),
        Column("Patients"),
        Column("Information"),
        Column("Events in all, at least"),
        Column("Events at the level"),
    ]
    rows = []
    for variable, heading, found in _by_variable(bounds, study, labels, len(columns)):
        rows.append(heading)
        for row in found.to_dict("records"):
            cells = (
                labels[variable, row["level"]],
                str(row["n"]),
                format_number(row["information"], 2),
                str(row["fewest_total"]),
                f"{row['fewest']} to {row['most']}",
            )
            rows.append(Row(cells, indent=True))
    return Table(
        "tab-event-bounds",
        "Events that the printed standard errors need",
        columns,
        rows,
        ["Events at the level: with as many events in all as the synthetic cohort has."],
    )


def _by_variable(frame, study, labels, width):
    """Each covariate of each endpoint: its key, the row that names both, and its part."""
    for (endpoint, variable), found in frame.groupby(["endpoint", "variable"], sort=False):
        heading = f"{study.endpoints[endpoint].abbreviation}: {labels[variable]}"
        yield variable, Row((heading, *[""] * (width - 1)), "group"), found


def table_readings(readings, study) -> Table:
    """Whether any order of the patients gives a printed hazard ratio, by reading of its label.

    Parameters
    ----------
    readings : DataFrame
        Made by `helpers.reconstruct.readings.summarize_readings`.
    study : Study
    """
    labels = labels_of(study)
    columns = [
        Column("Reading", "text"),
        Column("Printed", spanner="Information"),
        Column("Any order", spanner="Information"),
        Column("Events in all, at least"),
    ]
    rows = []
    for variable, heading, found in _by_variable(readings, study, labels, len(columns)):
        rows.append(heading)
        for row in found.to_dict("records"):
            name = labels[variable, row["group"]]
            fewest = row["fewest_events"]
            cells = (
                f"{name} (as labelled)" if row["labelled"] else name,
                f"{format_number(row['information_low'], 2)} to "
                f"{format_number(row['information_high'], 2)}",
                f"{format_number(row['least'], 2)} to {format_number(row['most'], 2)}",
                "none does" if fewest is None or math.isnan(fewest) else str(int(fewest)),
            )
            rows.append(Row(cells, indent=True))
    return Table(
        "tab-readings",
        "What every order of the patients allows, by reading of the label",
        columns,
        rows,
        ["Information is 1 over the squared standard error of the log hazard ratio."],
    )


def table_open_intervals(intervals, study) -> Table:
    """Censored patients that medians without an upper limit need, by type of band.

    Parameters
    ----------
    intervals : DataFrame
        Made by `helpers.reconstruct.readings.summarize_open_intervals`.
    study : Study
    """
    labels = labels_of(study)
    columns = [Column("Group", "text"), Column("Patients")]
    columns += [Column(shown, spanner="Censored, at least") for shown in BANDS.values()]
    rows = []
    for variable, heading, found in _by_variable(intervals, study, labels, len(columns)):
        rows.append(heading)
        for row in found.to_dict("records"):
            name = f"{labels[variable, row['level']]}, {labels['arm', row['group']]}"
            needed = (_count(row[kind], row["at_most"]) for kind in BANDS)
            rows.append(Row((name, str(row["n"]), *needed), indent=True))
        whole = (_count(found[kind].sum(), None) for kind in BANDS)
        most = found["at_most"].iloc[0]
        rows.append(Row((f"together, of at most {most}", "", *whole), indent=True))
    return Table(
        "tab-open-intervals",
        "Censored patients that a median without an upper limit needs",
        columns,
        rows,
    )


def _count(number, most):
    return f"more than {most}" if number is None or math.isnan(number) else str(int(number))


def table_exchanges(exchanges, study) -> Table:
    """How far an exchange of neighbours moves each Cox model.

    Parameters
    ----------
    exchanges : DataFrame
        Made by `helpers.reconstruct.exchanges.summarize_exchanges`.
    study : Study
    """
    labels = labels_of(study)
    columns = [
        Column("Covariate", "text"),
        Column("Exchanges"),
        Column("Coefficient", spanner="Half-windows moved"),
        Column("Standard error", spanner="Half-windows moved"),
    ]
    rows = []
    for endpoint, found in exchanges.groupby("endpoint", sort=False):
        rows.append(Row((study.endpoints[endpoint].label,), "section"))
        for row in found.to_dict("records"):
            moved = (format_number(row[name], 2) for name in ("coef", "std_error"))
            rows.append(Row((labels[row["variable"]], str(row["n_exchange"]), *moved)))
    return Table(
        "tab-exchanges",
        "What the exchange of two neighbours in the order moves, median of all exchanges",
        columns,
        rows,
        ["A half-window is half of the range of values that print alike."],
    )


def table_miss_sizes(counts, name="tab-miss-sizes") -> Table:
    """Numbers that differ, by units of the last printed digit.

    Parameters
    ----------
    counts : DataFrame
        Made by `helpers.reconstruct.misses.count_misses`.
    name : str
    """
    sizes = [name for name in counts if name not in ("reproduced", "total")]
    columns = [Column("Section", "text"), Column("Compared"), Column("Reproduced")]
    columns += [Column(size, spanner="Units of the last digit off") for size in sizes]
    rows = [
        Row((str(section), *(str(int(row[name])) for name in ("total", "reproduced", *sizes))))
        for section, row in counts.iterrows()
    ]
    return Table(name, "Printed numbers that the cohort does not give back", columns, rows)


def table_misses(misses, study) -> Table:
    """Each number that differs, with how far it is off.

    Parameters
    ----------
    misses : DataFrame
        Made by `helpers.reconstruct.misses.summarize_misses`.
    study : Study
    """
    labels = labels_of(study)
    columns = [Column("Number", "text"), Column("Printed"), Column("Synthetic"), Column("Units")]
    rows = [
        Row((_name(row, labels), row["printed"], row["computed"], _units(row["units"])))
        for row in misses.to_dict("records")
    ]
    return Table("tab-misses", "Each number that differs, the farthest last", columns, rows)


def _name(row, labels):
    model = ANALYSES.get(row["analysis"], "")
    return ", ".join(filter(None, (name_number(row, labels), model)))


def _units(units):
    return NOT_REACHED if math.isinf(units) else f"{int(units):+d}".replace("-", MINUS)


def table_plausibility(plausibility) -> Table:
    """How many patients meet what holds for every patient.

    Parameters
    ----------
    plausibility : DataFrame
        Made by `helpers.reconstruct.plausible.summarize_plausibility`.
    """
    columns = [Column("What holds", "text"), Column("Patients"), Column("Of")]
    rows = [
        Row((check[:1].upper() + check[1:], str(n), str(of)))
        for check, n, of in plausibility[["check", "n", "of"]].itertuples(index=False)
    ]
    return Table("tab-plausibility", "The synthetic patients as patients", columns, rows)


def table_associations(associations, study) -> Table:
    """Rank correlations that were assumed and those of the cohort.

    Parameters
    ----------
    associations : DataFrame
        Made by `helpers.reconstruct.plausible.summarize_associations`.
    study : Study
    """
    labels = labels_of(study)
    columns = [Column("Characteristic", "text"), Column("With", "text")]
    columns += [Column("Assumed"), Column("Found")]
    rows = [
        Row(
            (
                _label(name, labels),
                _label(other, labels),
                format_number(assumed, 2),
                format_number(found, 2),
            )
        )
        for name, other, assumed, found in associations.itertuples(index=False)
    ]
    notes = ["Spearman's rank correlation within an arm; assumed: of normal scores."]
    return Table("tab-associations", "What goes with what", columns, rows, notes)


def _label(name, labels):
    """Label of a column of the cohort: of its key, or of the key before its last part."""
    key, _, part = name.rpartition("_")
    if name in labels:
        return labels[name]
    event = labels.get(name.removeprefix("ae_"))
    return event or (f"{labels[key]}, {PARTS.get(part, part)}" if key in labels else name.title())


def table_unprinted(unprinted, study) -> Table:
    """Survival that no table printed, of the true patients and of those made from the tables.

    Parameters
    ----------
    unprinted : DataFrame
        Made by `helpers.reconstruct.publication.compare_unprinted`.
    study : Study
    """
    labels = labels_of(study)
    columns = [Column("Number", "text"), Column("True patients"), Column("Rebuilt patients")]
    rows = []
    for endpoint, found in unprinted.groupby("endpoint", sort=False):
        rows.append(Row((study.endpoints[endpoint].label,), "section"))
        for row in found.to_dict("records"):
            values = (_unprinted(row[name], row["statistic"]) for name in ("truth", "rebuilt"))
            what = UNPRINTED[row["statistic"]].format(level=row["level"], unit=study.time.unit)
            group = labels.get(("arm", row["group"]), row["group"])
            rows.append(Row((f"{what}, {group}", *values)))
    return Table("tab-unprinted", "What the tables of the second study do not tell", columns, rows)


def _unprinted(value, statistic):
    if math.isinf(value):
        return NOT_REACHED
    return format_number(value, {"n_event": 0, "survival": 2}.get(statistic, 1))
