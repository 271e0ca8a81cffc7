"""The `rhcc` command: one thin function for each subcommand."""

from __future__ import annotations

import functools
import json
import signal
import sys
from pathlib import Path

import click

from helpers.errors import InputError
from helpers.pipeline.project import BuildError, find_project
from helpers.whole_file import whole_file

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
SEED = 20240387  # of what is drawn where no other is given
COHORT_SEED = 2  # of data/cohort.csv

COHORT = click.argument("cohort", type=click.Path(path_type=Path))
JOBS = click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="How many notebooks to run at once.  [default: one for each processor]",
)
SCHEDULER = click.option(
    "--scheduler", metavar="ADDRESS", help="Of Dask; this machine's processors if none."
)
PROCESSES = click.option(
    "--jobs", type=click.IntRange(1), metavar="N", help="Processes of this machine."
)
SUPPRESS_BELOW = click.option(
    "--suppress-below",
    type=click.IntRange(0),
    default=0,
    metavar="K",
    help="Hide counts from 1 to K - 1, and those from which they would follow.",
)


def _path_option(*names, **options):
    return click.option(*names, type=click.Path(path_type=Path), **options)


def _told(command):
    """End with a status and plain sentences where the command cannot do its work."""

    @functools.wraps(command)
    def wrapped(*args, **kwargs):
        try:
            status = command(*args, **kwargs)
        except InputError as error:
            for problem in error.problems:
                click.echo(f"{error.source}: {problem}", err=True)
            status = BAD_INPUT
        except BuildError as error:
            click.echo(f"error: {error}", err=True)
            status = FAILED
        except BrokenPipeError:  # a reader such as head has seen enough; click ends quietly
            raise
        except OSError as error:
            click.echo(f"error: {error.filename or 'a file'}: {error.strerror or error}", err=True)
            status = FAILED
        except KeyboardInterrupt:
            click.echo("interrupted; what was there before is untouched", err=True)
            status = INTERRUPTED
        sys.exit(status or 0)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96})
