"""Sums of a few moves that together cancel what single moves cannot.

Near the end of the search each move changes a printed number by more than its window. The
effects of moves that share no patient nearly add up, so sums of them are searched, and the best
are checked exactly.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from helpers.reconstruct.kernel import (
    Z,
    estimate_joint,
    estimate_row,
    exchange_labels,
    is_eligible,
    logrank_z,
    set_members,
    shift,
    sum_joint,
    sum_row,
    total_curve_energy,
)
from helpers.reconstruct.survival_state import blank_copy, restore

LABELS, PATIENTS, PLACES, EVENTS, SHIFT = range(5)  # kinds of moves
REACH, SHIFT_REACH = 12, 5  # positions between which times are exchanged, or one is moved
LONGEST = 4  # moves in a sum


def combine_moves(problem, state, rng, share, softness, endpoint=None, width=400) -> float:
    """Apply the sum of at most `LONGEST` moves that brings the numbers nearest to their windows.

    Parameters
    ----------
    problem : Problem
    state : State
        Changed in place, if a sum brings it nearer.
    rng : numpy.random.Generator
    share : float
        Share of all moves that are considered.
    softness : float
        See `distance`.
    endpoint : int or None
        Whose order alone is changed; both orders and the labels where None.
    width : int
        Sums that are carried on to one move more; half as many are computed exactly.

    Returns
    -------
    float
        Distance from the print, see `distance`.
    """
    windows = list_windows(problem)
    start = compute_numbers(problem, state, windows)
    least = distance(start, windows, softness)
    moves = list_moves(problem, state, rng)
    if endpoint is not None:
        moves = moves[(moves[:, 0] != LABELS) & (moves[:, 1] == endpoint)]
    moves = moves[rng.random(len(moves)) < share]
    effects, legal = measure_effects(problem, state, moves, start)
    useful = legal & (np.abs(effects).max(axis=1, initial=0) > 0)
    moves, effects = moves[useful], effects[useful]
    changed = np.abs(effects).max(axis=0, initial=0) > 0
    near = start[changed], np.ascontiguousarray(effects[:, changed])
    kept = blank_copy(state)
    best = None
    for members in _sums(*near, _patients(state, moves), windows[changed], softness, width):
        for index in members:
            apply_move(problem, state, moves[index])
        if _is_legal(problem, state):
            set_members(problem, state)
            found = distance(compute_numbers(problem, state, windows), windows, softness)
            if found < least - 1e-9:
                least, best = found, blank_copy(state)
        restore_times(state, kept)
        set_members(problem, state)
    restore(problem, state, kept if best is None else best)
    return least


def distance(numbers, windows, softness) -> float:
    """How far numbers are from their windows, in half-windows.

    A number that is off by the softness counts half of it, and no number more than all of it: the
    smaller the softness, the more it matters how many numbers are off than by how much.
    """
    off = np.maximum(np.maximum(windows[:, 0] - numbers, numbers - windows[:, 1]), 0)
    off = off * windows[:, 2]
    return float((off / (1 + off / softness)).sum())


def list_windows(problem) -> np.ndarray:
    """Low, high and 1/half of every number of the search but the curves, endpoint by endpoint."""
    blocks = []
    for e in range(2):
        rows = [*problem.row[e], *problem.joint[e, : problem.joint_size[e]]]
        blocks += [row[1:13].reshape(4, 3) for row in rows]
        blocks.append(problem.test[e])
    return np.concatenate(blocks)


def compute_numbers(problem, state, windows):
    """All numbers of the search but the curves, as `list_windows` has them."""
    out = np.zeros(len(windows))
    _compute_numbers(problem, state, out)
    return out


@njit(cache=True)
def _compute_numbers(p, s, out):
    at = 0
    for e in range(2):
        at = compute_endpoint(p, s, e, out, at)


@njit(cache=True)
def compute_endpoint(p, s, e, out, at):
    """Write the numbers of an endpoint to `out` from place `at`; the place after them."""
    for r in range(s.x.shape[1]):
        sum_row(p, s, e, r, s.new_sums[e, r])
        beta, std_error = estimate_row(p.row[e, r], s.new_sums[e, r])
        at = _put_estimate(out, at, beta, std_error)
    m = p.joint_size[e]
    sum_joint(p, s, e, s.joint_sums[e])
    found = np.zeros((m, 2))
    estimate_joint(m, s.joint_sums[e], p.joint[e], found)
    for a in range(m):
        at = _put_estimate(out, at, found[a, 0], found[a, 1])
    for q in range(p.test_level.shape[0]):
        out[at] = logrank_z(s.in_test[q], s.x, s.now.patient[e], s.now.event[e])
        at += 1
    return at


@njit(cache=True)
def _put_estimate(out, at, beta, std_error):
    out[at] = beta
    out[at + 1] = beta - Z * std_error
    out[at + 2] = beta + Z * std_error
    out[at + 3] = abs(beta) / std_error if std_error > 0.0 else 0.0
    return at + 4


def list_moves(problem, state, rng):
    """Every exchange of labels within an arm, and small changes of either order."""
    n, k = state.x.shape
    arm = state.x[:, 0]
    moves = []
    for r in range(1, k):
        for i in np.flatnonzero(state.x[:, r] == 1):
            others = np.flatnonzero((state.x[:, r] == 0) & (arm == arm[i]))
            moves += [(LABELS, r, i, j, 0) for j in others]
    for e in range(2):
        days, events = state.now.day[e], state.now.event[e]
        for a in range(n):
            for b in range(a + 1, min(n, a + 1 + REACH)):
                moves += [(PATIENTS, e, a, b, 0), (PLACES, e, a, b, 0)]
                if events[a] != events[b]:
                    moves.append((EVENTS, e, a, b, 0))
            for b in range(max(0, a - SHIFT_REACH), min(n, a + SHIFT_REACH + 1)):
                if b == a:
                    continue
                before, after = (b, b + 1) if b > a else (b - 1, b)
                low = days[before] + 1 if before >= 0 else problem.day_low[e]
                high = days[after] - 1 if after < n else problem.day_high[e]
                if low <= high:
                    moves.append((SHIFT, e, a, b, rng.integers(low, high + 1)))
    return np.array(moves, np.int64)


def _patients(state, moves):
    """The two patients that a move is about."""
    pairs = moves[:, 2:4].copy()
    timed = moves[:, 0] != LABELS
    endpoint = moves[timed, 1]
    for column in range(2):
        pairs[timed, column] = state.now.patient[endpoint, pairs[timed, column]]
    return pairs


@njit(cache=True)
def apply_move(p, s, move):
    """Change the order, the events or the covariates by one move; nothing else is updated."""
    kind, e, a, b, day = move
    if kind == LABELS:
        exchange_labels(p, s, e, a, b)
    elif kind == SHIFT:
        shift(s.now, e, a, b, day)
    else:
        patient, event = s.now.patient, s.now.event
        if kind != EVENTS:
            patient[e, a], patient[e, b] = patient[e, b], patient[e, a]
        if kind != PATIENTS:
            event[e, a], event[e, b] = event[e, b], event[e, a]


@njit(cache=True)
def _is_legal(p, s):
    """Whether times are ordered, the endpoints nested and the patients eligible."""
    for k in range(p.n):
        for e in range(2):
            if k > 0 and s.now.day[e, k] <= s.now.day[e, k - 1]:
                return False
            s.place[e, s.now.patient[e, k]] = k
    for i in range(p.n):
        a, b = s.place[0, i], s.place[1, i]
        if s.now.day[1, b] > s.now.day[0, a] or s.now.event[0, a] > s.now.event[1, b]:
            return False
        if not is_eligible(p, s.x, i):
            return False
    return True


@njit(cache=True)
def restore_times(s, kept):
    """Bring back covariates and orders, without what follows from them."""
    s.x[:] = kept[0]
    s.now.patient[:] = kept[1]
    s.now.event[:] = kept[2]
    s.now.day[:] = kept[3]


def measure_effects(problem, state, moves, start):
    """What each move alone adds to each number, and whether it may be made."""
    effects = np.zeros((len(moves), len(start)))
    legal = np.zeros(len(moves), bool)
    _measure(problem, state, moves, start, effects, legal, blank_copy(state))
    return effects, legal


@njit(cache=True)
def _measure(p, s, moves, start, effects, legal, kept):
    split = 4 * (s.x.shape[1] + p.joint_size[0]) + p.test_level.shape[0]
    curves = (total_curve_energy(p, s, 0), total_curve_energy(p, s, 1))
    found = np.zeros(start.shape[0])
    for m in range(moves.shape[0]):
        kind, e = moves[m, 0], moves[m, 1]
        apply_move(p, s, moves[m])
        ok = _is_legal(p, s)
        for endpoint in range(2):
            if ok and (kind == LABELS or endpoint == e):
                ok = total_curve_energy(p, s, endpoint) <= curves[endpoint] + 1e-9
                first = 0 if endpoint == 0 else split
                last = compute_endpoint(p, s, endpoint, found, first)
                for q in range(first, last):
                    effects[m, q] = found[q] - start[q]
        legal[m] = ok
        if kind == LABELS:
            exchange_labels(p, s, e, moves[m, 2], moves[m, 3])
        else:
            restore_times(s, kept)


def _sums(start, effects, pairs, windows, softness, width):
    """The most promising sums of moves, the best first."""
    totals = start[None, :]
    members = np.zeros((1, 0), np.int64)
    found = []
    for _ in range(LONGEST):
        scores = np.full((len(totals), len(effects)), np.inf)
        _score_sums(totals, effects, members, pairs, windows, softness, scores)
        order = np.argsort(scores, axis=None, kind="stable")[: 4 * width]
        origin, added = np.unravel_index(order, scores.shape)
        extended = np.column_stack([members[origin], added])
        _, first = np.unique(np.sort(extended, axis=1), axis=0, return_index=True)
        first = np.sort(first)[:width]
        members = extended[first]
        totals = totals[origin[first]] + effects[added[first]]
        found += [
            (score, tuple(chosen))
            for score, chosen in zip(scores[origin, added][first], members, strict=True)
            if np.isfinite(score)
        ]
    found.sort(key=lambda item: item[0])
    return [chosen for _, chosen in found[: width // 2]]


@njit(cache=True)
def _score_sums(totals, effects, members, pairs, windows, softness, scores):
    n_number = windows.shape[0]
    for w in range(totals.shape[0]):
        for m in range(effects.shape[0]):
            shared = False
            for q in range(members.shape[1]):
                other = pairs[members[w, q]]
                for a in range(2):
                    shared = shared or pairs[m, a] == other[0] or pairs[m, a] == other[1]
            if shared:
                continue
            total = 0.0
            for q in range(n_number):
                value = totals[w, q] + effects[m, q]
                off = max(windows[q, 0] - value, value - windows[q, 1]) * windows[q, 2]
                if off > 0.0:
                    total += off / (1.0 + off / softness)
            scores[w, m] = total
