"""Shares of patients by arm with their differences, one line for each category or event."""

from __future__ import annotations

import math
from dataclasses import dataclass

from helpers.figures import style
from helpers.formats import format_count, format_interval, format_number
from helpers.results import OVERALL, value_of

ROW = 0.27  # inches


@dataclass(frozen=True)
class ShareRow:
    """A line of the plot: its label and the keys of its results."""

    label: str
    keys: dict
    apart: bool = False


def plot_response(results, study):
    """Draw each response category and rate by arm, with exact intervals, and the differences.

    Parameters
    ----------
    results : DataFrame
    study : Study

    Returns
    -------
    Figure
    """
    return _plot(results, study, [("", response_rows(study))], intervals=True)


def plot_adverse_events(results, study):
    """Draw each adverse event by arm, any grade beside severe, sorted by frequency.

    Parameters
    ----------
    results : DataFrame
    study : Study

    Returns
    -------
    Figure
    """
    panels = [
        (title, adverse_event_rows(results, study, level))
        for title, level in (
            ("Any grade", "any_grade"),
            (f"Grade {study.adverse_events.severe_from} or above", "severe"),
        )
    ]
    return _plot(results, study, panels, intervals=False)


def response_rows(study) -> list[ShareRow]:
    """Lines for the categories, then for the rates."""
    categories = study.response.categories.items()
    rates = list(study.response.rates.items())
    return [_row(category.label, "response", key) for key, category in categories] + [
        _row(rate.label, "response", key, apart=number == 0)
        for number, (key, rate) in enumerate(rates)
    ]


def adverse_event_rows(results, study, level) -> list[ShareRow]:
    """Lines for the events, the most frequent of any grade first, then for any event."""
    events = study.adverse_events.events

    def frequency(event):
        keys = {"analysis": "adverse_event", "variable": event, "level": "any_grade"}
        percent = value_of(results, **keys, group=OVERALL, statistic="percent", endpoint="")
        return 0.0 if math.isnan(percent) else percent

    order = sorted(events, key=frequency, reverse=True)
    return [_row(events[event].label, "adverse_event", event, level) for event in order] + [
        _row("Any of these", "adverse_event", "any", level, apart=True)
    ]


def describe_response(results, study) -> str:
    """Say in words what `plot_response` shows."""
    return _describe(results, study, "Best response by arm.", response_rows(study))


def describe_adverse_events(results, study, most=5) -> str:
    """Say in words what `plot_adverse_events` shows, for the most frequent events."""
    rows = adverse_event_rows(results, study, "any_grade")
    chosen = [*rows[:most], rows[-1]]
    opening = (
        f"Adverse events by arm, any grade and grade {study.adverse_events.severe_from} or above, "
        f"sorted by frequency, with risk differences. The {most} most frequent, any grade:"
    )
    return _describe(results, study, opening, chosen)


def _row(label, analysis, variable, level="", apart=False):
    keys = {"analysis": analysis, "endpoint": "", "variable": variable, "level": level}
    return ShareRow(label, keys, apart)


def _three(results, keys, group, statistic):
    names = (statistic, f"{statistic}_conf_low", f"{statistic}_conf_high")
    return [value_of(results, **keys, group=group, statistic=name) for name in names]


def _describe(results, study, opening, rows):
    sentences = [opening]
    for row in rows:
        shares = ", ".join(
            f"{described.label} "
            + format_count(
                *(value_of(results, **row.keys, group=arm, statistic=s) for s in ("n", "percent"))
            )
            for arm, described in study.arm.levels.items()
        )
        differences = [
            f"difference {format_number(value)} points ({format_interval(low, high)})"
            for group in style.contrasts(study)
            for value, low, high in [_three(results, row.keys, group, "risk_difference")]
            if not math.isnan(value)
        ]
        sentences.append(f"{row.label}: {', '.join([shares, *differences])}.")
    return " ".join(sentences)


def _difference_text(study):
    reference = study.arm.levels[study.arm.reference].label
    compared = [study.arm.levels[arm].label for arm in style.contrasts(study).values()]
    return f"difference: {' or '.join(compared)} minus {reference}"


