"""Checks of quartiles, and what two printed versions of one quartile say."""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import stats
from scipy.optimize import linprog

from helpers.audit.check import CONSISTENT, IMPLAUSIBLE, INCONSISTENT, UNDECIDED, Check, register
from helpers.audit.printed import BINARY, SLACK, texts, without_padding
from helpers.estimators.location import QUANTILE_METHODS, quantile
from helpers.formats import format_number, format_p
from helpers.results import BETWEEN_ARMS

USUAL = (7, 6)  # of R in one version, of SPSS in the other
PROBABILITIES = {"q1": 0.25, "median": 0.5, "q3": 0.75}
INTERPOLATED = {"q1": 4, "median": 2, "q3": 4}  # parts of a step
MOST_PAIRS = 2500  # for the exact rank test; with more pairs the normal one is as good


@register("quartile_order", "Quartiles in order")
def quartile_order(printed):
    """The first quartile is at most the median, the median at most the third quartile."""
    for median in printed.all("median"):
        found = [printed.beside(median, statistic) for statistic in PROBABILITIES]
        if None in found:
            continue
        fits = all(a.low <= b.high for a, b in itertools.pairwise(found))
        yield Check(
            "quartile_order",
            median.subject,
            "Q1 ≤ median ≤ Q3",
            texts(*found),
            " ≤ ".join(number.text for number in found),
            CONSISTENT if fits else INCONSISTENT,
        )


@register("quartile_grid", "Quartiles of integers")
def quartile_grid(printed):
    """A median of integers ends in .0 or .5, a quartile in quarters.

    The first seven of Hyndman and Fan's definitions, among them those of R, SPSS, SAS, Stata
    and Excel, interpolate between two neighbouring values in quarters, and the median in
    halves. This is to quartiles what GRIM is to means. Only for quantities of which the
    ledger gives the step.

    References
    ----------
    Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat 1996;50:361-365.
    """
    for statistic, parts in INTERPOLATED.items():
        for number in printed.all(statistic):
            if number.grain in ("", BINARY) or not number.finite:
                continue
            unit = float(number.grain) / parts
            nearest = round(number.value / unit) * unit
            fits = number.overlaps(nearest, nearest)
            decisive = number.high - number.low < unit * (1 - SLACK)
            yield Check(
                "quartile_grid",
                f"{number.subject}: {statistic}",
                f"a multiple of {unit:g}",
                texts(number),
                f"{nearest:g} is the nearest",
                (CONSISTENT if decisive else UNDECIDED) if fits else IMPLAUSIBLE,
                "" if fits else "the eighth or ninth definition of a quartile",
                nearest,
                nearest,
            )


@register("quartile_spread", "Quartiles against mean and standard deviation")
def quartile_spread(printed):
    """A median lies within one standard deviation of the mean, a quartile within about 1.8.

    Of an odd number of values the definition that takes the nearest even rank has a median one
    below the middle, and that lies a little further.

    No share p of the values lies further than the deviation times the root of (1 - p) / p
    beyond the mean. The share is that of the values from the quartile on, one less than the
    definition that interpolates most would have.

    References
    ----------
    Cantelli FP. Sui confini della probabilità. Atti Congr Int Mat Bologna 1928;6:47-59.
    Hotelling H, Solomons LM. The limits of a measure of skewness. Ann Math Stat 1932;3:141.
    """
    for mean in printed.all("mean"):
        sd, size = printed.beside(mean, "sd"), printed.size(mean.group)
        if sd is None or size is None or size < 2:
            continue
        for statistic, probability in PROBABILITIES.items():
            number = printed.beside(mean, statistic)
            if number is None or not number.finite:
                continue
            low, high = quantile_bounds(mean, sd, size, probability)
            yield Check(
                "quartile_spread",
                f"{mean.subject}: {statistic}",
                "mean and SD allow",
                texts(number, mean, sd),
                f"{format_number(low, number.decimals)} to {format_number(high, number.decimals)}",
                CONSISTENT if number.overlaps(low, high) else INCONSISTENT,
                low=low,
                high=high,
            )


