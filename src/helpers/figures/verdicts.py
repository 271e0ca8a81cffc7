"""The scorecard: verdicts by section."""

from helpers.figures import style

ROW = 0.3  # inches


def plot_verdicts(summary):
    """Draw how many printed numbers got which verdict, by section.

    Parameters
    ----------
    summary : DataFrame
        Made by `helpers.published.summarize_verdicts`.

    Returns
    -------
    Figure
    """
    verdicts = [name for name in summary.columns if name != "total"]
    shares = 100 * summary[verdicts].div(summary["total"], axis=0)
    sections = list(summary.index)
    left = 0.2 + max(style.text_width(section, weight="bold") for section in sections)
    bottom, height = 0.55, ROW * len(sections)
    with style.house_style():
        figure = style.new_figure(bottom + height + 0.45)
        axes = style.place_axes(figure, left, bottom, style.WIDTH - left - 0.7, height)
        places = [number + 0.5 for number in range(len(sections))]
        start = shares[verdicts[0]] * 0
        for verdict, color in zip(verdicts, style.VERDICT_COLORS, strict=True):
            bars = axes.barh(places, shares[verdict], 0.62, start, color=color, gid=verdict)
            bars.set_label(f"{verdict} ({summary[verdict].iloc[-1]})")
            start = start + shares[verdict]
        axes.set_ylim(len(sections), 0)
        axes.set_xlim(0, 100)
        axes.set_yticks(places, sections)
        axes.get_yticklabels()[-1].set_weight("bold")
        style.hide_frame(axes)
        axes.set_xlabel("Share of the printed numbers (%)")
        for place, total in zip(places, summary["total"], strict=True):
            axes.annotate(
                f"{total}",
                (100, place),
                (8, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
        figure.legend(
            loc="upper left",
            bbox_to_anchor=(0, 1),
            ncols=len(verdicts),
            frameon=False,
            handlelength=1,
            handleheight=1,
            columnspacing=1.2,
        )
    return figure


def describe_verdicts(summary) -> str:
    """Say in words what `plot_verdicts` shows."""
    sentences = ["Verdicts on the printed numbers, by section of the paper."]
    for section, row in summary.iterrows():
        counts = ", ".join(
            f"{row[name]} {name}" for name in summary if name != "total" and row[name]
        )
        sentences.append(f"{section}: {row['total']} numbers, {counts}.")
    return " ".join(sentences)
