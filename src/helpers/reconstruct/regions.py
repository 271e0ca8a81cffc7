"""Where a coefficient and its upper limit may be, so that a row of a table prints as it does.

A hazard ratio, its two limits and its p value follow from two numbers, the coefficient and its
standard error. Each window is two lines in the plane of these two; the region that all four leave
is a polygon, often a thin one far from the middle of some windows.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from helpers.reconstruct.kernel import Z

WIDER = 1.25  # windows that leave no region, as those of a contradictory print, are made wider
LEAST = 1e-6  # share of a region


class Region(NamedTuple):
    """Mean and covariance of the coefficient and its upper limit, if every point is as likely.

    Attributes
    ----------
    centre : ndarray of shape (2,)
    covariance : ndarray of shape (2, 2)
    share : float
        Of the rectangle that the coefficient's and the upper limit's own windows leave.
    """

    centre: np.ndarray
    covariance: np.ndarray
    share: float


def find_region(windows) -> Region:
    """The region that four windows leave, which are made wider until they leave one.

    Parameters
    ----------
    windows : ndarray of shape (4, 2)
        Low and high of the coefficient, its lower and its upper limit, and of the absolute value
        of the coefficient over its standard error.
    """
    middle, half = windows.mean(axis=1), np.ptp(windows, axis=1) / 2
    while True:
        corners = _corners(windows)
        area, *moments = _moments(np.array(corners)) if len(corners) > 2 else (0.0,)
        share = float(area / (4 * half[0] * half[2]))
        if share > LEAST:
            return Region(*moments, share)
        half = half * WIDER
        windows = np.column_stack([middle - half, middle + half])


def row_region(row) -> Region:
    """The region of a row of windows: see `survival_targets`."""
    return find_region(row[1:13].reshape(4, 3)[:, :2])


def summarize_regions(targets) -> pd.DataFrame:
    """How much of a rectangle the region of each printed row is.

    Parameters
    ----------
    targets : SurvivalTargets

    Returns
    -------
    DataFrame
        One row a Cox model's covariate: ``analysis``, ``endpoint``, ``variable``, ``share``.
    """
    problem = targets.problem
    rows = []
    for e, endpoint in enumerate(targets.endpoints):
        joint = problem.joint_index[e, : problem.joint_size[e]]
        for analysis, places, windows in (
            ("cox_univariable", range(len(targets.variables)), problem.row[e]),
            ("cox_multivariable", joint, problem.joint[e]),
        ):
            for r, row in zip(places, windows, strict=False):
                rows.append((analysis, endpoint, targets.variables[r], row_region(row).share))
    return pd.DataFrame(rows, columns=["analysis", "endpoint", "variable", "share"])


def _corners(windows):
    (beta_low, beta_high), low, (upper_low, upper_high), z = windows.tolist()
    corners = list(itertools.product((beta_low, beta_high), (upper_low, upper_high)))
    corners[2:] = corners[:1:-1]
    sign = 1.0 if beta_low + beta_high > 0 else -1.0
    for line in (
        (2.0, -1.0, low[1]),
        (-2.0, 1.0, -low[0]),
        (-sign * Z - z[0], z[0], 0.0),
        (sign * Z + z[1], -z[1], 0.0),
    ):
        corners = _cut(corners, *line)
    return corners


def _cut(corners, a, b, most):
    """The part of a convex polygon in which ``a x + b y`` is at most so much.

    References
    ----------
    Sutherland IE, Hodgman GW. Reentrant polygon clipping. Commun ACM 1974;17:32-42.
    """
    kept = []
    for (x, y), (u, v) in zip([*corners[-1:], *corners[:-1]], corners, strict=True):
        before, here = a * x + b * y - most, a * u + b * v - most
        if (before <= 0) != (here <= 0):
            part = before / (before - here)
            kept.append((x + part * (u - x), y + part * (v - y)))
        if here <= 0:
            kept.append((u, v))
    return kept


def _moments(corners):
    """Area, mean and covariance of a convex polygon, from the triangles of its first corner."""
    origin = corners[0]
    area, first, second = 0.0, np.zeros(2), np.zeros((2, 2))
    for one, other in itertools.pairwise(corners[1:] - origin):
        part = abs(one[0] * other[1] - one[1] * other[0]) / 2
        area += part
        first += part * (one + other) / 3
        for corner in (one, other, one + other):
            second += part / 12 * np.outer(corner, corner)
    if area == 0:
        return (area,)
    centre = first / area
    return area, origin + centre, second / area - np.outer(centre, centre)
