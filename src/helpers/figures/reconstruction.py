"""How a synthetic cohort was searched for."""

from __future__ import annotations

import numpy as np
from matplotlib.lines import Line2D

from helpers.figures import style
from helpers.reconstruct.misses import count_missing
from helpers.survival import estimate_curves

MOVES = (  # what a move does to the order of the patients, and to labels
    ("before", "ABCDEF", "●●○●○●", "□■□□■□"),
    ("two places exchanged", "ABDCEF", "●●●○○●", "□■□□■□"),
    ("an event and a censoring exchanged", "ABCDEF", "●○○●●●", "□■□□■□"),
    ("labels of two patients exchanged", "ABCDEF", "●●○●○●", "□□□■■□"),
)
TRUTH = {"true": "solid", "rebuilt": (0, (4, 2))}  # how the patients of each are drawn
SPACE = 0.62  # inches between two patients


def plot_trace(trace):
    """Draw how many printed numbers of each block are still missed, by steps of the search.

    Parameters
    ----------
    trace : DataFrame
        Left by `helpers.reconstruct.search.search_survival`.

    Returns
    -------
    Figure
    """
    missing = count_missing(trace)
    steps = missing.index.to_numpy() / 1e6
    with style.house_style():
        figure = style.new_figure(3.6)
        axes = style.place_axes(figure, 0.6, 0.5, style.WIDTH - 0.8, 2.7)
        for number, block in enumerate(missing):
            axes.plot(
                steps,
                missing[block],
                color=style.ARM_COLORS[number],
                linestyle=style.ARM_LINES[number],
                label=block[:1].upper() + block[1:],
            )
        axes.set_ylim(0, None)
        axes.set_xlim(0, None)
        axes.grid(axis="y")
        style.hide_frame(axes)
        axes.set_xlabel("Steps of the search (millions)")
        axes.set_ylabel("Printed numbers missed")
        above = {"bbox_to_anchor": (0, 1), "ncols": missing.shape[1], "borderaxespad": 0.4}
        axes.legend(loc="lower left", frameon=False, **above)
    return figure


def describe_trace(trace) -> str:
    """Say in words what `plot_trace` shows."""
    missing = count_missing(trace)
    parts = [
        f"{block}, from {int(missing[block].iloc[0])} to {int(missing[block].iloc[-1])}"
        for block in missing
    ]
    return "Curves of the printed numbers that are missed, first and last: " + "; ".join(parts)


def plot_moves():
    """Draw the kinds of moves on six patients in the order in which they leave.

    Returns
    -------
    Figure
    """
    with style.house_style():
        height = 0.75 * len(MOVES) + 0.35
        figure = style.new_figure(height)
        for line, (name, patients, events, labels) in enumerate(MOVES):
            y = height - 0.3 - 0.75 * line
            style.write(figure, 0.1, y - 0.14, name, va="center")
            for place, (patient, event, label) in enumerate(
                zip(patients, events, labels, strict=True)
            ):
                x = 3.0 + SPACE * place
                start = MOVES[0]
                was = tuple(part[place] for part in start[1:])
                color = style.INK if (patient, event, label) == was else style.ARM_COLORS[1]
                for shift, text in enumerate((patient, event, label)):
                    style.write(figure, x, y - 0.2 * shift, text, color=color, ha="center")
        style.write(
            figure,
            0.1,
            0.12,
            "● event  ○ censored  ■ with the characteristic  □ without; changed in colour",
            va="center",
        )
    return figure


def describe_moves() -> str:
    """Say in words what `plot_moves` shows."""
    return (
        "Six patients, A to F, in the order in which they leave, each with an event or censored "
        "and with or without a characteristic; below it the same order after "
        + ", after ".join(f"{name}" for name, *_ in MOVES[1:])
        + "."
    )


def plot_truth(truth, rebuilt):
    """Draw the survival of true patients and, dashed, of those made from their tables.

    Parameters
    ----------
    truth, rebuilt : Cohort
        Of one study.

    Returns
    -------
    Figure
    """
    study = truth.study
    width = (style.WIDTH - 1.1) / len(study.endpoints)
    with style.house_style():
        figure = style.new_figure(3.1)
        for number, (key, endpoint) in enumerate(study.endpoints.items()):
            left = 0.6 + number * (width + 0.3)
            axes = style.place_axes(figure, left, 0.5, width, 2.1)
            for arm in truth.arms:
                color = style.arm_style(study, arm)["color"]
                curves = [_steps(cohort, key, arm) for cohort in (truth, rebuilt)]
                for (time, survival), line in zip(curves, TRUTH.values(), strict=True):
                    axes.step(time, 100 * survival, where="post", color=color, linestyle=line)
            axes.set_ylim(0, 101)
            axes.set_xlim(0, None)
            axes.set_yticks(range(0, 101, 25))
            axes.grid(axis="y")
            style.hide_frame(axes, "bottom")
            title = f"{endpoint.label} (%)"
            axes.set_title(title, loc="left", fontsize=style.NORMAL, weight="bold")
            axes.set_xlabel(study.time.unit.capitalize())
        for number, (cohort, line) in enumerate(TRUTH.items()):
            _write_sample(figure, 0.6 + 1.8 * number, 2.95, f"{cohort} patients", line)
        for number, arm in enumerate(truth.arms):
            look, x = style.arm_style(study, arm), 4.4 + 1.2 * number
            style.write(
                figure, x, 2.95, study.arm.levels[arm].label, color=look["color"], weight="bold"
            )
    return figure


def _write_sample(figure, x, y, text, line):
    across, up = figure.get_size_inches()
    ends = [x / across, (x + 0.4) / across]
    figure.add_artist(Line2D(ends, [y / up, y / up], color=style.INK, linestyle=line))
    style.write(figure, x + 0.5, y, text)


def _steps(cohort, key, arm):
    curves = estimate_curves(cohort, key)
    curve = curves[curves["group"] == arm]
    return curve["time"].to_numpy(), curve["survival"].to_numpy()


def describe_truth(truth, rebuilt) -> str:
    """Say in words what `plot_truth` shows."""
    farthest = max(
        _distance(_steps(truth, key, arm), _steps(rebuilt, key, arm))
        for key in truth.study.endpoints
        for arm in truth.arms
    )
    return (
        "Survival curves of each arm, of the true patients solid and of the rebuilt ones dashed; "
        f"at their farthest they are {farthest:.2f} apart."
    )


def _distance(one, other):
    times = np.union1d(one[0], other[0])
    heights = [
        survival[np.searchsorted(time, times, side="right") - 1]
        for time, survival in (one, other)
    ]
    return float(np.abs(heights[0] - heights[1]).max())
