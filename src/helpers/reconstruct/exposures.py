"""Treatments received and how long they lasted."""

from __future__ import annotations

import numpy as np

from helpers.reconstruct.categories import give_levels
from helpers.reconstruct.filling import codes
from helpers.reconstruct.matching import normal_scores
from helpers.reconstruct.printed import level_counts

DECIMALS = 2  # of a duration where none is printed
LASTED = 0.75, 1.0  # share of the time to its end for which a treatment was given
BLURS = np.linspace(1, 0, 11)  # how far chance rather than duration decides on the treatment
DRAWS = 50  # at each of them


def fill_exposures(filling):
    """Give treatments by their counts, and durations with their printed means.

    An arm of which nothing is printed has the shares of the other arms. A duration does not
    exceed the time to the endpoint that ends the treatment, unless a printed mean demands it,
    and not the time under observation.
    """
    for key, exposure in filling.study.exposures.items():
        counts = _level_counts(filling, key, exposure)
        if counts is None:
            filling.write_empty(exposure.column)
            if exposure.duration:
                filling.write_empty(exposure.duration)
            continue
        decimals = filling.printed.fewest_decimals("exposure", key, ["duration_mean"])
        unit = 10 ** (DECIMALS if decimals is None else decimals)
        longest, observed = _longest(filling, exposure, unit)
        totals = {arm: _totals(filling, key, of_arm, arm, unit) for arm, of_arm in counts.items()}
        levels = _give_treatments(filling, key, counts, totals, longest)
        filling.known[key] = np.array([list(exposure.levels).index(x) for x in levels], dtype=float)
        filling.write(exposure.column, codes(exposure.levels, levels))
        if exposure.duration:
            lasted = _durations(filling, key, levels, totals, longest, observed)
            filling.known[f"{key}_duration"] = lasted / unit
            filling.write(exposure.duration, lasted / unit)


def _level_counts(filling, key, exposure):
    """Counts of each arm; an arm of which none are printed has the shares of the others."""
    keys = {"analysis": "exposure", "variable": key}
    counts = {
        arm: level_counts(filling.printed, exposure.levels, size, group=arm, **keys)
        for arm, size in filling.sizes.items()
    }
    known = [of_arm for of_arm in counts.values() if of_arm is not None]
    if not known:
        return None
    pooled = {level: sum(of_arm[level] for of_arm in known) for level in exposure.levels}
    return {arm: of_arm or _shared(pooled, filling.sizes[arm]) for arm, of_arm in counts.items()}


def _shared(pooled, size):
    """Split `size` as the pooled counts are split, by largest remainders."""
    exact = {level: count * size / sum(pooled.values()) for level, count in pooled.items()}
    counts = {level: int(share) for level, share in exact.items()}
    by_remainder = sorted(exact, key=lambda level: counts[level] - exact[level])
    for level in by_remainder[: size - sum(counts.values())]:
        counts[level] += 1
    return counts


def _longest(filling, exposure, unit):
    """Time to the end of each patient's treatment, and under observation, in grid units."""
    study = filling.study
    times = {
        key: filling.frame[endpoint.time].to_numpy(dtype=float)
        * study.time.per(exposure.unit)
        / study.time.per(endpoint.unit)
        for key, endpoint in study.endpoints.items()
    }
    observed = np.floor(np.max(list(times.values()), axis=0) * unit)
    if exposure.until is None:
        return np.full(len(observed), np.inf), observed
    return np.floor(times[exposure.until] * unit), observed


def _totals(filling, key, counts, arm, unit):
    """Sum of the durations of each level, in units of the grid, where a mean is printed."""
    keys = {"analysis": "exposure", "variable": key, "group": arm, "statistic": "duration_mean"}
    totals = {}
    for level, count in counts.items():
        window = filling.printed.window(level=level, **keys)
        if window:
            totals[level] = round(float(sum(window)) / 2 * unit * count)
    return totals


def _give_treatments(filling, key, counts, totals, longest):
    """Give treatments as much by chance as the printed sums of durations allow."""
    levels = np.empty(len(filling.arms), dtype=object)
    rng = filling.rng(f"treatments of {key}")
    for arm, of_arm in counts.items():
        inside = np.flatnonzero(filling.arms == arm)
        order = sorted(of_arm, key=lambda level: totals[arm].get(level, 0) / max(1, of_arm[level]))
        time, least = normal_scores(longest[inside]), np.inf
        for blur in np.repeat(BLURS, DRAWS):
            score = blur * normal_scores(rng.permutation(len(inside))) + (1 - blur) * time
            given = give_levels({arm: of_arm}, order, score, filling.arms[inside])
            shortfall = sum(
                max(0, total - longest[inside][given == level].sum())
                for level, total in totals[arm].items()
            )
            if shortfall < least:
                levels[inside], least = given, shortfall
            if least == 0:
                break
    return levels


def _durations(filling, key, levels, totals, longest, observed):
    """Durations in units of the grid; NaN where neither a mean nor an end is known."""
    share = filling.rng(f"durations of {key}").uniform(*LASTED, size=len(levels))
    lasted = np.full(len(levels), np.nan)
    for arm in filling.sizes:
        for level in dict.fromkeys(levels):
            inside = (filling.arms == arm) & (levels == level)
            total = totals[arm].get(level)
            caps = np.minimum(longest, observed)[inside]
            if total is None:
                lasted[inside] = np.where(
                    np.isfinite(longest[inside]), share[inside] * caps, np.nan
                )
            elif caps.sum() >= total:
                lasted[inside] = _with_total(share[inside] * caps, caps, total)
            elif observed[inside].sum() >= total:
                lasted[inside] = _with_total(caps, observed[inside], total)
            else:
                raise ValueError(
                    f"{key} {level}, {arm}: the printed mean duration is longer than the "
                    "patients were observed"
                )
    return np.floor(lasted)


def _with_total(draws, caps, total):
    """Scale draws to a total under their caps, in whole numbers."""
    low, high = 0.0, 2.0 * total / draws[draws > 0].min()
    for _ in range(200):
        factor = (low + high) / 2
        if np.minimum(factor * draws, caps).sum() < total:
            low = factor
        else:
            high = factor
    exact = np.minimum(high * draws, caps)
    whole = np.floor(exact)
    rest = int(total - whole.sum())
    room = np.flatnonzero(whole + 1 <= caps)
    whole[room[np.argsort(whole[room] - exact[room], kind="stable")[:rest]]] += 1
    return whole
