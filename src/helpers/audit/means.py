"""Checks of means and standard deviations."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar

from helpers.audit.check import (
    CONSISTENT,
    IMPLAUSIBLE,
    INCONSISTENT,
    INFORMATION,
    UNDECIDED,
    Check,
    register,
)
from helpers.audit.printed import BINARY, texts, without_padding
from helpers.formats import format_number
from helpers.results import BETWEEN_ARMS, OVERALL

MOST_NEIGHBOURS = 10  # average distances between two patients that interpolation may bridge
PADDED = "consistent if the numbers were rounded to integers and printed with a zero"


def judge(name, subject, tested, inputs, target, compute, decimals) -> Check:
    """Compare a printed number with the range of values that its inputs allow.

    Parameters
    ----------
    name, subject, tested : str
    inputs : list of Number
    target : Number
    compute : callable
        Takes the inputs and returns the range.
    decimals : int
        With which the range is shown.
    """
    low, high = compute(inputs)
    fits, explanation = target.overlaps(low, high), ""
    numbers = [*inputs, target] if target.statistic == inputs[0].statistic else inputs
    widened = None if fits else without_padding(numbers)
    if widened:
        wanted = widened[-1] if len(numbers) > len(inputs) else target
        explanation = PADDED if wanted.overlaps(*compute(widened[: len(inputs)])) else ""
    return Check(
        name,
        subject,
        tested,
        texts(target, *inputs),
        f"{format_number(low, decimals)} to {format_number(high, decimals)}",
        CONSISTENT if fits else INCONSISTENT,
        explanation,
        low,
        high,
    )


@register("padding", "Decimals that were not measured", informs=True)
def padding(printed):
    """All means, deviations or quartiles of a row end in zero.

    If the last digits were measured they would be zero in one row of ten for each number
    printed; the chance that all are is shown.
    """
    summaries = [n for s in ("mean", "median") for n in printed.all(s, group=OVERALL)]
    for overall in summaries:
        names = ("mean", "sd") if overall.statistic == "mean" else ("q1", "median", "q3")
        groups = [OVERALL, *printed.arms]
        found = [printed.beside(overall, s, group=g) for g in groups for s in names]
        found = [number for number in found if number is not None]
        widened = without_padding(found)
        if widened is None:
            continue
        lost = overall.decimals - widened[0].decimals
        chance = 10.0 ** (-lost * len(found))
        yield Check(
            "padding",
            overall.subject,
            f"{len(found)} numbers end in zero",
            texts(*found),
            f"chance 1 in {1 / chance:,.0f} if the decimals were measured",
            INFORMATION,
            "the values were rounded to integers and the table prints every value alike",
            chance,
            chance,
        )


@register("t_test", "p values from means and standard deviations")
def t_tests(printed):
    """A p value of two means is that of Student's or Welch's t test.

    The range of p takes the closest and the farthest means, and the largest and the smallest
    deviations, that print as these.

    References
    ----------
    Student. Biometrika 1908;6:1-25. Welch BL. Biometrika 1951;38:330-336. Nuijten MB et al.
    The prevalence of statistical reporting errors in psychology (statcheck). Behav Res
    Methods 2016;48:1205-1226.
    """
    for p in printed.all("p", group=BETWEEN_ARMS):
        if len(printed.arms) != 2 or math.isnan(p.low):
            continue
        inputs = [printed.beside(p, s, group=arm) for arm in printed.arms for s in ("mean", "sd")]
        sizes = [printed.size(arm) for arm in printed.arms]
        if None in inputs or None in sizes or min(sizes) < 2:
            continue
        yield judge(
            "t_test",
            p.subject,
            "Student or Welch",
            inputs,
            p,
            lambda numbers, sizes=sizes: t_test_range(numbers, sizes),
            3,
        )


def t_test_range(numbers, sizes) -> tuple[float, float]:
    """The p values of Student's and Welch's tests that two rounded means and SDs allow.

    Parameters
    ----------
    numbers : sequence of Number
        Mean, SD, mean, SD.
    sizes : sequence of int
    """
    mean, sd, mean_other, sd_other = numbers
    n, n_other = sizes
    nearest = max(0.0, mean.low - mean_other.high, mean_other.low - mean.high)
    farthest = max(mean.high - mean_other.low, mean_other.high - mean.low)
    ranges = []
    for pick, difference in ((min, farthest), (max, nearest)):
        variances = [pick(max(number.low, 0.0), number.high) ** 2 for number in (sd, sd_other)]
        pooled = (n - 1) * variances[0] + (n_other - 1) * variances[1]
        pooled /= n + n_other - 2
        student = math.sqrt(pooled * (1 / n + 1 / n_other))
        welch = math.sqrt(variances[0] / n + variances[1] / n_other)
        ranges.append((difference, student, welch))
    degrees = [min(n, n_other) - 1, n + n_other - 2]
    (far, student_least, welch_least), (near, student_most, welch_most) = ranges
    lows = [_two_sided(far, student_least, degrees[1])]
    lows += [_two_sided(far, welch_least, df) for df in degrees]
    highs = [_two_sided(near, student_most, degrees[1])]
    highs += [_two_sided(near, welch_most, df) for df in degrees]
    return min(lows), max(highs)


def _two_sided(difference, error, df):
    if error == 0:
        return 0.0 if difference else 1.0
    return float(2 * stats.t.sf(difference / error, df))


@register("grim", "Means of integers (GRIM)")
def grim_check(printed):
    """The mean of n values measured in known steps is a multiple of the step over n.

    Only for quantities of which the ledger gives the step. With n steps or more to a unit of
    the last decimal every mean is possible.

    References
    ----------
    Brown NJL, Heathers JAJ. The GRIM test. Soc Psychol Personal Sci 2017;8:363-369.
    """
    for mean in printed.all("mean"):
        size = printed.size(mean.group)
        if size is None or mean.grain in ("", BINARY):
            continue
        step = float(mean.grain)
        fits = grim(mean, size, step)
        decisive = size < step * 10**mean.decimals
        yield Check(
            "grim",
            mean.subject,
            f"a mean of {size} multiples of {mean.grain}",
            texts(mean),
            "possible" if fits else "no sum of such values has this mean",
            (CONSISTENT if decisive else UNDECIDED) if fits else INCONSISTENT,
        )


def grim(mean, size, step=1.0) -> bool:
    """Whether values in steps of `step` can have a printed mean."""
    return bool(_possible_totals(mean, size, step))


def _possible_totals(mean, size, step):
    first = math.floor(mean.low * size / step)
    last = math.ceil(mean.high * size / step)
    return [
        total
        for total in range(first, last + 1)
        if mean.overlaps(total * step / size, total * step / size)
    ]


@register("grimmer", "Standard deviations of integers (GRIMMER)")
def grimmer_check(printed):
    """The sum of squares of integers is an integer, odd or even as their sum is.

    Asked of every sum that prints as the mean. Steps other than one are scaled to one.

    References
    ----------
    Anaya J. The GRIMMER test. PeerJ Preprints 2016;4:e2400v1. Allard A. Analytic-GRIMMER,
    2018.
    """
    for mean in printed.all("mean"):
        sd, size = printed.beside(mean, "sd"), printed.size(mean.group)
        if sd is None or size is None or size < 2 or mean.grain in ("", BINARY):
            continue
        fits = grimmer(mean, sd, size, float(mean.grain))
        yield Check(
            "grimmer",
            mean.subject,
            f"{size} multiples of {mean.grain} with this mean and deviation",
            texts(mean, sd),
            "possible" if fits else "impossible",
            CONSISTENT if fits else INCONSISTENT,
        )


def grimmer(mean, sd, size, step=1.0) -> bool:
    """Whether values in steps of `step` can have a printed mean and standard deviation."""
    for total in _possible_totals(mean, size, step):
        about_mean = total**2 / size
        low = (size - 1) * (max(sd.low, 0.0) / step) ** 2 + about_mean
        high = (size - 1) * (sd.high / step) ** 2 + about_mean
        quotient, rest = divmod(total, size)
        least = rest * (quotient + 1) ** 2 + (size - rest) * quotient**2
        slack = 1e-9 * max(1.0, high)
        first = max(least, math.ceil(low - slack))
        if first + (first - total) % 2 <= high + slack:
            return True
    return False


@register("debit", "Standard deviations of binary values (DEBIT)")
def debit_check(printed):
    """The standard deviation of a binary quantity follows from its mean and n.

    References
    ----------
    Heathers JAJ, Brown NJL. DEBIT: a simple consistency test for binary data. 2019.
    """
    for mean in printed.all("mean"):
        sd, size = printed.beside(mean, "sd"), printed.size(mean.group)
        if sd is None or size is None or size < 2 or mean.grain != BINARY:
            continue
        low, high = debit_range(mean, size)
        yield Check(
            "debit",
            mean.subject,
            "SD of zeros and ones",
            texts(mean, sd),
            f"{format_number(low, sd.decimals + 1)} to {format_number(high, sd.decimals + 1)}",
            CONSISTENT if sd.overlaps(low, high) else INCONSISTENT,
            low=low,
            high=high,
        )


def debit_range(mean, size) -> tuple[float, float]:
    """The standard deviations that zeros and ones with a printed mean can have."""
    shares = np.clip([mean.low, mean.high], 0, 1)
    deviations = np.sqrt(shares * (1 - shares) * size / (size - 1))
    highest = 0.5 if shares[0] <= 0.5 <= shares[1] else math.nan
    top = np.nanmax([*deviations, highest * math.sqrt(size / (size - 1))])
    return float(deviations.min()), float(top)


@register("overall", "The overall column against the arms")
def overall(printed):
    """The overall mean and deviation follow from the arms; the overall quartiles lie between.

    A quartile of the whole may lie outside those of the arms by one patient's distance, since
    most definitions interpolate. Half of the patients lie between the quartiles, so that two
    neighbours are twice the interquartile range over n apart on average; within ten times
    that the case stays undecided, further out it is implausible.

    References
    ----------
    Higgins JPT et al. Cochrane Handbook, section 6.5.2.10 (combining groups).
    """
    sizes = [printed.size(arm) for arm in printed.arms]
    if len(sizes) < 2 or None in sizes:
        return
    for mean in printed.all("mean", group=OVERALL):
        arms = [printed.beside(mean, "mean", group=arm) for arm in printed.arms]
        if None in arms:
            continue
        yield judge(
            "overall",
            f"{mean.subject}: mean",
            "mean of the arms, weighted by size",
            arms,
            mean,
            lambda numbers: combined_mean(numbers, sizes),
            mean.decimals + 1,
        )
        sd = printed.beside(mean, "sd")
        spreads = [printed.beside(mean, "sd", group=arm) for arm in printed.arms]
        if sd is not None and None not in spreads:
            yield _overall_sd(mean, sd, arms, spreads, sizes)
    for statistic in ("q1", "median", "q3"):
        for number in printed.all(statistic, group=OVERALL):
            arms = [printed.beside(number, statistic, group=arm) for arm in printed.arms]
            if None not in arms:
                yield _between_arms(printed, number, arms)


def combined_mean(means, sizes) -> tuple[float, float]:
    """The overall means that rounded means of groups allow."""
    total = sum(sizes)
    return tuple(
        sum(n * getattr(mean, end) for n, mean in zip(sizes, means, strict=True)) / total
        for end in ("low", "high")
    )


def _overall_sd(mean, sd, arms, spreads, sizes):
    def compute(numbers):
        return combined_sd(numbers[: len(arms)], numbers[len(arms) :], sizes)

    inputs = [*arms, *spreads]
    check = judge(
        "overall", f"{mean.subject}: SD", "SDs and means of the arms", inputs, sd, compute, 2
    )
    widened = without_padding([*inputs, sd])
    if not check.fired or widened is None or not widened[-1].overlaps(*compute(widened[:-1])):
        return check
    return Check(**{**vars(check), "explanation": PADDED})


def combined_sd(means, spreads, sizes) -> tuple[float, float]:
    """The overall standard deviations that rounded means and SDs of groups allow."""
    n = np.array(sizes, float)
    within = [
        ((n - 1) * np.square([max(getattr(sd, end), 0.0) for sd in spreads])).sum()
        for end in ("low", "high")
    ]
    low, high = (np.array([getattr(mean, end) for mean in means]) for end in ("low", "high"))

    def least(centre):
        return (n * np.maximum(np.maximum(low - centre, centre - high), 0) ** 2).sum()

    nearest = minimize_scalar(least, bounds=(low.min(), high.max()), method="bounded").fun
    corners = [np.where(choice, high, low) for choice in itertools.product((0, 1), repeat=len(n))]
    farthest = max((n * (x - (n * x).sum() / n.sum()) ** 2).sum() for x in corners)
    slack = 1e-6 * max(1.0, nearest)
    free = n.sum() - 1
    return (
        math.sqrt((within[0] + max(nearest - slack, 0.0)) / free),
        math.sqrt((within[1] + farthest) / free),
    )


def _between_arms(printed, number, arms):
    low, high = min(arm.low for arm in arms), max(arm.high for arm in arms)
    apart = max(low - number.high, number.low - high)
    verdict, explanation = CONSISTENT, ""
    if not number.overlaps(low, high):
        explanation = "quartiles are interpolated between patients"
        verdict = UNDECIDED if apart <= _neighbours(printed, number) else IMPLAUSIBLE
        if number.statistic == "median":
            verdict = INCONSISTENT
    return Check(
        "overall",
        f"{number.subject}: {number.statistic}",
        "between those of the arms",
        texts(number, *arms),
        f"{format_number(low, number.decimals + 1)} to {format_number(high, number.decimals + 1)}",
        verdict,
        explanation,
        low,
        high,
    )


def _neighbours(printed, number):
    """Ten times the average distance between two patients; infinite if it is not known."""
    size = printed.size(number.group)
    first, third = (printed.beside(number, statistic) for statistic in ("q1", "q3"))
    if None in (size, first, third):
        return math.inf
    return MOST_NEIGHBOURS * 2 * (third.high - first.low) / size
