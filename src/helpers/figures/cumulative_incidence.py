"""Cumulative incidences of competing events, one panel for each kind."""

import pandas as pd

from helpers.competing import OWN_EVENT, causes_of
from helpers.figures import style
from helpers.figures.kaplan_meier import choose_times
from helpers.formats import format_estimate
from helpers.lookup import Lookup

HEIGHT = 2.5  # inches, of a panel
LEFT, GAP, BELOW = 0.55, 0.5, 0.6
LINE = 0.19  # from one line of text to the next
MOST_ACROSS = 2  # panels


def plot_cumulative_incidence(incidences, curves, study, endpoint):
    """Draw the cumulative incidence of each kind of event, and one minus Kaplan-Meier.

    Parameters
    ----------
    incidences : DataFrame
        ``cause, group, time, incidence, conf_low, conf_high``.
    curves : DataFrame
        Kaplan-Meier estimates, ``group, time, survival``; thin beside the endpoint's event,
        whose incidence they overstate as they take competing events for censoring.
    study : Study
    endpoint : str

    Returns
    -------
    Figure
    """
    causes = causes_of(study.endpoints[endpoint])
    arms = [arm for arm in study.arm.levels if (incidences["group"] == arm).any()]
    across = min(len(causes), MOST_ACROSS)
    lines = -(-len(causes) // across)
    width = (style.WIDTH - LEFT - 0.15 - GAP * (across - 1)) / across
    titles = [
        style.wrap(f"{label[:1].upper()}{label[1:]} (%)", width + 0.3, weight="bold")
        for label in causes.values()
    ]
    row = HEIGHT + BELOW + 0.25 + LINE * max(map(len, titles))
    with style.house_style():
        figure = style.new_figure(lines * row + 0.4)
        for number, cause in enumerate(causes):
            left = LEFT + (number % across) * (width + GAP)
            bottom = BELOW + (lines - 1 - number // across) * row
            axes = style.place_axes(figure, left, bottom, width, HEIGHT)
            here = incidences[incidences["cause"] == cause]
            for arm in arms:
                _draw(axes, here[here["group"] == arm], style.arm_style(study, arm))
                if cause == OWN_EVENT:
                    _draw_complement(axes, curves[curves["group"] == arm], study, arm)
            _set_axes(axes, pd.concat([incidences[["time"]], curves[["time"]]]), study)
            for line, text in enumerate(reversed(titles[number])):
                height = bottom + HEIGHT + 0.2 + LINE * line
                style.write(figure, left - 0.4, height, text, weight="bold")
        style.write_key(figure, 0.15, lines * row + 0.2, study, arms)
        style.mark_synthetic(figure, study)
    return figure


def describe_cumulative_incidence(results, study, endpoint) -> str:
    """Say in words what `plot_cumulative_incidence` shows."""
    lookup = Lookup(results)
    described = study.endpoints[endpoint]
    sentences = [f"Cumulative incidences with competing events: {described.label.lower()}."]
    for cause, label in causes_of(described).items():
        keys = {"analysis": "cumulative_incidence", "endpoint": endpoint, "variable": cause}
        for arm, level in study.arm.levels.items():
            parts = []
            for milestone in study.milestones:
                here = {"level": f"{milestone:g}", "group": arm, **keys}
                shares = [100 * share for share in lookup.interval("incidence", **here)]
                parts.append(f"{format_estimate(*shares)}% at {milestone:g} {study.time.unit}")
            if parts:
                sentences.append(f"{label}, {level.label}: {', '.join(parts)}.")
    return " ".join(sentences)


def _draw(axes, curve, look):
    time, height = curve["time"].to_numpy(), 100 * curve["incidence"].to_numpy()
    low, high = (100 * curve[name].to_numpy() for name in ("conf_low", "conf_high"))
    color = look["color"]
    axes.fill_between(time, low, high, step="post", color=color, alpha=0.13, linewidth=0)
    line = {"color": color, "linestyle": look["linestyle"]}
    axes.plot(time, height, drawstyle="steps-post", gid="incidence", **line)


def _draw_complement(axes, curve, study, arm):
    color = style.arm_style(study, arm)["color"]
    height = 100 * (1 - curve["survival"].to_numpy())
    look = {"color": color, "linewidth": 0.8, "linestyle": (0, (1, 1))}
    axes.plot(curve["time"], height, drawstyle="steps-post", gid="complement", **look)


def _set_axes(axes, curves, study):
    ticks = choose_times(curves, most=6)
    axes.set_xlim(0, max(ticks[-1], curves["time"].max()) or 1)
    axes.set_ylim(0, 101)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(range(0, 101, 25))
    axes.grid(axis="y")
    style.hide_frame(axes, "bottom")
    axes.set_xlabel(study.time.unit.capitalize())
