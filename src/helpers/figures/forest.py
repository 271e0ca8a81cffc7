"""Forest plots of hazard ratios, with the numbers in columns beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from helpers.figures import style
from helpers.formats import format_estimate, format_events, format_p
from helpers.lookup import covariates_of_model
from helpers.results import contrast, select, value_of

ROW = 0.215  # inches
TICKS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
LIMITS = (0.05, 20.0)  # intervals beyond them end in an arrow
NARROWEST = 1.8  # inches, of the axes; counts of very many patients make the figure wider
P = "Wald p"
RATIO = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high", "p_wald")


@dataclass(frozen=True)
class ForestRow:
    """A line of a forest plot: a heading, a reference level, or an estimate."""

    label: str
    kind: Literal["heading", "reference", "estimate", "overall"] = "estimate"
    counts: tuple[str, ...] = ()
    ratio: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan

    @property
    def estimate(self) -> str:
        """The text in the column of estimates."""
        if self.kind == "heading":
            return "" if math.isnan(self.p) else f"interaction p {format_p(self.p)}"
        if self.kind == "reference":
            return "1 (reference)"
        return format_estimate(self.ratio, self.low, self.high, 2)


def plot_forest_cox(results, study, endpoint, analysis="cox_multivariable"):
    """Draw the hazard ratios of a Cox model, reference levels included.

    Parameters
    ----------
    results : DataFrame
    study : Study
    endpoint, analysis : str

    Returns
    -------
    Figure
    """
    return plot_forest(cox_rows(results, study, endpoint, analysis), study, counts=["Events/n"])


def describe_forest_cox(results, study, endpoint, analysis="cox_multivariable") -> str:
    """Say in words what `plot_forest_cox` shows."""
    title = f"{study.endpoints[endpoint].label.lower()}, {analysis.removeprefix('cox_')} Cox model"
    return describe_forest(cox_rows(results, study, endpoint, analysis), title)


def plot_forest_subgroups(results, study, endpoint):
    """Draw the hazard ratio of treatment in all patients and in each subgroup.

    Parameters
    ----------
    results : DataFrame
    study : Study
    endpoint : str

    Returns
    -------
    Figure
    """
    arms = {arm: level.label for arm, level in study.arm.levels.items()}
    reference = arms.pop(study.arm.reference)
    return plot_forest(
        subgroup_rows(results, study, endpoint),
        study,
        counts=[f"{level.label}\nevents/n" for level in study.arm.levels.values()],
        contrast_label=f"{' or '.join(arms.values())} against {reference}",
    )


def describe_forest_subgroups(results, study, endpoint) -> str:
    """Say in words what `plot_forest_subgroups` shows."""
    title = f"{study.endpoints[endpoint].label.lower()} by subgroup, treatment effect"
    return describe_forest(subgroup_rows(results, study, endpoint), title)


def cox_rows(results, study, endpoint, analysis="cox_multivariable") -> list[ForestRow]:
    """Make the lines of a Cox model: each covariate with its levels, reference included."""
    keys = {"analysis": analysis, "endpoint": endpoint}
    rows = []
    for variable in covariates_of_model(results, study, endpoint, analysis):
        reference = study.reference(variable)
        if reference is None:
            ratio = _ratio(results, **keys, variable=variable, group="per_unit")
            rows.append(ForestRow(study.describe_step(variable), "estimate", ("",), *ratio))
            continue
        rows.append(ForestRow(study.label(variable), "heading"))
        levels = study.levels(variable)
        for level in sorted(levels, key=lambda level, first=reference: level != first):
            described = levels[level]
            place = {"endpoint": endpoint, "variable": variable, "level": level}
            counts = (_events(results, analysis="cox_univariable", **place),)
            if level == reference:
                rows.append(ForestRow(described.label, "reference", counts))
            else:
                group = contrast(level, reference)
                ratio = _ratio(results, **keys, variable=variable, group=group)
                rows.append(ForestRow(described.label, "estimate", counts, *ratio))
    if not any(text for row in rows for text in row.counts):
        rows = [ForestRow(**{**vars(row), "counts": ()}) for row in rows]
    return rows


def subgroup_rows(results, study, endpoint) -> list[ForestRow]:
    """Make the lines of a subgroup analysis: all patients, then each level; p of interaction."""
    keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
    rows = [*_arm_rows(results, study, "All patients", "overall", **keys)]
    for variable in study.subgroups:
        keys = {"analysis": "subgroup", "endpoint": endpoint, "variable": variable}
        interaction = select(results, **keys, statistic="p_interaction")["value"]
        p = interaction.iloc[0] if len(interaction) else math.nan
        rows.append(ForestRow(study.label(variable), "heading", p=p))
        for level, described in study.levels(variable).items():
            rows += _arm_rows(results, study, described.label, "estimate", **keys, level=level)
    return rows


def plot_forest(rows, study, *, counts=(), contrast_label=""):
    """Draw hazard ratios with their intervals on a log axis.

    Parameters
    ----------
    rows : list of ForestRow
    study : Study
    counts : sequence of str
        Headings of the columns of counts.
    contrast_label : str
        What is compared, written below the axis.

    Returns
    -------
    Figure
    """
    counts = counts if any(row.counts for row in rows) else ()
    columns = [[row.counts[i] if row.counts else "" for row in rows] for i in range(len(counts))]
    widths = [_width([heading, *texts]) for heading, texts in zip(counts, columns, strict=True)]
    estimates, ps = [row.estimate for row in rows], [_p_text(row) for row in rows]
    heading = _estimate_heading(study)
    right = _width([heading, *estimates]) + _width([P, *ps]) + 0.3
    room = style.WIDTH - 0.1 - sum(widths) - 0.14 * len(widths) - right - 0.2
    words = [f"   {word}" for row in rows for word in row.label.split()]
    left = _width([f"   {row.label}" for row in rows], "bold")
    left = max(min(left, room - NARROWEST), _width(words, "bold"))
    plot_width = min(max(room - left, NARROWEST), 3.2)
    wider = max(left + NARROWEST - room, 0.0)
    labels = [
        style.wrap(row.label, left - 0.12)
        if _is_level(row)
        else style.wrap(row.label, left + (0 if row.counts else sum(widths)), weight="bold")
        for row in rows
    ]
    tops = [sum(len(lines) for lines in labels[:i]) for i in range(len(rows) + 1)]
    bottom, height = 0.72, ROW * tops[-1]
    with style.house_style():
        figure = style.new_figure(bottom + height + 0.42, style.WIDTH + wider)
        start = 0.1 + left + sum(widths) + 0.14 * len(widths) + 0.1
        axes = style.place_axes(figure, start, bottom, plot_width, height)
        _set_axes(axes, rows, tops[-1], contrast_label)
        levels = [top + 0.5 for top in tops[:-1]]
        for row, level in zip(rows, levels, strict=True):
            _draw_row(axes, row, level)
        up = [bottom + height - ROW * level for level in levels]
        for row, lines, y in zip(rows, labels, up, strict=True):
            shift, weight = (0.22, "normal") if _is_level(row) else (0.1, "bold")
            for number, line in enumerate(lines):
                style.write(figure, shift, y - ROW * number, line, weight=weight)
        edge = 0.1 + left
        columns += [estimates, ps]
        widths += [_width([heading, *estimates]), _width([P, *ps])]
        for number, (title, texts) in enumerate(zip([*counts, heading, P], columns, strict=True)):
            edge += widths[number] + 0.14 + (plot_width + 0.12 if number == len(counts) else 0)
            style.write(figure, edge, bottom + height + 0.16, title, ha="right", color=style.MUTED)
            for text, y in zip(texts, up, strict=True):
                style.write(figure, edge, y, text, ha="right")
        style.mark_synthetic(figure, study)
    return figure


def describe_forest(rows, title) -> str:
    """Say in words what `plot_forest` shows."""
    sentences, heading = [f"Forest plot of {title}."], ""
    for row in rows:
        if row.kind == "heading":
            heading = f"{row.label}, {row.estimate}; " if row.estimate else f"{row.label}; "
        elif row.kind == "reference":
            heading += f"reference {row.label}; "
        else:
            prefix = "" if row.kind == "overall" else heading
            sentences.append(f"{prefix}{row.label}: hazard ratio {row.estimate}.")
            heading = ""
    return " ".join(sentences)


def _ratio(results, **keys):
    keys = {"level": "", **keys}
    return [value_of(results, **keys, statistic=statistic) for statistic in RATIO]


def _events(results, **keys):
    n, events = (
        value_of(results, **keys, group="overall", statistic=name) for name in ("n", "n_event")
    )
    return _events_text(n, events)


def _events_text(n, events):
    return "" if math.isnan(n) else format_events(events, n)


def _arm_rows(results, study, label, kind, **keys):
    keys = {"level": "", **keys}
    reference = study.arm.reference
    compared = [arm for arm in study.arm.levels if arm != reference]
    for arm in compared:
        counts = tuple(
            _events_text(
                *(value_of(results, **keys, group=one, statistic=s) for s in ("n", "n_event"))
            )
            for one in study.arm.levels
        )
        shown = label if len(compared) == 1 else f"{label}, {study.arm.levels[arm].label}"
        yield ForestRow(
            shown, kind, counts, *_ratio(results, **keys, group=contrast(arm, reference))
        )


def _is_level(row):
    return row.kind in ("reference", "estimate")


def _p_text(row):
    return "" if row.kind in ("reference", "heading") else format_p(row.p)


def _estimate_heading(study):
    return f"Hazard ratio ({study.conventions.interval_name})"


def _width(texts, weight="normal"):
    return max(style.text_width(text, weight=weight) for text in texts)


def _set_axes(axes, rows, height, contrast_label):
    ends = [value for row in rows for value in (row.low, row.high, row.ratio)]
    shown = [min(max(end, LIMITS[0]), LIMITS[1]) for end in ends if 0 < end < math.inf]
    low, high = min([0.5, *shown]) / 1.12, max([2.0, *shown]) * 1.12
    ticks = [tick for tick in TICKS if low <= tick <= high]
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    style.hide_frame(axes, "bottom")
    axes.axvline(1, color=style.RULE, linewidth=1, zorder=0)
    axes.set_xlabel("← lower hazard    higher hazard →", color=style.MUTED)
    if contrast_label:
        axes.set_xlabel(f"{contrast_label}\n← lower hazard    higher hazard →", color=style.MUTED)


def _draw_row(axes, row, level):
    color = style.ARM_COLORS[1] if row.kind == "overall" else style.ARM_COLORS[0]
    if row.kind == "reference":
        axes.plot([1], [level], marker="s", color=style.PAPER, markeredgecolor=style.MUTED)
    if row.kind in ("heading", "reference") or math.isnan(row.ratio):
        return
    left, right = axes.get_xlim()
    low, high = max(row.low, left), min(row.high, right)
    axes.plot([low, high], [level, level], color=color, linewidth=1.4, gid="interval")
    for end, limit, marker in ((row.low, left, "<"), (row.high, right, ">")):
        if not left <= end <= right:
            axes.plot([limit], [level], marker=marker, color=color, clip_on=False, markersize=4.5)
    if left <= row.ratio <= right:
        marker, size = ("D", 7) if row.kind == "overall" else ("s", 5.5)
        axes.plot([row.ratio], [level], marker=marker, color=color, markersize=size, gid="ratio")
