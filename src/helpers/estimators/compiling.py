"""When it pays to compile: loops that Python runs for few patients and numba for many."""

import functools

LARGE = 5_000  # patients from which on compiling, and counting in tables, pays


def compiled(function, n):
    """The function itself or, for `n` patients that are many, the same compiled by numba."""
    return _compile(function) if n >= LARGE else function


@functools.cache
def _compile(function):
    from numba import njit

    return njit(cache=True)(function)
