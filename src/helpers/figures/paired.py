"""Laboratory values before and after treatment."""

import math

from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from helpers.figures import style
from helpers.formats import format_interval, format_number, format_p, format_whole
from helpers.results import BETWEEN_ARMS, value_of

MOMENTS = ("baseline", "followup")
QUARTILES = ("median", "q1", "q3")
HEIGHT = 3.0  # inches, of the axes


def plot_paired(pairs, results, study, measurement):
    """Draw a measurement before and after treatment, one panel for each arm.

    Parameters
    ----------
    pairs : DataFrame or None
        ``group``, ``baseline`` and ``followup`` of each patient, drawn as thin lines; with
        None only medians and quartiles are drawn, and the figure reveals no patient.
    results : DataFrame
        For medians, quartiles and p values.
    study : Study
    measurement : str

    Returns
    -------
    Figure
    """
    described = study.measurements[measurement]
    arms = list(study.arm.levels)
    left, gap = 0.75, 0.25
    width = (style.WIDTH - left - 0.15 - gap * (len(arms) - 1)) / len(arms)
    bottom = 0.5
    with style.house_style():
        figure = style.new_figure(bottom + HEIGHT + 0.85)
        panels = []
        for number, arm in enumerate(arms):
            axes = style.place_axes(
                figure,
                left + number * (width + gap),
                bottom,
                width,
                HEIGHT,
                sharey=panels[0] if panels else None,
            )
            panels.append(axes)
            _set_axes(axes, described, first=number == 0)
            if pairs is not None:
                _draw_patients(axes, pairs[pairs["group"] == arm], study, arm)
            _draw_medians(axes, results, study, measurement, arm)
        top = bottom + HEIGHT
        for number, arm in enumerate(arms):
            start = left + number * (width + gap)
            color = style.arm_style(study, arm)["color"]
            style.write(
                figure, start, top + 0.36, study.arm.levels[arm].label, color=color, weight="bold"
            )
            style.write(figure, start, top + 0.16, _change_text(results, study, measurement, arm))
        unit = f" ({described.unit})" if described.unit else ""
        style.write(
            figure, 0.1, top + 0.66, f"{described.label}{unit}", weight="bold", size=style.NORMAL
        )
        style.mark_synthetic(figure, study)
    return figure


def describe_paired(results, study, measurement) -> str:
    """Say in words what `plot_paired` shows."""
    described = study.measurements[measurement]
    unit = f" {described.unit}" if described.unit else ""
    interval = f" after {described.interval}" if described.interval else " at follow-up"
    sentences = [f"{described.label} before treatment and{interval}, by arm."]
    for arm, level in study.arm.levels.items():
        before, after = (
            f"{format_number(m)}{unit} ({format_interval(low, high)})"
            for m, low, high in (
                _quartiles(results, measurement, moment, arm) for moment in MOMENTS
            )
        )
        p = value_of(results, **_keys(measurement, "change"), group=arm, statistic="p")
        sentences.append(
            f"{level.label}: median (quartiles) {before} before, {after} after, "
            f"p of the change {format_p(p)}."
        )
    p = value_of(results, **_keys(measurement, "change"), group=BETWEEN_ARMS, statistic="p")
    sentences.append(f"Change compared between the arms: p {format_p(p)}.")
    return " ".join(sentences)


def _keys(measurement, level):
    return {"analysis": "measurement", "endpoint": "", "variable": measurement, "level": level}


def _quartiles(results, measurement, moment, arm):
    keys = _keys(measurement, moment)
    return [value_of(results, **keys, group=arm, statistic=name) for name in QUARTILES]


def _change_text(results, study, measurement, arm):
    n = value_of(results, **_keys(measurement, "change"), group=arm, statistic="n")
    p = value_of(results, **_keys(measurement, "change"), group=arm, statistic="p")
    return f"n = {format_whole(n)}, p of the change {format_p(p)}"


def _set_axes(axes, described, first):
    if described.scale == "log":
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    interval = f"After {described.interval}" if described.interval else "Follow-up"
    axes.set_xlim(-0.4, 1.45)
    axes.set_xticks([0, 1], ["Baseline", interval])
    axes.grid(axis="y")
    style.hide_frame(axes, "bottom")
    axes.tick_params(axis="y", which="both", length=0, labelleft=first)


def _draw_patients(axes, pairs, study, arm):
    axes.plot(
        [0, 1],
        pairs[list(MOMENTS)].to_numpy().T,
        color=style.arm_style(study, arm)["color"],
        alpha=0.22,
        linewidth=0.9,
        gid="patient",
    )


def _draw_medians(axes, results, study, measurement, arm):
    color = style.arm_style(study, arm)["color"]
    described = [_quartiles(results, measurement, moment, arm) for moment in MOMENTS]
    medians = [median for median, _, _ in described]
    axes.plot([0, 1], medians, color=color, marker="o", linewidth=2.4, markersize=7, gid="median")
    for place, (median, low, high) in enumerate(described):
        axes.plot(
            [place, place], [low, high], color=color, linewidth=5, alpha=0.45, gid="quartiles"
        )
        if not math.isnan(median):
            shift, align = ((-9, 0), "right") if place == 0 else ((9, 0), "left")
            axes.annotate(
                format_number(median),
                (place, median),
                shift,
                textcoords="offset points",
                ha=align,
                va="center",
                weight="bold",
                color=color,
            )
