"""Lists of vectors of which one is taken from each, so that their sum is near zero.

With many lists there are far more sums than can be looked at. Lists are joined two by two, as in
the generalized birthday problem: pairs are formed only where a few coordinates cancel, and of
these pairs the ones that are short in the other coordinates are kept, as a list for the next join.
The coordinates of the most variance are cancelled first.

References
----------
Wagner D. A generalized birthday problem. CRYPTO 2002. Lect Notes Comput Sci 2442:288-304.
"""

from __future__ import annotations

import math

import numpy as np

from helpers.jit import njit
from helpers.reconstruct.numbers import soften

CELLS, OFFSET = 13, 4096  # bits of a cell's number in one coordinate, and that of the cell at zero
SAMPLED = 500_000  # vectors of a list, or pairs of two, from which a number is estimated
WIDEST, FINEST, HALVINGS = 12.0, -12.0, 15  # logs of standard deviations; steps to find a cell
SPREAD = 0.25  # variance below which a coordinate need not be shorter


def join_lists(first, second, n_key, n_pair, n_kept, rng):
    """Sums of two lists that cancel in some coordinates and are short in the others.

    Parameters
    ----------
    first, second : ndarray of shape (n_vector, d), float32
    n_key : int
        The sums nearly cancel in the first so many coordinates.
    n_pair : int
        Pairs that are looked at, about.
    n_kept : int
        Pairs that are kept at most, the shortest but for the first coordinates.
    rng : numpy.random.Generator

    Returns
    -------
    sums : ndarray of shape (n_sum, d), float32
    places : tuple of ndarray
        Where each sum's parts are in the two lists.
    """
    weight = 1 / (variances(first) + variances(second) + SPREAD)
    weight[:n_key] = 0
    paired = _Pairs(first, second, n_key, n_pair, rng)
    longest = paired.quantile(weight, n_kept)
    sums = np.empty((n_kept, first.shape[1]), np.float32)
    places = np.empty((2, n_kept), np.int64)
    n = _keep_short(*paired.lists, *paired.keys, weight, longest, sums, places)
    return sums[:n], tuple(o[at[:n]] for o, at in zip(paired.order, places, strict=True))


def nearest_sums(first, second, n_key, n_pair, n_near, score, n_kept, rng):
    """The sums of two lists that a score finds nearest.

    Parameters
    ----------
    first, second, n_key, n_pair, rng
        See `join_lists`.
    n_near : int
        Pairs that the score is asked for, about: the shortest.
    score : tuple
        Basis of shape (n_number, d), origin, low and high of shape (n_number,), and softness: a
        sum stands for the numbers ``origin + basis @ sum``, whose distance from their windows is
        as of `numbers.distance`.
    n_kept : int

    Returns
    -------
    places : tuple of ndarray
        Of the nearest sums, the nearest first; of equal ones only one.
    """
    paired = _Pairs(first, second, n_key, n_pair, rng)
    longest = paired.quantile(np.ones(first.shape[1]), n_near)
    scores, places = np.full(n_kept, np.inf), np.zeros((2, n_kept), np.int64)
    _keep_near(*paired.lists, *paired.keys, longest, *score, scores, places)
    _, chosen = np.unique(scores.round(6), return_index=True)
    chosen = chosen[np.isfinite(scores[chosen])]
    return tuple(o[at[chosen]] for o, at in zip(paired.order, places, strict=True))


