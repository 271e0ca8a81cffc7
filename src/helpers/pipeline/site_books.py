"""The books of several cohorts: in turn, or each as a task on Dask.

A book takes several processes, and Dask's workers may have none of their own. So a task starts
`rhcc run`, which ends when its worker does, and waits while another still writes to its folder.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from helpers.cli import BAD_INPUT
from helpers.errors import InputError
from helpers.pipeline.book import build_book
from helpers.pipeline.digest import digest_file
from helpers.pipeline.project import BuildError


def make_books(
    cohorts, study, folders, root, *, jobs, scheduler, suppress_below, shared, report
) -> None:
    """Make the book of each cohort, and tell of all that failed when each has been tried.

    Parameters
    ----------
    cohorts, folders : dict of str to Path
        Of each site its patients, and where its book comes.
    study, root : Path
    jobs : int or None
        How many notebooks to run at once: on this machine, or on a scheduler for each book.
    scheduler : str or None
        Address of a Dask scheduler; processes of this machine where None.
    suppress_below : int
    shared : list of Path
        Files by which a worker is known to see the folders that are seen here.
    report : callable
        Called with lines of progress.

    Raises
    ------
    InputError
        An input cannot be used, or no scheduler answers.
    BuildError
        A book could not be made, or workers were lost and did not come back.
    """
    jobs = jobs or (1 if scheduler else os.cpu_count() or 1)
    n_worker = min(jobs, len(cohorts))
    if scheduler is None and n_worker == 1:
        options = {"jobs": jobs, "suppress_below": suppress_below, "root": root}
        failures = _make_in_turn(cohorts, study, folders, options, report)
    else:
        options = ["--study", study.absolute(), "--suppress-below", suppress_below]
        options += ["--jobs", jobs if scheduler else jobs // n_worker]
        commands = {
            site: ["run", cohort.absolute(), "--out", folders[site], *options]
            for site, cohort in cohorts.items()
        }
        seen = {
            site: {path.absolute(): digest_file(path) for path in (cohort, study, *shared)}
            for site, cohort in cohorts.items()
        }
        workers = {"scheduler": scheduler, "jobs": n_worker}
        failures = _make_on_dask(commands, seen, root, workers, report)
    problems = [f"{site}: {line}" for site in cohorts for line in failures.get(site, (0, []))[1]]
    if any(bad_input for bad_input, _ in failures.values()):
        raise InputError("cohorts", problems)
    if problems:
        raise BuildError("\n".join(problems))


def end_with_stdin() -> None:
    """End this process, as if it was interrupted, when its standard input ends."""

    def watch():
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _make_in_turn(cohorts, study, folders, options, report):
    """Return by site whether its input is bad, and the problems, of each book that failed."""
    failures = {}
    for site, cohort in cohorts.items():
        report(f"{site}:")
        try:
            build_book(
                cohort, study, folders[site], report=lambda line: report(f"  {line}"), **options
            )
        except (InputError, BuildError) as error:
            failures[site] = isinstance(error, InputError), str(error).splitlines()
    return failures


def _make_on_dask(commands, seen, root, workers, report):
    """The same on Dask."""
    from helpers.tasks import run_tasks

    failures = {}

    def prepare(submit, left):
        return lambda site: submit(_run_apart, commands[site], seen[site], root)

    def take(site, done):
        status, lines, problems = done
        for line in [f"{site}:", *(f"  {line}" for line in lines)]:
            report(line)
        if status:
            ended = [f"the process that made its book ended with status {status}"]
            failures[site] = status == BAD_INPUT, problems or ended

    advice = "run it again: no book that is made is made again"
    run_tasks(prepare, list(commands), take, unit="book", advice=advice, **workers)
    return failures


def _run_apart(command, seen, root):
    """Run `rhcc` in a process that ends with this one; its status, and what it said."""
    from helpers.tasks import require_same_files

    require_same_files(seen)
    ends, held = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "helpers.cli", *map(str, command), "--bound"],
            cwd=root,
            stdin=ends,
            capture_output=True,
            encoding="utf-8",
        )
    finally:
        os.close(ends)
        os.close(held)
    problems = [line.removeprefix("error: ") for line in done.stderr.splitlines()]
    return done.returncode, done.stdout.splitlines(), problems
