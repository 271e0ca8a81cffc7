"""A whole order brought to the print: rearrangements of all its stretches, chosen together.

Each stretch of an order has very many rearrangements, whose effects on the sums behind the Cox
models add up exactly over stretches. One is sought for each stretch such that all numbers of the
endpoint fall into their windows at once: a generalized birthday problem, see `joins`.
"""

from __future__ import annotations

import numpy as np

from helpers.estimators.cholesky import factorize, solve
from helpers.jit import njit
from helpers.reconstruct.days import make_room, spread_days
from helpers.reconstruct.joins import join_lists, nearest_sums, variances
from helpers.reconstruct.kernel import evaluate, total_curve_energy
from helpers.reconstruct.moves import find_groups, is_legal, restore_times
from helpers.reconstruct.numbers import list_centres
from helpers.reconstruct.stretches import (
    Models,
    divide,
    estimate_numbers,
    put,
    rearrange_stretch,
    total,
)
from helpers.reconstruct.survival_state import blank_copy, restore

N_STRETCH = 4  # a power of two, as the next
N_STRETCH_ALIKE = 2  # where only patients who are alike change places
N_PILOT = 6000  # rearrangements from which variances are estimated
NARROWER, NARROWEST = 4.0, 4096.0  # a walk's variance is divided by, more than once, and at most
FARTHEST = 6.0  # mean square distance of a walk's centre, in its variances, if it is to be narrower
DIFFERENT = 0.1  # share of a walk's rearrangements that are different, if it is not too narrow
BATCH, FEW_NEW = 300_000, 0.1  # rearrangements drawn at once; share of new ones that is too few
PER_LIST, PAIRS, NEAREST = 3, 30, 600  # a list's part of rearrangements; pairs, for each sum kept
KEYS, FINAL_KEYS = (12, 18), 4  # coordinates above which one more is cancelled; at the end
NEAR, CHECKED = 4, 10_000  # a part of the sums that are scored, and how many are computed exactly
LEAST_VARIANCE = 1e-4  # of a direction that can be changed
LEAST_PRECISION = 0.05  # square half-windows that a rearrangement is always allowed
STEPS, GIVE = 6, 0.05  # to the point aimed at; square half-windows that a number may be off there


