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
from helpers.reconstruct.combinations import (
    combine_moves,
    compute_numbers,
    distance,
    list_windows,
)
from helpers.reconstruct.kernel import State, anneal
from helpers.reconstruct.stiffness import measure_reach, stiffen
from helpers.reconstruct.survival_state import (
    blank_copy,
    count_hits,
    draw_state,
    make_state,
    restore,
)
from helpers.reconstruct.walks import SHARES, cool, label_shares, random_bits, shake, walk
from helpers.whole_file import whole_file

LEG = 2_000_000  # annealing steps between two checkpoints
TREATMENT_STEPS, TREATMENT_HEAT = 1_000_000, (1e4, 0.5)
STAGES = (  # share of the reach, first and last temperature, sixths of the steps
    (20.0, 20000.0, 200.0, 1),
    (1.0, 1500.0, 0.4, 5),
)
N_WALK, N_COOLING, N_SHAKE = 200_000, 5_000_000, 500_000  # steps
BOTH = None  # orders, and the labels
KEPT = 3  # draws that are brought nearer in turn
TURNS = (0, 1, BOTH)  # what is shaken, one after the other
SOFTNESSES = (8.0, 3.0, 1.0)  # half-windows, see `distance`: first all numbers, then many exactly
SUMS, WORTH = 6, 0.03  # sums of moves at one softness, and half-windows that one must gain
MOVES = 0.6  # share of moves that a sum may be made of
TRACE = ["leg", "steps", "block", "n_hit", "n_printed"]


@dataclass(frozen=True)
class Plan:
    """How long to search; with the seed it determines every byte.

    Attributes
    ----------
    n_steps : int
        Steps of annealing on all numbers, in the shares of `STAGES`.
    n_draws : int
        Walks from where annealing ended, each to an order of its own.
    n_rounds : int
        Rounds of shaking the nearest of these, in turn.
    """

    n_steps: int = 120_000_000
    n_draws: int = 32
    n_rounds: int = 90

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
        return self.n_steps * STAGES[stage][3] // 6

    @property
    def n_legs(self) -> int:
        """All parts of the search."""
        return 1 + len(self.legs()) + self.n_draws + self.n_rounds


def search_survival(targets, seed, plan, checkpoint=None, report=lambda leg, hits: True):
    """Search for an order of times, events and covariates that gives back the print.

    Annealing first on the treatment's own numbers, then on all of them, which are measured first
    against what small changes of the order can still reach. Walks then lead to other orders that
    hold the print about as well, where sums of a few moves bring it nearer. The nearest of them are
    shaken and brought nearer again and again. Kept is what gives back most numbers.

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
        The state that gives back most numbers, and of these the nearest.
    trace : DataFrame
        Numbers hit by leg and block.

    Raises
    ------
    InputError
        The checkpoint is of another seed, plan or print.
    """
    problem = targets.problem
    mark = json.dumps([seed, asdict(plan), STAGES, _digest(problem)])
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
    """Where a search stands: parts done, the states, what changes reach, and hits by part."""

    leg: int
    state: State
    best: tuple
    annealed: tuple
    kept: list
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
        turn = run.leg - 1 - len(legs) - plan.n_draws
        steps = _draw(problem, run, seed) if turn < 0 else _improve(problem, run, seed, turn)
        _keep_best(problem, run)
        return steps
    stage, low, high = legs[run.leg - 1]
    share, hot, cold, _ = STAGES[stage]
    if low == 0:
        restore(problem, state, best)
        run.reach = measure_reach(problem, state, np.random.default_rng([seed, run.leg]))
    n_steps = plan.stage_steps(stage)
    heat = [hot * (cold / hot) ** (at / n_steps) for at in (low, high)]
    anneal(stiffen(problem, run.reach, share), state, best, high - low, *heat, SHARES, labels)
    return high - low


