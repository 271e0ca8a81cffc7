"""A page of the book, built by Sphinx from a notebook with one figure and one table."""

import json
from dataclasses import asdict

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from drawn import HOSTILE
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace
from test_tables import spanned

from helpers.figures import style
from helpers.tables import table
from helpers.views import KEY, PageViews, folded, table_node

TEXT = "See {numref}`fig-curve`, {numref}`tab-x` and {ref}`fig-curve`."


def output(mime_type, content, view):
    data = {mime_type: content, "text/plain": ""}
    return nbformat.v4.new_output(
        "display_data", data=data, metadata={KEY: json.loads(json.dumps(view))}
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    source = tmp_path_factory.mktemp("source")
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "display_view", lambda *view: shown.append(view))
        table.show_table(spanned(HOSTILE))
    ((_, html, _, view),) = shown
    figure = {"name": "fig-curve", "caption": HOSTILE, "alt": HOSTILE, "width": 672}
    with style.house_style():
        svg = style.to_svg(style.new_figure(1))
    cells = [nbformat.v4.new_markdown_cell(f"# Page\n\n{TEXT}")]
    for made in (output("image/svg+xml", svg, figure), output("text/html", html, view)):
        cells.append(nbformat.v4.new_code_cell("show()", outputs=[made], execution_count=1))
    metadata = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), source / "index.ipynb")
    settings = {
        "extensions": ["myst_nb"],
        "source_suffix": {".ipynb": "myst-nb"},
        "nb_execution_mode": "off",
        "numfig": True,
        "html_theme": "basic",
        "keep_warnings": True,
    }
    with pytest.MonkeyPatch.context() as patch, docutils_namespace():
        patch.setattr("myst_nb.core.render.load_mime_renders", lambda: [PageViews])
        Sphinx(
            source,
            None,
            source / "html",
            source / "doctrees",
            "html",
            settings,
            status=None,
            warning=None,
            warningiserror=True,
        ).build()
    return BeautifulSoup((source / "html" / "index.html").read_text("utf-8"), "html.parser")


def test_figure_and_table_are_numbered_and_referred_to_by_name(page):
    links = {link["href"]: link.text for link in page.select("p a.internal")}
    assert links["#tab-x"] == "Table 1"
    first = page.select_one('p a.internal[href="#fig-curve"]')
    assert first.text == "Fig. 1"
    assert page.select_one("figure#fig-curve figcaption .caption-text").text == HOSTILE
    assert page.select_one("table#tab-x caption .caption-text").text == HOSTILE


def test_the_image_has_its_alternative_text_and_a_stable_name_and_links_to_the_file(page):
    image = page.select_one("figure#fig-curve a img")
    assert image["alt"] == HOSTILE
    assert image["src"] == "_images/fig-curve.svg"
    assert image.parent["href"] == "_images/fig-curve.svg"


def test_labels_are_text_and_never_markup(page):
    assert "alert(1)" not in "".join(script.text for script in page.select("script"))
    assert [cell.text.strip() for cell in page.select("table#tab-x tbody th")] == [HOSTILE] * 3
    assert not page.select("table#tab-x em, .problematic, .system-message")


def test_spanners_and_labels_that_span_both_rows(page):
    heads = [
        (cell.text.strip(), cell.get("colspan"), cell.get("rowspan"))
        for cell in page.select("table#tab-x thead th")
    ]
    assert heads == [
        ("Name", None, "2"),
        ("A", "2", None),
        ("Verdict", None, "2"),
        ("n", None, None),
        ("p", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("0.49 (0.28 to 0.84)", ["0.49", "(0.28 to 0.84)"]),
        ("26 (61.9), 45.6 to 76.4", ["26 (61.9),", "45.6 to 76.4"]),
        ("31.1 (21.7 to NA)", ["31.1", "(21.7 to NA)"]),
        ("20 (47.6%)", ["20", "(47.6%)"]),
        ("45.6 to 76.4", []),
        ("26 (61.9)", []),
        ("", []),
    ],
)
def test_an_interval_may_stand_below_its_estimate(text, parts):
    columns = [table.Column("Group", "text"), table.Column("Estimate")]
    made = table.Table("tab-x", "X", columns, [table.Row(("A", text))])
    cell = table_node(asdict(made)).next_node(nodes.tbody)[0][1]
    assert [part.astext() for part in cell.findall(nodes.inline)] == parts
    assert cell.astext() == text


def test_brackets_and_words_with_a_hyphen_stay_together():
    new = table.Column("New drug (n = 46)", spanner="A-T (95% CI)")
    columns = [table.Column("Group", "text"), new]
    made = table.Table("tab-x", "X", columns, [table.Row(("A-T, n", "1"))], stacked=True)
    node = table_node(asdict(made))
    parts = [part.astext() for part in node.findall(nodes.inline)]
    assert parts == ["A-T", "(95% CI)", "(n = 46)", "A-T"]
    assert node["classes"] == ["results", "stacked"]


def test_a_folded_table_stands_between_the_tags_that_fold_it():
    found = folded([nodes.paragraph()], "All <3>")
    assert found[0].astext() == '<details class="fold"><summary>All &lt;3&gt;</summary>'
    assert found[2].astext() == "</details>"
    assert folded(found, "") is found


def test_a_verdict_is_a_badge(page):
    assert page.select_one("span.verdict.within-rounding").text == "within rounding"
