"""What an estimator returns when one number is not enough."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A number with its confidence interval.

    Attributes
    ----------
    value, conf_low, conf_high : float
        NaN where the number does not exist.
    method : str
        How the interval was made, or why there is none.
    """

    value: float
    conf_low: float
    conf_high: float
    method: str


@dataclass(frozen=True)
class PValue:
    """A two-sided p value.

    Attributes
    ----------
    p : float
        NaN where the test does not exist.
    method : str
        Name of the test that was used, or why there is none.
    """

    p: float
    method: str


def no_estimate(reason) -> Estimate:
    """The estimate that does not exist."""
    return Estimate(math.nan, math.nan, math.nan, f"none: {reason}")


def no_test(reason) -> PValue:
    """The p value that does not exist."""
    return PValue(math.nan, f"none: {reason}")
