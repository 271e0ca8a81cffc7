"""Sphinx extension: MathJax from the installed package, and pages that a keyboard can read."""

import re
import shutil
import sysconfig
from pathlib import Path

PROSE_TABLE = re.compile(
    r'<div class="pst-scrollable-table-container"(?=>\s*<table class="(?!results))'
)
# The script, its fonts, and the TeX extensions that it loads when a page uses them.
PARTS = ["tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions"]


def setup(app):
    """Register the extension."""
    app.config.mathjax_path = "mathjax/tex-chtml.js"
    app.connect("builder-inited", _copy_mathjax)
    app.connect("html-page-context", _make_accessible)
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
