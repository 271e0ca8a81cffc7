"""The whole book as one page to print."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from helpers.pipeline import site
from helpers.pipeline.printed import dated, join_pages

FRONT = """\
<html data-theme="auto"><head><link href="../_static/a.css">
<script>document.documentElement.dataset.theme = "auto"</script>
<script src="../_static/a.js"></script></head><body>
<nav>menu</nav><article class="bd-article"><h1>Front<a href="#front">#</a></h1>
<section id="front"><a href="../book/terms.html#hazard">hazard</a> <a href="#front">top</a>
<img src="../_images/curve.svg"><a href="https://example.org/x">out</a>
<a href="../_downloads/n.ipynb">notebook</a></section></article></body></html>
"""
TERMS = """\
<html><head></head><body><article class="bd-article"><h1>Terms</h1><p id="hazard">A rate.
<a href="../notebooks/front.html">front</a></p><svg><clipPath id="clip"></clipPath></svg>
</article></body></html>
"""


def test_pages_become_one_whose_links_lead_to_each_other(tmp_path):
    for name, text in (("notebooks/front", FRONT), ("book/terms", TERMS)):
        path = tmp_path / f"{name}.html"
        path.parent.mkdir()
        path.write_text(text, "utf-8")
    page = BeautifulSoup(join_pages(tmp_path, ["notebooks/front", "book/terms"]), "lxml")
    assert page.link["href"] == "_static/a.css"
    assert page.html["data-theme"] == "light"
    assert [script["src"] for script in page.select("script")] == ["_static/a.js"]
    assert page.img["src"] == "_images/curve.svg"
    assert page.nav is None
    contents = page.select("ol.whole-book-contents a")
    assert [(a.text, a["href"]) for a in contents] == [
        ("Front", "#notebooks-front"),
        ("Terms", "#book-terms"),
    ]
    links = {a.text: a.get("href") for a in page.select("section a, p a")}
    assert links == {
        "hazard": "#book-terms--hazard",
        "top": "#notebooks-front--front",
        "out": "https://example.org/x",
        "notebook": None,
        "front": "#notebooks-front",
    }
    ids = {tag["id"] for tag in page.find_all(id=True)}
    assert {link[1:] for link in links.values() if link and link.startswith("#")} <= ids
    assert "clip" in ids


@pytest.mark.parametrize(
    ("pdf", "offer"),
    [
        ("", None),
        ("book.pdf", '<a class="book-pdf" href="../book.pdf">The book as one PDF</a>'),
    ],
)
def test_a_page_offers_the_pdf_where_there_is_one(pdf, offer):
    app = SimpleNamespace(config=SimpleNamespace(book_pdf=pdf))
    context = {"theme_extra_footer": "Version 1", "pathto": lambda name, _: f"../{name}"}
    site._offer_pdf(app, "notebooks/front", "page.html", context, None)
    assert context.get("book_pdf") == offer
    assert context["theme_extra_footer"] == (f"Version 1. {offer}" if offer else "Version 1")


def test_a_pdf_has_the_date_of_the_sources(monkeypatch):
    pdf = b"<</Creator (x)\n/CreationDate (D:%b+00'00')\n/ModDate (D:%b+00'00')>>"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert dated(pdf % (b"20261127042952", b"20261127042958")) == (
        pdf % (b"19700102000000", b"19700102000000")
    )
