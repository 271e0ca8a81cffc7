"""Sums of a few moves that together cancel what single moves cannot.

Near the end of the search each move changes a printed number by more than its window. The
effects of moves that have no place of an order in common nearly add up. Pairs of moves that undo
most of each other are changes finer than any single one: sums of such pairs and of the finest
single moves are searched, and the best are computed exactly.
"""

from __future__ import annotations

import numpy as np

from helpers.jit import njit
from helpers.reconstruct.kernel import set_members, total_curve_energy
from helpers.reconstruct.moves import (
    apply_move,
    footprints,
    is_legal,
    measure_effects,
    restore_times,
)
from helpers.reconstruct.numbers import compute_numbers, soften
from helpers.reconstruct.survival_state import blank_copy, restore

N_SINGLE, N_PAIR = 400, 3000  # the finest, of which sums are made
N_NEAR = 1000  # pairs that bring the numbers nearest by themselves
LONGEST = 6  # singles or pairs in a sum
TOGETHER = 4  # candidates for each sum that is carried on, as many are the same moves
CHECKED = 300  # sums that are computed exactly


def combine_moves(aim, state, rng, softness, width=300) -> float:
    """Make the sum of moves that brings the numbers aimed at nearest to their windows.

    Parameters
    ----------
    aim : Aim
        The numbers, and the moves that may be made.
    state : State
        Changed in place, if a sum brings it nearer.
    rng : numpy.random.Generator
        Of the days that a patient is moved to.
    softness : float
        See `numbers.distance`.
    width : int
        Sums that are carried on to one more.

    Returns
    -------
    float
        Distance from the print, see `numbers.distance`.
    """
    problem, windows = aim.problem, aim.windows
    start = compute_numbers(problem, state, windows)
    least = aim.measure_distance(state, softness)
    moves = aim.list_moves(state, rng)
    effects, legal = measure_effects(problem, state, moves, start)
    changed = np.abs(effects[legal]).max(axis=0, initial=0) > 0
    changed &= np.isfinite(windows[:, :2]).all(axis=1)
    useful = legal & (np.abs(effects[:, changed]).max(axis=1, initial=0) > 0)
    moves = moves[useful]
    if not len(moves):
        return least
    scale = windows[changed, 2]
    off = (windows[changed, :2] - start[changed, None]) * scale[:, None]
    parts, steps, marks = _fine_changes(
        np.ascontiguousarray(effects[useful][:, changed] * scale),
        footprints(state, moves),
        off,
        softness,
    )
    kept, best = blank_copy(state), None
    curves = _curves_off(problem, state)
    for members in _sums(steps, marks, off, softness, width):
        for index in parts[list(members)].ravel():
            if index >= 0:
                apply_move(problem, state, moves[index])
        if is_legal(problem, state):
            set_members(problem, state)
            found = aim.measure_distance(state, softness)
            if found < least - 1e-9 and _curves_off(problem, state) <= curves + 1e-9:
                least, best = found, blank_copy(state)
        restore_times(state, kept)
        set_members(problem, state)
    restore(problem, state, kept if best is None else best)
    return least


def _curves_off(problem, state):
    return sum(total_curve_energy(problem, state, e) for e in range(2))


def _fine_changes(effects, marks, off, softness):
    """The finest single moves, the finest pairs of moves, and the pairs that bring nearest.

    Returns
    -------
    parts : ndarray of shape (n_change, 2)
        The moves; the second is -1 where there is one only.
    steps : ndarray of shape (n_change, n_number)
    marks : ndarray of shape (n_change, n_word)
    """
    size = (effects**2).sum(axis=1)
    single = np.argsort(size, kind="stable")[:N_SINGLE]
    fine = _least(_pair_sizes(effects, size, marks), N_PAIR)
    scores = np.empty((len(effects), len(effects)))
    _score_sums(effects, marks, effects, marks, off, softness, N_NEAR, scores)
    first, second = np.tril_indices(len(effects), -1)
    chosen = np.union1d(fine, _least(scores[first, second], N_NEAR))
    pairs = np.column_stack([first[chosen], second[chosen]])
    parts = np.vstack([np.column_stack([single, np.full(len(single), -1)]), pairs])
    steps = np.vstack([effects[single], effects[pairs[:, 0]] + effects[pairs[:, 1]]])
    return parts, steps, np.vstack([marks[single], marks[pairs[:, 0]] | marks[pairs[:, 1]]])


def _least(values, n):
    """Where the `n` least finite values are."""
    n = min(n, int(np.isfinite(values).sum()))
    if n == 0:
        return np.zeros(0, np.int64)
    return np.flatnonzero(values <= np.partition(values, n - 1)[n - 1])[:n]


@njit
def _pair_sizes(effects, size, marks):
    """Squared sizes of the sums of two moves, row by row below the diagonal."""
    n, d = effects.shape
    out = np.full(n * (n - 1) // 2, np.inf)
    at = 0
    for i in range(n):
        for j in range(i):
            if not _share(marks[i], marks[j]):
                total = size[i] + size[j]
                for q in range(d):
                    total += 2.0 * effects[i, q] * effects[j, q]
                if total > 1e-6:
                    out[at] = total
            at += 1
    return out


@njit
def _share(one, other):
    shared = np.uint64(0)
    for word in range(one.shape[0]):
        shared |= one[word] & other[word]
    return shared != 0


def _sums(steps, marks, off, softness, width):
    """The most promising sums of changes, the best first."""
    totals = np.zeros((1, steps.shape[1]))
    taken = np.zeros((1, marks.shape[1]), np.uint64)
    members = np.zeros((1, 0), np.int64)
    found = []
    for _ in range(LONGEST):
        scores = np.empty((len(totals), len(steps)))
        _score_sums(totals, taken, steps, marks, off, softness, TOGETHER * width, scores)
        chosen = np.flatnonzero(np.isfinite(scores.ravel()))
        chosen = chosen[np.argsort(scores.ravel()[chosen], kind="stable")][: TOGETHER * width]
        if not len(chosen):
            break
        origin, added = np.unravel_index(chosen, scores.shape)
        extended = np.column_stack([members[origin], added])
        _, first = np.unique(np.sort(extended, axis=1), axis=0, return_index=True)
        first = np.sort(first)[:width]
        origin, added, members = origin[first], added[first], extended[first]
        totals = totals[origin] + steps[added]
        taken = taken[origin] | marks[added]
        found += list(zip(scores[origin, added], map(tuple, members), strict=True))
    found.sort(key=lambda item: item[0])
    return [chosen for _, chosen in found[:CHECKED]]


@njit
def _score_sums(totals, taken, steps, marks, off, softness, n_wanted, scores):
    """Distances after one change more; infinite where it is not among the `n_wanted` nearest."""
    limit = np.inf
    for w in range(totals.shape[0]):
        for m in range(steps.shape[0]):
            scores[w, m] = np.inf
            if _share(taken[w], marks[m]):
                continue
            total = 0.0
            for q in range(off.shape[0]):
                step = totals[w, q] + steps[m, q]
                beyond = max(off[q, 0] - step, step - off[q, 1])
                if beyond > 0.0:
                    total += soften(beyond, softness)
                    if total > limit:
                        break
            if total <= limit:
                scores[w, m] = total
        if n_wanted < scores.shape[1]:
            limit = min(limit, np.partition(scores[w], n_wanted - 1)[n_wanted - 1])
