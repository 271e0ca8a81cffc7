"""Many cohorts: resampled, permuted, delayed; and a Cox model for all of them at once."""

import csv

import numpy as np

from helpers.errors import InputError

STEPS = 30
LONGEST_STEP = 2.0
RIDGE = 1e-9  # of the information, where a draw has none


def fit_many(time, event, x, weights=None) -> tuple[np.ndarray, np.ndarray]:
    """Fit Cox models that share their times, with Breslow's ties, all at once.

    Parameters
    ----------
    time : array_like of shape (n,)
    event : array_like of shape (n,) or (n_draw, n)
    x : array_like of shape (n, p) or (n_draw, n, p)
    weights : array_like of shape (n_draw, n), optional
        Case weights, for instance how often a bootstrap sample has each patient.

    Returns
    -------
    coef, std_error : ndarray of shape (n_draw, p)
        Where a draw's likelihood has no maximum, its coefficient is large and its standard
        error larger.
    """
    time = np.asarray(time, float)
    order = np.argsort(-time, kind="stable")
    last = np.searchsorted(-time[order], -time[order], side="right") - 1
    event = np.atleast_2d(np.asarray(event, float))[:, order]
    x = np.asarray(x, float)
    x = (x if x.ndim == 3 else x[None])[:, order]
    weights = np.ones((1, len(time))) if weights is None else np.asarray(weights)[:, order]
    squares = x[..., :, None] * x[..., None, :]
    n_draw = max(len(event), len(x), len(weights))
    coef = np.zeros((n_draw, x.shape[2]))
    ridge = RIDGE * np.eye(x.shape[2])
    counted = (weights * event)[..., None]
    for _ in range(STEPS):
        hazard = weights * np.exp((x * coef[:, None, :]).sum(axis=2))
        total = np.cumsum(hazard, axis=1)[:, last, None]
        means = np.cumsum(hazard[..., None] * x, axis=1)[:, last] / total
        second = np.cumsum(hazard[..., None, None] * squares, axis=1)[:, last] / total[..., None]
        score = (counted * (x - means)).sum(axis=1)
        spread = second - means[..., :, None] * means[..., None, :]
        information = (counted[..., None] * spread).sum(axis=1) + ridge
        step = np.linalg.solve(information, score[..., None])[..., 0]
        coef = coef + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max() < 1e-9:
            break
    variance = np.linalg.inv(information)
    return coef, np.sqrt(np.diagonal(variance, axis1=1, axis2=2))


def resample(n, n_draw, seed, strata=None) -> np.ndarray:
    """Draw bootstrap samples: how often each has each patient.

    Parameters
    ----------
    n, n_draw, seed : int
    strata : array_like of shape (n,), optional
        Groups whose sizes are kept.

    Returns
    -------
    ndarray of shape (n_draw, n)
    """
    rng = np.random.default_rng(seed)
    strata = np.zeros(n) if strata is None else np.asarray(strata)
    counts = np.zeros((n_draw, n))
    for group in np.unique(strata):
        members = np.flatnonzero(strata == group)
        share = np.full(len(members), 1 / len(members))
        counts[:, members] = rng.multinomial(len(members), share, size=n_draw)
    return counts


def median_many(time, event, weights) -> np.ndarray:
    """Median survival of many samples: the first time at which the curve is at most one half.

    Parameters
    ----------
    time, event : array_like of shape (n,)
    weights : ndarray of shape (n_draw, n)

    Returns
    -------
    ndarray of shape (n_draw,)
        ``inf`` where it is not reached.
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    times = np.unique(time[event])
    at_risk = weights @ (time[:, None] >= times)
    died = weights @ ((time[:, None] == times) & event[:, None])
    passed = 1 - np.divide(died, at_risk, out=np.zeros_like(died), where=at_risk > 0)
    reached = np.cumprod(passed, axis=1) <= 0.5 + 1e-12
    return np.where(reached.any(axis=1), times[reached.argmax(axis=1)], np.inf)


def permute(values, n_draw, seed) -> np.ndarray:
    """Shuffle values, as they would fall if they had to do with nothing else.

    Returns
    -------
    ndarray of shape (n_draw, n)
    """
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(np.asarray(values), (n_draw, 1)), axis=1)


def permuted_logrank(time, event, treated, n_draw, seed) -> np.ndarray:
    """Log-rank statistics of a cohort whose arms are shuffled.

    Returns
    -------
    ndarray of shape (n_draw,)
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    groups = permute(np.asarray(treated, float), n_draw, seed)
    times = np.unique(time[event])
    at_risk = (time[:, None] >= times).astype(float)
    died = ((time[:, None] == times) & event[:, None]).astype(float)
    n, d = at_risk.sum(axis=0), died.sum(axis=0)
    share = groups @ at_risk / n
    variance = (share * (1 - share) * d * (n - d) / np.maximum(n - 1, 1)).sum(axis=1)
    difference = (groups @ died - share * d).sum(axis=1)
    return difference**2 / variance


def delay_treatment(time, treated, delay, n_draw, seed) -> np.ndarray:
    """Shuffle the arms and let only those be treated who live to the start of treatment.

    Whoever was to be treated and has left before the delay is over counts as untreated, as
    a retrospective study would find them.

    Returns
    -------
    ndarray of shape (n_draw, n)
    """
    return permute(treated, n_draw, seed) * (np.asarray(time, float) > delay)


def draw_cohort(source, target, study, seed) -> int:
    """Write a cohort that is drawn with replacement from another, arm by arm.

    Parameters
    ----------
    source, target : Path
        CSV files.
    study : Study
    seed : int
        Another seed gives another cohort.

    Returns
    -------
    int
        How many patients were written.

    Raises
    ------
    InputError
        `target` is there already, or `source` is not the cohort of `study`.
    """
    from helpers.cohort import load_cohort

    if target.exists():
        raise InputError(target, ["is there already; give another name"])
    load_cohort(source, study)
    with source.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = (row for row in csv.reader(file) if any(cell.strip() for cell in row))
    names = [name.strip() for name in header]
    arms = [row[names.index(study.arm.column)].strip() for row in rows]
    counts = resample(len(rows), 1, seed, arms)[0].astype(int)
    drawn = [list(row) for row, count in zip(rows, counts, strict=True) for _ in range(count)]
    if study.identifier:
        for number, row in enumerate(drawn, start=1):
            row[names.index(study.identifier)] = f"{seed}-{number}"
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([names, *drawn])
    return len(drawn)
