"""The draws of an ensemble on Dask.

The workers only compute. One process, that which was asked for the ensemble, writes the files;
a draw whose file stands is never made again.
"""

from __future__ import annotations

from dataclasses import asdict

from helpers.batch.scores import Scorer, score_draws
from helpers.cohort import load_cohort
from helpers.determined import summarize_ensemble, write_ensemble
from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.pipeline.project import BuildError
from helpers.published import load_ledger
from helpers.reconstruct.ensemble import draw_cohort, find_start, prepare_origin, start_of
from helpers.reconstruct.ensemble_files import EnsembleFolder
from helpers.reconstruct.samples import SearchError
from helpers.study import load_study
from helpers.tasks import PATIENCE, run_tasks, same
from helpers.whole_file import require_folder


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
        See `helpers.tasks.run_tasks`.
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

    def write(number, drawn, nearness):
        folder.write(number, seed, drawn, nearness)

    with folder.writing():
        missing = sorted(set(range(1, count + 1)).difference(folder.numbers()))
        if missing:
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


def run_draws(origin, seed, numbers, write, **options) -> None:
    """Make draws and hand each to `write` as it is done, in any order.

    Parameters
    ----------
    origin : Origin
    seed : int
    numbers : sequence of int
        Of the draws.
    write : callable
        Takes number, patients and nearness. What it raises ends the run.
    **options
        Scheduler, jobs and patience of `helpers.tasks.run_tasks`.

    Raises
    ------
    InputError
        No scheduler answers at the address.
    BuildError
        The scheduler, or its workers, were lost and did not come back; or a draw found no values.
    """

    def prepare(submit, left):
        shared = submit(same, origin)
        starts = {
            start: submit(find_start, shared, seed, start)
            for start in sorted({start_of(origin, number) for number in left})
        }

        def submit_one(number):
            start = starts[start_of(origin, number)]
            return submit(draw_cohort, shared, seed, number, start)

        return submit_one

    def take(number, draw):
        write(number, *draw)

    told = {"unit": "draw", "advice": "go on with --resume"}
    try:
        run_tasks(prepare, sorted(numbers), take, **told, **options)
    except SearchError as error:
        raise BuildError(str(error)) from None
