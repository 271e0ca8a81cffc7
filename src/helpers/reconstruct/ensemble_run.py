"""Draws on Dask: on this machine's processors, or on any scheduler by its address.

The workers only compute. One process, that which was asked for the ensemble, writes the files;
a draw whose file stands is never made again, and one whose worker or scheduler was lost is.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from concurrent import futures
from contextlib import contextmanager
from dataclasses import asdict

from distributed import Client, LocalCluster, as_completed
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker
from distributed.utils import silence_logging_cmgr
from tqdm import tqdm

from helpers.batch.scores import Scorer, score_draws
from helpers.cohort import load_cohort
from helpers.determined import digest_file, summarize_ensemble, write_ensemble
from helpers.errors import InputError
from helpers.pipeline.project import BuildError
from helpers.published import load_ledger
from helpers.reconstruct.ensemble import draw_cohort, find_start, prepare_origin, start_of
from helpers.reconstruct.ensemble_files import EnsembleFolder
from helpers.reconstruct.samples import SearchError
from helpers.study import load_study
from helpers.whole_file import require_folder

AHEAD = 4  # draws for each worker that the scheduler knows of
PATIENCE = 60.0  # seconds that a lost scheduler is waited for
CONNECT = 10.0  # seconds to answer at first
PAUSE = 1.0
LOCAL = {
    "threads_per_worker": 1,  # one draw a process
    "dashboard_address": "127.0.0.1:0",
    "silence_logs": logging.CRITICAL,
}
LOST = (
    CommClosedError,
    KilledWorker,
    OSError,
    TimeoutError,
    asyncio.CancelledError,
    futures.CancelledError,
)


class _LostError(Exception):
    """The scheduler, or a worker again and again, was lost."""


def make_ensemble(
    ledger,
    study,
    cohort,
    out,
    seed,
    count,
    *,
    walk=None,
    complete=False,
    statistics=None,
    scores=None,
    resume=False,
    scheduler=None,
    jobs=None,
    patience=PATIENCE,
    report=print,
) -> None:
    """Make the draws of an ensemble that are not there yet, and their statistics.

    Parameters
    ----------
    ledger, study, cohort : path-like
        The print, its study file, and a cohort that holds the print.
    out : path-like
        Folder of the draws, see `helpers.reconstruct.ensemble_files`.
    seed, count : int
        Of the ensemble; its draws are numbered from 1 to `count`.
    walk : Walk, optional
    complete : bool
        Whether a draw is to have every column of a cohort, not only those of survival.
    statistics : path-like, optional
        CSV file for `helpers.determined.summarize_ensemble`.
    scores : path-like, optional
        CSV file for `helpers.batch.scores.score_draws`.
    resume : bool
        Whether `out` may hold draws of this ensemble.
    scheduler, jobs, patience
        See `run_draws`.
    report : callable
        Receives lines of text.

    Raises
    ------
    InputError
        An input is not fit, or `out` holds something else.
    BuildError
        Workers were lost and did not come back.
    """
    meaning = load_study(study)
    if not meaning.synthetic:
        problem = "synthetic: draws start from the cohort's own rows; none may be a real patient's"
        raise InputError(study, [problem])
    patients = load_cohort(cohort, meaning)
    printed = load_ledger(ledger)
    try:
        origin = prepare_origin(printed, meaning, patients, cohort, walk, complete)
        scorer = Scorer(printed, meaning) if scores else None
    except ValueError as error:
        raise InputError(study, [str(error)]) from None
    for file in (statistics, scores):
        if file:
            require_folder(file)
    folder = EnsembleFolder(out)
    shared = {
        "seed": seed,
        "walk": asdict(origin.walk),
        "complete": complete,
        "cohort_sha256": digest_file(cohort),
        "ledger_sha256": digest_file(ledger),
        "study_sha256": digest_file(study),
    }
    folder.open(shared, resume=resume)
    missing = sorted(set(range(1, count + 1)).difference(folder.numbers()))
    if missing:

        def write(number, drawn, nearness):
            folder.write(number, seed, drawn, nearness)

        options = {"scheduler": scheduler, "jobs": jobs, "patience": patience}
        run_draws(origin, seed, missing, write, **options)
    report(f"{len(folder.numbers())} draws, {len(missing)} of them new: {folder.folder}")
    if not (statistics or scores):
        return
    draws = folder.read()
    draws = draws[draws["draw"] <= count]
    if statistics:
        ensemble = summarize_ensemble(draws, patients, shared["cohort_sha256"])
        write_ensemble(ensemble, statistics)
        report(f"their unprinted numbers: {statistics}")
    if scores:
        write_ensemble(score_draws(draws, meaning, scorer), scores)
        report(f"the verdict of each printed number in each draw: {scores}")


def run_draws(origin, seed, numbers, write, *, scheduler=None, jobs=None, patience=PATIENCE):
    """Make draws and hand each to `write` as it is done, in any order.

    Parameters
    ----------
    origin : Origin
    seed : int
    numbers : sequence of int
        Of the draws.
    write : callable
        Takes number, patients and nearness. What it raises ends the run.
    scheduler : str or None
        Address of a Dask scheduler; processes of this machine where None.
    jobs : int or None
        How many processes of this machine; one for each processor where None.
    patience : float
        Seconds that a scheduler that is lost is waited for.

    Raises
    ------
    InputError
        No scheduler answers at the address.
    BuildError
        The scheduler, or its workers, were lost and did not come back.
    """
    left, lost_at = sorted(numbers), None
    with (
        silence_logging_cmgr(logging.CRITICAL),  # Dask tells of a loss in tracebacks
        silence_logging_cmgr(logging.CRITICAL, "distributed.client"),
        _cluster(scheduler, jobs) as address,
        tqdm(total=len(left), unit="draw") as bar,
    ):
        _connect(address).close()
        while left:
            made = set()
            try:
                for number, *draw in _draw_all(address, origin, seed, left):
                    write(number, *draw)
                    made.add(number)
                    bar.set_postfix_str("", refresh=False)
                    bar.update()
            except _LostError as error:
                now = time.monotonic()
                lost_at = now if made or lost_at is None else lost_at
                if now - lost_at > patience:
                    raise BuildError(
                        f"the scheduler or its workers were lost ({error}) with "
                        f"{len(left) - len(made)} draws to make; go on with --resume"
                    ) from None
                bar.set_postfix_str("scheduler or workers lost, asking again")
                time.sleep(PAUSE)
            left = [number for number in left if number not in made]


def _draw_all(address, origin, seed, numbers):
    """Yield number, patients and nearness of each draw, in any order.

    The scheduler knows of a few draws more than it has workers.
    """
    run = uuid.uuid4().hex  # two runs on one scheduler do not take each other's draws
    waiting = iter(numbers)
    try:
        with Client(address, timeout=CONNECT, set_as_default=False) as client:
            shared = client.submit(_same, origin, key=f"origin-{run}")
            starts = {
                start: client.submit(find_start, shared, seed, start, key=(f"start-{run}", start))
                for start in sorted({start_of(origin, number) for number in numbers})
            }

            def submit(number):
                start = starts[start_of(origin, number)]
                key = (f"draw-{run}", number)
                return client.submit(draw_cohort, shared, seed, number, start, key=key)

            n_worker = len(client.scheduler_info(n_workers=-1)["workers"])
            first = [submit(n) for n in itertools.islice(waiting, AHEAD * max(1, n_worker))]
            running = as_completed(first, loop=client.loop)
            del first
            for future in running:
                yield future.key[1], *future.result()
                for number in itertools.islice(waiting, 1):
                    running.add(submit(number))
    except LOST as error:
        raise _LostError(type(error).__name__) from error
    except SearchError as error:
        raise BuildError(str(error)) from None


def _same(value):
    """A value as a task, so that a scheduler can bring it back where a worker was lost."""
    return value


@contextmanager
def _cluster(scheduler, jobs):
    """The address of the scheduler: the one given, or one with processes of this machine."""
    if scheduler is not None:
        yield scheduler
        return
    with LocalCluster(n_workers=jobs, **LOCAL) as cluster:
        yield cluster.scheduler_address


def _connect(address):
    try:
        return Client(address, timeout=CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        problem = f"no Dask scheduler answers there ({error}); start one with: dask scheduler"
        raise InputError(address, [problem]) from None
