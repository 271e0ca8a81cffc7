"""What every notebook opens with: its cohort, its results, and the printed numbers."""

from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

import pandas as pd
from IPython.display import Markdown, display

from helpers.cohort import Cohort
from helpers.disclosure import hiding_below, without_hidden
from helpers.formats import escape_markdown
from helpers.prepared import open_cohort, results_of
from helpers.published import compare, is_about, load_ledger, summarize_verdicts
from helpers.results import write_results
from helpers.sections import SECTIONS
from helpers.study import Study, load_study
from helpers.tables import describe_comparison, show_table, table_comparison, table_verdicts

MOST_ROWS = 40  # of a comparison, beyond which it is folded under a count of its verdicts

SYNTHETIC = (
    "The patients of this chapter are synthetic: they were made {}. No row is a real patient."
)

HIDDEN = (
    "Counts from 1 to {most} are not shown, nor is what would reveal them. Curves fall only where "
    "{below} more patients have had the event and none or as many left without it, patients leave "
    "the numbers at risk by {below} at a time, and an arm whose patients, events or falls are "
    "hidden has no curve."
)


@dataclass(frozen=True)
class Chapter:
    """One section of a study, or all of them.

    Attributes
    ----------
    name : str
        The notebook's name.
    study : Study
    cohort : Cohort
    results : DataFrame
        Every number that the chapter computes.
    comparison : DataFrame or None
        The printed numbers of the same analyses, each with its verdict; None without a ledger
        of the study.
    out : Path or None
        The folder for results, tables and figures.
    file : Path
        The cohort's file.
    """

    name: str
    study: Study
    cohort: Cohort
    results: pd.DataFrame
    comparison: pd.DataFrame | None
    out: Path | None
    file: Path

    def results_of(self, name) -> pd.DataFrame:
        """The results of another section, a key of `helpers.sections.SECTIONS`."""
        return results_of(self.file, self.cohort, [name])

    def shown(self, estimates, endpoint, *, variable="arm", level="") -> pd.DataFrame:
        """Of curves, those of arms whose patients, events and falls are not all hidden.

        Parameters
        ----------
        estimates : DataFrame
            By ``group``, as `helpers.survival` and `helpers.competing` estimate them.
        endpoint : str
        variable, level : str
            The subgroup that they are of; all patients by default.
        """
        place = {"variable": variable, "level": level}
        return without_hidden(estimates, self.results, endpoint, **place)

    def has(self, analysis) -> bool:
        """Whether the study gives any result of `analysis`."""
        return bool((self.results["analysis"] == analysis).any())


def open_chapter(name, parameters) -> Chapter:
    """Load what the parameters name, take the chapter's results, compare, and file them.

    Results are computed, unless they are prepared beside the cohort, see `helpers.prepared`.

    Parameters
    ----------
    name : str
        A key of `helpers.sections.SECTIONS`.
    parameters : Parameters
        Where `out` names a folder, the results are left there as ``{name}.csv``.

    Raises
    ------
    InputError
        The study file, the cohort or the ledger is not fit.
    """
    chapter = _open(name, parameters, [name])
    if chapter.out:
        chapter.out.mkdir(parents=True, exist_ok=True)
        write_results(chapter.results, chapter.out / f"{name}.csv")
    if chapter.comparison is None:
        return chapter
    own = chapter.comparison["analysis"].isin(chapter.results["analysis"].unique())
    return replace(chapter, comparison=chapter.comparison[own])


def open_study(name, parameters) -> Chapter:
    """Take the results of every section, as `open_chapter`, and compare all printed numbers.

    Raises
    ------
    InputError
        The study file, the cohort or the ledger is not fit.
    """
    return _open(name, parameters, list(SECTIONS))


def read_study(parameters) -> Study:
    """Read the study file; the parameters can raise the count below which counts are hidden."""
    return hiding_below(load_study(parameters.study), parameters.suppress_below)


def _open(name, parameters, sections):
    study = read_study(parameters)
    cohort = open_cohort(parameters.cohort, study)
    results = results_of(parameters.cohort, cohort, sections)
    comparison = None
    if parameters.ledger and is_about(ledger := load_ledger(parameters.ledger), study):
        comparison = compare(results, ledger)
    return Chapter(name, study, cohort, results, comparison, parameters.out, parameters.cohort)


def show_text(text) -> None:
    """Show Markdown as part of the page."""
    display(Markdown(text))


def introduce(chapter) -> None:
    """Show what the study file says about the chapter, and whether its patients are synthetic."""
    if chapter.study.synthetic:
        source = chapter.study.source or chapter.study.title
        is_rebuilt = chapter.study.reconstruction is not None
        origin = f"from the numbers printed in {source}" if is_rebuilt else f"up ({source})"
        _show_note("Synthetic cohort", SYNTHETIC.format(origin), "important")
    if (below := chapter.study.suppress_below) > 1:
        text = HIDDEN.format(below=below, most=below - 1)
        _show_note("Small counts are hidden", text, "note")
    if text := chapter.study.chapters.get(chapter.name):
        show_text(text)


def _show_note(title, text, kind):
    """Show a box on a page, and a paragraph where the notebook is opened by itself."""
    box = f":::{{admonition}} {title}\n:class: {kind}\n{escape_markdown(text)}\n:::"
    paragraph = f"<p><strong>{title}.</strong> {escape(text)}</p>"
    display({"text/markdown": box, "text/html": paragraph}, raw=True)


def show_missing(reason) -> None:
    """Say in a sentence why a part of the chapter is empty."""
    show_text(f"*{escape_markdown(reason)}*")


def show_comparison(chapter) -> None:
    """Show the printed numbers of the chapter beside the computed ones."""
    if chapter.comparison is None:
        show_missing("No ledger of this study was given: there is nothing to compare with.")
        return
    if chapter.comparison.empty:
        show_missing("The ledger has no number of this chapter.")
        return
    show_text(describe_comparison(chapter.comparison))
    name = chapter.name.replace("_", "-")
    section = chapter.name.partition("_")[2].replace("_", " ").capitalize()
    caption = f"{section}: printed and computed numbers"
    table = table_comparison(chapter.comparison, f"tab-comparison-{name}", chapter.study, caption)
    fold = ""
    if (count := len(chapter.comparison)) > MOST_ROWS:
        verdicts = summarize_verdicts(chapter.comparison, by="place")
        caption = f"{section}: verdicts by place in the article"
        show_table(table_verdicts(verdicts, f"tab-verdicts-{name}", caption), chapter.out)
        fold = f"All {count} numbers, printed and computed"
    show_table(table, chapter.out, fold)
