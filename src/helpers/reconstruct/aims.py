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
from helpers.reconstruct.numbers import compute_numbers, distance, list_windows

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

    def measure_distance(self, state, softness) -> float:
        """How far the numbers of a state are from these windows: see `numbers.distance`."""
        numbers = compute_numbers(self.problem, state, self.windows)
        return distance(numbers, self.windows, softness)

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


def free_blocks(problem) -> list[tuple[int, ...]]:
    """The covariates in no joint model, those bound by a criterion of eligibility together.

    Those with curves come first, then the larger blocks.
    """
    inside = joint_covariates(problem)
    blocks = [(r,) for r in range(problem.row.shape[1]) if r not in inside]
    for first, last in itertools.pairwise(problem.clause_start):
        bound = set(problem.clause_covariate[first:last].tolist())
        together = [block for block in blocks if bound & {*block}]
        blocks = [block for block in blocks if block not in together]
        blocks.append(tuple(sorted(itertools.chain(*together))))
    blocks = [block for block in blocks if block]
    return sorted(blocks, key=lambda block: (not _has_curves(problem, block), -len(block), block))


def aim_at_labels(problem, block) -> Aim:
    """The numbers of covariates in no joint model, by changes that leave those in one alone.

    By their labels; where they have curves, also by exchanges of patients who are alike in the
    joint models, which changes whose times of the two endpoints go together.
    """
    alike = joint_covariates(problem) if _has_curves(problem, block) else None
    return _aim(problem, (0, 1), block, (), block, alike)


def aim_at_exchanges(problem, block, e) -> Aim:
    """The numbers of covariates in no joint model for one endpoint, by changes of its order alone.

    By exchanges of patients who are alike in the joint models and in all blocks before, so that
    no other number changes but those of later blocks.
    """
    blocks = free_blocks(problem)
    before = itertools.chain(*blocks[: blocks.index(block)])
    return _aim(problem, (e,), block, (e,), (), (*joint_covariates(problem), *before))


def _has_curves(problem, block):
    return bool(np.isin(block, problem.curve_covariate).any())


def freeze(problem, aim, state) -> Problem:
    """The problem in which an aim is all, and numbers of joint models and curves must not move."""
    held = np.isin(np.arange(problem.row.shape[1]), joint_covariates(problem))
    aimed = aim.problem.row_weight[0] == 1.0
    numbers = compute_numbers(problem, state, aim.windows)
    own = _numbers_of(problem, aimed * np.ones((2, 1), bool), np.zeros(2, bool))
    windows = list_windows(problem)
    windows[:, 0] = np.where(own, aim.windows[:, 0], np.minimum(windows[:, 0], numbers - AROUND))
    windows[:, 1] = np.where(own, aim.windows[:, 1], np.maximum(windows[:, 1], numbers + AROUND))
    row, joint, test = problem.row.copy(), problem.joint.copy(), problem.test.copy()
    at = 0
    for e in range(2):
        for target in (*row[e], *joint[e, : problem.joint_size[e]]):
            target[1:13] = windows[at : at + 4].ravel()
            at += 4
        test[e] = windows[at : at + len(test[e])]
        at += len(test[e])
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
    windows = list_windows(problem)
    aimed = _numbers_of(problem, rows, joints) & ~_given_up(problem)
    windows[~aimed, :2] = -np.inf, np.inf
    weighted = problem._replace(
        row_weight=np.where(rows, 1.0, TINY),
        joint_weight=np.where(joints, 1.0, TINY),
        test_weight=np.where(rows[:, problem.test_covariate], problem.test_weight, 0.0),
    )
    return Aim(weighted, windows, *moves)


def _numbers_of(problem, rows, joints):
    """Which numbers, as `numbers.list_windows` has them, are of some rows and joint models."""
    found = []
    for e in range(2):
        found += [*np.repeat(rows[e], 4), *[joints[e]] * int(4 * problem.joint_size[e])]
        found += [*rows[e, problem.test_covariate]]
    return np.array(found)


def _given_up(problem):
    """Which numbers are the limits and the p value of a row that is sought by its ratio alone."""
    found = []
    for e in range(2):
        for ratio_alone in problem.ratio_alone[e]:
            found += [False, *[ratio_alone] * 3]
        found += [False] * int(4 * problem.joint_size[e] + len(problem.test_level))
    return np.array(found, bool)
