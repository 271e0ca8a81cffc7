"""Executed notebooks and pages to HTML, with one Sphinx build and every warning an error."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from helpers.formats import escape_markdown
from helpers.pipeline.edition import edition
from helpers.pipeline.environment import SOURCE_DATE
from helpers.pipeline.project import BuildError
from helpers.teaching.exercises import derive

VISIBILITY = ("hide-", "remove-", "show-input")

PARAMETERS = {"code_prompt_show": "Show parameters", "code_prompt_hide": "Hide parameters"}

STORED = "stored"  # folder of the notebooks as they are stored, to download
WHOLE_BOOK = "whole-book"  # tags the cells about the study that the book was written for

COHORT_PAGE = """\
# {title}

The chapters of this book were computed from one cohort, by the conventions that its study file
names. Nothing in them comes from the study that the method was first written for.
"""


def for_any_cohort(notebook, title):
    """Drop what is about the study that the book was written for.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Changed in place: cells tagged ``whole-book`` are removed; one that opens the notebook
        becomes a heading with `title`.
    title : str
    """
    first = notebook.cells[0]
    if WHOLE_BOOK in first.metadata.get("tags", []):
        first.source = COHORT_PAGE.format(title=escape_markdown(plain_title(title))).strip()
        first.metadata["tags"].remove(WHOLE_BOOK)
    notebook.cells = [
        cell for cell in notebook.cells if WHOLE_BOOK not in cell.metadata.get("tags", [])
    ]
    return notebook


def stage_pages(project, executed, folder, title=None, pdf="") -> None:
    """Lay out what Sphinx reads: pages, executed notebooks, table of contents, settings.

    Parameters
    ----------
    project : Project
    executed : dict
        Each executed notebook by its path in the project.
    folder : Path
        Where to lay it out.
    title : str, optional
        The book's title, where it is not the one in `_config.yml`.
    pdf : str
        The name of the printed book at the top of the site; none if empty.
    """
    import nbformat

    for path in project.prose:
        _copy(path, folder / path.relative_to(project.root))
    for path, notebook in executed.items():
        place = (folder / path.relative_to(project.root)).parent
        place.mkdir(parents=True, exist_ok=True)
        for name, page in derive(path.stem, notebook).items():
            nbformat.write(_folded(page), place / f"{name}.ipynb")
        if path.is_file():
            _copy(path, place / STORED / path.name)
    config = dict(project.config)
    if title:
        config["title"] = plain_title(title)
    config["execute"] = {**config.get("execute", {}), "execute_notebooks": "off"}
    config["sphinx"] = _with_edition(config.get("sphinx", {}), edition(project.root), pdf)
    _write_yaml(config, folder / "_config.yml")
    _write_yaml(project.toc, folder / "_toc.yml")


def plain_title(title) -> str:
    """A title on one line without angle brackets, which the theme writes into pages as markup."""
    return " ".join(title.split()).translate({ord("<"): "‹", ord(">"): "›"})


def build_html(source, folder) -> Path:
    """Build the staged pages and return the folder of the site.

    Raises
    ------
    BuildError
        Sphinx warned or failed; the message lists what it said.
    """
    program = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
    arguments = ["build", source, "--path-output", folder, "--warningiserror", "--keep-going"]
    environment = {"SOURCE_DATE_EPOCH": SOURCE_DATE, **os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments), "--quiet"],
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
    )
    site = folder / "_build" / "html"
    if done.returncode:
        raise BuildError("the pages could not be built:\n" + _complaints(done, source))
    (site / ".buildinfo").unlink(missing_ok=True)
    (site / ".nojekyll").touch()
    return site


def _complaints(done, source):
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr).replace(f"{source}{os.sep}", "")
    lines = [line for line in text.splitlines() if line.strip()]
    warnings = [line for line in lines if re.search(r"WARNING|ERROR|CRITICAL", line)]
    return "\n".join(f"  {line}" for line in dict.fromkeys(warnings or lines[:2]))


def _folded(notebook):
    """Fold each code cell whose tags do not say how it is shown; name that of the parameters."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "parameters" in tags:
            cell.metadata["mystnb"] = PARAMETERS
        if cell.cell_type == "code" and not any(tag.startswith(VISIBILITY) for tag in tags):
            cell.metadata["tags"] = [*tags, "hide-input"]
    return notebook


def _with_edition(sphinx, text, pdf):
    settings = sphinx.get("config", {})
    options = {**settings.get("html_theme_options", {}), "extra_footer": text}
    return {**sphinx, "config": {**settings, "html_theme_options": options, "book_pdf": pdf}}


def _copy(path, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target)


def _write_yaml(content, path):
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
