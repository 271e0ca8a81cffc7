import numpy as np
import pytest

from helpers.estimators.location import location_test
from helpers.reconstruct.p_values import quick_location_test


@pytest.mark.parametrize(
    "rule", ["student_t", "welch_t", "mann_whitney", "mann_whitney_continuity"]
)
@pytest.mark.parametrize("sizes", [(42, 46), (2, 5), (12, 9, 20)])
def test_the_quick_way_gives_the_same_p(rule, sizes):
    rng = np.random.default_rng(7)
    for highest in (4, 30, 5000):
        groups = [sorted(rng.integers(0, highest, n).tolist()) for n in sizes]
        expected = location_test(groups, rule).p
        assert quick_location_test(groups, rule) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("rule", ["student_t", "mann_whitney"])
def test_values_that_do_not_vary_have_no_p(rule):
    assert np.isnan(quick_location_test([[3, 3], [3, 3, 3]], rule))


def test_a_difference_by_hand():
    # ranks 1 2 3 against 4 5 6: U = 0, mean 4.5, variance 5.25; z = 4 / sqrt(5.25)
    assert quick_location_test([[1, 2, 3], [4, 5, 6]], "mann_whitney_continuity") == pytest.approx(
        0.080856, abs=1e-6
    )
