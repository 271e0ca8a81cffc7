"""What the book is made of: its table of contents, pages and notebooks."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import yaml

PARAMETERS = {"cohort": str, "study": str, "ledger": str, "out": str, "suppress_below": int}


class BuildError(Exception):
    """The book could not be made, for a reason that is not in the cohort or study file."""


@dataclass(frozen=True)
class Project:
    """A folder with `_toc.yml`, `_config.yml`, notebooks and pages.

    Parameters
    ----------
    root : Path
        The folder.
    whole : bool
        Whether the book is the whole one, or the one that any cohort gives: the notebooks
        with a parameters cell, and the pages with `any_cohort: true` in their front matter.
    """

    root: Path
    whole: bool = True

    @cached_property
    def config(self) -> dict:
        return _read_yaml(self.root / "_config.yml")

    @cached_property
    def toc(self) -> dict:
        toc = _read_yaml(self.root / "_toc.yml")
        return toc if self.whole else self._for_any_cohort(toc)

    @property
    def documents(self) -> list[str]:
        """The documents of the table of contents, in reading order, without suffix."""
        return [*_documents(self.toc)]

    @property
    def notebooks(self) -> list[Path]:
        """The notebooks of the table of contents, in reading order."""
        paths = (self.root / f"{document}.ipynb" for document in self.documents)
        return [path for path in paths if path.is_file()]

    @property
    def prose(self) -> list[Path]:
        """Every file that the pages are made of and that is not run."""
        folder = self.root / "book"
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return [path for path in files if ".ipynb_checkpoints" not in path.parts]

    def _for_any_cohort(self, toc):
        if not self._suits_any_cohort(toc["root"]):
            raise BuildError(f"_toc.yml: the front page {toc['root']} does not suit any cohort")
        return _filtered(toc, lambda entry: self._suits_any_cohort(entry.get("file", "")))

    def _suits_any_cohort(self, document):
        notebook = self.root / f"{document}.ipynb"
        if notebook.is_file():
            return takes_parameters(notebook)
        page = self.root / f"{document}.md"
        return page.is_file() and bool(front_matter(page.read_text("utf-8")).get("any_cohort"))


def find_project(start=None) -> Path:
    """Find the nearest folder from `start` upwards that holds a book, else the one installed from.

    Raises
    ------
    BuildError
        There is none.
    """
    start = Path(start or Path.cwd()).resolve()
    installed_from = Path(__file__).resolve().parents[3]
    for folder in (start, *start.parents, installed_from):
        if (folder / "_toc.yml").is_file() and (folder / "_config.yml").is_file():
            return folder
    raise BuildError("no _toc.yml here or in a folder above: run this inside a clone of the book")


def front_matter(text) -> dict:
    """Return the YAML block that opens a page."""
    if not text.startswith("---\n"):
        return {}
    block = text[4:].split("\n---", 1)[0]
    return yaml.safe_load(block) or {}


def takes_parameters(path) -> bool:
    """Tell whether a notebook has a parameters cell, after checking what is in it.

    Raises
    ------
    BuildError
        The cell does not assign exactly the parameters that a notebook takes.
    """
    cells = json.loads(Path(path).read_text("utf-8"))["cells"]
    sources = [
        "".join(cell["source"])
        for cell in cells
        if "parameters" in cell["metadata"].get("tags", [])
    ]
    if not sources:
        return False
    found = {
        target.id: type(ast.literal_eval(statement.value))
        for source in sources
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
    }
    if found != PARAMETERS:
        wrong = sorted(set(found.items()) ^ set(PARAMETERS.items()), key=str)
        names = ", ".join(dict.fromkeys(name for name, _ in wrong))
        raise BuildError(f"{Path(path).name}: the parameters cell is wrong about {names}")
    return True


def _read_yaml(path):
    try:
        return yaml.safe_load(path.read_text("utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise BuildError(f"{path.name}: {error}") from None


def _documents(node):
    if isinstance(node, list):
        for item in node:
            yield from _documents(item)
    elif isinstance(node, dict):
        if document := node.get("root", node.get("file")):
            yield document
        for key in ("parts", "subtrees", "chapters", "sections", "entries"):
            yield from _documents(node.get(key))


def _filtered(node, keep):
    """Drop the entries not kept; what stood below a dropped entry moves up to its place."""
    if isinstance(node, dict):
        lists = {key: _filtered(value, keep) for key, value in node.items() if _is_list(value)}
        rest = {key: value for key, value in node.items() if not _is_list(value)}
        return rest | {key: value for key, value in lists.items() if value}
    entries = []
    for entry in node:
        inner = _filtered(entry, keep)
        below = [item for key in ("sections", "entries") for item in inner.get(key, [])]
        if "chapters" in inner or keep(entry):
            entries.append(inner)
        else:
            entries.extend(below)
    return entries


def _is_list(value):
    return isinstance(value, list)
