"""When it pays to compile: loops that Python runs when short and numba when long."""

import functools

LARGE = 5_000  # patients from which on it pays to compile a model, or to count in tables
LONG = 2_000  # steps from which on it pays to compile a loop


def compiled(function, n_step):
    """The function itself or, where its loop has many steps, the same compiled by numba."""
    return _compile(function) if n_step >= LONG else function


@functools.cache
def _compile(function):
    from helpers.jit import njit

    return njit(error_model="numpy")(function)
