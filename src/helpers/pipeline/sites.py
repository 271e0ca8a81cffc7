"""A book for each of several cohorts, and a page that pools them."""

from __future__ import annotations

import glob
import html
import shutil
import urllib.parse
from pathlib import Path

from helpers.errors import InputError
from helpers.pipeline.book import Inputs, digest_book
from helpers.pipeline.digest import digest, digest_code
from helpers.pipeline.project import BuildError, Project, find_project
from helpers.pipeline.publish import STATE, Output
from helpers.pipeline.site_books import make_books

PAGE = """\
# {title}

{n} cohorts, each analysed by the same study file. The hazard ratios of each are pooled below by
inverse variance, once as estimates of one effect and once of effects that differ between cohorts
{{cite}}`dersimonian1986`; heterogeneity is described by Q, I² and τ² {{cite}}`higgins2002`.

{links}
"""


def expand(patterns) -> list[Path]:
    """The files that paths and patterns such as ``sites/*.csv`` name, in the order of names.

    Raises
    ------
    InputError
        A pattern names no file, or two files have one name.
    """
    paths = []
    for pattern in map(str, patterns):
        found = [pattern] if Path(pattern).exists() or not glob.has_magic(pattern) else []
        found = found or sorted(glob.glob(pattern))
        if not found:
            raise InputError(pattern, ["names no file"])
        paths += [Path(path) for path in found]
    paths = list(dict.fromkeys(paths))
    stems = [path.stem for path in paths]
    repeated = sorted({stem for stem in stems if stems.count(stem) > 1})
    if repeated:
        raise InputError(", ".join(repeated), ["two cohorts have this name; rename one"])
    return paths


def build_sites(
    cohorts, study, out, *, jobs=None, scheduler=None, suppress_below=0, root=None, report=print
) -> Path:
    """Make a book for each cohort in ``out/sites``, and a page in ``out/html`` that pools them.

    Parameters
    ----------
    cohorts : list of Path
        The name of a file is the name of its cohort.
    study, out : path-like
    jobs, scheduler
        As of `helpers.pipeline.site_books.make_books`.
    suppress_below, root, report
        As of `helpers.pipeline.book.build_book`.

    Returns
    -------
    Path
        The front page.

    Raises
    ------
    InputError
        Any of the cohorts cannot be used; told of all before the first is run. Or no scheduler
        answers.
    BuildError
        A book or the page could not be made; told of all books. What `out` held before is
        untouched; the books that were made are kept for the next run.
    """
    from helpers.disclosure import hiding_below
    from helpers.study import load_study

    root = Path(root) if root else find_project()
    described = hiding_below(load_study(study), suppress_below)
    _check_all(cohorts, described)
    output = Output(out)
    output.check(["html", "results.csv", "sites"])
    study, cohorts = Path(study), {cohort.stem: cohort for cohort in cohorts}
    books = {site: Output(output.state / "books" / site) for site in cohorts}
    project = Project(root, whole=False)
    keys = {
        site: digest_book(project, Inputs(cohort, study, suppress_below=suppress_below)).book
        for site, cohort in cohorts.items()
    }
    key = digest(digest_code(root), study, keys)
    front = output.folder / "html" / "index.html"
    if output.is_current(key):
        report(f"nothing has changed: {front}")
        return front
    if scheduler:
        from helpers.tasks import require_scheduler

        require_scheduler(scheduler)
    with output.building() as work:
        to_make = {}
        for site, cohort in cohorts.items():
            if books[site].is_current(keys[site]):
                report(f"{site}: unchanged")
            else:
                to_make[site] = cohort
        if to_make:
            make_books(
                to_make,
                study,
                {site: book.folder for site, book in books.items()},
                root,
                jobs=jobs,
                scheduler=scheduler,
                suppress_below=suppress_below,
                shared=[root / "_toc.yml", output.lock],
                report=report,
            )
        if others := [site for site, book in books.items() if book.key != keys[site]]:
            raise BuildError(
                f"{', '.join(others)}: what the books are made of was changed meanwhile, or is "
                "not the same where a worker made them (files, this package, Python): run again"
            )
        output.publish(_stage(books, described, root, work), key, [])
        for kept in (output.state / "books").iterdir():
            if kept.name not in books:
                shutil.rmtree(kept)
    report(f"the cohorts together are in {front}")
    return front


def _check_all(cohorts, study):
    """Check every cohort, so that all problems of all files are told at once."""
    from helpers.cohort import load_cohort

    problems = []
    for cohort in cohorts:
        try:
            load_cohort(cohort, study)
        except InputError as error:
            problems += [f"{error.source}: {problem}" for problem in error.problems]
    if problems:
        raise InputError("cohorts", problems)


def _stage(books, study, root, work):
    import nbformat

    from helpers.pipeline.html import build_html, stage_pages
    from helpers.pooling import pool_sites
    from helpers.results import read_results, write_results
    from helpers.tables.word import tables_of, write_word

    staged, source = work / "staged", work / "source"
    for folder in (staged, source):
        folder.mkdir()
    results = {site: read_results(book.folder / "results.csv") for site, book in books.items()}
    pooled = pool_sites(results, study)
    for site, book in books.items():
        made = shutil.ignore_patterns(STATE)
        shutil.copytree(book.folder, staged / "sites" / site, ignore=made)
    notebook = _page(pooled, study, list(books), staged)
    project = Project(root)
    project.__dict__["toc"] = {"format": "jb-book", "root": "pooled"}
    stage_pages(project, {root / "pooled.ipynb": notebook}, source, study.title)
    build_html(source, work).rename(staged / "html")
    write_results(pooled, staged / "results.csv")
    write_word(tables_of([notebook]), staged / "tables.docx")
    nbformat.validate(notebook)
    return staged


def _page(pooled, study, sites, out):
    """Write the page as a notebook whose outputs are made here."""
    from nbformat import v4

    from helpers.figures.pooled import caption_pooled, describe_pooled, plot_pooled
    from helpers.figures.show import show_figure
    from helpers.formats import escape_markdown
    from helpers.pipeline.html import plain_title
    from helpers.tables.pooled import table_pooled
    from helpers.tables.table import show_table
    from helpers.views import collect_views

    links = "\n".join(
        f'- <a href="../sites/{urllib.parse.quote(site)}/html/index.html">{html.escape(site)}</a>'
        for site in sites
    )
    title = escape_markdown(plain_title(study.title))
    with collect_views() as outputs:
        show_table(table_pooled(pooled, study, sites), out)
        for endpoint in study.endpoints:
            for arm in study.arm.levels:
                if arm != study.arm.reference:
                    show_figure(
                        plot_pooled(pooled, study, endpoint, arm, sites),
                        f"fig-pooled-{endpoint}-{arm}",
                        caption_pooled(study, endpoint, arm),
                        describe_pooled(pooled, study, endpoint, arm, sites),
                        out,
                    )
    text = v4.new_markdown_cell(PAGE.format(title=title, n=len(sites), links=links))
    source = "# made by rhcc run from the results of the cohorts"  # an empty cell is left out
    shown = v4.new_code_cell(source, outputs=outputs, metadata={"tags": ["remove-input"]})
    sources = v4.new_markdown_cell("```{bibliography}\n:filter: docname in docnames\n```")
    for number, cell in enumerate((text, shown, sources)):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=[text, shown, sources], metadata={"kernelspec": kernel})
