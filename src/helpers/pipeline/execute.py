"""Run a notebook through papermill and leave nothing of this machine in it."""

from __future__ import annotations

import copy
import logging
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from helpers.pipeline import kernels
from helpers.pipeline.project import BuildError, takes_parameters

# What goes wrong is told by `BuildError`.
logging.getLogger("papermill").setLevel(logging.CRITICAL + 1)


def run_notebook(path, parameters, folder, forked=kernels.CAN_FORK):
    """Run a notebook and return it without a trace of the run, with what it wrote to stderr.

    Parameters
    ----------
    path : Path
        The notebook.
    parameters : dict
        Its parameters; left out where it takes none.
    folder : Path
        The kernel's working directory.
    forked : bool
        Whether the kernel is forked from a process that has the libraries imported.

    Returns
    -------
    notebook : nbformat.NotebookNode
    complaints : list of str

    Raises
    ------
    BuildError
        A cell raised an error.
    """
    source = nbformat.read(path, as_version=4)
    manager = kernels.ForkedKernelManager if forked else kernels.FreshKernelManager
    try:
        executed = papermill.execute_notebook(
            str(path),
            None,
            parameters=parameters if takes_parameters(path) else None,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            autosave_cell_every=0,
            coalesce_streams=True,
            kernel_manager_class=manager,
            resources={"metadata": {"path": str(folder)}},
        )
    except PapermillExecutionError as error:
        place = _place(source, error.source)
        reason = f"{error.ename}: {error.evalue}".strip().rstrip(":")
        raise BuildError(f"{Path(path).name}, {place}: {reason}") from None
    except RuntimeError as error:
        raise BuildError(f"{Path(path).name}: the kernel stopped ({error})") from None
    return _cleaned(executed, source)


def _place(notebook, source):
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.source == source:
            return f"cell {number} ({source.strip().splitlines()[0][:60]})"
    return "the cell with the parameters"


def _cleaned(executed, source):
    """Keep the cells of the source, with its metadata and the outputs of the run."""
    notebook = copy.deepcopy(source)
    ran = [
        cell
        for cell in executed.cells
        if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    complaints = []
    count = 0
    for number, (cell, done) in enumerate(zip(notebook.cells, ran, strict=True), start=1):
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = [output for output in done.outputs if output.get("name") != "stderr"]
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
        complaints += [
            f"cell {number}: {output.text.strip()}"
            for output in done.outputs
            if output.get("name") == "stderr"
        ]
    return notebook, complaints
