"""The survival search from a seed to patients: its stages, its checkpoint, its progress."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.reconstruct.aims import aim_at_labels, aim_at_models, aim_at_order
from helpers.reconstruct.combinations import combine_moves
from helpers.reconstruct.kernel import State, anneal
from helpers.reconstruct.numbers import compute_numbers, distance
from helpers.reconstruct.stiffness import measure_reach, stiffen
from helpers.reconstruct.survival_state import (
    blank_copy,
    count_hits,
    draw_state,
    make_state,
    restore,
)
from helpers.reconstruct.walks import (
    COOLING,
    LOOSE,
    SETTLING,
    SHARES,
    label_shares,
    random_bits,
    settle,
    shake,
)
from helpers.whole_file import whole_file

LEG = 2_000_000  # annealing steps between two checkpoints
TREATMENT_STEPS, TREATMENT_HEAT = 1_000_000, (1e4, 0.5)
STAGES = (  # share of the reach, first and last temperature, percent of the steps
    (20.0, 20000.0, 200.0, 10),
    (1.0, 1500.0, 0.4, 50),
    *((share, hot, cold, percent * 40 // 100) for share, hot, cold, percent in COOLING),
)
N_SHAKE, N_SETTLE = 300_000, 6_000_000  # steps
FAR, NEAR = (100.0, 30.0, 8.0), (8.0, 3.0, 1.0)  # half-windows, see `numbers.distance`
OUTER, INNER, LABELS = 0, 1, None  # the order of an endpoint, or the labels
TURNS = (  # what is brought nearer, how softly, and percent of the rounds
    (INNER, FAR, 11),
    (INNER, NEAR, 30),
    (OUTER, FAR, 6),
    (OUTER, NEAR, 24),
    (LABELS, FAR, 8),
    (LABELS, NEAR, 21),
)
SUMS, WORTH = 6, 0.03  # sums of moves at one softness, and half-windows that one must gain
TRACE = ["leg", "steps", "block", "n_hit", "n_printed"]


@dataclass(frozen=True)
class Plan:
    """How long to search; with the seed it determines every byte.

    Attributes
    ----------
    n_steps : int
        Steps of annealing, in the shares of `STAGES`.
    n_rounds : int
        Rounds that bring the numbers nearer, in the shares of `TURNS`.
    """

    n_steps: int = 200_000_000
    n_rounds: int = 100

    def legs(self) -> list[tuple[int, int, int]]:
        """Parts of annealing, after each of which the search can be resumed.

        Returns
        -------
        list of (int, int, int)
            The stage, and how many of its steps are done before and after.
        """
        found = []
        for stage in range(len(STAGES)):
            n_steps = self.stage_steps(stage)
            edges = [*range(0, n_steps, LEG), n_steps]
            found += [(stage, low, high) for low, high in itertools.pairwise(edges)]
        return found

    def stage_steps(self, stage) -> int:
        """Steps of a stage."""
        return self.n_steps * STAGES[stage][3] // 100

    def turns(self) -> list[tuple[int | None, tuple[float, ...], bool]]:
        """What each round brings nearer, how softly, and whether it is the first of its kind."""
        found = []
        for aim, softnesses, percent in TURNS:
            n = self.n_rounds * percent // 100
            found += [(aim, softnesses, number == 0) for number in range(n)]
        return found

    @property
    def n_legs(self) -> int:
        """All parts of the search."""
        return 1 + len(self.legs()) + len(self.turns())


def search_survival(targets, seed, plan, checkpoint=None, report=lambda leg, hits: True):
    """Search for an order of times, events and covariates that gives back the print.

    Annealing first on the treatment's own numbers, then on those of all covariates in joint
    models, which are measured first against what small changes of the order can still reach. Sums
    of small moves then bring the numbers of one endpoint nearer by changes of its order alone, and
    then those of the other. Last come the covariates in no joint model, by their labels alone.

    Parameters
    ----------
    targets : SurvivalTargets
    seed : int
    plan : Plan
    checkpoint : path-like or None
        File from which an interrupted search goes on and to which its state is written.
    report : callable
        Called after each leg with its number and the hits by block; the search stops where it
        answers False.

    Returns
    -------
    state : State
        Where the search ended.
    trace : DataFrame
        Numbers hit by leg and block.

    Raises
    ------
    InputError
        The checkpoint is of another seed, plan or print.
    """
    problem = targets.problem
    mark = json.dumps([seed, asdict(plan), STAGES, TURNS, _digest(problem)])
    run = _resume(targets, seed, mark, checkpoint)
    while run.leg < plan.n_legs:
        steps = _go_one_leg(problem, plan, seed, run)
        run.leg += 1
        hits = count_hits(problem, make_state(problem, *run.best, run.state.rng))
        done = (run.trace[-1][1] if run.trace else 0) + steps
        run.trace += [[run.leg, done, block, n, total] for block, (n, total) in hits.items()]
        if checkpoint is not None:
            _write_checkpoint(checkpoint, mark, run)
        if report(run.leg, hits) is False or all(n == total for n, total in hits.values()):
            break
    return make_state(problem, *run.best, run.state.rng), pd.DataFrame(run.trace, columns=TRACE)


@dataclass
class _Run:
    """Where a search stands: parts done, the state, the best, and hits by part."""

    leg: int
    state: State
    best: tuple
    reach: list
    trace: list


def _go_one_leg(problem, plan, seed, run):
    """One part of the search; the number of its annealing steps."""
    labels = label_shares(problem)
    state, best = run.state, run.best
    if run.leg == 0:
        only = problem._replace(
            row_weight=np.where(np.arange(problem.row.shape[1]) == 0, 1.0, 0.0) * np.ones((2, 1)),
            joint_weight=np.zeros(2),
            curve_weight=problem.curve_weight * (problem.curve_covariate < 0),
            test_weight=np.zeros_like(problem.test_weight),
        )
        shares = np.array([0.5, 1.0])
        anneal(only, state, best, TREATMENT_STEPS, *TREATMENT_HEAT, shares, labels)
        restore(problem, state, best)
        return TREATMENT_STEPS
    legs = plan.legs()
    if run.leg > len(legs):
        return _bring_nearer(problem, run, seed, *plan.turns()[run.leg - 1 - len(legs)])
    stage, low, high = legs[run.leg - 1]
    share, hot, cold, _ = STAGES[stage]
    if low == 0:
        restore(problem, state, best)
        run.reach = measure_reach(problem, state, np.random.default_rng([seed, run.leg]))
    stiff = stiffen(aim_at_models(problem), run.reach, share)
    if low == 0:
        restore(stiff, state, best)
        _copy(best, blank_copy(state))
    n_steps = plan.stage_steps(stage)
    heat = [hot * (cold / hot) ** (at / n_steps) for at in (low, high)]
    anneal(stiff, state, best, high - low, *heat, SHARES, labels)
    return high - low


def _bring_nearer(problem, run, seed, target, softnesses, is_first):
    """Shake what is aimed at, and bring it nearer; the number of steps."""
    state, rng = run.state, np.random.default_rng([seed, run.leg])
    aim = aim_at_labels(problem) if target is LABELS else aim_at_order(problem, target)
    restore(problem, state, run.best)
    state.rng[:] = random_bits(seed, run.leg)
    if is_first:
        run.reach = measure_reach(problem, state, rng)
    if target is LABELS:
        n_steps, heat = (N_SETTLE, SETTLING) if is_first and softnesses is FAR else (N_SHAKE, LOOSE)
        settle(problem, aim, state, n_steps, heat)
    elif is_first:
        n_steps = 0
    else:
        n_steps = N_SHAKE
        shake(aim.problem, run.reach, state, n_steps, target)
        restore(problem, state, blank_copy(state))
    for softness in softnesses:
        found = np.inf
        for _ in range(SUMS):
            before, found = found, combine_moves(aim, state, rng, softness)
            if before - found < WORTH:
                break
    best = make_state(problem, *run.best, state.rng)
    if is_first or _distance(aim, state, softnesses) < _distance(aim, best, softnesses):
        _copy(run.best, blank_copy(state))
    return n_steps


def _distance(aim, state, softnesses):
    return distance(compute_numbers(aim.problem, state, aim.windows), aim.windows, softnesses[-1])


def _copy(target, source):
    for to, part in zip(target, source, strict=True):
        to[:] = part


def _digest(problem):
    whole = hashlib.sha256()
    for part in problem:
        whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()


def _resume(targets, seed, mark, checkpoint):
    if checkpoint is None or not Path(checkpoint).exists():
        state = draw_state(targets, seed)
        return _Run(0, state, blank_copy(state), [], [])
    with np.load(checkpoint, allow_pickle=False) as saved:
        if str(saved["mark"]) != mark:
            raise InputError(
                checkpoint,
                ["is the checkpoint of another seed, plan or print; remove it or name another"],
            )
        current = [saved[f"state_{part}"] for part in range(4)]
        best = tuple(saved[f"best_{part}"].copy() for part in range(4))
        reach = [saved[key] for key in sorted(saved) if key.startswith("reach_")]
        state = make_state(targets.problem, *current, saved["rng"])
        trace = json.loads(str(saved["trace"]))
        return _Run(int(saved["leg"]), state, best, reach, trace)


def _write_checkpoint(path, mark, run):
    parts = {f"state_{n}": part for n, part in enumerate(blank_copy(run.state))}
    parts |= {f"best_{n}": part for n, part in enumerate(run.best)}
    parts |= {f"reach_{n}": part for n, part in enumerate(run.reach)}
    with whole_file(path, binary=True) as file:
        np.savez(
            file, mark=mark, leg=run.leg, rng=run.state.rng, trace=json.dumps(run.trace), **parts
        )