def _draw(problem, run, seed):
    """Walk from where annealing ended to an order of its own; the number of steps.

    Each draw follows from its number alone. The nearest few are kept.
    """
    state = run.state
    if not run.kept:
        _copy(run.annealed, run.best)
        restore(problem, state, run.best)
        run.reach = measure_reach(problem, state, np.random.default_rng([seed, run.leg]))
    restore(problem, state, run.annealed)
    state.rng[:] = random_bits(seed, run.leg)
    walk(problem, run.reach, state, N_WALK)
    cool(problem, run.reach, state, N_COOLING)
    _bring_nearer(problem, state, np.random.default_rng([seed, run.leg]), BOTH)
    run.kept.append(blank_copy(state))
    run.kept.sort(key=lambda kept: _distance(problem, make_state(problem, *kept, state.rng)))
    del run.kept[KEPT:]
    return N_WALK + N_COOLING


def _improve(problem, run, seed, turn):
    """Shake one of the orders kept, or both, and bring it nearer; the number of steps."""
    state, place = run.state, turn % len(run.kept)
    restore(problem, state, run.kept[place])
    nearest = _distance(problem, state)
    endpoint = TURNS[turn // len(run.kept) % len(TURNS)]
    state.rng[:] = random_bits(seed, run.leg)
    shake(problem, run.reach, state, N_SHAKE, endpoint)
    restore(problem, state, blank_copy(state))
    _bring_nearer(problem, state, np.random.default_rng([seed, run.leg]), endpoint)
    if _distance(problem, state) < nearest:
        run.kept[place] = blank_copy(state)
    return N_SHAKE


def _keep_best(problem, run):
    best = make_state(problem, *run.best, run.state.rng)
    if _rank(problem, run.state) > _rank(problem, best):
        _copy(run.best, blank_copy(run.state))


def _bring_nearer(problem, state, rng, endpoint):
    for softness in SOFTNESSES:
        found = np.inf
        for _ in range(SUMS):
            before, found = found, combine_moves(problem, state, rng, MOVES, softness, endpoint)
            if before - found < WORTH:
                break


def _distance(problem, state):
    windows = list_windows(problem)
    return distance(compute_numbers(problem, state, windows), windows, SOFTNESSES[-1])


def _rank(problem, state):
    """By the numbers that come back, and then by the distance of the others."""
    n_hit = sum(n for n, _ in count_hits(problem, state).values())
    return n_hit, -_distance(problem, state)


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
        return _Run(0, state, blank_copy(state), blank_copy(state), [], [], [])
    with np.load(checkpoint, allow_pickle=False) as saved:
        if str(saved["mark"]) != mark:
            raise InputError(
                checkpoint,
                ["is the checkpoint of another seed, plan or print; remove it or name another"],
            )
        current = [saved[f"state_{part}"] for part in range(4)]
        best = tuple(saved[f"best_{part}"].copy() for part in range(4))
        annealed = tuple(saved[f"annealed_{part}"] for part in range(4))
        kept = list(zip(*(saved[f"kept_{part}"] for part in range(4)), strict=True))
        reach = [saved[key] for key in sorted(saved) if key.startswith("reach_")]
        state = make_state(targets.problem, *current, saved["rng"])
        trace = json.loads(str(saved["trace"]))
        return _Run(int(saved["leg"]), state, best, annealed, kept, reach, trace)


def _write_checkpoint(path, mark, run):
    parts = {f"state_{n}": part for n, part in enumerate(blank_copy(run.state))}
    parts |= {f"best_{n}": part for n, part in enumerate(run.best)}
    parts |= {f"annealed_{n}": part for n, part in enumerate(run.annealed)}
    parts |= {f"kept_{n}": np.array([kept[n] for kept in run.kept]) for n in range(4)}
    parts |= {f"reach_{n}": part for n, part in enumerate(run.reach)}
    with whole_file(path, binary=True) as file:
        np.savez(
            file, mark=mark, leg=run.leg, rng=run.state.rng, trace=json.dumps(run.trace), **parts
        )
