import hashlib

from docx import Document
from drawn import HOSTILE
from nbformat import v4

from helpers.tables.table import Column, Row, Table, show_table
from helpers.tables.word import tables_of, write_word
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
