"""A book of two notebooks and two pages, with the settings of the real one."""

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PARAMETERS = """\
cohort = "data/cohort.csv"
study = "data/study.yml"
ledger = "data/published.csv"
out = ""
suppress_below = 0"""

READ = """\
import pandas as pd
from helpers.parameters import read_parameters

parameters = read_parameters(globals())
patients = pd.read_csv(parameters.cohort)"""

WRITE = """\
if parameters.out:
    rows = pd.DataFrame({{"analysis": ["{name}"], "statistic": ["n"], "value": [len(patients)]}})
    rows.to_csv(parameters.out / "{name}.csv", index=False)"""

FIGURE = """\
import matplotlib.pyplot as plt

%config InlineBackend.figure_formats = ["svg"]
figure, axes = plt.subplots(figsize=(4, 3))
axes.plot([0, 1, 2], [1.0, 0.8, 0.5])
axes.set_xlabel("Months")
plt.show()"""

TABLE = """\
from IPython.display import Markdown

Markdown(
    f""\"
```{{table}} Patients by where they come from
:name: tab-counts

| origin | patients |
|---|---|
| all | {len(patients)} |
```
""\"
)"""

INDEX = """\
---
any_cohort: true
---
# Front page

See {numref}`fig-curve`, {numref}`tab-counts`, {ref}`the counts <counts>`,
the [second chapter](../notebooks/02_curve) and {cite:t}`efron1977`.
The hazard is $h(t) = f(t) / S(t)$.
"""

COUNTS = ["(counts)=\n# Counts\n\nHow many patients there are.", PARAMETERS, READ, TABLE]
CURVE = ["# Curve\n\nA curve.", PARAMETERS, READ, FIGURE]


def write_small_book(root):
    """Write the sources of the book below `root`, with 227 public patients as its cohort."""
    root.mkdir(parents=True, exist_ok=True)
    for name in ("_config.yml", "requirements.lock"):
        shutil.copyfile(ROOT / name, root / name)
    for name in ("_assets", "_templates"):
        shutil.copytree(ROOT / "book" / name, root / "book" / name)
    shutil.copyfile(ROOT / "book" / "references.bib", root / "book" / "references.bib")
    (root / "data").mkdir()
    shutil.copyfile(ROOT / "data" / "hepatocellular.csv", root / "data" / "cohort.csv")
    shutil.copyfile(ROOT / "data" / "hepatocellular.yml", root / "data" / "study.yml")
    ledger = (ROOT / "data" / "published.csv").read_text("utf-8").splitlines()[0]
    (root / "data" / "published.csv").write_text(ledger + "\n", "utf-8")
    (root / "book" / "index.md").write_text(INDEX, "utf-8")
    (root / "book" / "sources.md").write_text(
        "---\nany_cohort: true\n---\n# Sources\n\n```{bibliography}\n```\n", "utf-8"
    )
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n  - file: notebooks/01_counts\n"
        "  - file: notebooks/02_curve\n  - file: book/sources\n",
        "utf-8",
    )
    (root / "notebooks").mkdir()
    write_notebook(root / "notebooks" / "01_counts.ipynb", COUNTS)
    write_notebook(root / "notebooks" / "02_curve.ipynb", CURVE, figure=True)
    return root


def write_notebook(path, sources, figure=False):
    """Write a notebook: Markdown, parameters, then code; its rows are written in the last cell.

    Without parameters it writes no rows.
    """
    title, parameters, *code = sources
    cells = [_cell("markdown", title)]
    if parameters is not None:
        cells.append(_cell("code", parameters, tags=["parameters"]))
        code.append(WRITE.format(name=path.stem))
    cells += [_cell("code", source) for source in code]
    if figure:
        cells[-2]["metadata"]["mystnb"] = {
            "figure": {"name": "fig-curve", "caption": "A curve that falls."},
            "image": {"alt": "A curve that falls from 1 to 0.5 in two months"},
        }
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": cells,
        "metadata": {"kernelspec": kernel},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook, indent=1) + "\n", "utf-8")


def _cell(kind, source, tags=()):
    cell = {"cell_type": kind, "metadata": {"tags": list(tags)} if tags else {}}
    cell["source"] = source
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})
