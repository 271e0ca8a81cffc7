"""Tables in one Word document, set as a manuscript has them."""

from __future__ import annotations

import io
import itertools
import re
import unicodedata
import zipfile
from datetime import datetime
from pathlib import Path

import matplotlib
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_ALIGN_VERTICAL, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from helpers.tables.table import Column, Row, Table

FONT, SIZE = "Times New Roman", 9
# Fonts of matplotlib's own whose letters are as wide as those of FONT.
MEASURED = {
    is_bold: FontProperties(fname=Path(matplotlib.get_data_path(), "fonts", "ttf", name), size=SIZE)
    for is_bold, name in ((False, "STIXGeneral.ttf"), (True, "STIXGeneralBol.ttf"))
}
PAGE = (Cm(29.7), Cm(21.0))
MARGIN = Cm(2)
ROOM = PAGE[0] - 2 * MARGIN
INDENT = Cm(0.4)
PADDING = Cm(0.45)  # of a cell, left and right together
LINES = 3  # to which the words of a heading or a row are held, where there is room
SLACK = 1.04  # by which another font may be wider
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold
RULE, THIN = "8", "4"  # eighths of a point
AFTER_BORDERS = [f"w:{name}" for name in ("shd", "noWrap", "tcMar", "tcFitText", "vAlign")]


def tables_of(notebooks) -> list[Table]:
    """Take the tables from executed notebooks, in their order.

    Parameters
    ----------
    notebooks : iterable of nbformat.NotebookNode
    """
    views = [
        output["metadata"].get("rhcc", {})
        for notebook in notebooks
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "metadata" in output
    ]
    return [
        Table(
            view["name"],
            view["caption"],
            [Column(**column) for column in view["columns"]],
            [Row(**{**row, "cells": tuple(row["cells"])}) for row in view["rows"]],
            list(view["notes"]),
        )
        for view in views
        if "columns" in view
    ]


def write_word(tables, path) -> None:
    """Write tables to a Word document, each on a page of its own; the same ones, the same bytes.

    Parameters
    ----------
    tables : list of Table
    path : path-like
    """
    document = Document()
    moment = datetime(*EPOCH)
    document.core_properties.created = document.core_properties.modified = moment
    document.core_properties.author, document.core_properties.title = "", "Tables"
    style = document.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(SIZE)
    style.paragraph_format.space_after = Pt(2)
    section = document.sections[0]
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = PAGE
    section.left_margin = section.right_margin = MARGIN
    section.top_margin = section.bottom_margin = MARGIN
    for number, table in enumerate(tables, start=1):
        _add_table(document, table, number)
    _save(document, path)


def _add_table(document, table, number):
    caption = document.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.page_break_before = number > 1
    caption.add_run(f"Table {number}. ").bold = True
    caption.add_run(table.caption)
    spanned = any(column.spanner for column in table.columns)
    n_head = 2 if spanned else 1
    grid = document.add_table(n_head + len(table.rows), len(table.columns))
    grid.alignment = WD_TABLE_ALIGNMENT.LEFT
    _set_widths(grid, column_widths(table))
    if spanned:
        _write_spanners(grid, table.columns)
    for place, column in enumerate(table.columns):
        cell = grid.cell(n_head - 1, place)
        cell.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM
        _write(cell, _unbroken(column.label), bold=True, right=_is_right(column))
    for line, row in enumerate(grid.rows):
        _mark(row, "cantSplit")
        if line < n_head:
            _mark(row, "tblHeader")
    for line, row in enumerate(table.rows, start=n_head):
        _write_row(grid, line, row, table.columns)
    _draw_rules(grid, n_head)
    for place, note in enumerate(table.notes):
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.space_before = Pt(0 if place else 4)
        paragraph.add_run(note).italic = True


def column_widths(table) -> list[int]:
    """Widths of the columns: none breaks a word, and no number is broken while there is room.

    Each column gets what its numbers need, and its words in `LINES` lines. What room is left goes
    to the columns in the proportion in which they lack it to hold every text in one line; a table
    that needs less than the page is narrower than it. Where there is no room for that, words take
    as many lines as they need, and at last numbers too.

    Returns
    -------
    list of int
        In the units of python-docx.
    """
    tried = [_least_widths(table, *how) for how in ((LINES, False), (None, False), (None, True))]
    least = next((widths for widths in tried if sum(widths) <= ROOM), tried[-1])
    whole = [max(pair) for pair in zip(least, _whole_widths(table), strict=True)]
    lacking = sum(whole) - sum(least)
    share = min(1.0, max(ROOM - sum(least), 0) / lacking) if lacking else 0.0
    widths = [low + share * (high - low) for low, high in zip(least, whole, strict=True)]
    return [int(width * min(1.0, ROOM / sum(widths))) for width in widths]


