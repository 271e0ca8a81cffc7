"""The region of a coefficient and its upper limit that a printed row leaves."""

import numpy as np
import pytest

from helpers.reconstruct.kernel import Z
from helpers.reconstruct.numbers import list_centres, list_windows
from helpers.reconstruct.regions import find_region, summarize_regions

WIDE = (-99.0, 99.0)
ANY_Z = (0.0, 99.0)


def region(beta, lower, upper, z):
    return find_region(np.array([beta, lower, upper, z]))


def test_two_windows_leave_a_rectangle():
    found = region((1.0, 3.0), WIDE, (5.0, 9.0), ANY_Z)
    assert found.centre == pytest.approx([2, 7])
    np.testing.assert_allclose(found.covariance, [[4 / 12, 0], [0, 16 / 12]], atol=1e-12)


def test_the_lower_limit_leaves_a_triangle():
    # the lower limit is 2 beta - upper, below 0 in the corners (1, 2), (2, 4) and (1, 4)
    found = region((1.0, 2.0), (-99.0, 0.0), (2.0, 4.0), ANY_Z)
    assert found.centre == pytest.approx([4 / 3, 10 / 3])
    np.testing.assert_allclose(found.covariance, np.array([[1, 1], [1, 4]]) / 18, atol=1e-12)
    assert found.share == pytest.approx(1 / 2)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_p_value_bounds_the_coefficient_over_its_error(sign):
    # where z is above 2 and the upper limit 3, the coefficient is above 6 / (2 + Z)
    least = 6 / (2 + Z)
    limits = (3.0, 3.0001)
    if sign > 0:
        found = region((0.0, 2.0), WIDE, limits, (2.0, 99.0))
        assert found.centre[0] == pytest.approx((least + 2) / 2, abs=1e-4)
    else:
        # |beta| = 2 errors at most, with an upper limit of 3: beta (1 - Z / 2) is 3 at least
        found = region((-99.0, -1.0), WIDE, (-0.1, -0.0999), (2.0, 3.0))
        beta = found.centre[0]
        assert 2 <= -beta * Z / (-0.1 - beta) <= 3


def test_windows_that_contradict_each_other_are_made_wider():
    # estimate 1 and upper limit 2 leave a lower limit of 0, and 0.5 is printed
    found = region((0.9, 1.1), (0.4, 0.6), (1.9, 2.1), ANY_Z)
    beta, upper = found.centre
    assert 1 < beta < 1.2
    assert 1.8 < upper < 2
    assert 0 < 2 * beta - upper < 0.5


def test_the_centres_of_all_printed_rows_print_as_they_do(targets):
    windows = list_windows(targets.problem)
    centres = list_centres(targets.problem)
    assert (centres >= windows[:, 0]).all()
    assert (centres <= windows[:, 1]).all()


def test_the_thinnest_region_is_that_of_child_pugh_in_table_2(targets):
    found = summarize_regions(targets)
    assert len(found) == 18 + 5 + 3
    thinnest = found.loc[found["share"].idxmin()]
    assert (thinnest["endpoint"], thinnest["variable"]) == ("os", "child_pugh")
    # a million points of the rectangle, of which these print as all four numbers
    problem = targets.problem
    low, high, _ = problem.row[0, targets.variables.index("child_pugh"), 1:13].reshape(4, 3).T
    points = np.random.default_rng(1).uniform(low[[0, 2]], high[[0, 2]], (1_000_000, 2))
    beta, upper = points.T
    lower, z = 2 * beta - upper, beta * Z / (upper - beta)
    inside = (lower > low[1]) & (lower < high[1]) & (z > low[3]) & (z < high[3])
    assert thinnest["share"] == pytest.approx(inside.mean(), rel=0.03)
