"""Sphinx extension: MathJax from the installed package; accessible, light pages; downloads."""

import re
import shutil
import sysconfig
from pathlib import Path

from helpers.pipeline.html import STORED

PROSE_TABLE = re.compile(
    r'<div class="pst-scrollable-table-container"(?=>\s*<table class="(?!results))'
)
# The icons come from the theme's fonts; its script would draw them again, with 1.5 MB.
ICON_SCRIPT = re.compile(r'\s*<script src="[^"]*/fontawesome/[^"]*\.js[^"]*"></script>')
# Two of these fonts are not used, and a page opened from a file may not ask beforehand.
FONT_AHEAD = re.compile(r'\s*<link rel="preload"[^>]*/fa-[^>]*>')
# The theme's button for the pages below one has no name.
TOGGLE = re.compile(r'<summary>(?=<span class="toctree-toggle")')
# The front page has the title of the book.
TWICE = re.compile(r"<title>(.+) &#8212; \1</title>")
# The script, its fonts, and the TeX extensions that it loads when a page uses them.
PARTS = ["tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"]


def setup(app):
    """Register the extension."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.add_config_value("book_pdf", "", "html")
    app.connect("builder-inited", _copy_mathjax)
    app.connect("html-page-context", _make_accessible)
    app.connect("html-page-context", _offer_notebook)
    app.connect("html-page-context", _offer_pdf)
    app.connect("build-finished", _finish_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _copy_mathjax(app):
    if app.builder.format != "html":
        return
    packages = Path(sysconfig.get_paths()["purelib"])
    source = packages / "sphinx-mathjax-offline" / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for part in PARTS:
        copied = target / part
        copied.parent.mkdir(parents=True, exist_ok=True)
        if (source / part).is_dir():
            shutil.copytree(source / part, copied, dirs_exist_ok=True)
        else:
            shutil.copyfile(source / part, copied)


def _make_accessible(app, pagename, templatename, context, doctree):
    """Give a bibliography's entries the role of a list's, and let the keyboard scroll tables."""
    if "body" in context:
        body = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')
        context["body"] = PROSE_TABLE.sub(r'\g<0> tabindex="0"', body)


def _offer_notebook(app, pagename, templatename, context, doctree):
    """End a chapter with its notebook as it is stored, without outputs."""
    page = Path(app.srcdir, pagename)
    stored = page.parent / STORED / f"{page.name}.ipynb"
    if doctree is None or not stored.is_file():
        return
    place = f"_downloads/{STORED}/{stored.name}"
    target = Path(app.outdir, place)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(stored, target)
    link = f'<a href="{context["pathto"](place, 1)}" download>This chapter as a notebook</a>'
    context["body"] += f'<p class="notebook-download">{link}, without outputs.</p>'


def _offer_pdf(app, pagename, templatename, context, doctree):
    """Link each page to the printed book, where there is one."""
    if name := app.config.book_pdf:
        link = f'<a class="book-pdf" href="{context["pathto"](name, 1)}">The book as one PDF</a>'
        context["book_pdf"] = link
        context["theme_extra_footer"] = f"{context['theme_extra_footer']}. {link}"


def _finish_pages(app, exception):
    """Drop from every page what it does not need of the theme; name its buttons and itself."""
    if exception or app.builder.format != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        text = page.read_text("utf-8")
        text = FONT_AHEAD.sub("", ICON_SCRIPT.sub("", text))
        text = TWICE.sub(r"<title>\1</title>", text)
        page.write_text(TOGGLE.sub('<summary aria-label="Pages below">', text), "utf-8")
    for script in Path(app.outdir, "_static", "vendor").glob("fontawesome/*/js"):
        shutil.rmtree(script)
