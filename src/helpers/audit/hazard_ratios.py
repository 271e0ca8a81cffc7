"""Checks of hazard ratios: interval, Wald p, reciprocals, events, direction."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from helpers.audit.check import (
    CONSISTENT,
    INCONSISTENT,
    INFORMATION,
    UNDECIDED,
    Check,
    register,
)
from helpers.audit.printed import Number, reversed_contrast, sides, texts
from helpers.formats import format_number, format_p
from helpers.results import OVERALL

UNADJUSTED = ("survival", "cox_univariable")
MODELS = (*UNADJUSTED, "cox_multivariable", "cox_full")
ENDS = ("low", "high")
FARTHEST_Z = 1.5  # between the z of all and that of its subgroups
SMALLEST = 1e-12  # a limit printed as 0.000 is above zero


@dataclass(frozen=True, eq=False)
class HazardRatio:
    """A printed hazard ratio with its interval and p value.

    Attributes
    ----------
    ratio, low, high : Number
    p : Number or None
    corners : ndarray of shape (k, 2)
        Corners of the region of log hazard ratio and standard error that print as these;
        empty where none do.
    """

    ratio: Number
    low: Number
    high: Number
    p: Number | None
    corners: np.ndarray

    @property
    def std_error(self) -> tuple[float, float]:
        """The standard errors that print as these."""
        return float(self.corners[:, 1].min()), float(self.corners[:, 1].max())

    @property
    def wald(self) -> tuple[float, float]:
        """The two-sided p values that print as these."""
        errors = np.maximum(self.corners[:, 1], SMALLEST)
        z = self.corners[:, 0] / errors
        straddles = z.min() < 0 < z.max()
        nearest = 0.0 if straddles else np.abs(z).min()
        p = 2 * stats.norm.sf([np.abs(z).max(), nearest])
        return float(p[0]), float(p[1])

    @property
    def numbers(self) -> dict[str, str]:
        return texts(self.ratio, self.low, self.high)


@lru_cache(maxsize=4)
def hazard_ratios(printed, analyses=MODELS) -> tuple[HazardRatio, ...]:
    """Every printed hazard ratio that has an interval."""
    found = []
    for ratio in printed.all("hazard_ratio"):
        low = printed.beside(ratio, "hazard_ratio_conf_low")
        high = printed.beside(ratio, "hazard_ratio_conf_high")
        known = low is not None and high is not None and low.finite and high.finite
        if ratio.analysis in analyses and known:
            p = printed.beside(ratio, "p_wald")
            z = stats.norm.ppf((1 + printed.conventions.confidence_level) / 2)
            found.append(HazardRatio(ratio, low, high, p, _corners(ratio, low, high, z)))
    return tuple(found)


def _corners(ratio, low, high, z):
    """Corners of the polygon that the rounding of the three numbers cuts out."""
    lines = []
    for slope, number in ((0.0, ratio), (-z, low), (z, high)):
        for end in (number.low, number.high):
            lines.append((1.0, slope, math.log(max(end, SMALLEST))))
    lines = np.array(lines)
    lower, upper = lines[::2, 2], lines[1::2, 2]
    found = []
    for one, other in itertools.combinations(range(len(lines)), 2):
        matrix = lines[[one, other], :2]
        if abs(np.linalg.det(matrix)) < SMALLEST:
            continue
        point = np.linalg.solve(matrix, lines[[one, other], 2])
        values = lines[::2, :2] @ point
        inside = (values >= lower - 1e-9).all() and (values <= upper + 1e-9).all()
        if inside and point[1] >= 0:
            found.append(point)
    return np.array(found).reshape(-1, 2)


@register("log_symmetry", "Hazard ratio centred in its interval")
def log_symmetry(printed):
    """A Wald interval is symmetric around the estimate on the log scale.

    References
    ----------
    Altman DG, Bland JM. How to obtain the confidence interval from a P value. BMJ
    2011;343:d2090.
    """
    for row in hazard_ratios(printed):
        centre = [math.sqrt(max(getattr(row.low, e), 0) * getattr(row.high, e)) for e in ENDS]
        shown = row.ratio.decimals + 1
        yield Check(
            "log_symmetry",
            row.ratio.subject,
            "√(lower × upper)",
            row.numbers,
            f"{format_number(centre[0], shown)} to {format_number(centre[1], shown)}",
            CONSISTENT if len(row.corners) else INCONSISTENT,
            "" if len(row.corners) else "a profile likelihood interval is not symmetric",
            *centre,
        )


@register("wald_p", "Wald p against interval")
def wald_p(printed):
    """The p value follows from the interval: z is the log hazard ratio over its error.

    References
    ----------
    Altman DG, Bland JM. How to obtain the P value from a confidence interval. BMJ
    2011;343:d2304.
    """
    for row in hazard_ratios(printed):
        if row.p is None or not len(row.corners):
            continue
        low, high = row.wald
        fits = row.p.overlaps(low, high)
        yield Check(
            "wald_p",
            row.ratio.subject,
            "2 Φ(−|log HR| / SE)",
            {**row.numbers, **texts(row.p)},
            f"{format_number(low, 4)} to {format_number(high, 4)}",
            CONSISTENT if fits else INCONSISTENT,
            "" if fits else "the p value may be of a log-rank or likelihood ratio test",
            low,
            high,
        )


@register("reciprocal", "One hazard ratio in two places")
def reciprocals(printed):
    """An unadjusted hazard ratio is the same in text and table, or its reciprocal.

    Estimate and limits are compared, allowing for both roundings; the lower limit of one
    direction is the reciprocal of the upper limit of the other.
    """
    rows = hazard_ratios(printed, UNADJUSTED)
    for one, other in itertools.combinations(rows, 2):
        a, b = one.ratio, other.ratio
        if (a.endpoint, a.variable, a.level) != (b.endpoint, b.variable, b.level):
            continue
        if a.group == b.group:
            pairs = [(a, b), (one.low, other.low), (one.high, other.high)]
            ranges = [(right.low, right.high) for _, right in pairs]
        elif sides(a.group) and reversed_contrast(a.group) == b.group:
            pairs = [(a, b), (one.low, other.high), (one.high, other.low)]
            ranges = [_reciprocal(right) for _, right in pairs]
        else:
            continue
        fits = [left.overlaps(*limits) for (left, _), limits in zip(pairs, ranges, strict=True)]
        p_fits = one.p is None or other.p is None or one.p.overlaps(other.p.low, other.p.high)
        low, high = ranges[0]
        yield Check(
            "reciprocal",
            f"{a.subject} and {b.subject}",
            "equal" if a.group == b.group else "1 / hazard ratio",
            {**one.numbers, **other.numbers},
            f"{format_number(low, 4)} to {format_number(high, 4)}",
            CONSISTENT if all(fits) and p_fits else INCONSISTENT,
            "" if all(fits) and p_fits else "one of them may be adjusted",
            low,
            high,
        )


def _reciprocal(number):
    low = 1 / number.high
    return low, 1 / number.low if number.low > 0 else math.inf


@register("events", "Events that a standard error implies")
def implied_events(printed):
    """The information of a Cox coefficient bounds the number of events from below.

    At the estimate the information is the sum over events of p (1 - p), where p is the
    weighted share of the level among those at risk. It is at most a quarter of the events,
    and, since the p add up to the events d of the level, at most d - d² / D for D events in
    all. A bound above the number of patients is a contradiction.

    References
    ----------
    Schoenfeld DA. Sample-size formula for the proportional-hazards regression model.
    Biometrics 1983;39:499-503. The second bound is Cauchy's inequality.
    """
    for row in hazard_ratios(printed):
        sizes = side_sizes(printed, row.ratio)
        if sizes is None or not len(row.corners):
            continue
        information = 1 / row.std_error[1] ** 2
        events = least_events(information, *sizes)
        total = sum(sizes)
        found = f"information at least {format_number(information, 2)}: "
        if events is None:
            found += f"impossible with {sizes[0]} and {sizes[1]} patients"
        else:
            found += (
                f"at least {events.total} events, {events.level} of {sizes[0]} and "
                f"{events.reference} of {sizes[1]}"
            )
        yield Check(
            "events",
            row.ratio.subject,
            "events by the standard error",
            row.numbers,
            found,
            INCONSISTENT if events is None else CONSISTENT,
            low=math.nan if events is None else events.total,
            high=total,
        )


@dataclass(frozen=True)
class Events:
    """The fewest events in all, at the level, and at the reference; each on its own."""

    total: int
    level: int
    reference: int


def least_events(information, n_level, n_reference) -> Events | None:
    """Bound the events that a Cox coefficient's information needs.

    Parameters
    ----------
    information : float
        One over the squared standard error.
    n_level, n_reference : int
        Patients at the level and at the reference.

    Returns
    -------
    Events or None
        None where no number of events gives so much information.
    """
    level, reference = np.meshgrid(
        np.arange(1, n_level + 1), np.arange(1, n_reference + 1), indexing="ij"
    )
    fits = level * reference / (level + reference) >= information * (1 - 1e-9)
    if not fits.any():
        return None
    total = (level + reference)[fits].min()
    return Events(int(total), int(level[fits].min()), int(reference[fits].min()))


def side_sizes(printed, ratio):
    """Patients at the level and at the reference of a contrast of two levels."""
    if sides(ratio.group) is None:
        return None
    if ratio.variable == "arm":
        sizes = [printed.size(arm) for arm in sides(ratio.group)]
        return None if None in sizes else sizes
    counts = printed.level_sizes(ratio.variable, OVERALL)
    if len(counts) != 2 or set(counts) != set(sides(ratio.group)):
        return None
    return [counts[level] for level in sides(ratio.group)]


@register("interaction", "Subgroup results without a test of interaction", informs=True)
def interactions(printed):
    """Compare two subgroups by what their p values and sizes allow, where no test is printed.

    A log-rank z is about the log hazard ratio times half the root of the events. With the
    events of the subgroups in the proportion of their patients, and as many in all as the
    unadjusted standard errors imply at least, the difference of the two log hazard ratios
    has an approximate test. Both effects are taken in the direction of the medians.

    References
    ----------
    Altman DG, Bland JM. Interaction revisited: the difference between two estimates. BMJ
    2003;326:219. Peto R, Peto J. J R Stat Soc A 1972;135:185-206.
    """
    if len(printed.arms) != 2:
        return
    tests = printed.all("p", analysis="subgroup")
    for endpoint, variable in dict.fromkeys((p.endpoint, p.variable) for p in tests):
        found = printed.all("p", analysis="subgroup", endpoint=endpoint, variable=variable)
        total = implied_total(printed, endpoint)
        sizes = printed.level_sizes(variable, OVERALL)
        known = len(found) == 2 and all(p.level in sizes and p.value > 0 for p in found)
        if not known or total is None or printed.beside(found[0], "p_interaction", level=""):
            continue
        events = [total * sizes[p.level] / sum(sizes.values()) for p in found]
        signs = [_sign(printed, p) or 1 for p in found]
        p = interaction_p([q.value for q in found], events, signs)
        yield Check(
            "interaction",
            printed.describe(endpoint=endpoint, variable=variable),
            "difference of the subgroups' log hazard ratios",
            texts(*found),
            f"p about {format_p(p)} with {total} events",
            INFORMATION,
            low=p,
            high=p,
        )


@register("subgroup_p", "p values of subgroups against the p value of all")
def subgroup_p(printed):
    """The z values of two subgroups, weighted by the roots of their events, give that of all.

    A log-rank z is the sum of observed less expected events over the root of its variance,
    and the variance is nearly proportional to the events: stratified by the covariate, the z
    of all is the sum of the subgroups' z, each times the root of its share of the events. The
    unstratified test differs from the stratified one a little, the Wald test from both. A
    distance above 1.5 is undecided: it happens where the covariate is strong and the arms
    differ in it, and a wrong p value seldom makes one. The events of the subgroups are any
    that their patients and the standard errors of the Cox models allow. A significant z has
    the sign of the medians, another may have either.

    References
    ----------
    Peto R, Peto J. Asymptotically efficient rank invariant test procedures. J R Stat Soc A
    1972;135:185-206.
    """
    if len(printed.arms) != 2:
        return
    tests = [p for p in printed.all("p", analysis="subgroup") if not math.isnan(p.low)]
    for endpoint, variable in dict.fromkeys((p.endpoint, p.variable) for p in tests):
        found = [p for p in tests if (p.endpoint, p.variable) == (endpoint, variable)]
        sizes = printed.level_sizes(variable, OVERALL)
        whole = _test_of_all(printed, endpoint)
        if whole is None or len(found) != 2 or {p.level for p in found} != set(sizes):
            continue
        total = implied_total(printed, endpoint) or 0
        gap = z_distance(
            _signed_z(printed, whole),
            [_signed_z(printed, p) for p in found],
            _event_shares(*(sizes[p.level] for p in found), total),
        )
        yield Check(
            "subgroup_p",
            printed.describe(endpoint=endpoint, variable=variable),
            "z of all from the z of the subgroups",
            texts(whole, *found),
            f"{format_number(gap, 2)} apart",
            CONSISTENT if gap <= FARTHEST_Z else UNDECIDED,
            "" if gap <= FARTHEST_Z else "a strong covariate in which the arms differ",
            low=gap,
            high=gap,
        )


def _test_of_all(printed, endpoint):
    """The p value of the two arms, all patients together."""
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
    names = ("p_logrank", "p_wald")
    found = [p for name in names for p in printed.all(name, **keys) if not math.isnan(p.low)]
    return found[0] if found else None


def _event_shares(n_first, n_second, total):
    """The smallest and the largest share of the events that the first subgroup can have."""
    least, most = max(1, total - n_second), min(n_first, max(total - 1, 1))
    if not total:
        return 1 / (1 + n_second), n_first / (1 + n_first)
    return least / total, most / total


def _signed_z(printed, p):
    """The intervals that z may lie in, positive where the first arm has the longer median."""
    clear = stats.norm.isf(printed.conventions.significance_level / 2)
    z = [float(stats.norm.isf(min(max(end, SMALLEST), 1.0) / 2)) for end in (p.high, p.low)]
    sign = _sign(printed, p)
    both = sign is None or z[0] < clear
    return [sorted((s * z[0], s * z[1])) for s in ((1, -1) if both else (sign,))]


def z_distance(whole, parts, shares) -> float:
    """How far the z of all is from what the z of two subgroups allow.

    Parameters
    ----------
    whole : list of (float, float)
        Intervals in which the z of all may lie.
    parts : list of 2 lists of (float, float)
        The same of each subgroup.
    shares : (float, float)
        Smallest and largest share of the events in the first subgroup.
    """
    gaps = []
    for first, second in itertools.product(*parts):
        for share in np.linspace(*shares, 21):
            roots = math.sqrt(share), math.sqrt(1 - share)
            low, high = (roots[0] * first[i] + roots[1] * second[i] for i in (0, 1))
            gaps += [max(0.0, low - z[1], z[0] - high) for z in whole]
    return min(gaps)


@lru_cache(maxsize=8)
def implied_total(printed, endpoint) -> int | None:
    """The fewest events that all printed standard errors of an endpoint imply together."""
    bounds = []
    for row in hazard_ratios(printed):
        sizes = side_sizes(printed, row.ratio) if row.ratio.endpoint == endpoint else None
        if sizes is not None and len(row.corners):
            events = least_events(1 / row.std_error[1] ** 2, *sizes)
            bounds += [events.total] if events else []
    return max(bounds, default=None)


def _sign(printed, p):
    """Whether the first arm's median is the longer (1) or the shorter (-1); None if unknown."""
    keys = {name: getattr(p, name) for name in ("analysis", "endpoint", "variable", "level")}
    first, second = (printed.find("median", group=arm, **keys) for arm in printed.arms)
    if first is None or second is None or first.low == second.low:
        return None
    return 1 if first.low > second.low else -1


def interaction_p(p_values, events, signs=(1, 1)) -> float:
    """Approximate p of the difference between two log hazard ratios known by their p values.

    Parameters
    ----------
    p_values : sequence of 2 floats
    events : sequence of 2 floats
    signs : sequence of 2 ints
        Direction of each effect.
    """
    z = stats.norm.isf(np.array(p_values) / 2) * np.array(signs)
    errors = 2 / np.sqrt(events)
    difference = z[0] * errors[0] - z[1] * errors[1]
    return float(2 * stats.norm.sf(abs(difference) / math.hypot(*errors)))
