"""Cholesky's factor of a small matrix, compiled, to be called from compiled loops."""

import math

import numpy as np

from helpers.jit import njit


@njit
def factorize(matrix, least, share):
    """The lower triangle whose product with its transpose is a symmetric matrix.

    Parameters
    ----------
    matrix : ndarray of shape (p, p)
        Only its lower triangle is read.
    least, share : float
        A pivot has to exceed `least` and `share` of the diagonal.

    Returns
    -------
    factor : ndarray of shape (p, p)
    bool
        False where the matrix is singular, or nearly.
    """
    p = len(matrix)
    factor = np.zeros((p, p))
    for i in range(p):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= factor[i, k] * factor[j, k]
            if i > j:
                factor[i, j] = rest / factor[j, j]
            elif not rest > max(least, share * matrix[i, i]):
                return factor, False
            else:
                factor[i, i] = math.sqrt(rest)
    return factor, True


@njit
def solve(factor, right, out):
    """Write to `out` what the factorized matrix takes to `right`."""
    p = len(factor)
    for i in range(p):
        rest = right[i]
        for k in range(i):
            rest -= factor[i, k] * out[k]
        out[i] = rest / factor[i, i]
    for i in range(p - 1, -1, -1):
        rest = out[i]
        for k in range(i + 1, p):
            rest -= factor[k, i] * out[k]
        out[i] = rest / factor[i, i]
