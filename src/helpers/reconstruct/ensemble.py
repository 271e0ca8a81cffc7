"""Other cohorts that hold the same print: each is reached by a long walk from one of a few starts.

The walk measures the Cox models against what small changes of the order reach, so that it goes
freely where the print can be regained, long enough to lose the memory of the order it started
from. It keeps what it cannot change on the way, such as the number of deaths at a level; that
differs between the starts, which are the cohort and short searches of their own. The walk is then
cooled, both orders are rearranged as a whole, the labels in no joint model settled anew and
mended, and all days drawn anew, as in the search. A start follows from the ensemble's seed and
its number, and a draw from the seed and the number of the draw, so that a draw is the same
wherever, whenever and after whatever else it is made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.reconstruct.aims import TINY, aim_at_models, aim_at_order, free_blocks
from helpers.reconstruct.days import spread_days
from helpers.reconstruct.kernel import Problem, evaluate
from helpers.reconstruct.nearness import Nearness
from helpers.reconstruct.patients import fill_patients
from helpers.reconstruct.rearrange import rearrange
from helpers.reconstruct.search import MENDING, SOFTNESS, Plan, relabel, search_survival
from helpers.reconstruct.stiffness import measure_reach
from helpers.reconstruct.survival_state import (
    blank_copy,
    count_hits,
    make_state,
    restore,
    to_patients,
)
from helpers.reconstruct.survival_targets import SurvivalTargets, read_survival_targets
from helpers.reconstruct.walks import cool, random_bits, walk
from helpers.study import Study

REACH_SEED = 1  # of the moves by which the reach is measured


@dataclass(frozen=True)
class Walk:
    """How far a draw goes from the cohort, and how it comes back.

    Attributes
    ----------
    n_starts : int
        The cohort, and searches from nothing. Draws take them in turn.
    n_searching : int
        Steps of each of these searches.
    n_steps : int
        Of the walk.
    n_cooling : int
        Of the way back.
    n_sum : int
        Sums that a rearrangement carries on: see `rearrange.rearrange`.
    n_settling : int
        Steps in which the labels of a covariate are settled.
    n_mends : int
        Times at most that these labels are mended: see `search.relabel`.
    n_tries : int
        Walks, each from the end of the one before, until one comes back to the print; and
        searches for a start, until one gives back all curves.
    """

    n_starts: int = 5
    n_searching: int = 20_000_000
    n_steps: int = 200_000
    n_cooling: int = 2_000_000
    n_sum: int = 100_000
    n_settling: int = 3_000_000
    n_mends: int = 2
    n_tries: int = 4


@dataclass(frozen=True)
class Origin:
    """The cohort that an ensemble starts from, as the search sees it.

    Attributes
    ----------
    study : Study
    targets : SurvivalTargets
    arrays : tuple of ndarray
        Covariates, and patients, events and days in order: see `survival_state.make_state`.
    reach : list of ndarray
        What small changes of either order do: see `stiffness.measure_reach`.
    walk : Walk
    ledger : DataFrame or None
        The print, where a draw is to have every column of a cohort and not only survival.
    """

    study: Study
    targets: SurvivalTargets
    arrays: tuple
    reach: list[np.ndarray]
    walk: Walk
    ledger: pd.DataFrame | None = None

    @property
    def problem(self) -> Problem:
        return self.targets.problem


def prepare_origin(ledger, study, cohort, source, walk=None, complete=False) -> Origin:
    """The start of an ensemble.

    Parameters
    ----------
    ledger : DataFrame
    study : Study
    cohort : Cohort
        With the printed counts, and no two equal times of an endpoint.
    source : path-like
        Its file, which an error names.
    walk : Walk, optional
    complete : bool
        Whether a draw is to have every column of a cohort.

    Raises
    ------
    InputError
        The cohort has not the printed counts.
    ValueError
        The study is not one that can be searched, or a number is missing from the print.
    """
    targets = read_survival_targets(ledger, study)
    data = cohort.data
    if problems := _find_problems(targets, data):
        raise InputError(source, problems)
    x = np.column_stack(
        [data[name] == targets.levels[name][1] for name in targets.variables]
    ).astype(np.int8)
    days, events = [], []
    for key in targets.endpoints:
        per_unit = study.time.per(study.endpoints[key].unit)
        days.append(np.rint(data[f"{key}_time"].to_numpy() * per_unit).astype(np.int64))
        events.append(data[f"{key}_event"].to_numpy(np.int8))
    order = np.argsort(days, axis=1, kind="stable")
    days, events = (np.take_along_axis(np.array(part), order, axis=1) for part in (days, events))
    arrays = (x, order, events, days)
    state = make_state(targets.problem, *arrays, random_bits(REACH_SEED, 0))
    reach = measure_reach(targets.problem, state, np.random.default_rng(REACH_SEED))
    return Origin(study, targets, arrays, reach, walk or Walk(), ledger if complete else None)


def _find_problems(targets, data):
    """Where the counts of a cohort are not those of the print."""
    counts = [
        (f"patients in arm {arm}", (data["arm"] == arm).sum(), size)
        for arm, size in targets.sizes.items()
    ]
    counts += [
        (f"patients with {name} {level} in arm {arm}", found.sum(), n)
        for (name, arm), n in targets.exposed.items()
        for level in targets.levels[name][1:]
        for found in [(data["arm"] == arm) & (data[name] == level)]
    ]
    counts += [
        (f"events of {key}", data[f"{key}_event"].sum(), n) for key, n in targets.n_event.items()
    ]
    problems = [
        f"{what}: the cohort has {found:g}, and should have {n}"
        for what, found, n in counts
        if found != n
    ]
    for key in targets.endpoints:
        time = data[f"{key}_time"]
        if time.isna().any() or time.duplicated().any():
            problems.append(f"{key}: a time is missing, or two patients have the same")
    return problems


def start_of(origin, number) -> int:
    """The start of a draw, by its number; start 0 is the cohort itself."""
    return number % origin.walk.n_starts


def find_start(origin, seed, start) -> tuple:
    """The covariates and orders that the walks of a start begin with.

    They give back all curves, if a few searches find such: walks do not come back to one lost.

    Parameters
    ----------
    origin : Origin
    seed : int
        Of the ensemble.
    start : int
        See `start_of`.

    Returns
    -------
    tuple of ndarray
        As in `Origin.arrays`.
    """
    if start == 0:
        return origin.arrays
    plan = Plan(n_steps=origin.walk.n_searching, n_rounds=0)
    for attempt in range(origin.walk.n_tries):
        own_seed = int(np.random.SeedSequence([seed, start, attempt]).generate_state(1)[0])
        state, _ = search_survival(origin.targets, own_seed, plan)
        if measure_nearness(origin.problem, state).holds_curves:
            break
    return blank_copy(state)


def draw_cohort(origin, seed, number, start=None) -> tuple[pd.DataFrame, Nearness]:
    """Draw one cohort: the first that holds the print, or the nearest of a few.

    Parameters
    ----------
    origin : Origin
    seed : int
        Of the ensemble.
    number : int
        Of the draw, from 1.
    start : tuple of ndarray, optional
        What `find_start` found for the start of this number; found anew if it is not given.

    Returns
    -------
    patients : DataFrame
        As of `survival_state.to_patients`; a whole cohort file where the origin says so.
    nearness : Nearness

    Raises
    ------
    SearchError
        No values were found for a column beside survival.
    """
    problem, way = origin.problem, origin.walk
    arrays = start or find_start(origin, seed, start_of(origin, number))
    state = make_state(problem, *arrays, random_bits(seed, number))
    rng = np.random.default_rng([seed, number])
    models = aim_at_models(problem, TINY)
    tries = []
    while len(tries) < way.n_tries and not (tries and tries[-1][0].holds_print):
        walk(problem, origin.reach, state, way.n_steps)
        cool(models, origin.reach, state, way.n_cooling)
        restore(problem, state, blank_copy(state))
        for e in range(2):
            rearrange(aim_at_order(problem, e), state, rng, SOFTNESS[0], way.n_sum)
        for block in free_blocks(problem):
            relabel(problem, block, state, rng, way.n_settling, way.n_mends, MENDING[:1])
        tries.append((measure_nearness(problem, state), blank_copy(state)))
    nearness, nearest = min(tries, key=lambda found: (not found[0].holds_print, found[0].energy))
    restore(problem, state, nearest)
    spread_days(problem, state, (0, 1))
    patients = to_patients(origin.targets, state, origin.study)
    if origin.ledger is not None:
        own_seed = int(random_bits(seed, number)[0])
        patients = fill_patients(patients, origin.ledger, origin.study, own_seed)
    return patients, nearness


def trace_walk(origin, seed, n_legs, n_steps) -> list[pd.DataFrame]:
    """The patients along a walk after each leg of `n_steps` steps."""
    state = make_state(origin.problem, *origin.arrays, random_bits(seed, 0))
    found = []
    for _ in range(n_legs):
        walk(origin.problem, origin.reach, state, n_steps)
        found.append(to_patients(origin.targets, state, origin.study))
    return found


def measure_origin(origin) -> Nearness:
    """How near the cohort of the start comes to the print."""
    state = make_state(origin.problem, *origin.arrays, np.ones(1, np.uint64))
    return measure_nearness(origin.problem, state)


def measure_nearness(problem, state) -> Nearness:
    """Count the printed numbers that a state gives back."""
    energy = evaluate(problem, state)
    hits = count_hits(problem, state)
    n_hit, n_printed = (sum(pair[part] for pair in hits.values()) for part in (0, 1))
    return Nearness(n_hit, n_printed, *hits["Kaplan-Meier"], energy)
