"""Make the book: what has to be run is run, the pages are built, both are published at once."""

from __future__ import annotations

import csv
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from helpers.errors import InputError
from helpers.pipeline.digest import digest, digest_code, digest_tree
from helpers.pipeline.edition import edition
from helpers.pipeline.environment import notebook_environment
from helpers.pipeline.project import BuildError, Project, find_project, takes_parameters
from helpers.pipeline.publish import Output


@dataclass(frozen=True)
class Inputs:
    """What the notebooks read.

    Parameters
    ----------
    cohort, study : Path
    ledger : Path or None
    suppress_below : int
    beside : Path or None
        A folder whose other files the notebooks may read too.
    """

    cohort: Path
    study: Path
    ledger: Path | None = None
    suppress_below: int = 0
    beside: Path | None = None

    @property
    def parameters(self) -> dict:
        """The parameters of a notebook run in a folder laid out by `stage`."""
        names = self._names()
        return {
            "cohort": f"data/{names['cohort']}",
            "study": f"data/{names['study']}",
            "ledger": f"data/{names['ledger']}" if self.ledger else "",
            "suppress_below": self.suppress_below,
        }

    def digest(self) -> str:
        beside = digest_tree(self.beside) if self.beside else ""
        return digest(self.parameters, self.cohort, self.study, self.ledger or "", beside)

    def check(self) -> None:
        """Refuse files that are not there.

        Raises
        ------
        InputError
        """
        files = [self.cohort, self.study, *([self.ledger] if self.ledger else [])]
        missing = [f"{path} is not a file" for path in files if not path.is_file()]
        if missing:
            raise InputError("input", missing)

    def stage(self, folder) -> Path:
        """Copy the inputs below `folder`, under names that tell nothing of where they lie.

        All notebooks of a run thus read the same, whoever edits the files meanwhile. Returns
        where the cohort is.
        """
        data = folder / "data"
        if self.beside:
            shutil.copytree(self.beside, data)
        data.mkdir(exist_ok=True)
        for role, name in self._names().items():
            shutil.copyfile(getattr(self, role), data / name)
        return data / self._names()["cohort"]

    def _names(self):
        names = {"cohort": f"cohort{self.cohort.suffix.lower()}", "study": "study.yml"}
        return names | ({"ledger": "published.csv"} if self.ledger else {})


@dataclass(frozen=True)
class Keys:
    """Digests by which it is known what has been made.

    Parameters
    ----------
    reads : str
        Of all that every notebook reads, and of the code.
    notebooks : dict of Path to str
        Of each notebook with what it reads.
    book : str
        Of the book.
    """

    reads: str
    notebooks: dict
    book: str


def digest_book(project, inputs, pdf=False) -> Keys:
    """Digest what a book is made of."""
    reads = digest(digest_code(project.root), inputs.digest())
    notebooks = {path: digest(reads, path) for path in project.notebooks}
    prose = {str(path.relative_to(project.root)): path for path in project.prose}
    pages = [prose, project.toc, project.config, edition(project.root), pdf]
    return Keys(reads, notebooks, digest(reads, list(notebooks.values()), pages))


