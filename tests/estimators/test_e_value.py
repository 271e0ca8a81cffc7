"""E-values, against the published example and by hand."""

import math

import pytest

from helpers.estimators.e_value import approximate_risk_ratio, e_value, e_value_of_limit


def test_published_example():
    # VanderWeele and Ding 2017: risk ratio 3.9 (95% CI 1.8 to 8.7)
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_limit(1.8, 8.7) == pytest.approx(3.0)


def test_a_protective_ratio_is_turned_round():
    assert e_value(0.5) == e_value(2.0) == pytest.approx(2 + math.sqrt(2))
    assert e_value_of_limit(0.25, 0.5) == e_value(0.5)


def test_no_confounder_is_needed_where_the_interval_holds_one():
    assert e_value(1.0) == 1.0
    assert e_value_of_limit(0.8, 1.2) == 1.0
    assert e_value_of_limit(1.0, 1.2) == 1.0


def test_hazard_ratio_of_a_common_outcome():
    # (1 - 0.5^2) / (1 - 0.5^(1/2)) for a hazard ratio of 4
    assert approximate_risk_ratio(4.0) == pytest.approx(0.75 / (1 - math.sqrt(0.5)))
    assert approximate_risk_ratio(0.25) == pytest.approx(1 / approximate_risk_ratio(4.0))
    assert approximate_risk_ratio(1.0) == 1.0