def rearrange(aim, state, rng, softness, n_sum) -> float:
    """Rearrange one order so that the numbers aimed at come nearest to their windows.

    The days of the other order are first moved out of the way, and its own days apart.

    Parameters
    ----------
    aim : Aim
        The numbers, and in `orders` the endpoint.
    state : State
        Changed in place.
    rng : numpy.random.Generator
    softness : float
        See `numbers.distance`.
    n_sum : int
        Sums that are carried on from one join of lists to the next.

    Returns
    -------
    float
        Distance from the print, see `numbers.distance`.
    """
    problem = aim.problem
    (e,) = aim.orders
    make_room(problem, state, 1 - e)
    spread_days(problem, state, (e,))
    evaluate(problem, state)
    models, summed = _models(aim, e)
    centres = list_centres(problem)[summed]
    low, high, scale = aim.windows[summed].T
    group = None if aim.alike is None else find_groups(state, aim.alike)
    n_stretch = N_STRETCH if group is None else N_STRETCH_ALIKE
    stretches = divide(problem, state, e, n_stretch, rng)
    n_pilot = min(N_PILOT, n_sum)

    def draw(stretch, axes, centre, weight, n):
        return rearrange_stretch(
            problem, state, models, stretch, axes, centre, weight, n, rng, group
        )

    def numbers(sums):
        out = np.zeros(models.n_number)
        estimate_numbers(problem, models, sums, out)
        return out * scale

    blank = np.zeros(models.n_sum)
    pilots = [
        _covariance(draw(each, np.eye(models.n_sum), blank, blank, n_pilot).effects)
        for each in stretches
    ]
    start = total(problem, state, models)
    free = ~np.isfinite(low)
    wanted = np.where(free, numbers(start), centres * scale)
    goal = _find_goal(numbers, start, sum(pilots), wanted)
    jacobian = _differentiate(numbers, goal)
    variance, basis = _principal_axes(_sandwich(jacobian, sum(pilots)))
    axes = _product(basis.T.copy(), jacobian)
    centre = -_product(axes, (start - goal)[:, None])[:, 0] / n_stretch
    found = []
    for stretch, pilot in zip(stretches, pilots, strict=True):
        spread = np.maximum(variance / n_stretch, np.diag(_sandwich(axes, pilot)))

        def walk(weight, n, stretch=stretch):
            return draw(stretch, axes, centre, weight, n)

        weight = 1 / (spread + LEAST_PRECISION)
        if group is None:
            weight = _find_weight(walk, spread, centre, n_pilot)
        found.append(_draw_distinct(walk, weight, n_sum // PER_LIST))
    chosen = _choose(
        [each.effects for each in found],
        (basis, numbers(goal), low * scale, high * scale, softness),
        n_sum,
        rng,
    )

    _take_nearest(aim, state, e, softness, stretches, found, chosen)
    return aim.measure_distance(state, softness)


def _models(aim, e):
    """What the numbers aimed at follow from, and which numbers follow from that."""
    problem = aim.problem
    n_row, m = problem.row.shape[1], int(problem.joint_size[e])
    n_number = 4 * (n_row + m) + len(problem.test[e])
    first = 0 if e == 0 else len(aim.windows) - n_number
    aimed = np.isfinite(aim.windows[first : first + n_number, :2]).all(axis=1)
    rows, joint, tests = np.split(aimed, [4 * n_row, 4 * (n_row + m)])
    models = Models(e, np.flatnonzero(rows[::4]), m if joint.any() else 0, np.flatnonzero(tests))
    summed = np.concatenate([np.repeat(rows[::4], 4), joint, tests])
    return models, first + np.flatnonzero(summed)


def _find_weight(draw, spread, centre, n):
    """The precisions of the narrowest walk that still comes to its centre, and to enough places."""
    weight, narrowed = 1 / (spread + LEAST_PRECISION), 1.0
    while narrowed < NARROWEST:
        narrowed *= NARROWER
        tried = 1 / (spread / narrowed + LEAST_PRECISION)
        if (tried * centre**2).mean() > FARTHEST:
            break
        if len(draw(tried, n).distinct().effects) < DIFFERENT * n:
            break
        weight = tried
    return weight


def _draw_distinct(draw, weight, n_wanted):
    """Different rearrangements, until hardly any new ones come."""
    found = None
    while n_wanted > 0:
        batch = draw(weight, min(n_wanted, BATCH))
        n_wanted -= BATCH
        before = 0 if found is None else len(found.effects)
        found = (batch if found is None else found.join(batch)).distinct()
        if before and len(found.effects) - before < FEW_NEW * before:
            break
    return found


def _choose(lists, score, n_sum, rng):
    """Places in the lists, one of each, whose vectors sum to what a score finds nearest."""
    d = lists[0].shape[1]
    n_key = min(d, 2 + (d > KEYS[0]) + (d > KEYS[1]))
    by_size = np.argsort([len(each) for each in lists], kind="stable")
    half = len(lists) // 2
    order = np.column_stack([by_size[:half], by_size[::-1][:half]]).ravel()
    lists = [lists[j] for j in order]
    basis, *rest = score
    trail = []
    while len(lists) > 2:
        joined = [
            join_lists(lists[k], lists[k + 1], n_key, n_sum * PAIRS, n_sum, rng)
            for k in range(0, len(lists), 2)
        ]
        trail.append([places for _, places in joined])
        spread = sum(variances(each) for each, _ in joined)
        widest = np.argsort(-spread, kind="stable")
        lists = [np.ascontiguousarray(each[:, widest]) for each, _ in joined]
        basis = np.ascontiguousarray(basis[:, widest])
    places = nearest_sums(
        *lists, min(FINAL_KEYS, d), n_sum * NEAREST, n_sum // NEAR, (basis, *rest), CHECKED, rng
    )
    for joined in reversed(trail):
        places = [part[at] for at, pair in zip(places, joined, strict=True) for part in pair]
    chosen = np.empty((len(places[0]), len(order)), np.int64)
    chosen[:, order] = np.column_stack(places)
    return chosen


def _take_nearest(aim, state, e, softness, stretches, found, chosen):
    """Make the rearrangements that are nearest by exact computation, if any is nearer."""
    problem = aim.problem
    kept = best = blank_copy(state)
    least = aim.measure_distance(state, softness)
    curves = total_curve_energy(problem, state, e)
    for places in chosen:
        for stretch, each, at in zip(stretches, found, places, strict=True):
            put(state, e, stretch, each.patient[at], each.event[at], each.day[at])
        if is_legal(problem, state) and total_curve_energy(problem, state, e) <= curves + 1e-9:
            off = aim.measure_distance(state, softness)
            if off < least - 1e-9:
                least, best = off, blank_copy(state)
        restore_times(state, kept)
    restore(problem, state, best)


def _find_goal(numbers, start, covariance, wanted):
    """The most likely sums whose numbers are those given."""
    goal = start.copy()
    for _ in range(STEPS):
        jacobian = _differentiate(numbers, goal)
        spread = _sandwich(jacobian, covariance)
        spread[np.diag_indices_from(spread)] += GIVE
        lower, _ = factorize(spread, 0.0, 0.0)
        step = np.empty(len(wanted))
        solve(lower, numbers(goal) - wanted, step)
        goal -= _product(_product(covariance, jacobian.T.copy()), step[:, None])[:, 0]
    return goal


def _differentiate(numbers, sums):
    columns = []
    for k, value in enumerate(sums):
        change = np.zeros(len(sums))
        change[k] = 1e-4 * max(1.0, abs(value))
        columns.append((numbers(sums + change) - numbers(sums - change)) / (2 * change[k]))
    return np.column_stack(columns)


def _sandwich(outer, inner):
    return _product(_product(outer, inner), outer.T.copy())


@njit
def _product(one, other):
    """The same to the last bit on every machine, as a library's product is not."""
    out = np.zeros((one.shape[0], other.shape[1]))
    for i in range(one.shape[0]):
        for k in range(one.shape[1]):
            for j in range(other.shape[1]):
                out[i, j] += one[i, k] * other[k, j]
    return out


@njit
def _covariance(vectors):
    n, d = vectors.shape
    mean = np.zeros(d)
    out = np.zeros((d, d))
    for i in range(n):
        for a in range(d):
            mean[a] += vectors[i, a] / n
    for i in range(n):
        for a in range(d):
            for b in range(d):
                out[a, b] += (vectors[i, a] - mean[a]) * (vectors[i, b] - mean[b]) / n
    return out


def _principal_axes(covariance):
    """Variances that are not next to nothing, the greatest first, and their directions."""
    values, vectors = _diagonalize(covariance.copy())
    order = np.argsort(-values, kind="stable")
    order = order[values[order] > LEAST_VARIANCE]
    return values[order], np.ascontiguousarray(vectors[:, order])


@njit
def _diagonalize(matrix):
    """Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations."""
    n = matrix.shape[0]
    vectors = np.eye(n)
    for _ in range(60):
        for a in range(n - 1):
            for b in range(a + 1, n):
                if abs(matrix[a, b]) < 1e-12 * np.sqrt(abs(matrix[a, a] * matrix[b, b])) + 1e-300:
                    continue
                theta = (matrix[b, b] - matrix[a, a]) / (2.0 * matrix[a, b])
                t = 1.0 / (abs(theta) + np.sqrt(theta * theta + 1.0))
                if theta < 0.0:
                    t = -t
                c = 1.0 / np.sqrt(t * t + 1.0)
                s = t * c
                for k in range(n):
                    x, y = matrix[k, a], matrix[k, b]
                    matrix[k, a], matrix[k, b] = c * x - s * y, s * x + c * y
                for k in range(n):
                    x, y = matrix[a, k], matrix[b, k]
                    matrix[a, k], matrix[b, k] = c * x - s * y, s * x + c * y
                for k in range(n):
                    x, y = vectors[k, a], vectors[k, b]
                    vectors[k, a], vectors[k, b] = c * x - s * y, s * x + c * y
    return np.diag(matrix).copy(), vectors
