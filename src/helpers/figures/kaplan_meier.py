"""Kaplan-Meier curves with the numbers at risk and the events below them."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.transforms import blended_transform_factory

from helpers.figures import style
from helpers.formats import format_estimate, format_p, format_whole
from helpers.results import BETWEEN_ARMS, contrast, value_of

TICK_STEPS = [1, 2, 3, 6, 12, 24, 36, 60, 120]
LINE = 0.19  # inches from one line of text to the next
LABEL_WIDTH = 1.5  # inches, beyond which the name of an arm is broken
GAP = 0.33  # inches at least between the names of the arms and the axis
HEIGHT = 3.1  # inches, of the axes
TITLE_SHIFT = 24  # points by which the title begins left of the axes
MOST_MARKS = 300  # of censored patients on a curve, beyond which they would be a band


def choose_times(curves, most=9) -> list[float]:
    """Times for the ticks of the axis and the columns of the table at risk.

    Parameters
    ----------
    curves : DataFrame
        Curves by group, with ``time``.
    most : int
        How many there may be.
    """
    longest = float(curves["time"].max())
    steps = [step for step in TICK_STEPS if longest / step < most]
    step = steps[0] if steps else 120 * math.ceil(longest / (120 * most))
    return [float(time) for time in np.arange(0, longest + step / 100, step)]


def plot_kaplan_meier(curves, at_risk, results, study, endpoint, *, variable="arm", level=""):
    """Draw the survival of each arm.

    Parameters
    ----------
    curves : DataFrame
        ``group, time, n_censored, survival, conf_low, conf_high``.
    at_risk : DataFrame
        ``group, time, n_risk, n_event`` (events up to the time) at the times of `choose_times`.
    results : DataFrame
        For the medians, hazard ratios and p values that are written beside the curves.
    study : Study
    endpoint : str
    variable, level : str
        The subgroup that is shown; all patients by default.

    Returns
    -------
    Figure
    """
    keys = _keys(endpoint, variable, level)
    arms = [arm for arm in study.arm.levels if (curves["group"] == arm).any()]
    names = {arm: style.wrap(_label(study, arm), LABEL_WIDTH, weight="bold") for arm in arms}
    median = f"median ({study.conventions.interval_name})"
    ends = {arm: [*names[arm], median, _median(results, arm, keys)] for arm in arms}
    gap = max(GAP, _widest_cell(at_risk[at_risk["time"] == 0]) / 2 + 0.08)
    left = gap + 0.1 + _widest(names)
    width = style.WIDTH - left - style.SAMPLE - _widest(ends) - 0.05
    heading = [
        line
        for text in _contrast_lines(results, study, arms, keys)
        for line in style.wrap(text, style.WIDTH - left)
    ]
    title = style.wrap(
        f"{_title(study, endpoint, variable, level)} (%)",
        style.WIDTH - left + TITLE_SHIFT / 72 - 0.15,
        style.NORMAL,
        "bold",
    )
    below = 0.85 + LINE * (1 + sum(map(len, names.values())))
    with style.house_style():
        figure = style.new_figure(below + HEIGHT + 0.19 + LINE * len(title + heading))
        axes = style.place_axes(figure, left, below, width, HEIGHT)
        _set_axes(axes, curves, at_risk, study, endpoint)
        for arm in arms:
            _draw_curve(axes, curves[curves["group"] == arm], style.arm_style(study, arm))
        _draw_medians(axes, results, study, arms, keys)
        _draw_ends(axes, curves, study, ends)
        _draw_heading(axes, title, heading)
        _draw_table(axes, at_risk, study, names, gap)
        style.mark_synthetic(figure, study)
    return figure


def describe_kaplan_meier(results, study, endpoint, *, variable="arm", level="") -> str:
    """Say in words what `plot_kaplan_meier` shows."""
    keys = _keys(endpoint, variable, level)
    unit = study.time.unit
    sentences = [f"Kaplan-Meier curves of {_title(study, endpoint, variable, level).lower()}."]
    for arm in study.arm.levels:
        n, events = (value_of(results, **keys, group=arm, statistic=s) for s in ("n", "n_event"))
        counts = ""
        if not math.isnan(n):
            counts = f"{format_whole(n)} patients, {format_whole(events)} events, "
        median = _median(results, arm, keys)
        unit_shown = f" {unit}" if any(char.isdigit() for char in median) else ""
        sentences.append(f"{study.arm.levels[arm].label}: {counts}median {median}{unit_shown}.")
    sentences += [f"{line}." for line in _contrast_lines(results, study, study.arm.levels, keys)]
    return " ".join(sentences)


def _keys(endpoint, variable, level):
    analysis = "survival" if variable == "arm" else "subgroup"
    return {"analysis": analysis, "endpoint": endpoint, "variable": variable, "level": level}


def _label(study, arm):
    return study.arm.levels[arm].label


def _title(study, endpoint, variable, level):
    title = study.endpoints[endpoint].label
    if variable == "arm":
        return title
    return f"{title}, {study.label(variable)}: {study.levels(variable)[level].label}"


def _median(results, arm, keys):
    names = ("median", "median_conf_low", "median_conf_high")
    return format_estimate(*(value_of(results, **keys, group=arm, statistic=s) for s in names))


def _widest(labels):
    return max(style.text_width(line, weight="bold") for lines in labels.values() for line in lines)


def _contrast_lines(results, study, arms, keys):
    reference = study.arm.reference
    lines = []
    for arm in arms:
        group = contrast(arm, reference)
        names = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high", "p_wald")
        ratio, low, high, p = (
            value_of(results, **keys, group=group, statistic=name) for name in names
        )
        if arm == reference or math.isnan(ratio):
            continue
        lines.append(
            f"Hazard ratio {_label(study, arm)} against {_label(study, reference)} "
            f"{format_estimate(ratio, low, high, 2)}, {_p(p)}"
        )
    for statistic in ("p_logrank", "p"):
        p = value_of(results, **keys, group=BETWEEN_ARMS, statistic=statistic)
        if not math.isnan(p):
            lines.append(f"Log-rank {_p(p)}")
            break
    return [", ".join(lines).replace(", Log-rank", ", log-rank")] if len(lines) == 2 else lines


def _p(p):
    text = format_p(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def _set_axes(axes, curves, at_risk, study, endpoint):
    times = sorted(at_risk["time"].unique())
    axes.set_xlim(0, max(times[-1], curves["time"].max()) or 1)
    axes.set_ylim(0, 101)
    axes.set_xticks(times, [f"{time:g}" for time in times])
    axes.set_yticks(range(0, 101, 25))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    origin = study.endpoints[endpoint].origin
    axes.set_xlabel(f"{study.time.unit.capitalize()}{f' since {origin}' if origin else ''}")


def _draw_curve(axes, curve, look):
    color, line = look["color"], look["linestyle"]
    curve = curve.sort_values("time")
    time, survival = curve["time"].to_numpy(), 100 * curve["survival"].to_numpy()
    low, high = (100 * curve[name].to_numpy(dtype=float) for name in ("conf_low", "conf_high"))
    seen = style.thin_steps(survival, low, high)
    band = time[seen], low[seen], high[seen]
    axes.fill_between(*band, step="post", color=color, alpha=0.13, linewidth=0)
    steps = time[seen], survival[seen]
    axes.plot(*steps, drawstyle="steps-post", color=color, linestyle=line, gid="curve")
    censored = curve["n_censored"].to_numpy() > 0
    if censored.sum() > MOST_MARKS:
        return
    axes.plot(
        time[censored],
        survival[censored],
        linestyle="none",
        marker="|",
        markersize=7,
        markeredgewidth=1.2,
        color=color,
        gid="censored",
        clip_on=False,
    )


def _draw_medians(axes, results, study, arms, keys):
    medians = {arm: value_of(results, **keys, group=arm, statistic="median") for arm in arms}
    reached = {arm: median for arm, median in medians.items() if math.isfinite(median)}
    if not reached:
        return
    look = {"linewidth": 1, "linestyle": (0, (1.5, 1.5))}
    axes.plot([0, max(reached.values())], [50, 50], color=style.MUTED, **look)
    for arm, median in reached.items():
        color = style.arm_style(study, arm)["color"]
        axes.plot([median, median], [50, 0], color=color, gid="median", **look)


def _draw_ends(axes, curves, study, labels):
    """Name each curve beside its end, with a piece of its line, apart where the ends are close."""
    line = 100 * LINE / HEIGHT
    ends = {arm: curves[curves["group"] == arm].sort_values("time").iloc[-1] for arm in labels}
    order = sorted(labels, key=lambda arm: tuple(ends[arm][["survival", "time"]]), reverse=True)
    tops, ceiling = {}, 100.0
    for arm in order:
        tops[arm] = min(100 * ends[arm]["survival"], ceiling)
        ceiling = tops[arm] - line * (len(labels[arm]) + 0.4)
    lowest = tops[order[-1]] - line * (len(labels[order[-1]]) - 0.5)
    shift = max(0.0, -4 - lowest)
    for arm in order:
        look, (*name, first, second) = style.arm_style(study, arm), labels[arm]
        style.name_line(axes, tops[arm] + shift, name, look, (first, second), line)


def _draw_heading(axes, title, lines):
    place = {"xycoords": "axes fraction", "textcoords": "offset points"}
    step = 72 * LINE
    for number, line in enumerate(reversed(lines)):
        axes.annotate(line, (0, 1), (-TITLE_SHIFT, 11 + step * number), **place)
    for number, line in enumerate(reversed(title), start=len(lines)):
        look = {"fontsize": style.NORMAL, "weight": "bold"}
        axes.annotate(line, (0, 1), (-TITLE_SHIFT, 14 + step * number), **look, **place)


def _draw_table(axes, at_risk, study, names, gap):
    """Write the numbers at risk and the events below the ticks, as many as there is room for.

    The names of the arms end `gap` inches left of the axis.
    """
    step = LINE / HEIGHT
    row = -0.58 / HEIGHT
    below = blended_transform_factory(axes.transData, axes.transAxes)
    times = sorted(at_risk["time"].unique())[:: _stride(axes, at_risk)]
    axes.text(0, row, "At risk (events so far)", va="center", color=style.MUTED, transform=below)
    for arm, lines in names.items():
        row -= step
        color = style.arm_style(study, arm)["color"]
        here = at_risk[(at_risk["group"] == arm) & at_risk["time"].isin(times)]
        for point in here.itertuples():
            text = _cell(point.n_risk, point.n_event)
            axes.text(
                point.time, row, text, ha="center", va="center", gid="at_risk", transform=below
            )
        for number, line in enumerate(lines):
            row -= step if number else 0
            axes.annotate(
                line,
                (0, row),
                (-72 * gap, 0),
                xycoords="axes fraction",
                textcoords="offset points",
                ha="right",
                va="center",
                weight="bold",
                color=color,
            )


def _cell(n_risk, n_event):
    return f"{format_whole(n_risk)} ({format_whole(n_event)})"


def _stride(axes, at_risk):
    times = sorted(at_risk["time"].unique())
    if len(times) < 2:
        return 1
    inches = axes.get_position().width * axes.figure.get_figwidth()
    room = inches * (times[1] - times[0]) / axes.get_xlim()[1]
    return math.ceil((_widest_cell(at_risk) + 0.08) / room)


def _widest_cell(at_risk):
    cells = [_cell(point.n_risk, point.n_event) for point in at_risk.itertuples()]
    return max(map(style.text_width, cells), default=0.0)
