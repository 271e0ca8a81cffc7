"""What printed numbers alone say about the events behind them."""

from __future__ import annotations

import numpy as np


def event_range(information, n_event) -> tuple[int, int]:
    """Fewest and most events among the exposed that an information of a Cox model allows.

    At the estimate the exposed's shares p of the hazard add up, over the D events, to the d
    events among the exposed, so that the information, the sum of p - p², is at most d - d²/D
    (Cauchy and Schwarz). Ties after Efron have such shares too.

    Parameters
    ----------
    information : float
        Of the coefficient of one binary covariate: 1 over its squared standard error.
    n_event : int
        All events, D.

    Returns
    -------
    fewest, most : int
        0 and D where no number of events has so much information.
    """
    counts = np.arange(n_event + 1)
    enough = counts[counts - counts**2 / n_event >= information]
    return (int(enough.min()), int(enough.max())) if len(enough) else (0, n_event)
