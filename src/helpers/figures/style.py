"""One look for every figure: colours, line styles, sizes, and how a figure becomes a file."""

from __future__ import annotations

import io
from contextlib import contextmanager

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.transforms import blended_transform_factory

from helpers.results import contrast

WIDTH = 7.0  # inches: 672 px, the text column of a page
SMALL, NORMAL = 9, 10
SAMPLE = 0.45  # inches from the axes to the name of a line, with a piece of it between
LINES = 1500  # that can be told apart over the height of a figure, five for each pixel

PAPER, INK, MUTED, RULE, GRID = "#ffffff", "#1f2933", "#55616d", "#aab4bd", "#e4e8ec"
ARM_COLORS = ["#1b4079", "#c4520a", "#2a7355", "#86417f", "#716000", "#41505c"]
ARM_LINES = ["solid", (0, (5, 1.4)), (0, (1.2, 1.2)), (0, (7, 1.4, 1.2, 1.4)), (0, (3, 1)), "solid"]
ARM_MARKERS = ["o", "s", "D", "^", "v", "P"]
VERDICT_COLORS = ["#1d5c43", "#8cc4aa", "#c4520a", "#d9dfe4"]

# What a reader with a dark screen sees in place of each colour.
DARK = {
    PAPER: "#121212",
    INK: "#e6ebf0",
    MUTED: "#a9b4be",
    RULE: "#5f6b76",
    GRID: "#2b3238",
    "#1b4079": "#7fb0f5",
    "#c4520a": "#ffa05c",
    "#2a7355": "#63c69b",
    "#86417f": "#dd95d4",
    "#716000": "#d9c04a",
    "#41505c": "#b9c6d1",
    "#1d5c43": "#63c69b",
    "#8cc4aa": "#3a6d56",
    "#d9dfe4": "#4a545d",
}

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "butt",
    "lines.markersize": 5.5,
    "svg.fonttype": "path",
    "svg.hashsalt": "rhcc",
}


@contextmanager
def house_style():
    """Apply the settings that every figure is drawn and saved with."""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "backend": "agg", **_SETTINGS}):
        yield


def new_figure(height, width=WIDTH) -> Figure:
    """Make an empty figure; sizes in inches."""
    figure = Figure(figsize=(width, height), facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def place_axes(figure, left, bottom, width, height, **options):
    """Add axes at a place of the figure; all in inches, so that columns of text align."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up), **options)


def write(figure, x, y, text, **look):
    """Write a text at a place of the figure, in inches from its lower left corner."""
    across, up = figure.get_size_inches()
    return figure.text(x / across, y / up, text, **{"va": "center", **look})


def text_width(text, size=SMALL, weight="normal") -> float:
    """Width of a text, or of the longest of its lines, in inches."""
    font = FontProperties(family="DejaVu Sans", weight=weight, size=size)
    sizes = (text_to_path.get_text_width_height_descent(x, font, False) for x in text.splitlines())
    return max((width / 72 for width, _, _ in sizes), default=0.0)


def wrap(text, width, size=SMALL, weight="normal") -> list[str]:
    """Break a text into lines that are at most `width` inches wide, at spaces."""
    lines = []
    for word in text.split() or [""]:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, weight) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def arm_style(study, arm) -> dict:
    """Colour, line style and marker of an arm, by its place in the study file."""
    index = list(study.arm.levels).index(arm) % len(ARM_COLORS)
    return {
        "color": ARM_COLORS[index],
        "linestyle": ARM_LINES[index],
        "marker": ARM_MARKERS[index],
    }


def contrasts(study) -> dict[str, str]:
    """The arm that each comparison with the reference arm is about."""
    reference = study.arm.reference
    return {contrast(arm, reference): arm for arm in study.arm.levels if arm != reference}


def write_key(figure, x, y, study, arms) -> None:
    """Write the names of the arms in their colours, each after its marker."""
    across, up = figure.get_size_inches()
    for arm in arms:
        look, label = arm_style(study, arm), study.arm.levels[arm].label
        figure.add_artist(
            Line2D([(x + 0.06) / across], [y / up], marker=look["marker"], color=look["color"])
        )
        write(figure, x + 0.18, y, label, color=look["color"], weight="bold")
        x += 0.45 + text_width(label, weight="bold")


def name_line(axes, height, name, look, details=(), step=0.0) -> None:
    """Name a line right of the axes, after a piece of it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    height : float
        Of the first line of text, on the axis.
    name, details : sequence of str
        Lines of text, the name in bold.
    look : dict
        Made by `arm_style`.
    step : float
        From one line of text to the next, on the axis.
    """
    beside = blended_transform_factory(axes.transAxes, axes.transData)
    inch = 1 / (axes.get_position().width * axes.figure.get_figwidth())
    axes.plot(
        [1 + 0.08 * inch, 1 + (SAMPLE - 0.07) * inch],
        [height, height],
        color=look["color"],
        linestyle=look["linestyle"],
        transform=beside,
        clip_on=False,
    )
    for number, text in enumerate([*name, *details]):
        axes.text(
            1 + SAMPLE * inch,
            height - number * step,
            text,
            va="center",
            color=look["color"],
            weight="bold" if number < len(name) else "normal",
            transform=beside,
        )


def thin_steps(*heights) -> np.ndarray:
    """Positions of the steps that can be seen: those at which any of the heights moves on.

    Parameters
    ----------
    *heights : ndarray of shape (n,)
        Of curves with common steps. Each is cut into `LINES` bands from its lowest to its
        highest; steps within a band are left out, but for the first and the last.
    """
    seen = np.zeros(len(heights[0]), bool)
    seen[[0, -1]] = True
    for height in heights:
        low, high = np.nanmin(height, initial=np.inf), np.nanmax(height, initial=-np.inf)
        if high > low:
            band = np.floor((height - low) / (high - low) * LINES)
            seen[1:] |= (band[1:] != band[:-1]) & ~(np.isnan(band[1:]) & np.isnan(band[:-1]))
    return np.flatnonzero(seen)


def mark_synthetic(figure, study) -> None:
    """Say on the figure itself that no patient is real, where the study file says so."""
    if study.synthetic:
        figure.text(
            0.995, 0.006, "synthetic cohort", ha="right", va="bottom", fontsize=7.5, color=MUTED
        )


def hide_frame(axes, *kept) -> None:
    """Remove the frame of axes except for the sides that are named."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in kept)
    if "left" not in kept:
        axes.tick_params(axis="y", length=0)
    if "bottom" not in kept:
        axes.tick_params(axis="x", length=0)


def to_svg(figure) -> str:
    """Render a figure as SVG that is the same each time and follows the reader's dark mode."""
    buffer = io.StringIO()
    with house_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    rules = "".join(
        f'[style*="{property}: {light}"]{{{property}:{dark}!important}}'
        for light, dark in DARK.items()
        for property in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    return buffer.getvalue().replace("</svg>", f"{style}\n</svg>")


def to_png(figure) -> bytes:
    """Render a figure as PNG with 300 dots an inch, for a manuscript."""
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format="png", dpi=300, metadata={"Software": None})
    return buffer.getvalue()
