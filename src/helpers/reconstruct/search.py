"""The survival search from a seed to patients: its stages, its checkpoint, its progress."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.errors import InputError
from helpers.reconstruct.combinations import combine_moves
from helpers.reconstruct.kernel import anneal
from helpers.reconstruct.survival_state import (
    blank_copy,
    count_hits,
    draw_state,
    make_state,
    restore,
)
from helpers.reconstruct.survival_targets import slacken
from helpers.whole_file import whole_file

LEG = 2_000_000  # annealing steps between two checkpoints
TREATMENT_STEPS, TREATMENT_HEAT = 1_000_000, (1e4, 0.5)
STAGES = (  # slack of the coefficients, first and last temperature, percent of the steps
    (20.0, 8000.0, 1.0, 40),
    (10.0, 40.0, 0.7, 15),
    (5.0, 40.0, 0.7, 15),
    (2.5, 40.0, 0.7, 15),
    (1.0, 40.0, 0.7, 15),
)
SHARES = np.array([0.3, 0.65])  # of moves in the first order, and in both
MOVES = 0.8  # share of moves that a sum may be made of
WORTH = 0.05  # half-windows that a sum of moves must gain for another to follow
SHAKE_STEPS, SHAKE_HEAT = 300_000, (60.0, 15.0)
TRACE = ["leg", "steps", "block", "n_hit", "n_printed"]


@dataclass(frozen=True)
class Plan:
    """How long to search; with the seed it determines every byte.

    Attributes
    ----------
    n_steps : int
        Steps of annealing on all numbers, in the shares of `STAGES`.
    n_rounds : int
        Rounds of shaking and of sums of moves after it.
    """

    n_steps: int = 200_000_000
    n_rounds: int = 8

    def stage_legs(self) -> list[int]:
        """Parts of each stage, after each of which the search can be resumed."""
        return [-(-self.n_steps * percent // (100 * LEG)) for *_, percent in STAGES]

    @property
    def n_legs(self) -> int:
        """All parts of the search."""
        return 1 + sum(self.stage_legs()) + self.n_rounds


def search_survival(targets, seed, plan, checkpoint=None, report=lambda leg, hits: True):
    """Search for an order of times, events and covariates that gives back the print.

    Annealing first on the treatment's own numbers, then on all of them with less and less slack
    for the coefficients; then, again and again, the best state is shaken and sums of a few moves
    bring it nearer.

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
        The nearest state found.
    trace : DataFrame
        Numbers hit by leg and block.

    Raises
    ------
    InputError
        The checkpoint is of another seed, plan or print.
    """
    problem = targets.problem
    mark = json.dumps([seed, asdict(plan), STAGES, _digest(problem)])
    leg, state, best, trace = _resume(targets, seed, mark, checkpoint)
    while leg < plan.n_legs:
        steps = _go_one_leg(targets, plan, seed, leg, state, best)
        leg += 1
        hits = count_hits(problem, make_state(problem, *best, state.rng))
        done = (trace[-1][1] if trace else 0) + steps
        trace += [[leg, done, block, n, total] for block, (n, total) in hits.items()]
        if checkpoint is not None:
            _write_checkpoint(checkpoint, mark, leg, state, best, trace)
        if report(leg, hits) is False or all(n == total for n, total in hits.values()):
            break
    return make_state(problem, *best, state.rng), pd.DataFrame(trace, columns=TRACE)


def _go_one_leg(targets, plan, seed, leg, state, best):
    """One part of the search; the number of its annealing steps."""
    problem = targets.problem
    labels = _label_shares(problem)
    if leg == 0:
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
    done = 1
    for (slack, hot, cold, _), n_legs in zip(STAGES, plan.stage_legs(), strict=True):
        if leg < done + n_legs:
            part = leg - done
            ratio = cold / hot
            heat = hot * ratio ** (part / n_legs), hot * ratio ** ((part + 1) / n_legs)
            n_steps = min(LEG, plan.n_steps)
            slack_problem = slacken(problem, slack)
            anneal(slack_problem, state, best, n_steps, *heat, SHARES, labels)
            if part == n_legs - 1:
                restore(problem, state, best)
            return n_steps
        done += n_legs
    _combine(problem, state, best, labels, np.random.default_rng([seed, leg]))
    return SHAKE_STEPS


def _combine(problem, state, best, labels, rng):
    """Shake the best state, bring it nearer by sums of moves, and keep it if it is the nearest."""
    restore(problem, state, best)
    nearest = combine_moves(problem, state, rng, MOVES)
    kept = blank_copy(state)
    shaken = blank_copy(state)
    anneal(problem, state, shaken, SHAKE_STEPS, *SHAKE_HEAT, SHARES, labels)
    restore(problem, state, shaken)
    before = np.inf
    found = combine_moves(problem, state, rng, MOVES)
    while before - found > WORTH:
        before, found = found, combine_moves(problem, state, rng, MOVES)
    if found < nearest:
        kept = blank_copy(state)
    for target, source in zip(best, kept, strict=True):
        target[:] = source


def _label_shares(problem):
    """Covariates take part in exchanges as often as they stand in a model or a curve."""
    n = problem.row.shape[1]
    used = 1.0 + np.isin(np.arange(n), problem.curve_covariate)
    for e in range(2):
        used[problem.joint_index[e, : problem.joint_size[e]]] += 0.5
    used[0] = 0.0
    return np.cumsum(used / used.sum())


def _digest(problem):
    whole = hashlib.sha256()
    for part in problem:
        whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()


def _resume(targets, seed, mark, checkpoint):
    if checkpoint is None or not Path(checkpoint).exists():
        state = draw_state(targets, seed)
        return 0, state, blank_copy(state), []
    with np.load(checkpoint, allow_pickle=False) as saved:
        if str(saved["mark"]) != mark:
            raise InputError(
                checkpoint,
                ["is the checkpoint of another seed, plan or print; remove it or name another"],
            )
        current = [saved[f"state_{part}"] for part in range(4)]
        best = tuple(saved[f"best_{part}"].copy() for part in range(4))
        state = make_state(targets.problem, *current, saved["rng"])
        return int(saved["leg"]), state, best, json.loads(str(saved["trace"]))


def _write_checkpoint(path, mark, leg, state, best, trace):
    parts = {f"state_{n}": part for n, part in enumerate(blank_copy(state))}
    parts |= {f"best_{n}": part for n, part in enumerate(best)}
    with whole_file(path, binary=True) as file:
        np.savez(file, mark=mark, leg=leg, rng=state.rng, trace=json.dumps(trace), **parts)
