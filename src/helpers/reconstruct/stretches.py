"""Rearrangements of the patients within a stretch of an order of times.

At fixed coefficients the score and the information of a Cox model are sums over the events, and
an event's part depends on who is at risk with it. If patients change places within a stretch only,
nobody else's part changes: the effects of rearrangements of different stretches add up exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from helpers.jit import njit
from helpers.reconstruct.kernel import (
    ONE,
    add_event,
    add_joint_event,
    curve_energy,
    estimate_joint,
    estimate_row,
    is_nested,
    next_random,
    put_at_risk,
    random_below,
    shift,
)
from helpers.reconstruct.numbers import put_estimate

PER_ROW, PER_TEST = 3, 2  # sums of a covariate's model, and of a log-rank test
TIMES, BOTH, PATIENTS = 45, 70, 85  # percent: a time; patients and events, patients; events
NEAR = 5  # positions
PER_STATE = 2  # accepted moves between two rearrangements that are kept
PATIENCE = 100  # proposed moves for each rearrangement that is wanted
PRIME = 1099511628211  # of a hash (Fowler, Noll, Vo)


class Models(NamedTuple):
    """What is summed over the events of an endpoint.

    Attributes
    ----------
    e : int
        The endpoint.
    rows : ndarray of int
        Covariates with a model of their own.
    n_joint : int
        Covariates of the joint model; 0 where it is left out.
    tests : ndarray of int
        Log-rank tests.
    """

    e: int
    rows: np.ndarray
    n_joint: int
    tests: np.ndarray

    @property
    def n_sum(self) -> int:
        """Sums over the events: scores, informations, and what else the numbers follow from."""
        m = self.n_joint
        return PER_ROW * len(self.rows) + m + m * (m + 1) // 2 + PER_TEST * len(self.tests)

    @property
    def n_number(self) -> int:
        """Numbers that follow from the sums: four of a coefficient, one of a test."""
        return 4 * (len(self.rows) + self.n_joint) + len(self.tests)


class Stretch(NamedTuple):
    """Positions of an order from the first to before the last, and the days that are theirs."""

    first: int
    last: int
    day_low: int
    day_high: int


class Rearrangements(NamedTuple):
    """Different orders of the patients of a stretch.

    Attributes
    ----------
    effects : ndarray of shape (n, d), float32
    patient, event, day : ndarray of shape (n, n_position)
    """

    effects: np.ndarray
    patient: np.ndarray
    event: np.ndarray
    day: np.ndarray

    def distinct(self) -> Rearrangements:
        """One of those of equal effects."""
        whole = np.rint(self.effects.astype(float) * 256).astype(np.int64)
        mixed = np.zeros(len(whole), np.int64)
        for column in whole.T:
            mixed = (mixed ^ column) * PRIME
        _, chosen = np.unique(mixed, return_index=True)
        return Rearrangements(*(part[chosen] for part in self))

    def join(self, other) -> Rearrangements:
        """These and others."""
        return Rearrangements(*map(np.concatenate, zip(self, other, strict=True)))


def divide(problem, state, e, n_stretch, rng) -> list[Stretch]:
    """Divide an order into stretches of about as many events, not twice at the same places."""
    inner = np.arange(1, n_stretch)
    n_event = np.cumsum(state.now.event[e])
    wanted = (inner + rng.uniform(-0.25, 0.25, n_stretch - 1)) * n_event[-1] / n_stretch
    room = np.searchsorted(n_event, wanted) + 1 - inner
    room = np.clip(np.maximum.accumulate(room), 0, problem.n - n_stretch)
    edges = [0, *(room + inner), problem.n]
    days = [int(problem.day_low[e]), *(int(state.now.day[e, k]) for k in edges[1:-1])]
    days.append(int(problem.day_high[e]) + 1)
    return [
        Stretch(int(edges[k]), int(edges[k + 1]), days[k], days[k + 1] - 1)
        for k in range(n_stretch)
    ]


def total(problem, state, models, first=0, last=None) -> np.ndarray:
    """The sums over the events of a stretch; of all, if none is given."""
    last = problem.n if last is None else last
    hazard = np.zeros((last - first + 1, state.now.hazard.shape[2]))
    out = np.zeros(models.n_sum)
    _sum_stretch(problem, state, models, first, last, hazard, out)
    return out


def rearrange_stretch(
    problem, state, models, stretch, axes, centre, weight, n_wanted, rng, group=None
):
    """Rearrangements of a stretch, by a walk that is drawn to a centre; the first is none.

    Parameters
    ----------
    problem : Problem
    state : State
        Is left as it was.
    models : Models
    stretch : Stretch
    axes : ndarray of shape (d, n_sum)
        Effects are these combinations of changes of the sums.
    centre : ndarray of shape (d,)
        Is taken off the effects.
    weight : ndarray of shape (d,)
        Precision of each effect, that of a normal distribution of the walk.
    n_wanted : int
    rng : numpy.random.Generator
    group : ndarray of int, optional
        Of each patient. If given, patients of the same group change places, and nothing else.

    Returns
    -------
    Rearrangements
    """
    n = stretch.last - stretch.first
    effects = np.zeros((n_wanted, len(axes)), np.float32)
    patient = np.zeros((n_wanted, n), np.int16)
    event = np.zeros((n_wanted, n), np.int8)
    day = np.zeros((n_wanted, n), np.int32)
    bits = rng.integers(1, 2**62, 1).astype(np.uint64)
    start = total(problem, state, models, stretch.first, stretch.last)
    found = _walk(
        problem,
        state,
        models,
        stretch,
        axes,
        start,
        centre,
        weight,
        np.zeros(0, np.int64) if group is None else group,
        bits,
        effects,
        patient,
        event,
        day,
    )
    return Rearrangements(effects[:found], patient[:found], event[:found], day[:found])


def put(state, e, stretch, patient, event, day) -> None:
    """Write a rearrangement into an order; nothing else is updated."""
    chosen = slice(stretch.first, stretch.last)
    state.now.patient[e, chosen] = patient
    state.now.event[e, chosen] = event
    state.now.day[e, chosen] = day


@njit
def _sum_stretch(p, s, models, first, last, hazard, out):
    e, m = models.e, models.n_joint
    patient, event = s.now.patient[e], s.now.event[e]
    out[:] = 0.0
    sums = np.zeros(4, np.int64)
    at = 0
    for r in models.rows:
        sums[:] = 0
        exposed = s.now.n_at_risk[e, r, last]
        for k in range(last - 1, first - 1, -1):
            has = np.int64(s.x[patient[k], r])
            exposed += has
            if event[k]:
                add_event(sums, p.table[e, r], exposed, p.n - k - exposed, has, 1)
        for q in range(PER_ROW):
            out[at + q] = sums[q] / ONE
        at += PER_ROW
    if m > 0:
        hazard[last - first] = s.now.hazard[e, last]
        n_joint = m + m * (m + 1) // 2
        for k in range(last - 1, first - 1, -1):
            pattern = s.pattern[e, patient[k]]
            put_at_risk(hazard, k - first, pattern, p.joint_hazard[e, pattern], m)
            if event[k]:
                add_joint_event(out[at : at + n_joint], hazard, k - first, pattern, m, 1.0)
        at += n_joint
    for q in models.tests:
        exposed, others = 0, 0
        for k in range(p.n - 1, first - 1, -1):
            i = patient[k]
            if not s.in_test[q, i]:
                continue
            exposed += s.x[i, 0]
            others += 1 - s.x[i, 0]
            if event[k] and k < last:
                share = exposed / (exposed + others)
                out[at] += s.x[i, 0] - share
                out[at + 1] += share * (1.0 - share)
        at += PER_TEST


@njit
def estimate_numbers(p, models, sums, out):
    """The numbers that follow from sums over all events, in the order of `numbers.list_windows`."""
    e, m = models.e, models.n_joint
    whole = np.zeros(4, np.int64)
    at = 0
    done = 0
    for r in models.rows:
        for q in range(PER_ROW):
            whole[q] = np.int64(np.rint(sums[done + q] * ONE))
        beta, std_error = estimate_row(p.row[e, r], whole)
        at = put_estimate(out, at, beta, std_error)
        done += PER_ROW
    if m > 0:
        found = np.zeros((m, 2))
        n_joint = m + m * (m + 1) // 2
        estimate_joint(m, sums[done : done + n_joint], p.joint[e], found)
        for a in range(m):
            at = put_estimate(out, at, found[a, 0], found[a, 1])
        done += n_joint
    for _ in models.tests:
        out[at] = sums[done] / np.sqrt(sums[done + 1]) if sums[done + 1] > 0.0 else 0.0
        at += 1
        done += PER_TEST


@njit
def _walk(
    p, s, models, stretch, axes, start, centre, weight, group, rng, effects, patient, event, day
):
    """Fill in rearrangements, and leave the state as it was; how many there are."""
    e, (first, last, day_low, day_high) = models.e, stretch
    now = (
        s.now.patient[e, first:last],
        s.now.event[e, first:last],
        s.now.day[e, first:last],
    )
    kept = (now[0].copy(), now[1].copy(), now[2].copy())
    before = (now[0].copy(), now[1].copy(), now[2].copy())
    curves = np.zeros(p.curve_arm.shape[0])
    for q in range(curves.shape[0]):
        curves[q] = curve_energy(p, s, s.now, e, q)
    hazard = np.zeros((last - first + 1, s.now.hazard.shape[2]))
    sums, effect = np.zeros(start.shape[0]), np.zeros(axes.shape[0])
    for _ in range(8):
        next_random(rng)
    energy = _effect(axes, start, start, centre, weight, effect)
    effects[0] = effect
    patient[0], event[0], day[0] = now[0], now[1], now[2]
    n, n_accepted = 1, 0
    for _ in range(effects.shape[0] * PATIENCE):
        if n == effects.shape[0]:
            break
        if group.shape[0] > 0:
            i, j = _propose_alike(s, e, first, last, group, rng)
        else:
            i, j = _propose(s, e, first, last, day_low, day_high, rng)
        if i < 0:
            continue
        accepted = _nested_at(s, e, i) and _nested_at(s, e, j)
        if accepted:
            _sum_stretch(p, s, models, first, last, hazard, sums)
            limit = energy + 2.0 * p.minus_log[random_below(rng, p.minus_log.shape[0])]
            found = _effect(axes, sums, start, centre, weight, effect)
            accepted = found <= limit
        if accepted:
            for q in range(curves.shape[0]):
                touched = s.in_curve[q, s.now.patient[e, i]] or s.in_curve[q, s.now.patient[e, j]]
                if touched and curve_energy(p, s, s.now, e, q) > curves[q] + 1e-9:
                    accepted = False
                    break
        if not accepted:
            _copy(now, kept)
            continue
        _copy(kept, now)
        energy = found
        n_accepted += 1
        if n_accepted % PER_STATE == 0:
            effects[n] = effect
            patient[n], event[n], day[n] = now[0], now[1], now[2]
            n += 1
    _copy(now, before)
    return n


@njit
def _copy(target, source):
    target[0][:] = source[0]
    target[1][:] = source[1]
    target[2][:] = source[2]


@njit
def _effect(axes, sums, start, centre, weight, out):
    """Write the effects of a change of sums; their weighted square length."""
    total = 0.0
    for q in range(axes.shape[0]):
        value = -centre[q]
        for k in range(axes.shape[1]):
            value += axes[q, k] * (sums[k] - start[k])
        out[q] = value
        total += weight[q] * value * value
    return total


@njit
def _nested_at(s, e, k):
    return is_nested(s, e, s.now.patient[e, k], s.now.day[e, k], s.now.event[e, k])


@njit
def _propose(s, e, first, last, day_low, day_high, rng):
    """Make a change within a stretch; the positions that it is about, or -1 if it is none."""
    n = last - first
    i = first + random_below(rng, n)
    days = s.now.day[e]
    kind = random_below(rng, 100)
    if kind < TIMES:
        if random_below(rng, 2) == 0:
            day = day_low + random_below(rng, day_high - day_low + 1)
        else:
            near = min(max(i + random_below(rng, 7) - 3, first), last - 1)
            day = days[near] + random_below(rng, 9) - 4
        if day < day_low or day > day_high:
            return -1, -1
        target = i
        while target > first and days[target - 1] >= day:
            target -= 1
        while target < last - 1 and days[target + 1] <= day:
            target += 1
        for k in (target - 1, target, target + 1):
            if first <= k < last and days[k] == day:
                return -1, -1
        shift(s.now, e, i, target, day)
        return target, target
    j = i + 1 + random_below(rng, NEAR)
    if random_below(rng, 3) == 0:
        j = first + random_below(rng, n)
    events, patients = s.now.event[e], s.now.patient[e]
    if j >= last or i == j or (kind >= PATIENTS and events[i] == events[j]):
        return -1, -1
    if kind < PATIENTS:
        patients[i], patients[j] = patients[j], patients[i]
    if kind < BOTH or kind >= PATIENTS:
        events[i], events[j] = events[j], events[i]
    return i, j


@njit
def _propose_alike(s, e, first, last, group, rng):
    """As `_propose`: a patient and the next one of the group, from anywhere, change places."""
    n = last - first
    patients = s.now.patient[e]
    i, start = first + random_below(rng, n), random_below(rng, n)
    for step in range(n):
        j = first + (start + step) % n
        if j != i and group[patients[j]] == group[patients[i]]:
            patients[i], patients[j] = patients[j], patients[i]
            return i, j
    return -1, -1
