"""Tables in one Word document, set as a manuscript has them."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

from docx import Document
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt

from helpers.tables.table import Column, Row, Table

FONT, SIZE = "Times New Roman", 9
PAGE = (Cm(29.7), Cm(21.0))
MARGIN = Cm(2)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that an archive can hold
RULE, THIN = "8", "4"  # eighths of a point


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
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    if spanned:
        _write_spanners(grid, table.columns)
    for place, column in enumerate(table.columns):
        _write(grid.cell(n_head - 1, place), column.label, bold=True, right=_is_right(column))
    for line in range(n_head):
        _repeat_on_each_page(grid.rows[line])
    for line, row in enumerate(table.rows, start=n_head):
        _write_row(grid, line, row, table.columns)
    _draw_rules(grid, n_head)
    for note in table.notes:
        document.add_paragraph().add_run(note).italic = True


def _write_spanners(grid, columns):
    place = 0
    while place < len(columns):
        end = place
        spanner = columns[place].spanner
        while spanner and end + 1 < len(columns) and columns[end + 1].spanner == spanner:
            end += 1
        if spanner:
            cell = grid.cell(0, place).merge(grid.cell(0, end))
            _write(cell, spanner, bold=True)
            cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.CENTER
        place = end + 1


def _write_row(grid, line, row, columns):
    cells = grid.rows[line].cells
    if row.kind == "section":
        _write(cells[0].merge(cells[-1]), row.cells[0], bold=True)
        return
    for cell, text, column in zip(cells, row.cells, columns, strict=True):
        _write(cell, text, right=_is_right(column))
    if row.indent:
        cells[0].paragraphs[0].paragraph_format.left_indent = Cm(0.4)


def _is_right(column):
    return column.kind == "number"


def _write(cell, text, bold=False, right=False):
    paragraph = cell.paragraphs[0]
    paragraph.paragraph_format.space_after = Pt(0)
    paragraph.add_run(text).bold = bold
    if right:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _repeat_on_each_page(row):
    mark = OxmlElement("w:tblHeader")
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
            properties = cell._tc.get_or_add_tcPr()
            borders = properties.find(qn("w:tcBorders"))
            if borders is None:
                borders = OxmlElement("w:tcBorders")
                properties.append(borders)
            if borders.find(qn(f"w:{edge}")) is not None:
                continue
            border = OxmlElement(f"w:{edge}")
            for name, value in (
                ("val", "single"),
                ("sz", width),
                ("space", "0"),
                ("color", "000000"),
            ):
                border.set(qn(f"w:{name}"), value)
            borders.append(border)


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