def _least_widths(table, lines, break_numbers):
    """Widths that hold each text broken at spaces, in so many lines about, and each number."""
    return [
        max(
            _broken_width(column.label, lines, bold=True),
            *(
                _broken_width(text, lines, indent=indent)
                if break_numbers or not _is_right(column)
                else _width(text, indent=indent)
                for text, indent in _cells_of(table, place)
            ),
        )
        for place, column in enumerate(table.columns)
    ]


def _whole_widths(table):
    widths = [
        max(
            _width(column.label, bold=True),
            *(_width(text, indent=indent) for text, indent in _cells_of(table, place)),
        )
        for place, column in enumerate(table.columns)
    ]
    for start, end in _spans(table.columns):
        lacking = _width(table.columns[start].spanner, bold=True) - sum(widths[start:end])
        widths[start:end] = [width + max(lacking, 0) / (end - start) for width in widths[start:end]]
    return widths


def _cells_of(table, place):
    """The texts of a column, with whether each is indented."""
    rows = [row for row in table.rows if row.kind != "section"]
    return [("", False), *((row.cells[place], row.indent and place == 0) for row in rows)]


def _broken_width(text, lines, **look):
    widest = max(_width(word, **look) for word in _unbroken(text).split(" "))
    return max(widest, _width(text, **look) / lines) if lines else widest


def _width(text, bold=False, indent=False):
    plain = unicodedata.normalize("NFKC", text)  # the measured font has not every superscript
    points = text_to_path.get_text_width_height_descent(plain, MEASURED[bold], False)[0]
    return Pt(SLACK * points) + PADDING + (INDENT if indent else 0)


def _unbroken(text):
    """A text in which the number of patients of a heading is not broken."""
    return re.sub(r" = ", "\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}", text)


def _set_widths(grid, widths):
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    for row in grid._tbl.tr_lst:
        for cell, width in zip(row.tc_lst, widths, strict=True):
            cell.width = width


def _spans(columns):
    """Yield the first column of each heading that several share, and the one after the last."""
    for spanner, group in itertools.groupby(
        range(len(columns)), key=lambda place: columns[place].spanner
    ):
        places = list(group)
        if spanner:
            yield places[0], places[-1] + 1


def _write_spanners(grid, columns):
    for start, end in _spans(columns):
        cell = grid.cell(0, start).merge(grid.cell(0, end - 1))
        cell.vertical_alignment = WD_ALIGN_VERTICAL.BOTTOM
        _write(cell, _unbroken(columns[start].spanner), bold=True)
        cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        _draw_rule(cell, "bottom", THIN)


def _write_row(grid, line, row, columns):
    cells = grid.rows[line].cells
    if row.kind == "section":
        _write(cells[0].merge(cells[-1]), row.cells[0], bold=True)
        return
    for cell, text, column in zip(cells, row.cells, columns, strict=True):
        _write(cell, text, right=_is_right(column))
    if row.indent:
        cells[0].paragraphs[0].paragraph_format.left_indent = INDENT


def _is_right(column):
    return column.kind == "number"


def _write(cell, text, bold=False, right=False):
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.add_run(text).bold = bold
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _mark(row, name):
    """Say that a row is not broken over pages, or stands at the head of each."""
    mark = OxmlElement(f"w:{name}")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _draw_rules(grid, n_head):
    """Rules above and below the table and below its head, none between columns."""
    last = len(grid.rows) - 1
    for line, edge, width in (
        (0, "top", RULE),
        (n_head - 1, "bottom", THIN),
        (last, "bottom", RULE),
    ):
        for cell in grid.rows[line].cells:
            _draw_rule(cell, edge, width)


def _draw_rule(cell, edge, width):
    properties = cell._tc.get_or_add_tcPr()
    borders = properties.find(qn("w:tcBorders"))
    if borders is None:
        borders = OxmlElement("w:tcBorders")
        properties.insert_element_before(borders, *AFTER_BORDERS)
    if borders.find(qn(f"w:{edge}")) is not None:
        return
    border = OxmlElement(f"w:{edge}")
    for name, value in (("val", "single"), ("sz", width), ("space", "0"), ("color", "000000")):
        border.set(qn(f"w:{name}"), value)
    borders.insert(0 if edge == "top" else len(borders), border)


def _save(document, path):
    """Save with the parts in a fixed order and at a fixed time."""
    saved = io.BytesIO()
    document.save(saved)
    with zipfile.ZipFile(saved) as parts, zipfile.ZipFile(path, "w") as archive:
        for name in sorted(
            parts.namelist(), key=lambda name: (name != "[Content_Types].xml", name)
        ):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, parts.read(name))
