"""Sums of vectors of two lists: the right ones, and where their parts are."""

import itertools

import numpy as np
import pytest

from helpers.reconstruct.joins import join_lists, nearest_sums
from helpers.reconstruct.numbers import distance

ALL = 10**9  # pairs: more than there are


@pytest.fixture
def lists():
    rng = np.random.default_rng(3)
    return [rng.normal(0, 10, (n, 5)).astype(np.float32) for n in (300, 200)]


def test_sums_nearly_cancel_in_the_first_coordinates(lists):
    sums, (first, second) = join_lists(*lists, 2, 600, ALL, np.random.default_rng(1))
    np.testing.assert_allclose(sums, lists[0][first] + lists[1][second], atol=1e-5)
    assert 300 < len(sums) <= 600
    # 600 of 60,000 pairs: in each coordinate a tenth of the pairs, those nearest to zero
    assert np.abs(sums[:, :2]).max() < 5
    assert np.abs(sums[:, 2:]).max() > 30


def test_the_shortest_are_kept(lists):
    every, _ = join_lists(*lists, 1, 6000, ALL, np.random.default_rng(1))
    kept, _ = join_lists(*lists, 1, 6000, 50, np.random.default_rng(1))
    variance = sum(each.astype(float).var(axis=0) for each in lists)
    weight = 1 / (variance[1:] + 0.25)
    lengths = np.sort((every[:, 1:].astype(float) ** 2 * weight).sum(axis=1))
    found = np.sort((kept[:, 1:].astype(float) ** 2 * weight).sum(axis=1))
    assert len(found) == 50
    assert found[-1] <= lengths[50] * (1 + 1e-5)


def test_the_nearest_sum_is_that_of_all_pairs(lists):
    rng = np.random.default_rng(5)
    basis, origin = rng.normal(size=(7, 5)), rng.normal(size=7)
    low, high = origin - 4.0, origin + 4.0
    windows = np.column_stack([low, high, np.ones(7)])
    score = (basis, origin, low, high, 2.0)
    first, second = nearest_sums(*lists, 1, ALL, ALL, score, 20, rng)
    every = [
        (distance(origin + basis @ (lists[0][u] + lists[1][v]), windows, 2.0), u, v)
        for u, v in itertools.product(range(300), range(200))
    ]
    nearest = sorted(every)[:20]
    assert list(zip(first, second, strict=True)) == [(u, v) for _, u, v in nearest]


def test_lists_far_from_zero_still_give_their_nearest_sums(lists):
    far = lists[0] + np.float32(900), lists[1]
    basis, blank = np.eye(5), np.zeros(5)
    score = (basis, blank, blank, blank, 1e6)
    first, second = nearest_sums(*far, 2, ALL, ALL, score, 3, np.random.default_rng(1))
    lengths = (far[0][:, None] + far[1][None]).sum(axis=2)
    assert lengths[first[0], second[0]] == lengths.min()


def test_lists_without_a_pair_that_cancels_give_none():
    apart = np.zeros((3, 2), np.float32), np.full((4, 2), 1e12, np.float32)
    sums, (first, second) = join_lists(*apart, 1, 5, 10, np.random.default_rng(1))
    assert len(sums) == len(first) == len(second) == 0
