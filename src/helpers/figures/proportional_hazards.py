"""Pictures of whether the hazards are proportional."""

import numpy as np

from helpers.figures import style
from helpers.figures.kaplan_meier import choose_times
from helpers.formats import format_p
from helpers.results import value_of

HEIGHT = 3.0  # inches, of the axes


def plot_log_minus_log(curves, study, endpoint):
    """Draw log(-log S) against time on a log axis; proportional hazards give parallel curves.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, survival``.
    study : Study
    endpoint : str

    Returns
    -------
    Figure
    """
    arms = [arm for arm in study.arm.levels if (curves["group"] == arm).any()]
    labels = {arm: study.arm.levels[arm].label for arm in arms}
    right = 0.3 + max(style.text_width(label, weight="bold") for label in labels.values())
    with style.house_style():
        figure = style.new_figure(0.55 + HEIGHT + 0.4)
        axes = style.place_axes(figure, 0.6, 0.55, style.WIDTH - 0.6 - right, HEIGHT)
        ends = {}
        for arm in arms:
            curve = curves[(curves["group"] == arm) & curves["survival"].between(0, 1, "neither")]
            curve = curve[curve["time"] > 0].sort_values("time")
            if curve.empty:
                continue
            look = style.arm_style(study, arm)
            time, height = curve["time"].to_numpy(), np.log(-np.log(curve["survival"].to_numpy()))
            axes.plot(
                time,
                height,
                drawstyle="steps-post",
                color=look["color"],
                linestyle=look["linestyle"],
                gid="curve",
            )
            ends[arm] = (time[-1], height[-1])
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        ticks = [tick for tick in (0.5, 1, 2, 3, 6, 12, 24, 48, 96) if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.grid(axis="y")
        style.hide_frame(axes, "bottom")
        axes.set_xlabel(f"{study.time.unit.capitalize()} (log scale)")
        order = sorted(ends, key=lambda arm: ends[arm][1])
        step = 0.2 * np.diff(axes.get_ylim())[0] / HEIGHT
        floor = -np.inf
        for arm in order:
            time, height = ends[arm]
            floor = max(height, floor + step)
            axes.annotate(
                labels[arm],
                (high, floor),
                (4, 0),
                textcoords="offset points",
                va="center",
                weight="bold",
                color=style.arm_style(study, arm)["color"],
                annotation_clip=False,
            )
        title = f"{study.endpoints[endpoint].label}: log(−log S)"
        style.write(figure, 0.1, 0.55 + HEIGHT + 0.22, title, weight="bold", fontsize=style.NORMAL)
        style.mark_synthetic(figure, study)
    return figure


def describe_log_minus_log(results, study, endpoint) -> str:
    """Say in words what `plot_log_minus_log` shows."""
    p = value_of(
        results,
        analysis="survival",
        endpoint=endpoint,
        variable="arm",
        level="",
        group="between_arms",
        statistic="p_proportional_hazards",
    )
    arms = " and ".join(level.label for level in study.arm.levels.values())
    return (
        f"Logarithm of the cumulative hazard of {study.endpoints[endpoint].label.lower()} against "
        f"the logarithm of time for {arms}; parallel curves mean proportional hazards. "
        f"Test of proportional hazards: p {format_p(p)}."
    )


def plot_schoenfeld(residuals, study, endpoint, label):
    """Draw scaled Schoenfeld residuals against time; a slope means that the hazard ratio changes.

    Parameters
    ----------
    residuals : DataFrame
        ``time`` and ``residual`` (scaled, with the coefficient added) of each event, and
        optionally ``trend``, its smoothed course.
    study : Study
    endpoint, label : str
        The endpoint, and what the coefficient compares.

    Returns
    -------
    Figure
    """
    residuals = residuals.sort_values("time")
    with style.house_style():
        figure = style.new_figure(0.55 + HEIGHT + 0.4)
        axes = style.place_axes(figure, 0.6, 0.55, style.WIDTH - 0.75, HEIGHT)
        axes.axhline(0, color=style.RULE, linewidth=1)
        axes.plot(
            residuals["time"],
            residuals["residual"],
            linestyle="none",
            marker="o",
            markersize=4,
            color=style.ARM_COLORS[0],
            alpha=0.7,
            gid="residual",
        )
        if "trend" in residuals:
            axes.plot(residuals["time"], residuals["trend"], color=style.ARM_COLORS[1], gid="trend")
        axes.set_xlim(left=0)
        axes.set_xticks(choose_times(residuals))
        axes.grid(axis="y")
        style.hide_frame(axes, "bottom")
        axes.set_xlabel(study.time.unit.capitalize())
        title = f"{study.endpoints[endpoint].label}: log hazard ratio over time, {label}"
        style.write(figure, 0.1, 0.55 + HEIGHT + 0.22, title, weight="bold", fontsize=style.NORMAL)
        style.mark_synthetic(figure, study)
    return figure
