"""States of the survival search: drawn at random, kept in a file, written as patients."""

from __future__ import annotations

import numpy as np
import pandas as pd

from helpers.reconstruct.kernel import (
    Energies,
    Sequence,
    State,
    estimate_joint,
    estimate_row,
    evaluate,
    is_eligible,
    logrank_z,
)

DRAWS = 10_000  # attempts at covariates that meet the eligibility
LATEST_INNER = 0.95  # share of the outer time that the inner one takes at most, at the start


def draw_state(targets, seed) -> State:
    """A random state with the printed counts: covariates, times and events of no likeness yet.

    Raises
    ------
    ValueError
        No covariates with the printed counts meet the eligibility.
    """
    problem = targets.problem
    n = problem.n
    rng = np.random.default_rng([seed, n])
    x = _draw_covariates(targets, rng)
    low, high = problem.day_low, problem.day_high
    outer = low[0] + rng.permutation(high[0] - low[0] + 1)[:n]
    latest = np.minimum(outer * LATEST_INNER, high[1])
    inner = (low[1] + rng.uniform(size=n) * np.maximum(latest - low[1], 1)).astype(int)
    _separate(inner)
    counts = [targets.n_event[key] for key in targets.endpoints]
    chosen = rng.permutation(n)
    event = np.zeros((2, n), np.int8)
    event[0, chosen[: counts[0]]] = 1
    event[1, chosen[: counts[1]]] = 1
    days = np.stack([outer, np.minimum(inner, outer)])
    order = np.argsort(days, axis=1, kind="stable")
    return make_state(
        problem,
        x,
        order,
        np.take_along_axis(event, order, axis=1),
        np.take_along_axis(days, order, axis=1),
        seed_bits(seed),
    )


def _draw_covariates(targets, rng):
    arm = np.repeat([0, 1], [targets.sizes[key] for key in targets.levels["arm"]])
    x = np.zeros((len(arm), len(targets.variables)), np.int8)
    x[:, 0] = arm
    for _ in range(DRAWS):
        for r, name in enumerate(targets.variables[1:], start=1):
            for code, key in enumerate(targets.levels["arm"]):
                inside = np.flatnonzero(arm == code)
                x[inside, r] = 0
                x[rng.permutation(inside)[: targets.exposed[name, key]], r] = 1
        if _repair(targets.problem, x, rng):
            return x
    raise ValueError("no covariates with the printed counts meet the eligibility")


def _repair(problem, x, rng):
    """Exchange labels within an arm until each patient is eligible; False where that fails."""
    for i in range(len(x)):
        if is_eligible(problem, x, i):
            continue
        for r in rng.permutation(np.unique(problem.clause_covariate)):
            for j in rng.permutation(np.flatnonzero(x[:, 0] == x[i, 0])):
                if x[i, r] != x[j, r]:
                    x[i, r], x[j, r] = x[j, r], x[i, r]
                    if is_eligible(problem, x, i) and is_eligible(problem, x, j):
                        break
                    x[i, r], x[j, r] = x[j, r], x[i, r]
            else:
                continue
            break
        else:
            return False
    return True


def _separate(days):
    """Make times distinct by moving later ones of a tie to the next free smaller time."""
    taken = set()
    for i in np.argsort(days, kind="stable"):
        while days[i] in taken:
            days[i] -= 1
        taken.add(int(days[i]))


def seed_bits(seed) -> np.ndarray:
    """The first state of the generator: never zero."""
    return np.array([(seed * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) % 2**64 | 1], np.uint64)


