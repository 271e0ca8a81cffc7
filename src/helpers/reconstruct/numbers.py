"""The numbers of the search but the curves, and how far they are from the print."""

from __future__ import annotations

import numpy as np

from helpers.jit import njit
from helpers.reconstruct.kernel import (
    Z,
    estimate_joint,
    estimate_row,
    logrank_z,
    sum_joint,
    sum_row,
)


def distance(numbers, windows, softness) -> float:
    """How far numbers are from their windows, in half-windows.

    Each counts the less, the farther it is, see `soften`: the smaller the softness, the more it
    matters how many numbers are off than by how much.
    """
    off = np.maximum(np.maximum(windows[:, 0] - numbers, numbers - windows[:, 1]), 0)
    off = off * windows[:, 2]
    return float(soften(off, softness).sum())


@njit
def soften(off, softness):
    """What a number counts that is off: as much, where that is little, and then its fourth root."""
    return 4.0 * softness * (np.sqrt(np.sqrt(1.0 + off / softness)) - 1.0)


def list_windows(problem) -> np.ndarray:
    """Low, high and 1/half of every number of the search but the curves, endpoint by endpoint."""
    blocks = []
    for e in range(2):
        rows = [*problem.row[e], *problem.joint[e, : problem.joint_size[e]]]
        blocks += [row[1:13].reshape(4, 3) for row in rows]
        blocks.append(problem.test[e])
    return np.concatenate(blocks)


def list_centres(problem) -> np.ndarray:
    """Numbers in the midst of their windows, those of a row such as one estimate gives them all."""
    blocks = []
    for e in range(2):
        rows = np.array([*problem.row[e], *problem.joint[e, : problem.joint_size[e]]])
        beta, upper = rows[:, 0], rows[:, 15]
        std_error = (upper - beta) / Z
        rows = np.column_stack([beta, 2 * beta - upper, upper, np.abs(beta) / std_error])
        blocks += [rows.ravel(), problem.test[e, :, :2].mean(axis=1)]
    return np.concatenate(blocks)


def compute_numbers(problem, state, windows):
    """All numbers of the search but the curves, as `list_windows` has them."""
    out = np.zeros(len(windows))
    _compute_numbers(problem, state, out)
    return out


@njit
def _compute_numbers(p, s, out):
    at = 0
    for e in range(2):
        at = compute_endpoint(p, s, e, out, at)


@njit
def compute_endpoint(p, s, e, out, at):
    """Write the numbers of an endpoint to `out` from place `at`; the place after them."""
    for r in range(s.x.shape[1]):
        sum_row(p, s, e, r, s.new_sums[e, r])
        beta, std_error = estimate_row(p.row[e, r], s.new_sums[e, r])
        at = put_estimate(out, at, beta, std_error)
    m = p.joint_size[e]
    sum_joint(p, s, e, s.joint_sums[e])
    found = np.zeros((m, 2))
    estimate_joint(m, s.joint_sums[e], p.joint[e], found)
    for a in range(m):
        at = put_estimate(out, at, found[a, 0], found[a, 1])
    for q in range(p.test_level.shape[0]):
        out[at] = logrank_z(s.in_test[q], s.x, s.now.patient[e], s.now.event[e])
        at += 1
    return at


@njit
def put_estimate(out, at, beta, std_error):
    """Write the four numbers of an estimate to `out` from place `at`; the place after them."""
    out[at] = beta
    out[at + 1] = beta - Z * std_error
    out[at + 2] = beta + Z * std_error
    out[at + 3] = abs(beta) / std_error if std_error > 0.0 else 0.0
    return at + 4
