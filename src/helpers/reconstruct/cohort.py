"""A synthetic cohort from printed numbers, from the ledger to the file."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from helpers.errors import InputError
from helpers.published import load_ledger
from helpers.reconstruct.patients import fill_patients
from helpers.reconstruct.samples import SearchError
from helpers.reconstruct.search import Plan, search_survival
from helpers.reconstruct.survival_state import count_hits, to_patients
from helpers.reconstruct.survival_targets import read_survival_targets
from helpers.study import load_study
from helpers.whole_file import require_folder, whole_file


def reconstruct_cohort(
    ledger,
    study,
    out,
    seed,
    *,
    n_steps=None,
    n_rounds=None,
    minutes=None,
    report=print,
) -> None:
    """Search for survival that gives back the print, fill in all else, and write the cohort.

    Parameters
    ----------
    ledger, study, out : path-like
    seed : int
    n_steps, n_rounds : int or None
        Length of the search; that of `Plan` where None.
    minutes : float or None
        Stop the search after so long, with the best found so far.
    report : callable
        Receives lines of text.

    Raises
    ------
    InputError
        The study file asks for what the search cannot do, or a printed number is missing.
    """
    known = {"n_steps": n_steps, "n_rounds": n_rounds}
    plan = replace(Plan(), **{key: value for key, value in known.items() if value is not None})
    printed, meaning = load_ledger(ledger), load_study(study)
    out = Path(out)
    require_folder(out)
    checkpoint = out.with_name(out.name + ".search")
    try:
        targets = read_survival_targets(printed, meaning)
        state, trace = _search(targets, seed, plan, checkpoint, minutes)
        patients = to_patients(targets, state, meaning)
        cohort = fill_patients(patients, printed, meaning, seed)
    except (ValueError, SearchError) as error:
        raise InputError(study, [str(error)]) from None
    for table, path in ((trace, trace_path(out)), (cohort, out)):
        with whole_file(path) as file:
            table.to_csv(file, index=False, lineterminator="\n")
    for block, (n, total) in count_hits(targets.problem, state).items():
        report(f"{block}: {n} of {total} printed numbers")
    report(f"{len(cohort)} synthetic patients: {out}")


def trace_path(cohort) -> Path:
    """The file beside a cohort that tells how its search went."""
    return Path(cohort).with_name(Path(cohort).stem + "_search.csv")


def _search(targets, seed, plan, checkpoint, minutes):
    started = time.monotonic()
    n_legs = plan.n_legs(targets.problem)
    with tqdm(total=n_legs, unit="leg", file=sys.stderr, mininterval=5) as bar:

        def show(leg, hits):
            bar.update(leg - bar.n)
            bar.set_postfix({block: n for block, (n, _) in hits.items()})
            return minutes is None or time.monotonic() - started < 60 * minutes

        return search_survival(targets, seed, plan, checkpoint, show)
