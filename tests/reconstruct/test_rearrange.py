"""Rearrangements of stretches: their effects add up, and together they bring an order nearer."""

import hashlib
import itertools

import numpy as np
import pytest
from scipy.stats import norm
from small_book import ROOT

from helpers.published import load_ledger
from helpers.reconstruct.aims import (
    aim_at_exchanges,
    aim_at_order,
    free_blocks,
    joint_covariates,
)
from helpers.reconstruct.days import make_room, spread_days
from helpers.reconstruct.ensemble import prepare_origin
from helpers.reconstruct.kernel import total_curve_energy
from helpers.reconstruct.moves import is_legal
from helpers.reconstruct.numbers import compute_numbers, distance
from helpers.reconstruct.rearrange import _diagonalize, _find_weight, _models, rearrange
from helpers.reconstruct.stretches import (
    Rearrangements,
    divide,
    estimate_numbers,
    put,
    rearrange_stretch,
    total,
)
from helpers.reconstruct.survival_state import blank_copy, make_state, restore
from helpers.reconstruct.walks import random_bits, walk

DIGEST = "989908e732d3ecfcaf46a5ebb603f5f9a5e5dd8b624158a17fc151718951b682"


def rng(seed):
    return np.random.default_rng(seed)


@pytest.fixture
def state(targets, annealed):
    return make_state(targets.problem, *blank_copy(annealed), annealed.rng.copy())


@pytest.fixture
def near(cohort, study):
    """A state near the print: the cohort's, after a short walk."""
    ledger = load_ledger(ROOT / "data/published.csv")
    origin = prepare_origin(ledger, study, cohort, ROOT / "data/cohort.csv")
    state = make_state(origin.problem, *origin.arrays, random_bits(2, 0))
    walk(origin.problem, origin.reach, state, 20_000)
    restore(origin.problem, state, blank_copy(state))
    return state


def curves(problem, state):
    return [total_curve_energy(problem, state, e) for e in range(2)]


@pytest.mark.parametrize("e", [0, 1])
def test_sums_give_the_numbers_of_the_models(targets, state, e):
    aim = aim_at_order(targets.problem, e)
    models, summed = _models(aim, e)
    found = np.zeros(models.n_number)
    estimate_numbers(targets.problem, models, total(targets.problem, state, models), found)
    aimed = np.isfinite(aim.windows[:, 0])
    np.testing.assert_array_equal(summed, np.flatnonzero(aimed))
    np.testing.assert_allclose(
        found, compute_numbers(targets.problem, state, aim.windows)[aimed], atol=1e-9
    )


@pytest.mark.parametrize("e", [0, 1])
def test_effects_of_different_stretches_add_up(targets, state, e):
    problem = targets.problem
    models, *_ = _models(aim_at_order(problem, e), e)
    stretches = divide(problem, state, e, 8, rng(2))
    assert [stretches[0].first, stretches[-1].last] == [0, problem.n]
    before, off = total(problem, state, models), curves(problem, state)
    blank = np.zeros(models.n_sum)
    drawn = [
        rearrange_stretch(
            problem, state, models, each, np.eye(models.n_sum), blank, blank, 40, rng(k)
        )
        for k, each in enumerate(stretches)
    ]
    effect = np.zeros(models.n_sum)
    for stretch, found in zip(stretches, drawn, strict=True):
        assert len(found.effects) > 0
        effect += found.effects[-1]
        put(state, e, stretch, found.patient[-1], found.event[-1], found.day[-1])
    assert np.abs(effect).max() > 0.01
    changed = make_state(problem, *blank_copy(state), state.rng)
    assert is_legal(problem, changed)
    np.testing.assert_allclose(total(problem, changed, models), before + effect, atol=1e-4)
    assert curves(problem, changed)[1 - e] == off[1 - e]


@pytest.mark.parametrize("e", [0, 1])
def test_stretches_have_about_as_many_events(targets, state, e):
    event = state.now.event[e]
    for seed in range(5):
        stretches = stretches_of(targets, state, e, seed)
        found = [event[each.first : each.last].sum() for each in stretches]
        assert sum(found) == event.sum()
        assert all(abs(n - event.sum() / 4) <= event.sum() / 8 + 1 for n in found)


def test_no_stretch_is_empty_where_there_are_hardly_any_events(targets, state):
    for events in ([87], [0, 1], [40, 41, 87]):
        state.now.event[0] = np.isin(np.arange(targets.problem.n), events)
        for seed in range(5):
            found = stretches_of(targets, state, 0, seed)
            assert all(each.first < each.last for each in found)
            assert [each.last for each in found] == [*(each.first for each in found[1:]), 88]


def stretches_of(targets, state, e, seed):
    return divide(targets.problem, state, e, 4, rng(seed))


@pytest.mark.parametrize(("width", "narrowed"), [(1e-9, 4096), (0.5, 64), (4.0, 1)])
def test_a_walk_is_as_narrow_as_leaves_enough_different_rearrangements(width, narrowed):
    """A hundred normal deviates in cells of a width; they reach over 5.15 standard deviations."""

    def draw(weight, n):
        quantiles = norm.ppf((np.arange(n) + 0.5) / n) / np.sqrt(weight[0])
        cells = np.rint(quantiles / width)[:, None]
        return Rearrangements(cells, cells, cells, cells)

    weight = _find_weight(draw, np.array([100.0]), np.zeros(1), 100)
    np.testing.assert_allclose(weight, 1 / (100 / narrowed + 0.05))
    far = _find_weight(draw, np.array([100.0]), np.array([10.0]), 100)
    np.testing.assert_allclose(far, 1 / (100 / min(narrowed, 4) + 0.05))


