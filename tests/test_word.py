import hashlib

import pytest
from docx import Document
from docx.oxml.ns import qn
from docx.shared import Cm
from drawn import HOSTILE
from nbformat import v4

from helpers.tables.table import Column, Row, Table, show_table
from helpers.tables.word import ROOM, column_widths, tables_of, write_word
from helpers.views import collect_views

TABLE = Table(
    "tab-x",
    f"Counts {HOSTILE}",
    [Column("", "text"), Column("n", spanner="Arm"), Column("%", spanner="Arm"), Column("p")],
    [
        Row(("All",), "section"),
        Row(("Sex", "", "", "0.05"), "group"),
        Row(("Male", "3", "50.0", ""), indent=True),
    ],
    ["A note."],
)


def test_a_table_of_a_notebook_is_written_to_word(tmp_path):
    with collect_views() as outputs:
        show_table(TABLE, tmp_path)
    notebook = v4.new_notebook(cells=[v4.new_code_cell("", outputs=outputs)])
    assert tables_of([notebook]) == [TABLE]
    write_word(tables_of([notebook]), tmp_path / "a.docx")
    document = Document(tmp_path / "a.docx")
    (grid,) = document.tables
    cells = [[cell.text for cell in row.cells] for row in grid.rows]
    assert cells == [
        ["", "Arm", "Arm", ""],
        ["", "n", "%", "p"],
        ["All"] * 4,
        ["Sex", "", "", "0.05"],
        ["Male", "3", "50.0", ""],
    ]
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    assert paragraphs == [f"Table 1. Counts {HOSTILE}", "A note."]


def test_the_same_tables_are_the_same_bytes(tmp_path):
    digests = set()
    for name in ("a.docx", "b.docx"):
        write_word([TABLE, TABLE], tmp_path / name)
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_a_table_is_left_as_html_and_csv_that_no_program_runs(tmp_path):
    formula = Table("tab-f", "Formula", [Column("Name", "text")], [Row(("=cmd()",))])
    with collect_views():
        show_table(formula, tmp_path)
    assert (tmp_path / "tables" / "tab-f.csv").read_text("utf-8") == "Name\n'=cmd()\n"
    assert (tmp_path / "tables" / "tab-f.html").read_text("utf-8").startswith("<!doctype html>")


def written(table, path):
    write_word([table], path)
    (grid,) = Document(path).tables
    return grid


def test_columns_are_as_wide_as_their_texts_and_the_table_no_wider_than_it_needs(tmp_path):
    grid = written(TABLE, tmp_path / "a.docx")
    assert not grid.autofit
    widths = [column.width for column in grid.columns]
    assert widths == [pytest.approx(width, abs=1e3) for width in column_widths(TABLE)]
    assert sum(widths) < Cm(8)
    # "Arm" in bold takes 0.6 cm, "50.0" 0.6 cm at 9 points: with margins a centimetre.
    assert [cell.width for cell in grid.rows[4].cells] == widths
    assert all(Cm(0.5) < width < Cm(1.2) for width in widths[1:])


def test_no_word_is_broken_and_no_number_while_there_is_room():
    estimate, word = "12.345 (10.001 to 15.999)", "Postmenopausal"
    columns = [Column("Subgroup", "text"), *[Column(f"HR against arm {n}") for n in range(5)]]
    rows = [Row((f"{word} and {word} or none",) + (estimate,) * 5, indent=True)]
    widths = column_widths(Table("tab-w", "Wide", columns, rows))
    assert sum(widths) <= ROOM
    assert widths[0] > Cm(2.6)  # the word alone takes 2 cm, its indent 0.4 cm
    assert min(widths[1:]) > Cm(3.6)  # a number takes 3.3 cm
    most = Table("tab-m", "Most", columns * 2, [Row(rows[0].cells * 2)])
    assert ROOM - 100 < sum(column_widths(most)) <= ROOM


def test_borders_stand_in_the_order_that_the_format_asks_for(tmp_path):
    grid = written(TABLE, tmp_path / "a.docx")
    for row in grid.rows:
        for cell in row.cells:
            names = [child.tag.split("}")[1] for child in cell._tc.tcPr]
            order = ["tcW", "gridSpan", "vMerge", "tcBorders", "vAlign"]
            assert names == [name for name in order if name in names]
    top = grid.rows[0].cells[1]._tc.tcPr.find(qn("w:tcBorders"))
    assert [edge.tag for edge in top] == [qn("w:top"), qn("w:bottom")]
