"""Walks that leave an order of times and come back to the print elsewhere.

The Cox models are measured against what small changes of the order reach, so that a walk goes
freely where the print can be regained; it is then cooled until the windows themselves take over.
"""

from __future__ import annotations

import numpy as np

from helpers.reconstruct.aims import freeze
from helpers.reconstruct.kernel import anneal
from helpers.reconstruct.stiffness import stiffen
from helpers.reconstruct.survival_state import blank_copy, restore

SHARES = np.array([0.3, 0.65])  # of moves in the first order, and in both
HOT = 5.0
SETTLING = (3e4, 0.1)  # temperatures of labels
FORGETTING = 40  # so many times fewer steps at the first of these
EXCHANGES = np.array([0.25, 0.5])  # as SHARES, where labels are exchanged for the most part
NO_EXCHANGES = np.zeros(2)
COOLING = (  # share of the reach, first and last temperature, percent of the steps
    (1.0, HOT, 1.0, 20),
    (0.05, 4.0, 0.5, 30),
    (0.005, 1.5, 0.25, 50),
)


def walk(problem, reach, state, n_steps) -> None:
    """Walk at the temperature `HOT`; after 200,000 steps the start is forgotten.

    Parameters
    ----------
    problem : Problem
    reach : list of ndarray
        See `stiffness.measure_reach`.
    state : State
        Changed in place, its energies to those of another measure: see `survival_state.restore`.
    n_steps : int
    """
    _go(stiffen(problem, reach, 1.0), state, n_steps, HOT, HOT)


def cool(problem, reach, state, n_steps) -> None:
    """Come back to the print, in the shares of `COOLING`; parameters as of `walk`."""
    for share, hot, cold, percent in COOLING:
        _go(stiffen(problem, reach, share), state, n_steps * percent // 100, hot, cold)


def settle(problem, aim, state, n_steps) -> None:
    """Exchange the labels that are aimed at, cooling; the numbers of joint models stay.

    The start is forgotten first, so that each time ends elsewhere.

    Parameters
    ----------
    problem : Problem
    aim : Aim
        Made by `aims.aim_at_labels`.
    state : State
        Ends where it was nearest.
    n_steps : int
    """
    frozen = freeze(problem, aim, state)
    restore(frozen, state, blank_copy(state))
    chosen = np.isin(np.arange(state.x.shape[1]), aim.labels)
    shares = NO_EXCHANGES if aim.alike is None else EXCHANGES
    labels = np.cumsum(chosen / chosen.sum())
    hot = SETTLING[0]
    anneal(frozen, state, blank_copy(state), n_steps // FORGETTING, hot, hot, shares, labels)
    nearest = blank_copy(state)
    anneal(frozen, state, nearest, n_steps, *SETTLING, shares, labels)
    restore(problem, state, nearest)


def _go(stiff, state, n_steps, hot, cold, shares=SHARES):
    anneal(stiff, state, blank_copy(state), n_steps, hot, cold, shares, label_shares(stiff))


def label_shares(problem) -> np.ndarray:
    """Covariates take part in exchanges as often as they stand in a model or a curve.

    Returns
    -------
    ndarray of shape (n_covariate,)
        Cumulated.
    """
    n = problem.row.shape[1]
    used = 1.0 + np.isin(np.arange(n), problem.curve_covariate)
    for e in range(2):
        used[problem.joint_index[e, : problem.joint_size[e]]] += 0.5
    used[0] = 0.0
    return np.cumsum(used / used.sum())


def random_bits(*key) -> np.ndarray:
    """The first state of a generator of moves: never zero, another for each key of integers."""
    return np.random.SeedSequence(key).generate_state(1, np.uint64) | np.uint64(1)
