"""Tasks on Dask: on this machine's processors, or on any scheduler by its address.

A task that was lost with its worker or its scheduler is run again, and none is taken twice.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import signal
import time
from concurrent import futures
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from distributed import Client, LocalCluster, as_completed
from distributed.comm.core import CommClosedError
from distributed.scheduler import KilledWorker
from distributed.utils import silence_logging_cmgr
from tqdm import tqdm

from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.pipeline.project import BuildError

AHEAD = 4  # tasks for each worker that the scheduler knows of
PATIENCE = 60.0  # seconds that a lost scheduler is waited for
CONNECT = 10.0  # seconds to answer at first
PAUSE = 1.0
LOCAL = {
    "threads_per_worker": 1,  # one task a process
    "memory_limit": 0,  # that of the machine
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


class _TaskError(Exception):
    """A task raised its cause."""


def run_tasks(
    prepare, tasks, take, *, unit, advice, scheduler=None, jobs=None, patience=PATIENCE
) -> None:
    """Run tasks and hand the result of each to `take` as it is done, in any order.

    Parameters
    ----------
    prepare : callable
        Takes `submit`, as `distributed.Client.submit`, and the tasks that are left; gives a
        callable that submits one of them. Called anew when the scheduler was lost.
    tasks : sequence
        Numbers or names.
    take : callable
        Takes a task and its result. What it raises ends the run.
    unit : str
        What a task is, for the reader who waits.
    advice : str
        What to do when the workers do not come back.
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
    Exception
        What a task raised.
    """
    left, lost_at = list(tasks), None
    with (
        silence_logging_cmgr(logging.CRITICAL),  # Dask tells of a loss in tracebacks
        silence_logging_cmgr(logging.CRITICAL, "distributed.client"),
        _cluster(scheduler, jobs) as address,
        tqdm(total=len(left), unit=unit) as bar,
    ):
        require_scheduler(address)
        while left:
            done = set()
            try:
                for task, result in _run(address, prepare, left):
                    with bar.external_write_mode():
                        take(task, result)
                    done.add(task)
                    bar.set_postfix_str("", refresh=False)
                    bar.update()
            except _TaskError as error:
                raise error.__cause__ from None
            except _LostError as error:
                now = time.monotonic()
                lost_at = now if done or lost_at is None else lost_at
                if now - lost_at > patience:
                    raise BuildError(
                        f"the scheduler or its workers were lost ({error}) with "
                        f"{len(left) - len(done)} {unit}s to make; {advice}"
                    ) from None
                bar.set_postfix_str("scheduler or workers lost, asking again")
                time.sleep(PAUSE)
            left = [task for task in left if task not in done]


def _run(address, prepare, left):
    """Yield each task and its result, in any order.

    The scheduler knows of a few tasks more than it has workers.
    """
    waiting, task_of = iter(left), {}
    try:
        with Client(address, timeout=CONNECT, set_as_default=False) as client:
            # Two runs on one scheduler do not take each other's tasks: no key comes twice.
            submit_one = prepare(partial(client.submit, pure=False), left)

            def submit(task):
                future = submit_one(task)
                task_of[future.key] = task
                return future

            n_worker = len(client.scheduler_info(n_workers=-1)["workers"])
            first = [submit(task) for task in itertools.islice(waiting, AHEAD * max(1, n_worker))]
            running = as_completed(first, loop=client.loop)
            del first
            for future in running:
                yield task_of.pop(future.key), _result(future)
                for task in itertools.islice(waiting, 1):
                    running.add(submit(task))
    except LOST as error:
        raise _LostError(type(error).__name__) from error


def _result(future):
    if future.status == "error" and not isinstance(error := future.exception(), KilledWorker):
        raise _TaskError from error
    return future.result()


def same(value):
    """A value as a task, so that a scheduler can bring it back where a worker was lost."""
    return value


def require_scheduler(address) -> None:
    """Make sure that a scheduler answers.

    Raises
    ------
    InputError
        None answers at the address.
    """
    try:
        Client(address, timeout=CONNECT, set_as_default=False).close()
    except (OSError, TimeoutError, ValueError) as error:
        problem = f"no Dask scheduler answers there ({error}); start one with: dask scheduler"
        raise InputError(address, [problem]) from None


def require_same_files(digests) -> None:
    """Make sure, in a task, that this worker sees the files that the run was asked for with.

    Parameters
    ----------
    digests : dict of path-like to str
        SHA-256 of each file.

    Raises
    ------
    InputError
    """
    for path, digest in digests.items():
        if not Path(path).is_file() or digest_file(path) != digest:
            problem = "a worker finds another file or none there; all must see the same files"
            raise InputError(path, [problem])


@contextmanager
def _cluster(scheduler, jobs):
    """The address of the scheduler: the one given, or one with processes of this machine."""
    if scheduler is not None:
        yield scheduler
        return
    with LocalCluster(n_workers=jobs, preload=[__name__], **LOCAL) as cluster:
        yield cluster.scheduler_address


def dask_setup(worker) -> None:
    """Called by Dask in each process of this machine: an interrupt is for the run that ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
