"""How strong an unmeasured confounder would have to be."""

import math


def e_value(risk_ratio) -> float:
    """The E-value of a risk ratio.

    The least strength of association, as a risk ratio, that an unmeasured confounder must have
    with both the treatment and the outcome, beyond the measured covariates, to explain the
    ratio away.

    Parameters
    ----------
    risk_ratio : float
        On either side of one.

    References
    ----------
    VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274.
    """
    ratio = max(risk_ratio, 1 / risk_ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))


def approximate_risk_ratio(hazard_ratio) -> float:
    """The risk ratio of a common outcome (in more than 15%) that a hazard ratio stands for.

    References
    ----------
    VanderWeele TJ, Ding P. Ann Intern Med 2017;167:268-274, table 2.
    """
    return (1 - 0.5 ** math.sqrt(hazard_ratio)) / (1 - 0.5 ** math.sqrt(1 / hazard_ratio))


def e_value_of_limit(low, high) -> float:
    """The E-value of the limit nearer to one of an interval of risk ratios; 1 if it holds one."""
    if low <= 1 <= high:
        return 1.0
    return e_value(low if low > 1 else high)
