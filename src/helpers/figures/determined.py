"""Where an ensemble of cohorts agrees, and where it does not."""

from __future__ import annotations

from helpers.figures import style
from helpers.formats import format_number
from helpers.tables.determined import describe_number

ROW, LABEL = 0.36, 3.1  # inches
TICKS = [0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10]


def plot_ratios(ranges, study):
    """Draw the range of every hazard ratio and every ratio of them over the ensemble.

    Parameters
    ----------
    ranges : DataFrame
        Made by `helpers.determined.summarize_ranges`.
    study : Study

    Returns
    -------
    Figure
    """
    rows = _ratios(ranges)
    labels = ["\n".join(style.wrap(_label(row, study), LABEL)) for row in rows]
    left, bottom, height = LABEL + 0.2, 0.5, ROW * len(rows)
    with style.house_style():
        figure = style.new_figure(bottom + height + 0.15)
        axes = style.place_axes(figure, left, bottom, style.WIDTH - left - 0.3, height)
        for place, row in enumerate(rows):
            axes.hlines(place, row["least"], row["most"], color=style.RULE, linewidth=1)
            axes.hlines(place, row["low"], row["high"], color=style.ARM_COLORS[0], linewidth=4)
            axes.plot(row["value"], place, "D", color=style.ARM_COLORS[1])
        axes.axvline(1, color=style.MUTED, linewidth=0.8)
        axes.set_xscale("log")
        lowest = min(row["least"] for row in rows) / 1.1
        highest = max(max(row["most"] for row in rows) * 1.1, 1.2)
        axes.set_xlim(lowest, highest)
        axes.minorticks_off()
        ticks = [tick for tick in TICKS if lowest <= tick <= highest]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_yticks(range(len(rows)), labels)
        axes.grid(axis="x")
        style.hide_frame(axes)
        axes.set_xlabel("Hazard ratio, or ratio of hazard ratios")
    return figure


def describe_ratios(ranges, study) -> str:
    """Say in words what `plot_ratios` shows."""
    parts = [
        f"{_label(row, study)} {format_number(row['low'], 2)} to {format_number(row['high'], 2)}, "
        f"one cohort {format_number(row['value'], 2)}"
        for row in _ratios(ranges)
    ]
    return "Lines of the middle 95% of the draws: " + "; ".join(parts) + "."


def _ratios(ranges):
    found = ranges[ranges["statistic"].str.endswith("ratio") & (ranges["n"] > 0)]
    return found.to_dict("records")


def _label(row, study):
    abbreviation = study.endpoints[row["endpoint"]].abbreviation
    words = describe_number(row | {"group": ""}, study).rstrip(", ")
    return f"{abbreviation}: {words[0].lower()}{words[1:]}"


def plot_walk(steps, unlikeness, study):
    """Draw how unlike the start a walk becomes, by endpoint.

    Parameters
    ----------
    steps : sequence of int
    unlikeness : dict of str to sequence of float
        By endpoint.
    study : Study

    Returns
    -------
    Figure
    """
    with style.house_style():
        figure = style.new_figure(2.6)
        axes = style.place_axes(figure, 0.6, 0.5, style.WIDTH - 1.0, 2.0)
        for number, (endpoint, values) in enumerate(unlikeness.items()):
            axes.plot(
                [step / 1000 for step in steps],
                values,
                color=style.ARM_COLORS[number],
                linestyle=style.ARM_LINES[number],
                label=study.endpoints[endpoint].label,
            )
        axes.axhline(1, color=style.MUTED, linewidth=0.8)
        axes.set_ylim(0, 1.15)
        axes.set_xlim(0, None)
        axes.grid(axis="y")
        axes.set_xlabel("Steps of the walk (thousands)")
        axes.set_ylabel("Unlikeness")
        axes.legend(loc="lower right", frameon=False)
    return figure


def describe_walk(steps, unlikeness, study) -> str:
    """Say in words what `plot_walk` shows."""
    parts = [
        f"{study.endpoints[endpoint].label.lower()} {format_number(values[1], 2)} after "
        f"{steps[1]:,} steps, {format_number(values[-1], 2)} after {steps[-1]:,}"
        for endpoint, values in unlikeness.items()
    ]
    return "Curves of unlikeness from the start, rising from 0: " + "; ".join(parts) + "."