def make_state(problem, x, patient, event, day, rng) -> State:
    """The state of an order, with all that follows from it."""
    n, k = x.shape
    curves, tests = len(problem.curve_arm), len(problem.test_level)
    m = int(problem.joint_size.max(initial=0))
    n_sums = 1 + m + m * (m + 1) // 2

    def sequence():
        return Sequence(
            np.array(patient, np.int64),
            np.array(event, np.int8),
            np.array(day, np.int64),
            np.zeros((2, k, n + 1), np.int64),
            np.zeros((2, n + 1, n_sums)),
        )

    def energies():
        return Energies(np.zeros((2, k)), np.zeros(2), np.zeros((2, curves)), np.zeros((2, tests)))

    state = State(
        x=np.array(x, np.int8),
        now=sequence(),
        trial=sequence(),
        place=np.zeros((2, n), np.int64),
        pattern=np.zeros((2, n), np.int64),
        in_curve=np.zeros((curves, n), np.int8),
        in_test=np.zeros((tests, n), np.int8),
        sums=np.zeros((2, k, 4), np.int64),
        joint_sums=np.zeros((2, n_sums)),
        energy=energies(),
        new=energies(),
        new_sums=np.zeros((2, k, 4), np.int64),
        rng=np.array(rng, np.uint64),
    )
    evaluate(problem, state)
    return state


def blank_copy(state) -> tuple:
    """Arrays that hold what a state is made from: covariates, patients, events, days."""
    now = state.now
    return state.x.copy(), now.patient.copy(), now.event.copy(), now.day.copy()


def restore(problem, state, kept) -> None:
    """Bring a state back to what `blank_copy` or `anneal` kept."""
    now = state.now
    for target, source in zip((state.x, now.patient, now.event, now.day), kept, strict=True):
        target[:] = source
    evaluate(problem, state)


def count_hits(problem, state) -> dict[str, tuple[int, int]]:
    """How many printed numbers of each block come back, and how many there are."""
    hits = {}
    for e in range(2):
        m = int(problem.joint_size[e])
        found = np.zeros((max(m, 1), 2))
        estimate_joint(m, state.joint_sums[e], problem.joint[e], found)
        rows = [estimate_row(w, s) for w, s in zip(problem.row[e], state.sums[e], strict=True)]
        blocks = (("univariable", problem.row[e], rows), ("multivariable", problem.joint[e], found))
        for block, windows, estimates in blocks:
            inside = [
                ok
                for window, estimate in zip(windows, estimates, strict=False)
                for ok in _inside(window, *estimate)
            ]
            _count(hits, block, inside)
        inside = []
        for q, window in enumerate(problem.test[e]):
            z = logrank_z(state.in_test[q], state.x, state.now.patient[e], state.now.event[e])
            inside.append(window[0] <= z <= window[1])
        _count(hits, "log-rank", inside)
        _count(hits, "Kaplan-Meier", _curves_inside(problem, state, e))
    return hits


def _count(hits, block, inside):
    n, total = hits.get(block, (0, 0))
    hits[block] = n + sum(map(bool, inside)), total + len(inside)


def _inside(window, beta, std_error):
    if not std_error > 0:
        return [False] * 4
    z = 1.959963984540054
    values = beta, beta - z * std_error, beta + z * std_error, abs(beta) / std_error
    return [window[1 + 3 * q] <= value <= window[2 + 3 * q] for q, value in enumerate(values)]


def _curves_inside(problem, state, e):
    """Each median and limit: a curve without energy has all three."""
    inside = []
    for q in range(len(problem.curve_arm)):
        inside += [state.energy.curve[e, q] == 0.0] * 3
    return inside


def to_patients(targets, state, study) -> pd.DataFrame:
    """Write a state as one row a patient: level keys, and times and events of the endpoints."""
    columns = {}
    for r, name in enumerate(targets.variables):
        key = study.arm.column if name == "arm" else name
        columns[key] = np.array(targets.levels[name])[state.x[:, r]]
    for e, key in enumerate(targets.endpoints):
        endpoint = study.endpoints[key]
        place = state.place[e]
        columns[endpoint.time] = state.now.day[e, place]
        event = state.now.event[e, place] == 1
        columns[endpoint.event] = np.where(
            event, endpoint.event_codes[0], endpoint.censored_codes[0]
        )
    frame = pd.DataFrame(columns)
    times = [study.endpoints[key].time for key in targets.endpoints]
    return frame.sort_values([study.arm.column, *times], ignore_index=True)
