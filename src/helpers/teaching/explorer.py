"""Figures with a slider: every position is computed here, the page only shows it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from html import escape

import numpy as np
from scipy import stats

from helpers.cohort import Cohort
from helpers.estimators.cox import fit_cox
from helpers.formats import format_estimate, format_number
from helpers.regression import design_model, times
from helpers.survival import estimate_at_risk, estimate_curves
from helpers.teaching.simulate import delay_treatment, fit_many, survival_many

WIDTH, HEIGHT = 680, 340  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 14, 52


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
    plot = _plot(scale, first, x_label, x_ticks, alt, positions[start], cursor)
    keys = "".join(
        f'<li><svg viewBox="0 0 30 8" aria-hidden="true"><path class="curve curve-{index}" '
        f'd="M0 4H30"/></svg>{escape(label)}</li>'
        for index, label in enumerate(labels)
    )
    shown = f"{positions[start].value:g}"
    html = f"""<div class="explorer" id="{name}" role="group" aria-labelledby="{name}-caption">
<p class="explorer-caption" id="{name}-caption">{escape(caption)}</p>
<ul class="explorer-key">{keys}</ul>
{plot}
<div class="explorer-control">
<label for="{name}-slider">{escape(slider)}: <span class="explorer-value">{shown}</span></label>
<input type="range" id="{name}-slider" min="0" max="{len(positions) - 1}" value="{start}" hidden>
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
            survival = f"{format_number(alive)}%" if known else "nobody followed so long"
            readout[level.label] = (
                f"{survival}, at risk {here.n_risk:.0f}, events {here.n_event:.0f}"
            )
        found.append(Position(time, readout))
    return found


def positions_over_cutoffs(cohort, endpoint, cutoffs) -> list[Position]:
    """End the follow-up of every patient at a time, and fit the Cox model again.

    Parameters
    ----------
    cohort : Cohort
    endpoint : str
    cutoffs : sequence of float
    """
    study = cohort.study
    names = f"{endpoint}_time", f"{endpoint}_event"
    found = []
    for cutoff in cutoffs:
        data = cohort.data.copy()
        data[names[1]] = data[names[1]].where(data[names[0]] <= cutoff, 0)
        data[names[0]] = data[names[0]].clip(upper=cutoff)
        shorter = Cohort(data, study)
        design = design_model(shorter, endpoint, ["arm"])
        fit = fit_cox(*design.arrays, ties=study.conventions.ties, engine="newton")
        low, high = fit.interval(study.conventions.confidence_level)
        readout = {}
        for term, *ratio in zip(design.terms, fit.coef, low, high, strict=True):
            arms = (study.arm.levels[arm].label for arm in (term.level, term.reference))
            readout[f"Hazard ratio, {' against '.join(arms)}"] = format_estimate(
                *(math.exp(value) for value in ratio), 2
            )
        readout["Events"] = f"{data[names[1]].sum():.0f}"
        curves = estimate_curves(shorter, endpoint)
        found.append(Position(cutoff, readout, _points(curves, study)))
    return found


def positions_over_delays(cohort, endpoint, delays, *, n_draw, seed) -> list[Position]:
    """Let a treatment without effect begin late, and count its patients from time zero.

    Parameters
    ----------
    cohort : Cohort
        Its times are kept, its arms are shuffled.
    endpoint : str
    delays : sequence of float
    n_draw, seed : int

    Returns
    -------
    list of Position
        Curves of the untreated and the treated, averaged over all shuffles; the median hazard
        ratio, and how often it comes out as significant.
    """
    study = cohort.study
    time, event = times(cohort.data, endpoint)
    treated = (cohort.data["arm"] != study.arm.reference).to_numpy(float)
    level = study.conventions.significance_level
    found = []
    for delay in delays:
        draws = delay_treatment(time, treated, delay, n_draw, seed)
        coef, error = fit_many(time, event, draws[..., None])
        p = 2 * stats.norm.sf(np.abs(coef / error))
        share = draws.mean(axis=0)
        steps, heights = survival_many(time, event, np.stack([1 - share, share]))
        ratio, share_significant = np.exp(np.median(coef)), 100 * np.mean(p < level)
        readout = {
            "Hazard ratio, though nothing works": format_number(float(ratio), 2),
            f"p < {level:g} in": f"{format_number(float(share_significant), 0)}% of shuffles",
        }
        curves = [([0.0, *steps], [1.0, *height]) for height in heights]
        found.append(Position(delay, readout, curves))
    return found


def _points(curves, study):
    own = (curves[curves["group"] == arm] for arm in study.arm.levels)
    return [(curve["time"].tolist(), curve["survival"].tolist()) for curve in own]


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


def _plot(scale, curves, x_label, x_ticks, alt, position, cursor):
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
    mark = ""
    if cursor:
        mark = f'<path class="cursor" d="M{scale.x(position.value):.1f} {TOP}V{base:.1f}"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(alt)}">'
        f"{grid}{ticks}{lines}{mark}"
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" text-anchor="middle">'
        f"{escape(x_label)}</text></svg>"
    )
