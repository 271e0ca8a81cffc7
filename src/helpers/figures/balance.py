"""How alike the arms were at baseline."""

import math

from helpers.figures import style
from helpers.formats import format_number
from helpers.results import value_of

ROW = 0.235  # inches
NEGLIGIBLE = 0.1  # Austin PC. Stat Med 2009;28:3083-3107


def plot_balance(results, study):
    """Draw the standardized mean difference of each baseline characteristic.

    Parameters
    ----------
    results : DataFrame
    study : Study

    Returns
    -------
    Figure
    """
    groups = style.contrasts(study)
    names = study.baseline
    left = 0.2 + max(style.text_width(study.label(name)) for name in names)
    bottom, height = 0.62, ROW * len(names)
    keyed = len(groups) > 1
    with style.house_style():
        figure = style.new_figure(bottom + height + (0.4 if keyed else 0.12))
        axes = style.place_axes(figure, left, bottom, style.WIDTH - left - 0.7, height)
        places = [number + 0.5 for number in range(len(names))]
        axes.set_ylim(len(names), 0)
        axes.set_yticks(places, [study.label(name) for name in names])
        axes.tick_params(axis="y", pad=7)  # a marker at zero keeps its distance from the label
        axes.grid(axis="y")
        style.hide_frame(axes, "bottom")
        axes.axvline(NEGLIGIBLE, color=style.MUTED, linewidth=1, linestyle=(0, (3, 2)))
        for group, arm in groups.items():
            look = style.arm_style(study, arm)
            values = [_difference(results, name, group) for name in names]
            axes.plot(
                values,
                places,
                linestyle="none",
                marker=look["marker"],
                color=look["color"],
                clip_on=False,
                gid="difference",
            )
            for value, place in zip(values, places, strict=True):
                if not keyed and not math.isnan(value):
                    axes.annotate(
                        format_number(value, 2),
                        (1, place),
                        (36, 0),
                        axes.get_yaxis_transform(),
                        textcoords="offset points",
                        ha="right",
                        va="center",
                    )
        axes.set_xlim(left=0)
        axes.set_xlabel(f"Standardized mean difference (dashed: {NEGLIGIBLE:g})")
        if keyed:
            style.write_key(figure, left, figure.get_figheight() - 0.16, study, groups.values())
        style.mark_synthetic(figure, study)
    return figure


def describe_balance(results, study) -> str:
    """Say in words what `plot_balance` shows."""
    sentences = ["Standardized mean differences of the baseline characteristics."]
    for group, arm in style.contrasts(study).items():
        values = {name: _difference(results, name, group) for name in study.baseline}
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        above = sorted(
            (name for name in known if known[name] > NEGLIGIBLE), key=known.get, reverse=True
        )
        pair = (
            f"{study.arm.levels[arm].label} against {study.arm.levels[study.arm.reference].label}"
        )
        listed = ", ".join(f"{study.label(n)} {format_number(known[n], 2)}" for n in above)
        sentences.append(
            f"{pair}: {len(above)} of {len(known)} above {NEGLIGIBLE:g}"
            + (f", largest first: {listed}." if above else ".")
        )
    return " ".join(sentences)


def _difference(results, name, group):
    keys = {"analysis": "baseline", "variable": name, "level": "", "group": group}
    return value_of(results, **keys, statistic="smd")
