"""How well a score orders the patients by their events."""

import math

import numpy as np

from helpers.estimators.compiling import compiled

LATER, EVENT, TIED = 0, 1, 2  # the order of moves at one time


def concordance(time, event, score, *, strata=None, weights=None, entry=None) -> float:
    """Share of comparable pairs in which the higher score has the earlier event.

    A pair is comparable where one of them has the event while the other is at risk and does
    not have it at that time. Equal scores count one half. Backwards in time, the weights of
    those at risk are kept by rank of score in a Fenwick tree: n log n steps.

    Parameters
    ----------
    time, event, score : array_like of shape (n,)
    strata, weights, entry : array_like of shape (n,), optional

    References
    ----------
    Harrell FE et al. JAMA 1982;247:2543-2546. Fenwick PM. Softw Pract Exp 1994;24:327-336.
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    score = np.asarray(score, float)
    n = len(time)
    weights = np.ones(n) if weights is None else np.asarray(weights, float)
    stratum = np.zeros(n, int) if strata is None else np.unique(strata, return_inverse=True)[1]
    everyone, dying = np.arange(n), np.flatnonzero(event)
    moves = [
        (everyone, time, np.where(event, TIED, LATER), weights),
        (dying, time[dying], np.full(len(dying), EVENT), weights[dying]),
    ]
    if entry is not None:
        moves.append((everyone, np.asarray(entry, float), np.full(n, LATER), -weights))
    patient, moment, kind, weight = map(np.concatenate, zip(*moves, strict=True))
    order = np.lexsort([kind, -moment, stratum[patient]])
    rank = np.unique(score, return_inverse=True)[1]
    count = compiled(count_pairs, len(order))
    agreeing, comparable = count(
        stratum[patient[order]],
        rank[patient[order]],
        kind[order] == EVENT,
        weight[order],
        rank.max(initial=0) + 1,
    )
    return agreeing / comparable if comparable else math.nan


def count_pairs(stratum, rank, is_event, weight, n_rank):
    """Weights of the pairs that agree and of those that are comparable."""
    agreeing = comparable = 0.0
    tree = np.zeros(n_rank + 1)
    own = np.zeros(n_rank)
    total = 0.0
    for k in range(len(rank)):
        if k and stratum[k] != stratum[k - 1]:
            tree[:] = 0.0
            own[:] = 0.0
            total = 0.0
        place = rank[k]
        if is_event[k]:
            below = 0.0
            node = place
            while node > 0:
                below += tree[node]
                node &= node - 1
            agreeing += weight[k] * (below + own[place] / 2)
            comparable += weight[k] * total
        else:
            own[place] += weight[k]
            total += weight[k]
            node = place + 1
            while node <= n_rank:
                tree[node] += weight[k]
                node += node & -node
    return agreeing, comparable
