"""A table as text cells, and the ways in which it leaves the program."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path
from typing import Literal

import pandas as pd

from helpers.formats import escape_formula
from helpers.views import display_view


@dataclass(frozen=True)
class Column:
    """A column; columns that stand side by side with one `spanner` share a heading.

    Attributes
    ----------
    kind : {'text', 'number', 'verdict', 'note'}
        How its cells are set; a note is long text that may be broken.
    """

    label: str
    kind: Literal["text", "number", "verdict", "note"] = "number"
    spanner: str = ""

    @property
    def heading(self) -> str:
        """The label with its spanner, as a flat file needs it."""
        return f"{self.spanner}: {self.label}" if self.spanner else self.label


@dataclass(frozen=True)
class Row:
    """A row of cells; a ``section`` is one cell across the table, a ``group`` heads levels."""

    cells: tuple[str, ...]
    kind: Literal["plain", "group", "section"] = "plain"
    indent: bool = False


@dataclass(frozen=True)
class Table:
    """A table whose cells are formatted text.

    Attributes
    ----------
    name : str
        Label for cross-references and stem of the file name, for instance ``tab-baseline``.
    caption : str
        Plain text.
    columns : list of Column
        The first one holds the row headers.
    rows : list of Row
    notes : list of str
        Sentences that stand below the table.
    stacked : bool
        Whether an interval or a percentage stands below its number in every row, as a table
        with many columns needs it.
    """

    name: str
    caption: str
    columns: list[Column]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    stacked: bool = False

    def __post_init__(self):
        for row in self.rows:
            expected = 1 if row.kind == "section" else len(self.columns)
            if len(row.cells) != expected:
                raise ValueError(f"table {self.name!r}: a row of {len(row.cells)} cells: {row}")

    def to_frame(self) -> pd.DataFrame:
        """The cells as a flat frame: sections and groups become columns of their own."""
        records, section, group = [], "", ""
        for row in self.rows:
            if row.kind == "section":
                section, group = row.cells[0], ""
                continue
            if not row.indent:
                group = ""
            records.append((section, group, *row.cells))
            if row.kind == "group":
                group = row.cells[0]
        headings = ["section", "group", *(column.heading for column in self.columns)]
        frame = pd.DataFrame(records, columns=headings)
        used = [name for name in ("section", "group") if frame[name].any()]
        return frame[used + headings[2:]]

    def to_csv(self) -> str:
        """The flat frame as CSV."""
        return self.to_frame().map(escape_formula).to_csv(index=False, lineterminator="\n")

    def to_html(self) -> str:
        """The table as HTML that stands alone; every text is escaped."""
        rows = "".join(map(self._html_row, self.rows))
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<table><caption>{escape(self.caption)}</caption>"
            f"<thead>{self._html_head()}</thead><tbody>{rows}</tbody></table>{notes}"
        )

    def _html_head(self):
        spanners = "".join(f"<th>{escape(column.spanner)}</th>" for column in self.columns)
        labels = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in self.columns)
        first = f"<tr>{spanners}</tr>" if any(column.spanner for column in self.columns) else ""
        return f"{first}<tr>{labels}</tr>"

    def _html_row(self, row):
        if row.kind == "section":
            across = f'colspan="{len(self.columns)}" scope="colgroup"'
            return f"<tr><th {across}>{escape(row.cells[0])}</th></tr>"
        indent = ' style="padding-left:1.5em"' if row.indent else ""
        header, *cells = map(escape, row.cells)
        rest = "".join(f"<td>{cell}</td>" for cell in cells)
        return f'<tr><th scope="row"{indent}>{header}</th>{rest}</tr>'


def show_table(table, out=None, fold="") -> None:
    """Show a table; the book numbers it.

    Parameters
    ----------
    table : Table
    out : path-like, optional
        Folder in which to leave ``tables/{name}.csv`` and ``tables/{name}.html``.
    fold : str
        Where given, the table is folded on the page, and opens under these words.
    """
    if out is not None:
        folder = Path(out) / "tables"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{table.name}.csv").write_text(table.to_csv(), encoding="utf-8")
        page = f'<!doctype html><meta charset="utf-8">{table.to_html()}\n'
        (folder / f"{table.name}.html").write_text(page, encoding="utf-8")
    text = f"{table.caption}\n{table.to_frame().to_string(index=False)}"
    content = table.to_html()
    if fold:
        content = f"<details><summary>{escape(fold)}</summary>{content}</details>"
    display_view("text/html", content, text, asdict(table) | {"fold": fold})
