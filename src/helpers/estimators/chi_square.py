"""A test whose statistic follows a chi-squared distribution."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.estimators.estimate import PValue


@dataclass(frozen=True)
class ChiSquare(PValue):
    """A chi-squared test.

    Attributes
    ----------
    statistic : float
        NaN where the test does not exist.
    df : int
        Degrees of freedom; 0 where the test does not exist.
    """

    statistic: float
    df: int


def chi_square(statistic, df, method) -> ChiSquare:
    """The test with this statistic."""
    return ChiSquare(float(stats.chi2.sf(statistic, df)), method, float(statistic), int(df))


def quadratic_test(difference, variance, method) -> ChiSquare:
    """Test that several differences, with this variance matrix, are zero together."""
    try:
        statistic = difference @ np.linalg.solve(variance, difference)
    except np.linalg.LinAlgError:
        return no_chi_square("the variance is singular")
    if not statistic >= 0:
        return no_chi_square("the variance is singular")
    return chi_square(statistic, len(difference), method)


def no_chi_square(reason) -> ChiSquare:
    """The test that does not exist."""
    return ChiSquare(math.nan, f"none: {reason}", math.nan, 0)
