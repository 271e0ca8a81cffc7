"""Tables of a calculation step by step, and of one number from several sources."""

import math

from helpers.formats import format_number
from helpers.tables import Column, Row, Table, show_table

TOLERANCE = 1e-6
DECIMALS = 6
NUMBER_BEGINS = {*"0123456789−<–", ""}
SOURCES = ["By hand", "This book", "lifelines", "R"]


def show_steps(frame, columns, name, caption, notes=(), total=None) -> None:
    """Show a calculation, one step a row.

    Parameters
    ----------
    frame : DataFrame
    columns : dict
        For each column of the frame that is shown: its heading and its decimals, None for
        text.
    name, caption : str
    notes : sequence of str
        Sentences below the table.
    total : dict, optional
        Sums for a last row, by column; its first entry may be text.
    """
    rows = [Row(_cells(record, columns)) for record in frame.to_dict("records")]
    if total:
        rows.append(Row(_cells(total, columns), kind="group"))
    labels = [label for label, _ in columns.values()]
    kinds = ["text", *map(_kind, list(zip(*(row.cells for row in rows), strict=True))[1:])]
    heads = [Column(label, kind) for label, kind in zip(labels, kinds, strict=True)]
    show_table(Table(name, caption, heads, rows, list(notes)))


def _kind(cells):
    """How a column that is not the first is set: as numbers, if all its cells begin as such."""
    return "number" if all(cell[:1] in NUMBER_BEGINS for cell in cells) else "text"


def _cells(record, columns):
    return tuple(_cell(record.get(name, ""), decimals) for name, (_, decimals) in columns.items())


def _cell(value, decimals):
    return value if isinstance(value, str) else format_number(float(value), decimals or 0)


def show_agreement(quantities, name, caption, decimals=DECIMALS) -> None:
    """Show quantities as found by several programs, after checking that they agree.

    Parameters
    ----------
    quantities : dict
        For each quantity its values by source, one of `SOURCES`; a source may lack one.
    name, caption : str
    decimals : int

    Raises
    ------
    ValueError
        Two sources differ by more than `TOLERANCE`.
    """
    used = {source for values in quantities.values() for source in values}
    sources = [source for source in SOURCES if source in used]
    for quantity, values in quantities.items():
        first = next(iter(values.values()))
        for source, value in values.items():
            if not _same(value, first):
                raise ValueError(f"{quantity}: {source} has {value!r}, not {first!r}")
    rows = [
        Row((quantity, *(_shown(values, source, decimals) for source in sources)))
        for quantity, values in quantities.items()
    ]
    columns = [Column("Quantity", "text"), *map(Column, sources)]
    show_table(Table(name, caption, columns, rows))


def _same(value, other):
    return value == other or math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _shown(values, source, decimals):
    return format_number(float(values[source]), decimals) if source in values else ""