class _Pairs:
    """Two lists in the order of cells, so that pairs of one cell cancel."""

    def __init__(self, first, second, n_key, n_pair, rng):
        size = np.sqrt(variances(first)[:n_key] + variances(second)[:n_key]) + 1e-6
        shift = rng.random(n_key)
        steps = [max(1, len(each) // SAMPLED) for each in (first, second)]
        sampled = [each[::step] for each, step in zip((first, second), steps, strict=True)]
        fine, wide = FINEST, WIDEST
        for _ in range(HALVINGS):
            width = (fine + wide) / 2
            cells = size * round(math.exp(width), 9)
            found = [
                np.sort(_cells(each, sign, cells, shift), kind="stable")
                for each, sign in zip(sampled, (1.0, -1.0), strict=True)
            ]
            if _count_pairs(*found) * steps[0] * steps[1] > n_pair:
                wide = width
            else:
                fine = width
        cells = size * round(math.exp(fine), 9)
        keys = [_cells(first, 1.0, cells, shift), _cells(second, -1.0, cells, shift)]
        self.order = [np.argsort(key, kind="stable") for key in keys]
        self.keys = [key[o] for key, o in zip(keys, self.order, strict=True)]
        self.lists = [each[o] for each, o in zip((first, second), self.order, strict=True)]

    def quantile(self, weight, n_wanted):
        """The weighted square length that about so many pairs fall short of."""
        n = _count_pairs(*self.keys)
        if n <= n_wanted:
            return np.inf
        lengths = _sample_lengths(*self.lists, *self.keys, weight, max(1, n // SAMPLED), SAMPLED)
        return float(np.sort(lengths)[min(len(lengths) * n_wanted // n, len(lengths) - 1)])


@njit
def variances(vectors):
    """Variances by coordinate, summed in the same order on every machine."""
    n, d = vectors.shape
    out = np.zeros(d)
    for q in range(d):
        total = 0.0
        squares = 0.0
        for i in range(n):
            total += vectors[i, q]
            squares += np.float64(vectors[i, q]) * vectors[i, q]
        if n > 0:
            out[q] = max(squares / n - (total / n) ** 2, 0.0)
    return out


@njit
def _cells(vectors, sign, width, shift):
    """The number of the cell that each vector, or its opposite, falls into."""
    out = np.zeros(vectors.shape[0], np.int64)
    for i in range(vectors.shape[0]):
        for q in range(width.shape[0]):
            cell = np.int64(math.floor(sign * vectors[i, q] / width[q] + shift[q])) + OFFSET
            out[i] = (out[i] << CELLS) | min(max(cell, 0), (1 << CELLS) - 1)
    return out


@njit
def _next_cell(keys_first, keys_second, i, j):
    """Where the next cell with vectors of both lists begins and ends; the begin is past the end."""
    n, m = keys_first.shape[0], keys_second.shape[0]
    while i < n and j < m and keys_first[i] != keys_second[j]:
        if keys_first[i] < keys_second[j]:
            i += 1
        else:
            j += 1
    i_end, j_end = i, j
    while i < n and j < m and i_end < n and keys_first[i_end] == keys_first[i]:
        i_end += 1
    while i < n and j < m and j_end < m and keys_second[j_end] == keys_second[j]:
        j_end += 1
    return i, i_end, j, j_end


@njit
def _count_pairs(keys_first, keys_second):
    total = 0
    i, i_end, j, j_end = _next_cell(keys_first, keys_second, 0, 0)
    while i_end > i and j_end > j:
        total += (i_end - i) * (j_end - j)
        i, i_end, j, j_end = _next_cell(keys_first, keys_second, i_end, j_end)
    return total


@njit
def _length(first, second, u, v, weight, longest):
    """Weighted square length of a sum, or more than the longest."""
    total = 0.0
    for q in range(first.shape[1]):
        part = np.float64(first[u, q]) + second[v, q]
        total += weight[q] * part * part
        if total > longest:
            break
    return total


@njit
def _sample_lengths(first, second, keys_first, keys_second, weight, step, n_most):
    out = np.zeros(n_most)
    n = 0
    seen = 0
    i, i_end, j, j_end = _next_cell(keys_first, keys_second, 0, 0)
    while i_end > i and j_end > j and n < n_most:
        for u in range(i, i_end):
            for v in range(j, j_end):
                seen += 1
                if seen % step == 0 and n < n_most:
                    out[n] = _length(first, second, u, v, weight, np.inf)
                    n += 1
        i, i_end, j, j_end = _next_cell(keys_first, keys_second, i_end, j_end)
    return out[:n]


@njit
def _keep_short(first, second, keys_first, keys_second, weight, longest, sums, places):
    """Write the pairs that are short enough, as many as there is room for; their number."""
    n = 0
    i, i_end, j, j_end = _next_cell(keys_first, keys_second, 0, 0)
    while i_end > i and j_end > j:
        for u in range(i, i_end):
            for v in range(j, j_end):
                if _length(first, second, u, v, weight, longest) > longest:
                    continue
                for q in range(first.shape[1]):
                    sums[n, q] = first[u, q] + second[v, q]
                places[0, n], places[1, n] = u, v
                n += 1
                if n == sums.shape[0]:
                    return n
        i, i_end, j, j_end = _next_cell(keys_first, keys_second, i_end, j_end)
    return n


@njit
def _keep_near(
    first,
    second,
    keys_first,
    keys_second,
    longest,
    basis,
    origin,
    low,
    high,
    softness,
    scores,
    places,
):
    unweighted = np.ones(first.shape[1])
    worst = 0
    i, i_end, j, j_end = _next_cell(keys_first, keys_second, 0, 0)
    while i_end > i and j_end > j:
        for u in range(i, i_end):
            for v in range(j, j_end):
                if _length(first, second, u, v, unweighted, longest) > longest:
                    continue
                score = 0.0
                for k in range(origin.shape[0]):
                    number = origin[k]
                    for q in range(first.shape[1]):
                        number += basis[k, q] * (np.float64(first[u, q]) + second[v, q])
                    beyond = max(low[k] - number, number - high[k])
                    if beyond > 0.0:
                        score += soften(beyond, softness)
                        if score > scores[worst]:
                            break
                if score < scores[worst]:
                    scores[worst] = score
                    places[0, worst], places[1, worst] = u, v
                    worst = np.argmax(scores)
        i, i_end, j, j_end = _next_cell(keys_first, keys_second, i_end, j_end)
