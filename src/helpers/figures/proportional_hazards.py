"""Pictures of whether the hazards are proportional."""

import numpy as np

from helpers.figures import style
from helpers.figures.kaplan_meier import choose_times
from helpers.formats import format_number, format_p
from helpers.results import BETWEEN_ARMS, value_of

HEIGHT = 3.0  # inches, of the axes
LOG_TICKS = [0.1, 0.2, 0.5, 1, 2, 3, 6, 12, 24, 48, 96]


def plot_log_minus_log(curves, study, endpoint):
    """Draw log(-log S) against time on a log axis; proportional hazards give parallel curves.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, log_minus_log``.
    study : Study
    endpoint : str

    Returns
    -------
    Figure
    """
    arms = [arm for arm in study.arm.levels if (curves["group"] == arm).any()]
    labels = {arm: study.arm.levels[arm].label for arm in arms}
    right = style.SAMPLE + 0.1 + max(style.text_width(x, weight="bold") for x in labels.values())
    with style.house_style():
        figure = style.new_figure(0.55 + HEIGHT + 0.4)
        axes = style.place_axes(figure, 0.6, 0.55, style.WIDTH - 0.6 - right, HEIGHT)
        ends = {}
        for arm in arms:
            curve = curves[(curves["group"] == arm) & (curves["time"] > 0)].sort_values("time")
            if curve.empty:
                continue
            look = style.arm_style(study, arm)
            time, height = curve["time"].to_numpy(), curve["log_minus_log"].to_numpy()
            seen = style.thin_steps(height)
            axes.plot(
                time[seen],
                height[seen],
                drawstyle="steps-post",
                color=look["color"],
                linestyle=look["linestyle"],
                gid="curve",
            )
            ends[arm] = (time[-1], height[-1])
        axes.set_xscale("log")
        low, high = axes.get_xlim()
        ticks = [tick for tick in LOG_TICKS if low <= tick <= high]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        axes.grid(axis="y")
        style.hide_frame(axes, "bottom")
        axes.set_xlabel(f"{study.time.unit.capitalize()} (log scale)")
        order = sorted(ends, key=lambda arm: ends[arm][1])
        step = 0.2 * np.diff(axes.get_ylim())[0] / HEIGHT
        floor = -np.inf
        for arm in order:
            floor = max(ends[arm][1], floor + step)
            style.name_line(axes, floor, [labels[arm]], style.arm_style(study, arm))
        title = f"{study.endpoints[endpoint].label}: log(−log S)"
        style.write(figure, 0.1, 0.55 + HEIGHT + 0.22, title, weight="bold", fontsize=style.NORMAL)
        style.mark_synthetic(figure, study)
    return figure


def describe_log_minus_log(curves, study, endpoint) -> str:
    """Say in words what `plot_log_minus_log` shows."""
    sentences = [
        f"Logarithm of the cumulative hazard of {study.endpoints[endpoint].label.lower()} against "
        "time on a log axis; parallel curves mean proportional hazards."
    ]
    for arm, level in study.arm.levels.items():
        curve = curves[(curves["group"] == arm) & (curves["time"] > 0)].sort_values("time")
        if len(curve):
            (start, low), (stop, high) = curve[["time", "log_minus_log"]].iloc[[0, -1]].to_numpy()
            sentences.append(
                f"{level.label} rises from {format_number(low)} at {format_number(start)} "
                f"to {format_number(high)} at {format_number(stop)} {study.time.unit}."
            )
    return " ".join(sentences)


def plot_schoenfeld(residuals, results, study, endpoint):
    """Draw scaled Schoenfeld residuals against time; a slope means that the hazard ratio changes.

    Parameters
    ----------
    residuals : DataFrame
        ``group`` (a contrast of arms), ``time``, ``n_event`` and ``residual`` (scaled, with the
        coefficient added) of each event, or mean of several, and optionally ``trend``, its
        smoothed course.
    results : DataFrame
        For the p value of the test.
    study : Study
    endpoint : str

    Returns
    -------
    Figure
    """
    groups = style.contrasts(study)
    with style.house_style():
        figure = style.new_figure(0.55 + HEIGHT + 0.62)
        axes = style.place_axes(figure, 0.6, 0.55, style.WIDTH - 0.75, HEIGHT)
        axes.axhline(0, color=style.RULE, linewidth=1)
        for group, arm in groups.items():
            own = residuals[residuals["group"] == group].sort_values("time")
            look = style.arm_style(study, arm)
            axes.plot(
                own["time"],
                own["residual"],
                linestyle="none",
                marker=look["marker"],
                markersize=4,
                color=look["color"],
                alpha=0.6,
                gid="residual",
            )
            if "trend" in own:
                axes.plot(own["time"], own["trend"], color=look["color"], gid="trend")
        axes.set_xlim(left=0)
        if len(residuals):
            axes.set_xticks(choose_times(residuals))
        axes.grid(axis="y")
        style.hide_frame(axes, "bottom")
        axes.set_xlabel(study.time.unit.capitalize())
        top = 0.55 + HEIGHT
        title = f"{study.endpoints[endpoint].label}: log hazard ratio over time"
        style.write(figure, 0.1, top + 0.44, title, weight="bold", fontsize=style.NORMAL)
        style.write(figure, 0.1, top + 0.22, _schoenfeld_text(results, study, endpoint))
        style.mark_synthetic(figure, study)
    return figure


def describe_schoenfeld(residuals, results, study, endpoint) -> str:
    """Say in words what `plot_schoenfeld` shows."""
    most = residuals["n_event"].max() if len(residuals) else 1
    each = f", each the mean of at most {most} events" if most > 1 else ""
    sentences = [
        f"Scaled Schoenfeld residuals of {study.endpoints[endpoint].label.lower()} against time, "
        f"{len(residuals)} points{each}; a flat course means a constant hazard ratio."
    ]
    for group, arm in style.contrasts(study).items():
        own = residuals[residuals["group"] == group].sort_values("time")
        if "trend" in own and len(own):
            first, last = own["trend"].iloc[[0, -1]]
            sentences.append(
                f"{study.arm.levels[arm].label}: the smoothed course goes from "
                f"{format_number(first)} to {format_number(last)}."
            )
    return " ".join([*sentences, f"{_schoenfeld_text(results, study, endpoint)}."])


def _schoenfeld_text(results, study, endpoint):
    arms = {arm: level.label for arm, level in study.arm.levels.items()}
    reference = arms.pop(study.arm.reference)
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm", "level": ""}
    statistic = "p_proportional_hazards"
    p = value_of(results, **keys, group=BETWEEN_ARMS, statistic=statistic)
    return f"{' or '.join(arms.values())} against {reference}, test of a slope: p {format_p(p)}"
