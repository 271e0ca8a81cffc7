"""How stiff the printed numbers are against small changes of the order of times.

Small changes of an order move the coefficients of the Cox models by many half-windows and, in
some directions of the space of all numbers, by next to nothing: standard errors hardly move, nor
do those differences between models that depend on who has which covariates. A number that any
change can still mend is better left off for long, and one that no change can mend is not. The
covariance of what small changes do, the reach, tells them apart, as a Mahalanobis distance does.
"""

from __future__ import annotations

import numpy as np

from helpers.estimators.cholesky import factorize, solve
from helpers.jit import njit
from helpers.reconstruct.moves import LABELS, list_moves, measure_effects
from helpers.reconstruct.numbers import compute_numbers, list_windows
from helpers.reconstruct.regions import row_region

SMALL = 12.0  # half-windows, in the root mean square of all numbers, of a small change
AT_ONCE = 20.0  # small changes in a thousand that an order can take up together, about
TESTS = 24.0  # how many times its window, in variance, a log-rank test may be off at first
THIN = 1e-4  # variance in half-windows that is added to a region, lest it be a line


def measure_reach(problem, state, rng) -> list[np.ndarray]:
    """What small changes of either order do to the numbers of its Cox models.

    Parameters
    ----------
    problem : Problem
    state : State
        Is left as it was.
    rng : numpy.random.Generator
        Of the days that a patient is moved to.

    Returns
    -------
    list of ndarray of shape (d, d)
        For each endpoint the sum of squares and products of the changes, for the coefficient and
        the upper limit of each covariate alone and of each in the joint model, in half-windows.
    """
    windows = list_windows(problem)
    moves = list_moves(problem, state, rng)
    moves = moves[moves[:, 0] != LABELS]
    start = compute_numbers(problem, state, windows)
    effects, legal = measure_effects(problem, state, moves, start)
    found = []
    first = 0
    for e in range(2):
        n_row = state.x.shape[1] + int(problem.joint_size[e])
        columns = first + np.concatenate([[4 * r, 4 * r + 2] for r in range(n_row)])
        changes = effects[legal & (moves[:, 1] == e)][:, columns] * windows[columns, 2]
        size = (changes**2).mean(axis=1)
        small = (size > 0) & (size < SMALL**2)
        found.append(_sum_of_products(np.ascontiguousarray(changes[small])) / AT_ONCE)
        first += 4 * n_row + len(problem.test[e])
    return found


def stiffen(problem, reach, share):
    """The problem in which the numbers of the Cox models are measured against their reach.

    Parameters
    ----------
    problem : Problem
    reach : list of ndarray
    share : float
        Of the reach that a number may still be off; 0 leaves its window alone.

    Returns
    -------
    Problem
    """
    size = max(len(each) for each in reach)
    stiffness = np.zeros((2, size, size))
    for e in range(2):
        d = len(reach[e])
        stiffness[e, :d, :d] = _invert(share * reach[e] + _rounding(problem, e))
    tests = problem.test_weight / (1 + TESTS * min(share, 1.0) ** 2)
    return problem._replace(stiffness=stiffness, test_weight=tests)


def _rounding(problem, e):
    """Covariance of each coefficient and its upper limit in the region that prints as its row."""
    rows = [*problem.row[e], *problem.joint[e, : problem.joint_size[e]]]
    weights = [*problem.row_weight[e], *np.full(problem.joint_size[e], problem.joint_weight[e])]
    covariance = np.zeros((2 * len(rows), 2 * len(rows)))
    for q, (row, weight) in enumerate(zip(rows, weights, strict=True)):
        per_half = row[[3, 9]]
        block = row_region(row).covariance * np.outer(per_half, per_half) + THIN * np.eye(2)
        covariance[2 * q : 2 * q + 2, 2 * q : 2 * q + 2] = block / weight
    return covariance


@njit
def _sum_of_products(changes):
    """The same to the last bit on every machine, as a library's product is not."""
    n, d = changes.shape
    total = np.zeros((d, d))
    for k in range(n):
        for i in range(d):
            for j in range(d):
                total[i, j] += changes[k, i] * changes[k, j]
    return total


@njit
def _invert(matrix):
    lower, _ = factorize(matrix, 0.0, 0.0)
    size = matrix.shape[0]
    inverse = np.zeros((size, size))
    for i in range(size):
        unit = np.zeros(size)
        unit[i] = 1.0
        solve(lower, unit, inverse[i])
    return (inverse + inverse.T) / 2.0
