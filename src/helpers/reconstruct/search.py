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
from helpers.reconstruct.aims import (
    LIGHT,
    TINY,
    aim_at_exchanges,
    aim_at_labels,
    aim_at_models,
    aim_at_order,
    free_blocks,
)
from helpers.reconstruct.combinations import combine_moves
from helpers.reconstruct.days import spread_days
from helpers.reconstruct.kernel import State, anneal, anneal_part, evaluate
from helpers.reconstruct.rearrange import rearrange
from helpers.reconstruct.stiffness import measure_reach, stiffen
from helpers.reconstruct.survival_state import (
    blank_copy,
    count_hits,
    draw_state,
    make_state,
    restore,
)
from helpers.reconstruct.walks import SHARES, label_shares, random_bits, settle
from helpers.whole_file import whole_file

LEG = 2_000_000  # annealing steps between two checkpoints
TREATMENT_STEPS, TREATMENT_HEAT = 1_000_000, (1e4, 0.5)
STAGES = (  # share of the reach, first and last temperature, weight of others, percent of steps
    (20.0, 20000.0, 200.0, LIGHT, 8),
    (1.0, 1500.0, 6.0, LIGHT, 15),
    (1.0, 6.0, 0.4, LIGHT, 32),
    (1.0, 12.0, 0.05, TINY, 30),
    (0.1, 1.5, 0.05, TINY, 15),
)
SOFTNESS = (1.0, 1.0, 0.05)  # half-windows, see `numbers.distance`, by round of an order
MENDING = (1.0, 0.3, 0.05)  # the same, one after the other, where labels are mended
N_TRY, N_SETTLE = 24, 8_000_000  # attempts at the labels of a covariate, and their steps
MENDS, WORTH = 6, 0.03  # times that an attempt is mended, and how much one must gain
N_EXCHANGED = 300_000  # see `rearrange.rearrange`, of patients who are alike
LOST = 30.0  # what a curve counts that is lost
TRACE = ["leg", "steps", "block", "n_hit", "n_printed"]


@dataclass(frozen=True)
class Plan:
    """How long to search; with the seed it determines every byte.

    Attributes
    ----------
    n_steps : int
        Steps of annealing, in the shares of `STAGES`.
    n_rounds : int
        Rearrangements of a whole order, of the outer and the inner endpoint in turn.
    n_sum : int
        Sums that a rearrangement carries on: see `rearrange.rearrange`.
    """

    n_steps: int = 200_000_000
    n_rounds: int = 18
    n_sum: int = 1_000_000

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
        return self.n_steps * STAGES[stage][-1] // 100

    def n_legs(self, problem) -> int:
        """All parts of the search."""
        n_try = N_TRY * len(free_blocks(problem)) if self.n_rounds else 0
        return 1 + len(self.legs()) + self.n_rounds + n_try


def search_survival(targets, seed, plan, checkpoint=None, report=lambda leg, hits: True):
    """Search for an order of times, events and covariates that gives back the print.

    Annealing first on the treatment's own numbers, then on those of all covariates in joint
    models, which are measured against what small changes of the order can still reach. Then the
    order of one endpoint is rearranged as a whole, and that of the other, in turn. Last come the
    covariates in no joint model, by their labels and by exchanges of patients who are alike in all
    others, and the days, which no number asks for.

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
    mark = json.dumps([seed, asdict(plan), STAGES, _digest(problem)])
    run = _resume(targets, seed, mark, checkpoint)
    while run.leg < plan.n_legs(problem):
        steps = _go_one_leg(problem, plan, seed, run)
        run.leg += 1
        hits = count_hits(problem, make_state(problem, *run.best, run.state.rng))
        done = (run.trace[-1][1] if run.trace else 0) + steps
        run.trace += [[run.leg, done, block, n, total] for block, (n, total) in hits.items()]
        if checkpoint is not None:
            _write_checkpoint(checkpoint, mark, run)
        if report(run.leg, hits) is False or all(n == total for n, total in hits.values()):
            break
    state = make_state(problem, *run.best, random_bits(seed, run.leg))
    spread_days(problem, state, (0, 1))
    return state, pd.DataFrame(run.trace, columns=TRACE)


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
        return _bring_nearer(problem, run, seed, plan, run.leg - 1 - len(legs))
    stage, first, last = legs[run.leg - 1]
    share, hot, cold, weight, _ = STAGES[stage]
    if first == 0:
        restore(problem, state, best)
        run.reach = measure_reach(problem, state, np.random.default_rng([seed, stage]))
    stiff = stiffen(aim_at_models(problem, weight), run.reach, share)
    if first == 0:
        restore(stiff, state, best)
        _copy(best, blank_copy(state))
    least = evaluate(stiff, make_state(stiff, *best, state.rng))
    steps = (first, last, plan.stage_steps(stage))
    anneal_part(stiff, state, best, least, steps, (hot, cold), SHARES, labels)
    return last - first


def _bring_nearer(problem, run, seed, plan, number):
    """Rearrange an order, or try the labels of a covariate anew; its steps, or sums carried on."""
    state, rng = run.state, np.random.default_rng([seed, run.leg])
    restore(problem, state, run.best)
    state.rng[:] = random_bits(seed, run.leg)
    if number < plan.n_rounds:
        aim = aim_at_order(problem, number % 2)
        softness = SOFTNESS[min(number // 2, len(SOFTNESS) - 1)]
        if aim.measure_distance(state, softness) == 0:
            return 0
        rearrange(aim, state, rng, softness, plan.n_sum)
        _copy(run.best, blank_copy(state))
        return plan.n_sum
    block = free_blocks(problem)[(number - plan.n_rounds) // N_TRY]
    aim = aim_at_labels(problem, block)
    nearest = _measure_misses(aim, state, MENDING[-1])
    if nearest == 0:
        return 0
    relabel(problem, block, state, rng, N_SETTLE, MENDS)
    if _measure_misses(aim, state, MENDING[-1]) < nearest:
        _copy(run.best, blank_copy(state))
    return N_SETTLE


def relabel(problem, block, state, rng, n_steps, n_mends, mending=MENDING) -> None:
    """Settle the labels of covariates in no joint model anew, and mend each order.

    Parameters
    ----------
    problem : Problem
    block : tuple of int
        The covariates, see `aims.free_blocks`.
    state : State
        Changed in place.
    rng : numpy.random.Generator
    n_steps : int
        See `walks.settle`.
    n_mends : int
        Times at most that labels are mended by a sum of moves, and then each order.
    mending : sequence of float
        Softness of one round of mending after the other, see `numbers.distance`.
    """
    aim = aim_at_labels(problem, block)
    settle(problem, aim, state, n_steps)
    for softness in mending:
        found = np.inf
        for _ in range(n_mends):
            before = found
            combine_moves(aim, state, rng, softness)
            for e in range(2):
                exchanges = aim_at_exchanges(problem, block, e)
                rearrange(exchanges, state, rng, softness, N_EXCHANGED)
            found = _measure_misses(aim, state, softness)
            if found == 0 or before - found < WORTH:
                break


def _measure_misses(aim, state, softness):
    """How far off numbers are, by the root of each, and how many curves are lost."""
    n_lost = sum(int((state.energy.curve[e] > 0).sum()) for e in range(2))
    return aim.measure_distance(state, softness) / softness + LOST * n_lost


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
