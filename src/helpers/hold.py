"""One run at a time writes to a folder."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager

from helpers.errors import InputError


@contextmanager
def hold(lock, folder, wait=False):
    """Hold a folder for one run; a run that is killed lets go of it.

    Parameters
    ----------
    lock : path-like
        The file that is locked, made where it is not there; its content is left.
    folder : path-like
        Which an error names.
    wait : bool
        Whether another run that holds it is waited for.

    Raises
    ------
    InputError
        Another run holds it and is not waited for.
    """
    with open(lock, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise InputError(folder, ["another run is writing to it"]) from None
        yield
