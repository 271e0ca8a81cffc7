"""The survival search from a seed to patients: its stages, its checkpoint, its progress."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

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

LEG = 2_000_000  # annealing steps between two checkpoints
TREATMENT_STEPS, TREATMENT_HEAT = 1_000_000, (1e4, 0.5)
SHARES = np.array([0.25, 0.60])  # of moves in the first order, and in both
MOVES = 0.8  # share of moves that a sum may be made of
WORTH = 0.05  # half-windows that a sum of moves must gain for another to follow
SHAKE_STEPS, SHAKE_HEAT = 300_000, (60.0, 15.0)


@dataclass(frozen=True)
class Plan:
    """How long to search; with the seed it determines every byte.

    Attributes
    ----------
    n_steps : int
        Steps of annealing on all numbers.
    hot, cold : float
        Its first and last temperature.
    n_rounds : int
        Rounds of shaking and of sums of moves after it.
    """

    n_steps: int = 300_000_000
    hot: float = 15_000.0
    cold: float = 20.0
    n_rounds: int = 23

    @property
    def n_legs(self) -> int:
        """Parts of the search after each of which it can be resumed."""
        return 1 + -(-self.n_steps // LEG) + self.n_rounds


def search_survival(targets, seed, plan, checkpoint=None, report=lambda leg, hits: True):
    """Search for an order of times, events and covariates that gives back the print.

    Annealing first on the treatment's own numbers, then on all of them; then, again and again,
    the best state is shaken and sums of a few moves bring it nearer.

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
    State
        The nearest state found.

    Raises
    ------
    InputError
        The checkpoint is of another seed, plan or print.
    """
    problem = targets.problem
    mark = json.dumps([seed, asdict(plan), _digest(problem)])
    leg, state, best = _resume(targets, seed, mark, checkpoint)
    while leg < plan.n_legs:
        _go_one_leg(targets, plan, seed, leg, state, best)
        leg += 1
        shown = make_state(problem, *best, state.rng)
        hits = count_hits(problem, shown)
        if checkpoint is not None:
            _write_checkpoint(checkpoint, mark, leg, state, best)
        if report(leg, hits) is False or all(n == total for n, total in hits.values()):
            break
    return make_state(problem, *best, state.rng)


def _go_one_leg(targets, plan, seed, leg, state, best):
    problem = targets.problem
    n_annealing = -(-plan.n_steps // LEG)
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
    elif leg <= n_annealing:
        n_steps = min(LEG, plan.n_steps - (leg - 1) * LEG)
        ratio = plan.cold / plan.hot
        hot = plan.hot * ratio ** ((leg - 1) / n_annealing)
        cold = plan.hot * ratio ** (leg / n_annealing)
        anneal(problem, state, best, n_steps, hot, cold, SHARES, labels)
        if leg == n_annealing:
            restore(problem, state, best)
    else:
        _combine(problem, state, best, labels, np.random.default_rng([seed, leg]))


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
        return 0, state, blank_copy(state)
    with np.load(checkpoint, allow_pickle=False) as saved:
        if str(saved["mark"]) != mark:
            raise InputError(
                checkpoint,
                ["is the checkpoint of another seed, plan or print; remove it or name another"],
            )
        current = [saved[f"state_{part}"] for part in range(4)]
        best = tuple(saved[f"best_{part}"].copy() for part in range(4))
        state = make_state(targets.problem, *current, saved["rng"])
        return int(saved["leg"]), state, best


def _write_checkpoint(path, mark, leg, state, best):
    path = Path(path)
    parts = {f"state_{n}": part for n, part in enumerate(blank_copy(state))}
    parts |= {f"best_{n}": part for n, part in enumerate(best)}
    partial = path.with_name(path.name + ".part")
    with open(partial, "wb") as file:
        np.savez(file, mark=mark, leg=leg, rng=state.rng, **parts)
    os.replace(partial, path)