def _levels(rows):
    places, place = [], 0.5
    for row in rows:
        place += 0.4 if row.apart else 0
        places.append(place)
        place += 1
    return places


def _plot(results, study, panels, intervals):
    rows = panels[0][1]
    places = _levels(rows)
    left = 0.2 + max(style.text_width(row.label) for row in rows)
    bottom, height = 0.62, ROW * (places[-1] + 0.5)
    room = (style.WIDTH - left - 0.15) / len(panels)
    with style.house_style():
        figure = style.new_figure(bottom + height + (0.62 if panels[0][0] else 0.42))
        for row, place in zip(rows, places, strict=True):
            weight = "bold" if row.keys["variable"] == "any" else "normal"
            y = bottom + height - ROW * place
            style.write(figure, left - 0.1, y, row.label, ha="right", weight=weight)
        top = figure.get_figheight() - 0.16
        style.write_key(figure, left, top, study, study.arm.levels)
        edge = style.WIDTH - 0.15
        style.write(figure, edge, top, _difference_text(study), ha="right", color=style.MUTED)
        for number, (title, lines) in enumerate(panels):
            start = left + number * room
            if title:
                style.write(figure, start, top - 0.27, title, weight="bold")
            shares = style.place_axes(figure, start, bottom, 0.55 * room - 0.2, height)
            differences = style.place_axes(
                figure, start + 0.55 * room, bottom, 0.45 * room - 0.2, height
            )
            for axes in (shares, differences):
                _set_axes(axes, places)
            _draw_shares(shares, results, study, lines, places, intervals)
            _draw_differences(differences, results, study, lines, places)
        _same_limits(figure.axes[0::2])
        _same_limits(figure.axes[1::2])
        style.mark_synthetic(figure, study)
    return figure


def _set_axes(axes, places):
    axes.set_ylim(places[-1] + 0.5, 0)
    axes.set_yticks(places, [""] * len(places))
    axes.grid(axis="y")
    style.hide_frame(axes, "bottom")


def _draw_shares(axes, results, study, rows, places, intervals):
    arms = list(study.arm.levels)
    for number, arm in enumerate(arms):
        offset = 0.32 * (number / max(len(arms) - 1, 1) - 0.5)
        look = style.arm_style(study, arm)
        shares = [_three(results, row.keys, arm, "percent") for row in rows]
        levels = [place + offset for place in places]
        for (_, low, high), level in zip(shares, levels, strict=True):
            if intervals:
                axes.plot([low, high], [level, level], color=look["color"], linewidth=1.2)
        axes.plot(
            [value for value, _, _ in shares],
            levels,
            linestyle="none",
            marker=look["marker"],
            color=look["color"],
            clip_on=False,
            gid=f"share-{arm}",
        )
    axes.set_xlim(left=0)
    axes.set_xlabel("Patients (%)")


def _draw_differences(axes, results, study, rows, places):
    axes.axvline(0, color=style.RULE, linewidth=1, zorder=0)
    contrasts = style.contrasts(study)
    for number, (group, arm) in enumerate(contrasts.items()):
        offset = 0.32 * (number / max(len(contrasts) - 1, 1) - 0.5) if len(contrasts) > 1 else 0
        color = style.arm_style(study, arm)["color"] if len(contrasts) > 1 else style.INK
        for row, place in zip(rows, places, strict=True):
            value, low, high = _three(results, row.keys, group, "risk_difference")
            level = place + offset
            axes.plot([low, high], [level, level], color=color, linewidth=1.2)
            axes.plot([value], [level], marker="o", markersize=4.5, color=color, gid="difference")
    axes.set_xlabel("Difference (points)")


def _same_limits(panels):
    low = min(axes.get_xlim()[0] for axes in panels)
    high = max(axes.get_xlim()[1] for axes in panels)
    for axes in panels:
        axes.set_xlim(low, high)
        axes.locator_params(axis="x", nbins=4 if len(panels) == 1 else 3)