def build_book(
    cohort,
    study,
    out,
    ledger=None,
    jobs=None,
    suppress_below=0,
    *,
    whole=False,
    pdf=False,
    root=None,
    forked=None,
    wait=False,
    report=print,
) -> Path:
    """Run the notebooks on a cohort and write the book.

    Parameters
    ----------
    cohort, study : path-like
        The patients, and the study file that says what their columns mean.
    out : path-like
        Gets `html/`, `results.csv`, `notebooks/` and what else the notebooks write.
    ledger : path-like, optional
        The printed numbers to compare with.
    jobs : int, optional
        How many notebooks to run at once; as many as there are processors.
    suppress_below : int
        Counts below it are not shown.
    whole : bool
        Whether the book has the pages about the study that it was written for.
    pdf : bool
        Whether the book is printed too, and its pages offer that.
    root : path-like, optional
        The folder with the book's sources; found from the working directory upwards.
    forked : bool, optional
        Whether kernels are forked from one process with the libraries imported; they are
        on Linux.
    wait : bool
        Whether another run that writes to `out` is waited for; else it is an error.
    report : callable
        Called with each line of progress.

    Returns
    -------
    Path
        The front page.

    Raises
    ------
    InputError
        The cohort, the study file or the ledger cannot be used.
    BuildError
        A notebook, the build of the pages or the printing failed. What `out` held is untouched.
    """
    root = Path(root) if root else find_project()
    project = Project(root, whole)
    output = Output(out)
    inputs = Inputs(
        Path(cohort),
        Path(study),
        Path(ledger) if ledger else None,
        suppress_below,
        root / "data" if whole and (root / "data").is_dir() else None,
    )
    inputs.check()
    output.check()
    if pdf:
        from helpers.pipeline.printed import find_browser

        find_browser()
    keys = digest_book(project, inputs, pdf)
    _refuse_equal_names(keys.notebooks)
    front = output.folder / "html" / "index.html"
    if output.is_current(keys.book):
        report(f"nothing has changed: {front}")
        return front
    patients = _check(inputs, None if whole else report)

    def is_unchanged():
        return digest(digest_code(root), inputs.digest()) == keys.reads

    with output.building(wait) as work:
        if wait and output.is_current(keys.book):
            report(f"another run has made it: {front}")
            return front
        results = output.cached("results", keys.reads)
        prepare = partial(_prepare, results, patients=patients, jobs=jobs, report=report)
        run = partial(_run_in_parallel, jobs=jobs, forked=forked, strict=whole, report=report)
        kept = _run_notebooks(inputs, keys.notebooks, output, work, prepare, run, report)
        if not is_unchanged():
            for folder in (results, *kept.values()):
                shutil.rmtree(folder, ignore_errors=True)
            raise BuildError("what the notebooks read was changed while they ran: run again")
        staged = _stage(project, kept, work, None if whole else patients.study.title, pdf, report)
        output.publish(staged, keys.book, [results, *kept.values()])
    report(f"the book is in {front}")
    return front


def _check(inputs, report):
    """Load the patients, so that every problem of the inputs is told before a run."""
    from helpers.disclosure import hiding_below
    from helpers.plausibility import check_cohort
    from helpers.published import load_ledger_of
    from helpers.study import load_study

    study = hiding_below(load_study(inputs.study), inputs.suppress_below)
    patients, warnings = check_cohort(inputs.cohort, study)
    for warning in warnings if report else []:
        report(f"{inputs.cohort.name}: warning: {warning}")
    if inputs.ledger:
        load_ledger_of(study, inputs.ledger)
    return patients


def _refuse_equal_names(paths):
    """Refuse two notebooks of one name: their outputs would be taken for each other."""
    names = [path.stem for path in paths]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise BuildError(f"two notebooks are called {', '.join(repeated)}: rename one")


def _run_notebooks(inputs, keys, output, work, prepare, run, report):
    """Run the notebooks whose inputs changed; return where each executed one is kept."""
    from helpers.sections import SECTIONS

    kept = {path: output.cached(path.stem, key) for path, key in keys.items()}
    to_run = [path for path in keys if not kept[path].is_dir()]
    for path in keys:
        if path not in to_run:
            report(f"{path.stem}: unchanged")
    if not to_run:
        return kept

    cohort = inputs.stage(work)
    with notebook_environment(work):
        if any(path.stem in SECTIONS for path in keys) and any(map(takes_parameters, to_run)):
            prepare(cohort)
        run(to_run, inputs, kept, work)
    return kept


def _prepare(kept, cohort, *, patients, jobs, report):
    """Leave beside the cohort what the notebooks need of it, see `helpers.prepared`."""
    from helpers.pipeline.sections import compute_sections
    from helpers.prepared import folder_of, write_patients, write_sections

    write_patients(patients, cohort)
    if not kept.is_dir():
        began = time.perf_counter()
        results = compute_sections(cohort, patients.study, jobs or os.cpu_count() or 1)
        new = cohort.with_name("results")
        write_sections(results, new)
        kept.parent.mkdir(parents=True, exist_ok=True)
        new.rename(kept)
        report(f"results: computed in {time.perf_counter() - began:.1f} s")
    shutil.copytree(kept, folder_of(cohort), dirs_exist_ok=True)


