"""Figures with a slider: every position is computed here, the page only shows it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from html import escape

from helpers.formats import format_number
from helpers.survival import estimate_at_risk, estimate_curves

WIDTH, HEIGHT = 680, 340  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 14, 44


@dataclass(frozen=True)
class Position:
    """What is shown at one position of the slider.

    Attributes
    ----------
    value : float
        Of the slider, as the table names it.
    readout : dict
        What is written beside the figure, by heading.
    curves : list of (x, y)
        Points of the step curves; empty where they do not move.
    """

    value: float
    readout: dict
    curves: list = field(default_factory=list)


def show_explorer(
    name,
    positions,
    labels,
    *,
    slider,
    caption,
    alt,
    x_label,
    x_limit,
    x_ticks,
    curves=(),
    cursor=False,
    start=0,
    note="",
) -> None:
    """Show step curves that change with a slider.

    Without scripts, and on paper, the figure shows its first position and a table of all.

    Parameters
    ----------
    name : str
    positions : sequence of Position
    labels : sequence of str
        Names of the curves.
    slider : str
        What the slider moves, with its unit.
    caption, alt, x_label : str
    x_limit : float
    x_ticks : sequence of float
    curves : sequence of (x, y)
        Curves that stay, where the positions have none.
    cursor : bool
        Whether a line marks the slider's value on the horizontal axis, and pointing at the
        figure moves the slider.
    start : int
        The position shown first.
    note : str
        A sentence below the readout, for instance that the cohort is synthetic.
    """
    from IPython.display import HTML, display

    scale = _Scale(x_limit)
    first = positions[start].curves or curves
    heads = [slider, *positions[start].readout]
    body = "".join(
        f'<tr><th scope="row">{position.value:g}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in position.readout.values())
        + "</tr>"
        for position in positions
    )
    data = {
        "values": [position.value for position in positions],
        "readouts": [list(position.readout.values()) for position in positions],
        "paths": [[scale.path(*curve) for curve in p.curves] for p in positions if p.curves],
        "cursor": [round(scale.x(p.value), 1) for p in positions] if cursor else [],
    }
    readout = "".join(
        f"<div><dt>{escape(head)}</dt><dd>{escape(text)}</dd></div>"
        for head, text in positions[start].readout.items()
    )
    plot = _plot(scale, first, labels, x_label, x_ticks, alt, positions[start], cursor)
    html = f"""<div class="explorer" id="{name}" role="group" aria-labelledby="{name}-caption">
<p class="explorer-caption" id="{name}-caption">{escape(caption)}</p>
{plot}
<div class="explorer-control" hidden>
<label for="{name}-slider">{escape(slider)}: <span class="explorer-value"></span></label>
<input type="range" id="{name}-slider" min="0" max="{len(positions) - 1}" value="{start}">
</div>
<dl class="explorer-readout">{readout}</dl>
<p class="explorer-note">{escape(note)}</p>
<details class="explorer-table"><summary>All positions as a table</summary>
<div class="explorer-scroll" tabindex="0" role="region" aria-label="{escape(caption)}: all">
<table><thead><tr>{"".join(f'<th scope="col">{escape(head)}</th>' for head in heads)}</tr></thead>
<tbody>{body}</tbody></table></div></details>
<script type="application/json">{json.dumps(data, separators=(",", ":"))}</script>
</div>"""
    display(HTML(html))


def positions_over_time(cohort, endpoint, when) -> list[Position]:
    """Read the curves of the arms, and who is at risk, at each time.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    when : sequence of float
    """
    arms = cohort.study.arm.levels
    curves = estimate_curves(cohort, endpoint)
    counts = estimate_at_risk(cohort, endpoint, when)
    found = []
    for time in when:
        readout = {}
        for arm, level in arms.items():
            curve = curves[curves["group"] == arm]
            here = counts[(counts["group"] == arm) & (counts["time"] == time)].iloc[0]
            place = curve["time"].searchsorted(time, side="right") - 1
            alive = 100 * curve["survival"].iloc[place]
            known = time <= curve["time"].iloc[-1] or alive == 0
            readout[level.label] = (
                f"{format_number(alive if known else math.nan)}%, at risk {here.n_risk:.0f}, "
                f"events {here.n_event:.0f}"
            )
        found.append(Position(time, readout))
    return found


class _Scale:
    """Places of the drawing."""

    def __init__(self, x_limit):
        self._limit = x_limit

    def x(self, value):
        return LEFT + (WIDTH - LEFT - RIGHT) * value / self._limit

    def y(self, share):
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - share)

    def path(self, x, y):
        """A step curve from the left end, as the data of an SVG path."""
        parts = [f"M{self.x(x[0]):.1f} {self.y(y[0]):.1f}"]
        for place in range(1, len(x)):
            parts.append(f"H{self.x(x[place]):.1f}")
            if y[place] != y[place - 1]:
                parts.append(f"V{self.y(y[place]):.1f}")
        return "".join(parts)


def _plot(scale, curves, labels, x_label, x_ticks, alt, position, cursor):
    base = scale.y(0)
    grid = "".join(
        f'<path class="grid" d="M{LEFT} {scale.y(share):.1f}H{WIDTH - RIGHT}"/>'
        f'<text x="{LEFT - 6}" y="{scale.y(share) + 4:.1f}" text-anchor="end">'
        f"{100 * share:.0f}</text>"
        for share in (0, 0.25, 0.5, 0.75, 1)
    )
    ticks = "".join(
        f'<text x="{scale.x(tick):.1f}" y="{base + 18:.1f}" text-anchor="middle">{tick:g}</text>'
        for tick in x_ticks
    )
    lines = "".join(
        f'<path class="curve curve-{index}" d="{scale.path(*curve)}"/>'
        for index, curve in enumerate(curves)
    )
    keys = "".join(
        f'<path class="curve curve-{index}" d="M{WIDTH - 190} {TOP + 10 + 20 * index}h26"/>'
        f'<text class="key" x="{WIDTH - 158}" y="{TOP + 14 + 20 * index}">{escape(label)}</text>'
        for index, label in enumerate(labels)
    )
    mark = ""
    if cursor:
        mark = f'<path class="cursor" d="M{scale.x(position.value):.1f} {TOP}V{base:.1f}"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{grid}{ticks}{lines}{keys}{mark}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(x_label)}</text></svg>"
    )
