"""Competing events."""

from helpers.competing import causes_of
from helpers.formats import format_estimate, format_whole
from helpers.lookup import Lookup
from helpers.tables.parts import interval_name, notes_of
from helpers.tables.table import Column, Row, Table


def table_competing(results, study) -> Table:
    """Events of each kind and their cumulative incidence at the milestones, by arm."""
    lookup = Lookup(results)
    arms = study.arm.levels
    columns = [Column("Outcome", "text"), *(Column(level.label) for level in arms.values())]
    rows = []
    for endpoint, described in study.endpoints.items():
        if not described.competing:
            continue
        for cause, label in causes_of(described).items():
            keys = {"analysis": "cumulative_incidence", "endpoint": endpoint, "variable": cause}
            rows.append(Row((f"{described.label}: {label}",), "section"))
            events = [lookup.value(group=arm, statistic="n_event", **keys) for arm in arms]
            rows.append(Row(("Events", *(format_whole(n) for n in events))))
            for milestone in study.milestones:
                here = {"level": f"{milestone:g}", **keys}
                shares = [lookup.interval("incidence", group=arm, **here) for arm in arms]
                cells = [format_estimate(*(100 * s for s in three)) for three in shares]
                title = f"{milestone:g} {study.time.unit}, % ({interval_name(study)})"
                rows.append(Row((title, *cells), indent=True))
    notes = notes_of(study, "Aalen-Johansen estimates; intervals on the log scale.")
    return Table("tab-competing", "Cumulative incidence of competing events", columns, rows, notes)
