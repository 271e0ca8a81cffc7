"""What a part of the search aims at: some of the numbers, by some of the moves.

The orders of the two endpoints, and the covariates that stand in no joint model, can be searched
one after the other: a change of one order does not touch the numbers of the other, and labels of
a covariate in no joint model touch its own numbers only.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from helpers.reconstruct.kernel import Problem
from helpers.reconstruct.moves import LABELS, list_exchanges, list_moves
from helpers.reconstruct.numbers import compute_numbers, list_windows

LIGHT, TINY = 0.01, 1e-6  # weights of numbers that come last
HEAVY = 1e8  # weight of numbers that must not move
AROUND = 1e-7  # of a number that must not move
FIRM = 100.0  # times its weight has a curve that must not be lost


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


def aim_at_models(problem, light) -> Problem:
    """The problem in which covariates in no joint model have a small weight at most."""
    others = ~np.isin(np.arange(problem.row.shape[1]), joint_covariates(problem))
    light = np.where(others, light, 1.0)
    return problem._replace(
        row_weight=np.minimum(problem.row_weight, light),
        test_weight=np.minimum(problem.test_weight, light[problem.test_covariate]),
    )


def aim_at_order(problem, e) -> Aim:
    """The numbers of an endpoint's covariates in joint models, by changes of its order."""
    return _aim(problem, (e,), joint_covariates(problem), (e,), ())


def free_covariates(problem) -> tuple[int, ...]:
    """The covariates in no joint model, those with curves first."""
    inside = joint_covariates(problem)
    others = [r for r in range(problem.row.shape[1]) if r not in inside]
    return tuple(sorted(others, key=lambda r: r not in problem.curve_covariate))


def aim_at_labels(problem, r) -> Aim:
    """The numbers of a covariate in no joint model, by changes that leave those in one alone.

    By its labels, and those of later covariates in the same criterion of eligibility, which would
    hold them fast. Where it has curves, also by exchanges of patients who are alike in the joint
    models, which changes whose times of the two endpoints go together.
    """
    alike = joint_covariates(problem) if r in problem.curve_covariate else None
    later = free_covariates(problem)[free_covariates(problem).index(r) + 1 :]
    labels = (r, *(q for q in later if _share_criterion(problem, r, q)))
    return _aim(problem, (0, 1), (r,), (), labels, alike)


def _share_criterion(problem, r, q):
    starts = problem.clause_start
    return any(
        {r, q} <= {*problem.clause_covariate[first:last].tolist()}
        for first, last in itertools.pairwise(starts)
    )


def freeze(problem, aim, state) -> Problem:
    """The problem in which an aim is all, and numbers of joint models and curves must not move."""
    held = np.isin(np.arange(problem.row.shape[1]), joint_covariates(problem))
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
    aimed = aim.problem.row_weight[0] == 1.0
    weight = np.select([aimed, held], [1.0, HEAVY], 0.0)
    return problem._replace(
        row=row,
        joint=joint,
        test=test,
        row_weight=weight * np.ones((2, 1)),
        joint_weight=np.full(2, HEAVY),
        test_weight=weight[problem.test_covariate] * np.ones((2, 1)),
        curve_weight=problem.curve_weight * FIRM,
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
