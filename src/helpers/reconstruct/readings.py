"""Which readings of a print some cohort could have, and which none."""

from __future__ import annotations

import pandas as pd

from helpers.audit.hazard_ratios import hazard_ratios, implied_total, least_events, side_sizes
from helpers.audit.printed import reversed_contrast, sides
from helpers.reconstruct.bounds import event_range, fewest_censored
from helpers.reconstruct.orders import information_range, possible_events

UNIVARIABLE = ("cox_univariable",)
MEDIAN = ("median_conf_low", "median", "median_conf_high")
CONF_TYPES = ("log", "log_log", "plain")
LARGEST_GROUP = 15  # patients, of a group of which every order is tried


def summarize_readings(printed, n_event) -> pd.DataFrame:
    """Ask of each univariable hazard ratio whether any order of the patients has it.

    Both as labelled in print, and with the labels exchanged.

    Parameters
    ----------
    printed : Printed
    n_event : dict of str to int
        Events of each endpoint.

    Returns
    -------
    DataFrame
        One row a reading: ``endpoint``, ``variable``, ``group`` (the contrast), ``labelled``
        (as in print), ``information_low`` and ``information_high`` (of the print), ``least``
        and ``most`` (of all orders with so many events), ``fewest_events`` (with which an
        order is not excluded; missing where none is).
    """
    rows = []
    for row, endpoint, sizes in _bounded(printed, n_event):
        information = 1 / row.std_error[1] ** 2, 1 / row.std_error[0] ** 2
        coef = float(row.corners[:, 0].mean())
        needed = least_events(information[0], *sizes)
        for labelled, sign in ((True, 1), (False, -1)):
            least, most = information_range(sign * coef, *sizes, n_event[endpoint])
            candidates = range(needed.total, sum(sizes) + 1) if needed else ()
            possible = possible_events(sign * coef, information, *sizes, candidates)
            group = row.ratio.group if labelled else reversed_contrast(row.ratio.group)
            rows.append(
                {
                    "endpoint": endpoint,
                    "variable": row.ratio.variable,
                    "group": group,
                    "labelled": labelled,
                    "information_low": information[0],
                    "information_high": information[1],
                    "least": least,
                    "most": most,
                    "fewest_events": next(possible, None),
                }
            )
    return pd.DataFrame(rows)


def _bounded(printed, n_event):
    """The univariable hazard ratios that bound an information, with the sizes of their sides."""
    for row in hazard_ratios(printed, UNIVARIABLE):
        sizes = side_sizes(printed, row.ratio)
        if row.ratio.endpoint in n_event and sizes is not None and len(row.corners):
            yield row, row.ratio.endpoint, sizes


def summarize_event_bounds(printed, n_event) -> pd.DataFrame:
    """Bound the events of each level from the printed standard errors.

    Returns
    -------
    DataFrame
        One row a univariable hazard ratio: ``endpoint``, ``variable``, ``level``, ``n`` (its
        patients), ``information`` (the least that the print allows), ``fewest_total`` (events
        of all that it needs, whatever their number), and ``fewest`` and ``most``, the events
        at the level with `n_event` in all.
    """
    rows = []
    for row, endpoint, sizes in _bounded(printed, n_event):
        information = 1 / row.std_error[1] ** 2
        needed = least_events(information, *sizes)
        for level, n, other in zip(sides(row.ratio.group), sizes, reversed(sizes), strict=True):
            fewest, most = event_range(information, n_event[endpoint])
            rows.append(
                {
                    "endpoint": endpoint,
                    "variable": row.ratio.variable,
                    "level": level,
                    "n": n,
                    "information": information,
                    "fewest_total": needed.total if needed else None,
                    "fewest": max(fewest, n_event[endpoint] - other),
                    "most": min(most, n),
                }
            )
    return pd.DataFrame(rows)


def summarize_open_intervals(printed) -> pd.DataFrame:
    """Count the censored patients that medians without an upper limit need, by type of band.

    Returns
    -------
    DataFrame
        One row a small group of a subgroup analysis whose upper limit is printed as not
        reached: ``endpoint``, ``variable``, ``level``, ``group``, ``n``, ``at_most`` (the
        patients of all that the standard errors leave without the event), and ``log``,
        ``log_log`` and ``plain``, the fewest censored patients of the group.
    """
    rows = []
    level = printed.conventions.confidence_level
    for upper in printed.all("median_conf_high", analysis="subgroup"):
        n = printed.level_sizes(upper.variable, upper.group).get(upper.level)
        needed = implied_total(printed, upper.endpoint)
        limits = [printed.beside(upper, statistic) for statistic in MEDIAN]
        if upper.finite or n is None or n > LARGEST_GROUP or needed is None or None in limits:
            continue
        at_most = printed.size("overall") - needed
        reached = tuple(limit.finite for limit in limits)
        keys = ("endpoint", "variable", "level", "group")
        counts = {
            kind: fewest_censored(n, reached, conf_type=kind, conf_level=level, most=at_most)
            for kind in CONF_TYPES
        }
        found = {key: getattr(upper, key) for key in keys}
        rows.append(found | {"n": n, "at_most": at_most} | counts)
    return pd.DataFrame(rows)
