"""The first use of a term on a page links to the glossary."""

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

GLOSSARY = """# Glossary

:::{glossary}
Hazard
  The rate of a patient at risk.

Hazard ratio
  A ratio.

TACE
  An embolization.

At risk
  Under observation.
:::
"""

PAGE = """# On hazards

The *hazard ratio* of TACE is no hazard. A place, `hazard`, $hazard$, non-hazard, hazardous.

Patients at risk: hazards and the [hazard](https://example.org), hazard ratios.

| hazard |
|---|
| at risk |
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    source = tmp_path_factory.mktemp("source")
    (source / "glossary.md").write_text(GLOSSARY)
    (source / "index.md").write_text(PAGE + "\n```{toctree}\nglossary\n```\n")
    settings = {
        "extensions": ["myst_parser", "helpers.pipeline.glossary"],
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
        "html_theme": "basic",
    }
    folders = (source, None, source / "html", source / "doctrees")
    with docutils_namespace():
        app = Sphinx(*folders, "html", settings, status=None, warning=None, warningiserror=True)
        app.build()
    return source / "html"


def links(path):
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    return [(" ".join(link.text.split()), link["href"]) for link in page.select("a.term")]


def test_the_first_use_of_each_term_links_to_it(site):
    assert links(site / "index.html") == [
        ("hazard ratio", "glossary.html#term-Hazard-ratio"),
        ("TACE", "glossary.html#term-TACE"),
        ("hazard", "glossary.html#term-Hazard"),
        ("at risk", "glossary.html#term-At-risk"),
    ]


def test_the_glossary_does_not_link_to_itself(site):
    assert links(site / "glossary.html") == []
