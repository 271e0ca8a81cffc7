"""Pictures of the primer: timelines, step curves, lines, bars, histograms."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from helpers.figures import style
from helpers.formats import format_number

LEFT, RIGHT, BELOW, ABOVE = 0.62, 0.3, 0.55, 0.25  # inches around the axes
HEIGHT = 2.7  # inches, of the axes
BAR = 0.3  # inches from one bar to the next


@dataclass(frozen=True)
class Line:
    """A line of a picture.

    Attributes
    ----------
    x, y : sequence of float
    label : str
        Written at its end in its colour.
    look : int
        Place among the colours and line styles of the book.
    step : bool
        Whether it runs flat from point to point and then falls or rises.
    low, high : sequence of float, optional
        A band around it.
    ticks : sequence of (x, y)
        Where a small upright stroke marks a censored patient.
    """

    x: object
    y: object
    label: str = ""
    look: int = 0
    step: bool = False
    low: object = None
    high: object = None
    ticks: tuple = ()


@dataclass(frozen=True)
class Mark:
    """A point of a picture with a text beside it."""

    x: float
    y: float
    text: str = ""
    look: int = 0
    offset: tuple = field(default=(6, 6))


def _axes(height, right, left=LEFT):
    figure = style.new_figure(BELOW + height + ABOVE)
    axes = style.place_axes(figure, left, BELOW, style.WIDTH - left - right, height)
    axes.grid(axis="y")
    style.hide_frame(axes, "bottom")
    return figure, axes


def _look(index):
    place = index % len(style.ARM_COLORS)
    return {"color": style.ARM_COLORS[place], "linestyle": style.ARM_LINES[place]}


def plot_lines(
    lines,
    x_label,
    y_label,
    *,
    marks=(),
    across=(),
    down=(),
    x_limits=None,
    y_limits=None,
    x_ticks=None,
    height=HEIGHT,
    synthetic=None,
):
    """Draw lines with their names at their ends.

    Parameters
    ----------
    lines : sequence of Line
    x_label, y_label : str
    marks : sequence of Mark
    across, down : sequence of float
        Heights and places of thin dotted lines.
    x_limits, y_limits, x_ticks : optional
    height : float
        Inches, of the axes.
    synthetic : Study, optional
        Whose cohort the picture shows.

    Returns
    -------
    Figure
    """
    widest = max((style.text_width(line.label, weight="bold") for line in lines), default=0)
    with style.house_style():
        figure, axes = _axes(height, RIGHT + widest)
        for line in lines:
            _draw_line(axes, line)
        for place in across:
            axes.axhline(place, color=style.MUTED, linewidth=1, linestyle=(0, (1.5, 1.5)))
        for place in down:
            axes.axvline(place, color=style.MUTED, linewidth=1, linestyle=(0, (1.5, 1.5)))
        for mark in marks:
            color = style.ARM_COLORS[mark.look % len(style.ARM_COLORS)]
            axes.plot(mark.x, mark.y, marker="o", color=color, zorder=5)
            axes.annotate(
                mark.text, (mark.x, mark.y), mark.offset, textcoords="offset points", color=color
            )
        if x_limits:
            axes.set_xlim(*x_limits)
        if y_limits:
            axes.set_ylim(*y_limits)
        if x_ticks is not None:
            axes.set_xticks(x_ticks, [f"{tick:g}" for tick in x_ticks])
        axes.set_xlabel(x_label)
        axes.set_title(y_label, loc="left", fontsize=style.SMALL, color=style.INK)
        _name_lines(axes, lines, height)
        if synthetic:
            style.mark_synthetic(figure, synthetic)
    return figure


def _draw_line(axes, line):
    how = {"drawstyle": "steps-post"} if line.step else {}
    axes.plot(line.x, line.y, gid="line", **_look(line.look), **how)
    for x, y in line.ticks:
        axes.plot(
            x,
            y,
            marker="|",
            markersize=9,
            markeredgewidth=1.4,
            color=_look(line.look)["color"],
            gid="censored",
        )
    if line.low is not None:
        axes.fill_between(
            line.x,
            np.asarray(line.low, float),
            np.asarray(line.high, float),
            step="post" if line.step else None,
            color=_look(line.look)["color"],
            alpha=0.13,
            linewidth=0,
        )


def _name_lines(axes, lines, height):
    low, high = axes.get_ylim()
    step = 0.19 * (high - low) / height
    floor = -np.inf
    for line in sorted((line for line in lines if line.label), key=lambda line: line.y[-1]):
        floor = max(min(max(line.y[-1], low), high), floor + step)
        axes.annotate(
            line.label,
            (1, floor),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            weight="bold",
            color=_look(line.look)["color"],
            annotation_clip=False,
        )


def plot_timelines(patients, study, *, calendar=None, cutoff=None, arms=True):
    """Draw each patient as a line that ends in an event or in censoring.

    Parameters
    ----------
    patients : DataFrame
        ``arm, start, end, event``, one patient a row, top first.
    study : Study
    calendar : str, optional
        Name of the axis.
    cutoff : float, optional
        Where observation ends for all.
    arms : bool
        Whether lines have the colours of the arms.

    Returns
    -------
    Figure
    """
    count = len(patients)
    height = 0.24 * count + 0.1
    with style.house_style():
        figure = style.new_figure(BELOW + height + 0.55)
        axes = style.place_axes(figure, 0.9, BELOW, style.WIDTH - 0.9 - RIGHT, height)
        for row, patient in enumerate(patients.itertuples()):
            y = count - row
            look = style.arm_style(study, patient.arm) if arms else {"color": style.INK}
            axes.plot([patient.start, patient.end], [y, y], color=look["color"], gid="patient")
            axes.plot(
                patient.end,
                y,
                marker="X" if patient.event else "|",
                markersize=8 if patient.event else 11,
                markeredgewidth=0 if patient.event else 2,
                color=look["color"],
                clip_on=False,
            )
        if cutoff is not None:
            axes.axvline(cutoff, color=style.MUTED, linewidth=1, linestyle=(0, (1.5, 1.5)))
            axes.annotate(
                "end of study",
                (cutoff, 1),
                (-4, 4),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right",
                color=style.MUTED,
            )
        axes.set_ylim(0.4, count + 0.6)
        axes.set_xlim(left=0)
        axes.set_yticks(range(count, 0, -1), [f"Patient {n}" for n in patients.index])
        axes.set_xlabel(calendar or f"{study.time.unit.capitalize()} since time zero")
        style.hide_frame(axes, "bottom")
        style.write_key(figure, 0.9, BELOW + height + 0.4, study, list(study.arm.levels))
        style.write(
            figure, style.WIDTH - 0.1, BELOW + height + 0.4, "✕ event    | censored", ha="right"
        )
        style.mark_synthetic(figure, study)
    return figure


def plot_bars(labels, values, x_label, *, marked=(), decimals=0, suffix="", limit=None, study=None):
    """Draw horizontal bars with their numbers.

    Parameters
    ----------
    labels : sequence of str
    values : sequence of float
    x_label : str
    marked : collection of int
        Positions of bars in the second colour.
    decimals : int
    suffix : str
        Written after each number.
    limit : float, optional
        A dotted line down the picture.
    study : Study, optional
        Whose cohort the picture shows.

    Returns
    -------
    Figure
    """
    left = 0.2 + max(style.text_width(label) for label in labels)
    height = BAR * len(labels)
    with style.house_style():
        figure = style.new_figure(BELOW + height + 0.15)
        axes = style.place_axes(figure, left, BELOW, style.WIDTH - left - 0.7, height)
        for row, value in enumerate(values):
            y = len(values) - row
            place = 1 if row in marked else 0
            axes.barh(y, value, height=0.62, color=style.ARM_COLORS[place], gid="bar")
            axes.annotate(
                f"{format_number(value, decimals)}{suffix}",
                (value, y),
                (5, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_yticks(range(len(labels), 0, -1), labels)
        axes.set_ylim(0.4, len(labels) + 0.6)
        if limit is not None:
            axes.axvline(limit, color=style.MUTED, linewidth=1, linestyle=(0, (1.5, 1.5)))
        axes.set_xlabel(x_label)
        axes.grid(axis="x")
        style.hide_frame(axes)
        if study:
            style.mark_synthetic(figure, study)
    return figure


def plot_distribution(values, observed, x_label, *, observed_label, log=False, bins=40, study=None):
    """Draw how a number spreads over many draws, and where the one at hand lies.

    Parameters
    ----------
    values : array_like
    observed : float
    x_label : str
    observed_label : str
    log : bool
        Whether the axis is logarithmic.
    bins : int
    study : Study, optional
        Whose cohort the picture shows.

    Returns
    -------
    Figure
    """
    values = np.asarray(values, float)
    everything = np.append(values, observed)
    low, high = everything.min(), everything.max()
    edges = np.geomspace(low, high, bins) if log else np.linspace(low, high, bins)
    with style.house_style():
        figure, axes = _axes(2.1, RIGHT + 0.1)
        axes.hist(values, edges, color=style.ARM_COLORS[0], edgecolor=style.PAPER, linewidth=0.5)
        axes.axvline(observed, color=style.ARM_COLORS[1], linewidth=2)
        axes.set_ylim(top=axes.get_ylim()[1] * 1.12)  # its label stands above the bars
        middle = np.sqrt(low * high) if log else (low + high) / 2
        right = observed > middle
        axes.annotate(
            observed_label,
            (observed, 1),
            (-6 if right else 6, -8),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if right else "left",
            weight="bold",
            color=style.ARM_COLORS[1],
        )
        if log:
            axes.set_xscale("log")
            ticks = [t for t in (0.1, 0.2, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5) if low <= t <= high]
            axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
        axes.set_xlabel(x_label)
        axes.set_title("Draws", loc="left", fontsize=style.SMALL)
        if study:
            style.mark_synthetic(figure, study)
    return figure
