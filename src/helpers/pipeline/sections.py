"""The results of every section, computed before the notebooks that show them."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat

from helpers.pipeline.kernels import CAN_FORK, CONTEXT, preload
from helpers.pipeline.project import BuildError


def compute_sections(path, study, jobs) -> dict:
    """Compute the results of every section, each in a process of its own.

    Parameters
    ----------
    path : Path
        A cohort file whose patients are prepared, see `helpers.prepared`.
    study : Study
        Small counts are hidden if it says so.
    jobs : int
        How many processes run at once.

    Returns
    -------
    dict of str to DataFrame

    Raises
    ------
    BuildError
        A section could not be computed.
    """
    from helpers.sections import SECTIONS, hide_small_counts

    if CAN_FORK:
        preload()
    pool = ProcessPoolExecutor(jobs, mp_context=CONTEXT, max_tasks_per_child=1)
    try:
        computed = pool.map(_compute, SECTIONS, repeat(path), repeat(study))
        results = dict(zip(SECTIONS, computed, strict=True))
    except BrokenProcessPool:
        raise BuildError("a process that computed results was stopped") from None
    except BaseException:
        for worker in (pool._processes or {}).values():
            worker.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return hide_small_counts(results, study)


def _compute(name, path, study):
    from helpers.prepared import open_cohort
    from helpers.sections import SECTIONS

    try:
        return SECTIONS[name](open_cohort(path, study))
    except Exception as error:
        raise BuildError(f"{name}: {type(error).__name__}: {error}") from None