def _run_in_parallel(to_run, inputs, kept, work, *, jobs, forked, strict, report):
    from helpers.pipeline import kernels

    forked = kernels.CAN_FORK if forked is None else forked
    if forked:
        kernels.preload()
    from helpers.pipeline.execute import run_notebook

    def run(path):
        began = time.perf_counter()
        name = path.stem
        (work / "out" / name).mkdir(parents=True)
        parameters = inputs.parameters | {"out": f"out/{name}"}
        notebook, complaints = run_notebook(path, parameters, work, forked)
        if complaints and strict:
            raise BuildError(f"{path.name}, {complaints[0]}")
        _keep(notebook, work / "out" / name, kept[path], work)
        return complaints, time.perf_counter() - began

    pool = ThreadPoolExecutor(jobs or os.cpu_count() or 1)
    try:
        running = {pool.submit(run, path): path for path in to_run}
        done_before = len(kept) - len(to_run)
        for number, done in enumerate(as_completed(running), start=done_before + 1):
            complaints, seconds = done.result()
            report(f"{running[done].stem}: run in {seconds:.1f} s ({number} of {len(kept)})")
            for complaint in complaints:
                report(f"  warning, {complaint}")
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        kernels.stop_all()
        raise
    finally:
        pool.shutdown()


def _keep(notebook, written, folder, work):
    """Keep an executed notebook and what it wrote, so that it is there whole or not at all."""
    import nbformat

    new = work / "kept" / folder.parent.name
    new.parent.mkdir(exist_ok=True)
    shutil.copytree(written, new)
    nbformat.write(notebook, new / "notebook.ipynb")
    folder.parent.mkdir(parents=True, exist_ok=True)
    new.rename(folder)


def _stage(project, kept, work, title, pdf, report):
    """Build the site and gather all that is to be published in one folder."""
    import nbformat

    from helpers.pipeline.html import build_html, for_any_cohort, stage_pages
    from helpers.pipeline.printed import PDF, print_book
    from helpers.tables.word import tables_of, write_word

    staged = work / "staged"
    source = work / "source"
    for folder in (staged / "notebooks", source):
        folder.mkdir(parents=True)
    notebooks = {
        path: nbformat.read(folder / "notebook.ipynb", as_version=4)
        for path, folder in kept.items()
    }
    if title:
        notebooks = {path: for_any_cohort(book, title) for path, book in notebooks.items()}
    for path, notebook in notebooks.items():
        nbformat.write(notebook, staged / "notebooks" / path.name)
    stage_pages(project, notebooks, source, title, PDF if pdf else "")
    report("building the pages")
    build_html(source, work).rename(staged / "html")
    if pdf:
        report("printing")
        print_book(staged / "html", project.documents, staged / "html" / PDF)
    _write_results(kept, staged / "results.csv")
    write_word(tables_of(notebooks.values()), staged / "tables.docx")
    for path, folder in kept.items():
        _copy_written(folder, staged, {"notebook.ipynb", f"{path.stem}.csv"})
    _refuse_machine_paths(staged, [work, project.root, Path(sys.prefix)])
    return staged


def _write_results(kept, target):
    """Join the rows that the notebooks left, in reading order."""
    header, rows = None, []
    for path, folder in kept.items():
        left = folder / f"{path.stem}.csv"
        if not left.is_file():
            continue
        with left.open(encoding="utf-8", newline="") as file:
            first, *rest = csv.reader(file)
        if header not in (None, first):
            raise BuildError(f"{left.name}: its columns are not those of the other notebooks")
        header = first
        rows += rest
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([header, *rows] if header else [])


def _copy_written(folder, staged, besides):
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name in besides and path.parent == folder:
            continue
        target = staged / path.relative_to(folder)
        if target.exists():
            raise BuildError(f"two notebooks wrote {path.relative_to(folder)}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _refuse_machine_paths(folder, paths):
    """Refuse to publish a file that names a folder of this machine."""
    needles = {str(path).encode(): path for path in paths if len(path.parts) > 2}
    found = [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(needle in path.read_bytes() for needle in needles)
    ]
    if found:
        raise BuildError(f"these files name a folder of this machine: {', '.join(found)}")