@pytest.mark.parametrize("e", [0, 1])
def test_an_order_comes_nearer_and_keeps_its_curves(targets, near, e):
    state = near
    problem, aim = targets.problem, aim_at_order(targets.problem, e)
    before = distance(compute_numbers(problem, state, aim.windows), aim.windows, 100.0)
    off, kept = curves(problem, state), blank_copy(state)
    found = rearrange(aim, state, rng(1), 100.0, 20_000)
    assert found < before / 2
    after = compute_numbers(problem, state, aim.windows)
    assert found == pytest.approx(distance(after, aim.windows, 100.0))
    assert is_legal(problem, state)
    assert all(now <= then + 1e-9 for now, then in zip(curves(problem, state), off, strict=True))
    np.testing.assert_array_equal(state.x, kept[0])
    np.testing.assert_array_equal(state.now.patient[1 - e], kept[1][1 - e])
    np.testing.assert_array_equal(state.now.event.sum(axis=1), kept[2].sum(axis=1))


def test_a_seed_gives_the_same_bytes(targets, near):
    rearrange(aim_at_order(targets.problem, 0), near, rng(1), 1.0, 3000)
    whole = b"".join(part[0].astype("<i8").tobytes() for part in blank_copy(near)[1:])
    assert hashlib.sha256(whole).hexdigest() == DIGEST


def test_room_is_made_at_the_ends_of_time(targets, state):
    problem, off = targets.problem, curves(targets.problem, state)
    order = state.now.patient.copy()
    early, late = state.now.day[1].copy(), state.now.day[0].copy()
    make_room(problem, state, 1)
    make_room(problem, state, 0)
    assert (state.now.day[1] <= early).all()
    assert (state.now.day[0] >= late).all()
    assert state.now.day[1, 0] == problem.day_low[1]
    assert state.now.day[0, -1] == problem.day_high[0]
    np.testing.assert_array_equal(state.now.patient, order)
    assert all(now <= then for now, then in zip(curves(problem, state), off, strict=True))
    assert is_legal(problem, state)


def test_days_are_spread_between_their_neighbours(targets, state):
    problem = targets.problem
    make_room(problem, state, 1)
    make_room(problem, state, 0)
    crowded, off, kept = state.now.day.copy(), curves(problem, state), blank_copy(state)
    spread_days(problem, state, (0, 1))
    assert all(now <= then for now, then in zip(curves(problem, state), off, strict=True))
    assert is_legal(problem, state)
    for part, before in zip((state.x, *state.now[:2]), kept, strict=False):
        np.testing.assert_array_equal(part, before)
    next_day = [np.count_nonzero(np.diff(days) == 1) for days in (crowded, state.now.day)]
    assert next_day[1] < next_day[0] / 3


def test_principal_axes_are_those_of_a_library():
    vectors = rng(4).normal(size=(9, 6)) * [5, 4, 3, 2, 1, 0.1]
    matrix = vectors.T @ vectors
    values, axes = _diagonalize(matrix.copy())
    np.testing.assert_allclose(np.sort(values), np.linalg.eigvalsh(matrix), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(axes @ np.diag(values) @ axes.T, matrix, atol=1e-9)


@pytest.mark.parametrize(("number", "e"), [(0, 0), (0, 1), (1, 0)])
def test_exchanges_of_patients_who_are_alike_mend_a_block_and_leave_those_before(
    targets, near, number, e
):
    problem = targets.problem
    block = free_blocks(problem)[number]
    before = compute_numbers(problem, near, (aim := aim_at_exchanges(problem, block, e)).windows)
    x, now = near.x.copy(), [part.copy() for part in blank_copy(near)[1:]]
    off = curves(problem, near)
    found = rearrange(aim, near, rng(4), 100.0, 30_000)
    assert found < distance(before, aim.windows, 100.0)
    after = compute_numbers(problem, near, aim.windows)
    before_it = itertools.chain(*free_blocks(problem)[:number])
    held = [*joint_covariates(problem), *before_it]
    rows = np.isin(np.arange(problem.row.shape[1]), held)
    same = [
        np.concatenate(
            [
                np.repeat(rows if q == e else np.ones_like(rows), 4),
                np.ones(4 * problem.joint_size[q], bool),
                np.isin(problem.test_covariate, held),
            ]
        )
        for q in range(2)
    ]
    np.testing.assert_allclose(after[np.concatenate(same)], before[np.concatenate(same)], atol=1e-9)
    assert curves(problem, near) == off
    assert is_legal(problem, near)
    np.testing.assert_array_equal(near.x, x)
    np.testing.assert_array_equal(near.now.patient[1 - e], now[0][1 - e])
    np.testing.assert_array_equal(near.now.event, now[1])
    assert (near.now.patient[e] != now[0][e]).any()
    np.testing.assert_array_equal(x[near.now.patient[e]][:, held], x[now[0][e]][:, held])