def quantile_bounds(mean, sd, size, probability) -> tuple[float, float]:
    """The quantiles that a printed mean and standard deviation allow, under any definition."""
    population = sd.high * math.sqrt((size - 1) / size)

    def reach(share):
        """How many deviations from the mean a share of the values can lie at most."""
        share = max(share, 1 / size)
        return math.sqrt((1 - share) / share)

    if probability == 0.5:
        spread = population * reach((size // 2) / size)
        return mean.low - spread, mean.high + spread
    outside = (size * min(probability, 1 - probability) - 1) / size
    inside = (size * max(probability, 1 - probability) - 1) / size
    far, near = reach(outside), reach(inside)
    below, above = (far, near) if probability < 0.5 else (near, far)
    return mean.low - below * population, mean.high + above * population


@register("rank_test", "p values of rank tests against quartiles")
def rank_tests(printed):
    """The quartiles of two arms fix the order of many pairs of patients, and so bound p.

    A quarter of the patients, but for those next to it, lie on the far side of a quartile. The
    order of all other pairs is taken as the p value needs it. Where the printed quartiles of
    the arms are far apart no order gives a large p; where they are alike every p is possible,
    which is called undecided. Ties make p smaller, so that there is no bound from below.

    References
    ----------
    Mann HB, Whitney DR. On a test of whether one of two random variables is stochastically
    larger than the other. Ann Math Stat 1947;18:50-60.
    """
    if len(printed.arms) != 2:
        return
    for p in printed.all("p", group=BETWEEN_ARMS):
        found = [printed.beside(p, s, group=g) for g in printed.arms for s in PROBABILITIES]
        means = [printed.beside(p, "mean", group=arm) for arm in printed.arms]
        sizes = [_with_value(printed, p, arm) for arm in printed.arms]
        if None in (*found, *sizes) or any(means) or math.isnan(p.low):
            continue
        rounded, k = without_padding(found) or found, len(PROBABILITIES)
        high = largest_rank_p(rounded[:k], rounded[k:], sizes)
        fits = p.low <= high
        verdict = (CONSISTENT if high < 1 else UNDECIDED) if fits else INCONSISTENT
        yield Check(
            "rank_test",
            p.subject,
            "p by the order of the patients that the quartiles fix",
            texts(p, *found),
            f"at most {format_p(high)}" if high < 1 else "any p is possible",
            verdict,
            "" if fits else "the p value may be of another test, or patients have no value",
            0.0,
            high,
        )


def _with_value(printed, number, arm):
    """Patients of an arm with a value, as far as the print says."""
    size, missing = printed.size(arm), printed.beside(number, "n_missing", group=arm)
    return size if size is None or missing is None else size - round(missing.value)


def largest_rank_p(one, other, sizes) -> float:
    """The largest p of a rank test between two arms with printed quartiles.

    Parameters
    ----------
    one, other : sequence of 3 Number
        First quartile, median and third quartile of each arm, of any definition.
    sizes : sequence of 2 int
        Patients with a value.

    Returns
    -------
    float
        Of the Mann-Whitney test, normal with continuity correction or exact, whichever is
        larger; 1 where the quartiles allow as many pairs in either order.
    """
    n, m = sizes
    pairs = n * m
    least = _pairs_above(one, other, sizes)
    most = pairs - _pairs_above(other, one, sizes[::-1])
    if least <= pairs / 2 <= most:
        return 1.0
    above = math.floor(least if least > pairs / 2 else pairs - most)
    whole, rest = divmod(above, m)
    values = [*range(-n, 0), rest + 0.5, *range(m + 1, m + n + 1)][whole + 1 :][:n]
    methods = ["asymptotic", *(["exact"] if pairs <= MOST_PAIRS else [])]
    tests = [stats.mannwhitneyu(values, range(1, m + 1), method=name) for name in methods]
    return float(max(test.pvalue for test in tests))


def _pairs_above(one, other, sizes):
    """In how many pairs the patient of one arm is above that of the other, at least.

    A tie counts one half. At most n p, rounded up, values lie below a quartile, and at least
    n p, rounded down, up to it, by each of the nine definitions.
    """
    shares = np.array(list(PROBABILITIES.values()))
    below = np.ceil(sizes[0] * shares)
    upto = np.floor(sizes[1] * shares)
    lows = np.array([-math.inf, *(number.low for number in one)])
    highs = np.array([*(number.high for number in other), math.inf])
    n_lows = np.diff([0.0, *below, sizes[0]])
    n_highs = np.diff([0.0, *upto, sizes[1]])
    order = (np.sign(lows[:, None] - highs) + 1) / 2
    return float(n_lows @ order @ n_highs)


@register("quartile_versions", "Two printed versions of one quartile")
def quartile_versions(printed):
    """Quartiles of one quantity printed twice are equal, or come of two definitions.

    Of Hyndman and Fan's nine definitions every pair is tried: in each arm, is there a sample
    of that size whose quartiles print as both versions? This is a question of linear
    programming over the ordered values. Trailing zeros that a whole row shares are taken as
    not measured.

    References
    ----------
    Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat 1996;50:361-365.
    """
    for variable in dict.fromkeys(n.variable for n in printed.all("median", analysis="baseline")):
        keys = {"analysis": "measurement", "variable": variable, "level": "baseline"}
        if printed.all("n", **keys):  # the other description is of a part of the patients
            continue
        here = {"analysis": "baseline", "variable": variable}
        one = [printed.find(s, group=g, **here) for g in printed.arms for s in PROBABILITIES]
        other = [printed.find(s, group=g, **keys) for g in printed.arms for s in PROBABILITIES]
        sizes = [printed.size(arm) for arm in printed.arms]
        if one and None not in (*one, *other, *sizes):
            yield _versions(printed.describe(variable=variable), one, other, sizes)


def _versions(subject, one, other, sizes):
    equal = all(a.overlaps(b.low, b.high) for a, b in zip(one, other, strict=True))
    found, explanation = "equal", ""
    if not equal:
        rounded = without_padding(one) or one
        k = len(PROBABILITIES)
        pairs = set.intersection(
            *(
                set(possible_definitions(rounded[k * i :][:k], other[k * i :][:k], size))
                for i, size in enumerate(sizes)
            )
        )
        alike = sum(a == b for a, b in pairs)
        found = f"{len(pairs)} of {len(QUANTILE_METHODS) ** 2} pairs, {alike} of them alike"
        if USUAL in pairs:
            found += f"; type {USUAL[0]} with type {USUAL[1]} is one"
        padded = " and rounding to integers" if rounded is not one else ""
        explanation = f"two definitions of a quartile{padded}" if pairs else ""
    return Check(
        "quartile_versions",
        subject,
        "definitions of a quartile that print as both versions in every arm",
        texts(*one, *other),
        found,
        CONSISTENT if equal else INCONSISTENT,
        explanation,
    )


def possible_definitions(one, other, size) -> list[tuple[int, int]]:
    """Pairs of quantile definitions under which one sample prints as two versions.

    Parameters
    ----------
    one, other : sequence of Number
        First quartile, median and third quartile in each version.
    size : int
        Values in the sample.

    Returns
    -------
    list of (int, int)
        Hyndman and Fan's types of the first and of the second version.
    """
    weights = {kind: _weights(kind, size) for kind in QUANTILE_METHODS}
    return [
        (first, second)
        for first, second in itertools.product(weights, repeat=2)
        if _feasible(np.vstack([weights[first], weights[second]]), [*one, *other])
    ]


def _weights(kind, size):
    """Each quartile as a weighted sum of the lowest value and the increments after it.

    The sample that steps from zero to one at a place has as quartile the weight of the
    increment there.
    """
    probabilities = list(PROBABILITIES.values())
    steps = np.tri(size).T
    return np.array([quantile(sample, probabilities, kind) for sample in steps]).T


def possible_sizes(numbers, sizes, n_above, cutoff, least, kind) -> list[int]:
    """The sample sizes under which printed quartiles go with a count at a cut-off.

    Parameters
    ----------
    numbers : sequence of Number
        First quartile, median and third quartile.
    sizes : iterable of int
        Sizes to try.
    n_above : int
        Values at or above `cutoff`; all are at least `least`.
    cutoff, least : float
    kind : int
        Hyndman and Fan's type of the quartiles.
    """
    found = []
    for size in sizes:
        if size < n_above:
            continue
        below = np.arange(size) < size - n_above
        lower = np.where(below, least, cutoff)
        upper = np.where(below, cutoff, np.inf)
        if _feasible(_weights(kind, size), numbers, np.column_stack([lower, upper])):
            found.append(size)
    return found


def _feasible(weights, numbers, limits=None):
    """Whether a lowest value and increments that are not negative give every number.

    With limits of each ordered value, those are kept too.
    """
    columns = np.arange(weights.shape[1])
    if limits is None:
        columns = np.union1d([0], np.flatnonzero(np.ptp(weights, axis=0) > 0))
    rows = [weights[:, columns]]
    bounds = [np.array([(number.low, number.high) for number in numbers])]
    if limits is not None:
        rows.append(np.tri(len(columns)))
        bounds.append(limits)
    matrix, (lower, upper) = np.vstack(rows), np.vstack(bounds).T
    capped, floored = np.isfinite(upper), np.isfinite(lower)
    done = linprog(
        np.zeros(len(columns)),
        A_ub=np.vstack([matrix[capped], -matrix[floored]]),
        b_ub=np.concatenate([upper[capped], -lower[floored]]),
        bounds=[(None, None)] + [(0, None)] * (len(columns) - 1),
        method="highs",
    )
    return done.status == 0
