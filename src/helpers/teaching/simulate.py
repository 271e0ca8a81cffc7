"""Many cohorts: resampled, permuted, delayed; and a Cox model for all of them at once."""

import numpy as np

from helpers.cohort import check_cells
from helpers.cohort_files import read_cohort_file
from helpers.errors import InputError
from helpers.estimators.kaplan_meier import TOLERANCE

STEPS = 30
LONGEST_STEP = 2.0
RIDGE = 1e-9  # of the information, where a draw has none
NOBODY = 1e-300  # in place of the zero by which an empty risk set would be divided


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
        total = np.maximum(np.cumsum(hazard, axis=1)[:, last, None], NOBODY)
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
    n, n_draw : int
    seed : int or sequence of int
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


def survival_many(time, event, weights) -> tuple[np.ndarray, np.ndarray]:
    """Kaplan-Meier estimates of many weighted samples.

    Parameters
    ----------
    time, event : array_like of shape (n,)
    weights : ndarray of shape (n_draw, n)

    Returns
    -------
    times : ndarray of shape (n_time,)
        The death times.
    survival : ndarray of shape (n_draw, n_time)
    """
    time, event = np.asarray(time, float), np.asarray(event, bool)
    times = np.unique(time[event])
    at_risk = weights @ (time[:, None] >= times)
    died = weights @ ((time[:, None] == times) & event[:, None])
    died_share = np.divide(died, at_risk, out=np.zeros_like(died), where=at_risk > 0)
    return times, np.cumprod(1 - died_share, axis=1)


def median_many(time, event, weights, at_half) -> np.ndarray:
    """Median survival of many samples.

    Parameters
    ----------
    time, event, weights
        As of `survival_many`.
    at_half : {'midpoint', 'first'}
        As of `helpers.estimators.kaplan_meier.median`.

    Returns
    -------
    ndarray of shape (n_draw,)
        ``inf`` where it is not reached.
    """
    times, survival = survival_many(time, event, weights)
    reached = survival <= 0.5 + TOLERANCE
    first = reached.argmax(axis=1)
    medians = np.where(reached.any(axis=1), times[first], np.inf)
    if at_half == "midpoint":
        below = survival < 0.5 - TOLERANCE
        flat = (first < below.argmax(axis=1)) & np.isfinite(medians)
        medians[flat] = (times[first[flat]] + times[below.argmax(axis=1)[flat]]) / 2
    return medians


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
    source : Path
        A cohort file.
    target : Path
        The CSV file to write.
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
        `target` is there already, or `source` is not a cohort of `study`.
    """
    if target.exists():
        raise InputError(target, ["is there already; give another name"])
    cells = read_cohort_file(source, study.sheet).cells
    check_cells(cells, study, source)
    counts = resample(len(cells), 1, seed, cells[study.arm.column])[0].astype(int)
    drawn = cells.loc[cells.index.repeat(counts)].copy()
    if study.identifier:
        drawn[study.identifier] = [f"{seed}-{number}" for number in range(1, len(drawn) + 1)]
    drawn.to_csv(target, index=False, lineterminator="\n")
    return len(drawn)
