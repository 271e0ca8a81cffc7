"""What a part of the search aims at: some of the numbers, by some of the moves.

The orders of the two endpoints, and the covariates that stand in no joint model, can be searched
one after the other: a change of one order does not touch the numbers of the other, and labels of
a covariate in no joint model touch its own numbers only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.reconstruct.kernel import Problem
from helpers.reconstruct.moves import LABELS, list_exchanges, list_moves
from helpers.reconstruct.numbers import compute_numbers, list_windows

LIGHT = 0.01  # weight of what can be brought nearer last
TINY, HEAVY = 1e-6, 1e4  # weights of numbers that are not aimed at, and of those that must not move
AROUND = 1e-7  # of a number that must not move


class Aim(NamedTuple):
    """Numbers to bring into their windows, and the moves that may be made.

    Attributes
    ----------
    problem : Problem
        In which the other numbers have next to no weight.
    windows : ndarray of shape (n_number, 3)
        As of `numbers.list_windows`, without limits for the other numbers.
    orders : tuple of int
        Endpoints whose orders may be changed.
    labels : tuple of int
        Covariates whose labels may be exchanged.
    alike : tuple of int or None
        If given, orders are changed only by exchanges of patients of the same of these covariates.
    """

    problem: Problem
    windows: np.ndarray
    orders: tuple[int, ...]
    labels: tuple[int, ...]
    alike: tuple[int, ...] | None = None

    def list_moves(self, state, rng):
        """All these moves from a state."""
        moves = list_moves(self.problem, state, rng)
        labels = moves[:, 0] == LABELS
        chosen = labels & np.isin(moves[:, 1], self.labels)
        if self.alike is None:
            chosen |= ~labels & np.isin(moves[:, 1], self.orders)
            return moves[chosen]
        return np.concatenate([moves[chosen], list_exchanges(state, self.alike)])


def joint_covariates(problem) -> tuple[int, ...]:
    """The covariates in a joint model of either endpoint, the arm among them."""
    found = {0}
    for e in range(2):
        found |= {int(r) for r in problem.joint_index[e, : problem.joint_size[e]]}
    return tuple(sorted(found))


def aim_at_models(problem) -> Problem:
    """The problem in which covariates in no joint model have little weight."""
    others = ~np.isin(np.arange(problem.row.shape[1]), joint_covariates(problem))
    light = np.where(others, LIGHT, 1.0)
    return problem._replace(
        row_weight=np.minimum(problem.row_weight, light),
        test_weight=np.minimum(problem.test_weight, light[problem.test_covariate]),
    )


def aim_at_order(problem, e) -> Aim:
    """The numbers of an endpoint's covariates in joint models, by changes of its order."""
    return _aim(problem, (e,), joint_covariates(problem), (e,), ())


def aim_at_endpoint(problem, e) -> Aim:
    """All numbers of an endpoint, by changes of its order."""
    return _aim(problem, (e,), tuple(range(problem.row.shape[1])), (e,), ())


def aim_at_labels(problem) -> Aim:
    """The numbers of the other covariates, by changes that leave those in joint models alone."""
    inside = joint_covariates(problem)
    others = tuple(r for r in range(problem.row.shape[1]) if r not in inside)
    return _aim(problem, (0, 1), others, (0, 1), others, inside)


def freeze(problem, aim, state) -> Problem:
    """The problem in which the other numbers have great weight, at windows that reach to theirs."""
    windows = list_windows(problem)
    other = ~np.isfinite(aim.windows[:, 0])
    numbers = compute_numbers(problem, state, windows)[other]
    windows[other, 0] = np.minimum(windows[other, 0], numbers - AROUND)
    windows[other, 1] = np.maximum(windows[other, 1], numbers + AROUND)
    row, joint, test = problem.row.copy(), problem.joint.copy(), problem.test.copy()
    at = 0
    for e in range(2):
        for target in (*row[e], *joint[e, : problem.joint_size[e]]):
            target[1:13] = windows[at : at + 4].ravel()
            at += 4
        test[e] = windows[at : at + len(test[e])]
        at += len(test[e])
    return problem._replace(
        row=row,
        joint=joint,
        test=test,
        row_weight=np.where(aim.problem.row_weight == TINY, HEAVY, 1.0),
        joint_weight=np.where(aim.problem.joint_weight == TINY, HEAVY, 1.0),
        test_weight=np.where(aim.problem.test_weight == 0, HEAVY, problem.test_weight),
    )


def _aim(problem, endpoints, covariates, *moves):
    here = np.isin(np.arange(2), endpoints)
    rows = here[:, None] & np.isin(np.arange(problem.row.shape[1]), covariates)
    joints = here & (0 in covariates)
    tests = here[:, None] & np.isin(problem.test_covariate, covariates)
    windows = list_windows(problem)
    aimed = []
    for e in range(2):
        aimed += [*np.repeat(rows[e], 4), *[joints[e]] * int(4 * problem.joint_size[e]), *tests[e]]
    windows[~np.array(aimed), :2] = -np.inf, np.inf
    weighted = problem._replace(
        row_weight=np.where(rows, 1.0, TINY),
        joint_weight=np.where(joints, 1.0, TINY),
        test_weight=np.where(tests, problem.test_weight, 0.0),
    )
    return Aim(weighted, windows, *moves)