@click.version_option(package_name="rhcc")
def main():
    """Recompute a clinical study from its cohort, as a book.

    \b
    rhcc book                                    the study this repository is about
    rhcc draft-study my.xlsx --out my.yml        a first study file for your cohort
    rhcc check my.csv --study my.yml             is the file ready?
    rhcc run my.csv --study my.yml --out site    the same chapters for your cohort
    rhcc results my.csv --study my.yml --out results.csv    their numbers alone
    rhcc bootstrap my.csv --study my.yml --out intervals.csv    and how chance moves them
    rhcc score data/cohort.csv                   which printed numbers come out again
    rhcc reconstruct                             a cohort from the printed numbers
    rhcc ensemble --count 200 --out draws        many cohorts that hold the same print
    rhcc audit data/published.csv                do the printed numbers agree with each other?
    rhcc draw data/cohort.csv --seed 1 --out 1.csv    a cohort of their own for a student

    Exit status: 0 all is well; 1 a number differs or a notebook failed; 2 the input has
    problems, all of them listed.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@main.command()
@_path_option("--out", help="Folder for the book.  [default: _build beside _toc.yml]")
@click.option("--pdf", is_flag=True, help="Print it too, as html/book.pdf; needs Chromium.")
@JOBS
@_told
def book(out, pdf, jobs):
    """Make the whole book about the study.

    Only notebooks whose inputs changed are run again.
    """
    from helpers.pipeline.book import build_book

    root = find_project()
    data = root / "data"
    build_book(
        data / "cohort.csv",
        data / "study.yml",
        out or root / "_build",
        ledger=data / "published.csv",
        jobs=jobs,
        whole=True,
        pdf=pdf,
        root=root,
        report=click.echo,
    )


@main.command()
@click.argument("cohorts", metavar="COHORT...", nargs=-1, required=True)
@_path_option("--study", required=True, help="What the columns mean, and the conventions.")
@_path_option("--out", required=True, help="Folder for the book, tables, figures and results.")
@_path_option("--ledger", help="Printed numbers to compare with.")
@SUPPRESS_BELOW
@SCHEDULER
@JOBS
@click.option("--bound", is_flag=True, hidden=True, help="End with stdin; wait for OUT.")
@_told
def run(cohorts, study, out, ledger, suppress_below, scheduler, jobs, bound):
    """Make the chapters of the book for any COHORT.

    Several cohorts, or a pattern such as 'sites/*.csv', give a book each and a page that pools
    them; a book that is made is not made again. Everything stays on this machine, or with the
    workers of a scheduler: each makes whole books, with N notebooks at once (default: one), and
    must see COHORT, the study file, OUT and the sources of the book under the same paths. What
    OUT held before is replaced only when the new book is whole.
    """
    from helpers.pipeline.book import build_book
    from helpers.pipeline.site_books import end_with_stdin
    from helpers.pipeline.sites import build_sites, expand

    if bound:
        end_with_stdin()
    cohorts = expand(cohorts)
    if len(cohorts) > 1:
        if ledger:
            raise InputError(ledger, ["a ledger goes with one cohort"])
        options = {"jobs": jobs, "scheduler": scheduler, "suppress_below": suppress_below}
        build_sites(cohorts, study, out, report=click.echo, **options)
        return
    if scheduler:
        raise InputError(scheduler, ["a scheduler goes with several cohorts; this is one"])
    build_book(
        cohorts[0],
        study,
        out,
        ledger=ledger,
        jobs=jobs,
        suppress_below=suppress_below,
        wait=bound,
        report=click.echo,
    )


@main.command()
@COHORT
@_path_option("--study", required=True, help="What the columns mean, and the conventions.")
@_path_option("--out", required=True, help="The CSV file to write.")
@SUPPRESS_BELOW
@_told
def results(cohort, study, out, suppress_below):
    """Compute every number of COHORT, without the book.

    OUT is what `rhcc run` writes as results.csv. Parquet is read in pieces, and of its columns
    only those that the study file names, so that COHORT may be a registry.
    """
    from helpers.cohort import load_cohort
    from helpers.disclosure import hiding_below
    from helpers.study import load_study

    patients = load_cohort(cohort, hiding_below(load_study(study), suppress_below))

    from helpers.results import write_results
    from helpers.sections import SECTIONS, summarize_sections

    with whole_file(out) as file:
        write_results(summarize_sections(patients, SECTIONS), file)


@main.command()
@COHORT
@_path_option("--study", required=True, help="What the columns mean, and the conventions.")
@_path_option("--out", required=True, help="The CSV file to write.")
@click.option(
    "--count", type=click.IntRange(1), default=2000, show_default=True, metavar="N", help="Samples."
)
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, metavar="S")
@SCHEDULER
@PROCESSES
@_told
def bootstrap(cohort, study, out, seed, count, scheduler, jobs):
    """Bootstrap the estimates of COHORT.

    Each sample draws as many patients of each arm, with replacement. OUT gives for every estimate
    its bias, standard error and percentile interval, and how many samples gave it. The seed
    determines every byte, whoever draws. Workers of a scheduler read COHORT and the study file
    themselves, under the same paths; nothing of a patient is sent to them.
    """
    from helpers.batch.bootstrap import bootstrap_cohort

    options = {"scheduler": scheduler, "jobs": jobs, "report": click.echo}
    bootstrap_cohort(cohort, study, out, seed, count, **options)


@main.command()
@click.option(
    "--seed", type=click.IntRange(0), default=COHORT_SEED, show_default=True, metavar="S"
)
@_path_option("--out", help="The cohort that is written.  [default: data/cohort.csv]")
@_path_option("--study", help="What the columns mean.  [default: data/study.yml]")
@_path_option("--ledger", help="The printed numbers.  [default: data/published.csv]")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="Steps of annealing.")
@click.option("--rounds", type=click.IntRange(0), metavar="N", help="Rearrangements that follow.")
@click.option("--minutes", type=click.FloatRange(0), metavar="M", help="Stop after so long.")
@_told
def reconstruct(seed, out, study, ledger, steps, rounds, minutes):
    """Build a synthetic cohort that gives back the printed numbers.

    The seed, the steps and the rounds determine every byte; `--minutes` only cuts the search
    short. This study takes more than an hour and 3 GB of memory. An interrupted search goes on from
    OUT.search, and the cohort is written when it ends.
    """
    from helpers.reconstruct.cohort import reconstruct_cohort

    data = find_project() / "data"
    reconstruct_cohort(
        ledger or data / "published.csv",
        study or data / "study.yml",
        out or data / "cohort.csv",
        seed,
        n_steps=steps,
        n_rounds=rounds,
        minutes=minutes,
        report=click.echo,
    )


@main.command()
@click.option("--count", type=click.IntRange(1), required=True, metavar="N", help="How many.")
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, metavar="S")
@_path_option("--out", required=True, help="Folder of the draws, one Parquet file each.")
@click.option("--complete", is_flag=True, help="All columns of a cohort, not only survival.")
@_path_option("--statistics", help="CSV file for the unprinted numbers of each draw.")
@_path_option("--scores", help="CSV file for the verdict of each printed number in each draw.")
@click.option("--resume", is_flag=True, help="Go on in a folder that holds draws already.")
@SCHEDULER
@PROCESSES
@_path_option("--cohort", help="That the draws start from.  [default: data/cohort.csv]")
@_path_option("--study", help="What the columns mean.  [default: data/study.yml]")
@_path_option("--ledger", help="The printed numbers.  [default: data/published.csv]")
@_told
def ensemble(count, seed, out, cohort, study, ledger, **options):
    """Draw many cohorts that hold the printed survival numbers.

    All are synthetic. Seed and number of a draw determine every byte of its file, whoever makes
    it. A run that was ended, by whatever, goes on with --resume: draws that are there are not
    made again.
    """
    from helpers.reconstruct.ensemble_run import make_ensemble

    data = find_project() / "data"
    make_ensemble(
        ledger or data / "published.csv",
        study or data / "study.yml",
        cohort or data / "cohort.csv",
        out,
        seed,
        count,
        report=click.echo,
        **options,
    )


@main.command()
@COHORT
@_path_option("--study", help="What the columns mean.  [default: data/study.yml]")
@_path_option("--ledger", help="The printed numbers.  [default: data/published.csv]")
@_path_option("--json", "target", help="Write every comparison to this file.")
@_told
def score(cohort, study, ledger, target):
    """Compare the printed numbers with those of COHORT.

    A line for each number that does not come back at the printed precision, then a summary by
    section. Exit status 0 if every number comes back, else 1.
    """
    from helpers.cohort import load_cohort
    from helpers.published import compare, load_ledger_of
    from helpers.study import load_study

    data = find_project() / "data"
    described = load_study(study or data / "study.yml")
    patients = load_cohort(cohort, described)
    printed = load_ledger_of(described, ledger or data / "published.csv")

    from helpers.sections import summarize_all

    comparison = compare(summarize_all(patients), printed)
    return _report_score(comparison, target)


@main.command()
@COHORT
@_path_option("--study", required=True, help="What the columns mean.")
@_path_option("--report", help="Write the problems to this file too, as CSV.")
@_told
def check(cohort, study, report):
    """Check COHORT against its study file; nothing is computed.

    All problems are listed at once, with row and column, then warnings of what is allowed but
    odd. Exit status 0 if there is no problem, else 2.
    """
    from helpers.plausibility import check_cohort
    from helpers.study import load_study

    found = []
    try:
        patients, warnings = check_cohort(cohort, load_study(study))
        found = [(cohort, "warning", warning) for warning in warnings]
    except InputError as error:
        found = [(error.source, "problem", problem) for problem in error.problems]
        raise
    finally:
        if report:
            _write_problems(found, report)
    for warning in warnings:
        click.echo(f"{cohort}: warning: {warning}")
    click.echo(f"{cohort}: {len(patients.data)} patients, no problem found")


@main.command("draft-study")
@COHORT
@_path_option("--out", required=True, help="The study file to write.")
@click.option("--sheet", help="The sheet of a spreadsheet.")
@_told
def draft(cohort, out, sheet):
    """Write a first study file for COHORT, from its columns.

    It says what the columns seem to mean; comments mark what is left to decide. Beside it stands
    study.schema.json, by which editors complete and check the entries.
    """
    from helpers.draft import draft_study

    if out.exists():
        raise InputError(out, ["is there already; give another name, or remove it first"])
    text = draft_study(cohort, sheet)
    for path, content in ((out.with_name("study.schema.json"), _schema()), (out, text)):
        with whole_file(path) as file:
            file.write(content)
    click.echo(f"{out}: {text.count('DECIDE') - 1} guesses to check, marked DECIDE")


@main.command()
@_told
def schema():
    """Print the JSON Schema of the study file."""
    click.echo(_schema(), nl=False)


def _schema():
    import json

    from helpers.study import Study

    return json.dumps(Study.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


@main.command()
@click.argument("ledger", type=click.Path(path_type=Path))
@_path_option("--study", help="Study file with the conventions; usual ones if not given.")
@_path_option("--json", "target", help="Write every check to this file.")
@_told
def audit(ledger, study, target):
    """Check printed numbers against each other; needs no patients.

    LEDGER holds the printed numbers. A line for each check that is not consistent, then how many
    answers of each kind every check gives, then the numbers that no check reads. Exit status 0 if
    nothing is inconsistent or implausible, 1 if something is, 2 if LEDGER cannot be used.
    """
    from helpers.audit import CONSISTENT, describe, load_printed, summarize, to_records, unused
    from helpers.audit import audit as ask
    from helpers.study import load_study
    from helpers.tables.comparison import labels_of

    described = load_study(study) if study else None
    conventions, labels = (described.conventions, labels_of(described)) if study else (None, None)
    printed = load_printed(ledger)
    checks = ask(printed, conventions, labels)
    if not checks:
        raise InputError(
            ledger,
            [
                "no check reads any of its numbers; most need the sizes of the groups, "
                "in rows with analysis 'cohort' and statistic 'n'"
            ],
        )
    if target:
        with whole_file(target) as file:
            file.write(json.dumps(to_records(checks), indent=1, ensure_ascii=False) + "\n")
    for check in checks:
        if check.verdict != CONSISTENT:
            click.echo(describe(check))
    verdicts = summarize(checks).set_index("title").rename_axis(index=None, columns=None)
    click.echo(verdicts.to_string())
    if left := unused(printed, checks):
        click.echo(f"no check reads {len(left)} printed numbers: {', '.join(left)}")
    return FAILED if any(check.fired for check in checks) else 0


@main.command()
@COHORT
@click.option("--seed", type=click.IntRange(0), required=True, help="One number for each student.")
@_path_option("--out", required=True, help="The CSV file to write.")
@_path_option("--study", help="What the columns mean.  [default: data/study.yml]")
@_told
def draw(cohort, seed, out, study):
    """Draw a cohort from COHORT, one for each student.

    With replacement, arm by arm. The same seed gives the same cohort.
    """
    from helpers.study import load_study
    from helpers.teaching.simulate import draw_cohort

    study = load_study(study or find_project() / "data" / "study.yml")
    click.echo(f"{draw_cohort(cohort, out, study, seed)} patients written to {out}")


def _report_score(comparison, target):
    from helpers.published import (
        COMPARED,
        DIFFERS,
        NOT_TESTABLE,
        WITHIN_ROUNDING,
        summarize_verdicts,
    )

    columns = ["id", "printed", "computed", "place", "section", "verdict"]
    misses = comparison[comparison["verdict"].isin([WITHIN_ROUNDING, DIFFERS])]
    for row in misses[columns].itertuples():
        click.echo(
            f"{row.id}: printed {row.printed}, computed {row.computed}, {row.verdict} ({row.place})"
        )
    click.echo(summarize_verdicts(comparison).to_string())
    compared = comparison[comparison["class"].isin(COMPARED)]
    absent = int((compared["verdict"] == NOT_TESTABLE).sum())
    if absent:
        click.echo(f"{absent} more could be compared if the cohort gave them")
    if target:
        with whole_file(target) as file:
            comparison[columns].to_json(file, orient="records", indent=1, force_ascii=False)
    return FAILED if len(misses) or absent == len(compared) else 0


def _write_problems(found, path):
    import csv

    from helpers.formats import escape_formula

    with whole_file(path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "kind", "rows", "column", "problem"])
        for source, kind, problem in found:
            rows = " ".join(map(str, getattr(problem, "rows", ())))
            column = escape_formula(getattr(problem, "column", ""))
            writer.writerow([source, kind, rows, column, getattr(problem, "text", problem)])


if __name__ == "__main__":
    main()
