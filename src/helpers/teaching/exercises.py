"""One source for lesson, exercises and solutions: what each reader gets is derived from it.

Cells are told apart by their tags: ``exercise`` (the question), ``solution`` and ``check``;
``setup`` is what an answer builds on.
"""

from __future__ import annotations

import copy

import nbformat

EXERCISE, SOLUTION, CHECK = "exercise", "solution", "check"
STUDENT = ("setup", EXERCISE, SOLUTION, CHECK)
PLACEHOLDER = "answer = ...  # your answer"


def derive(name, notebook) -> dict:
    """Derive the pages and the student's notebook from a notebook.

    Parameters
    ----------
    name : str
        The notebook's name.
    notebook : NotebookNode
        As it was run.

    Returns
    -------
    dict
        By name: the lesson without solutions; with solutions in it, also
        ``{name}_solutions`` and ``{name}_exercises``, the latter without any output.
    """
    if not any(_tagged(cell, SOLUTION) for cell in notebook.cells):
        return {name: notebook}
    lesson = [cell for cell in notebook.cells if not _tagged(cell, SOLUTION, CHECK)]
    return {
        name: _with(notebook, lesson),
        f"{name}_solutions": _with(notebook, _solutions(notebook)),
        f"{name}_exercises": _with(notebook, _exercises(notebook)),
    }


def _tagged(cell, *tags):
    return bool(set(tags) & set(cell.metadata.get("tags", [])))


def _with(notebook, cells):
    derived = copy.deepcopy(notebook)
    derived.cells = [copy.deepcopy(cell) for cell in cells]
    return derived


def _title(notebook, kind):
    first = notebook.cells[0].source.splitlines()[0]
    heading = first.removeprefix("# ")
    return nbformat.v4.new_markdown_cell(f"# {kind}: {heading}", id=f"title-{kind.lower()}")


def _solutions(notebook):
    yield _title(notebook, "Solutions")
    for cell in notebook.cells:
        if _tagged(cell, "setup", EXERCISE, SOLUTION, CHECK):
            shown = copy.deepcopy(cell)
            if cell.cell_type == "code" and not _tagged(cell, "setup"):
                how = "remove-input" if _tagged(cell, CHECK) else "show-input"
                shown.metadata["tags"] = [*cell.metadata["tags"], how]
            yield shown


def _exercises(notebook):
    yield _title(notebook, "Exercises")
    placed = False
    for number, cell in enumerate(notebook.cells):
        if not _tagged(cell, *STUDENT):
            continue
        if _tagged(cell, SOLUTION):
            if not placed:
                yield nbformat.v4.new_code_cell(PLACEHOLDER, id=f"answer-{number}")
            placed = True
            continue
        placed = False
        bare = copy.deepcopy(cell)
        if cell.cell_type == "code":
            bare.outputs, bare.execution_count = [], None
        yield bare
