"""Single small moves from a state, and what each of them does to the numbers."""

from __future__ import annotations

import numpy as np

from helpers.jit import njit
from helpers.reconstruct.kernel import (
    exchange_labels,
    is_eligible,
    shift,
    total_curve_energy,
)
from helpers.reconstruct.numbers import compute_endpoint
from helpers.reconstruct.survival_state import blank_copy

LABELS, PATIENTS, PLACES, EVENTS, SHIFT = range(5)  # kinds of moves
REACH, SHIFT_REACH = 12, 5  # positions between which times are exchanged, or one is moved


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


def find_groups(state, alike):
    """The group of each patient: those who have the same of some covariates."""
    return np.unique(state.x[:, alike], axis=0, return_inverse=True)[1].ravel()


def list_exchanges(state, alike):
    """Exchanges of the places of two patients of a group in either order."""
    n = len(state.x)
    group = find_groups(state, alike)
    moves = []
    for e in range(2):
        of_place = group[state.now.patient[e]]
        for a in range(n):
            same = of_place[a + 1 :] == of_place[a]
            moves += [(PATIENTS, e, a, b, 0) for b in a + 1 + np.flatnonzero(same)]
    return np.array(moves, np.int64).reshape(-1, 5)


def footprints(state, moves):
    """Which places in both orders each move is about, as bits.

    Moves without a place in common can be made together: a time that is moved takes all places
    that it passes.

    Returns
    -------
    ndarray of uint64, shape (n_move, n_word)
    """
    n = len(state.x)
    out = np.zeros((len(moves), 2 * (-(-n // 64))), np.uint64)
    _mark_places(state.place, state.now.patient, moves, out)
    return out


@njit
def _mark_places(place, patient, moves, out):
    words = out.shape[1] // 2
    for m in range(moves.shape[0]):
        kind, e, a, b, _ = moves[m]
        for k in range(min(a, b), max(a, b) + 1):
            if k != a and k != b and kind != SHIFT:
                continue
            i = k if kind == LABELS else patient[e, k]
            for endpoint in range(2):
                at = place[endpoint, i]
                out[m, endpoint * words + at // 64] |= np.uint64(1) << np.uint64(at % 64)


@njit
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


@njit
def is_legal(p, s):
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


@njit
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


@njit
def _measure(p, s, moves, start, effects, legal, kept):
    split = 4 * (s.x.shape[1] + p.joint_size[0]) + p.test_level.shape[0]
    curves = (total_curve_energy(p, s, 0), total_curve_energy(p, s, 1))
    found = np.zeros(start.shape[0])
    for m in range(moves.shape[0]):
        kind, e = moves[m, 0], moves[m, 1]
        apply_move(p, s, moves[m])
        ok = is_legal(p, s)
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
