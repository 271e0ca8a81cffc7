"""How often the audit finds an error of print, and how often it is wrong."""

from helpers.figures import style
from helpers.formats import format_number

ROW = 0.3  # inches


def plot_detection(detection, false_alarms):
    """Draw the share of errors that are found, by kind, above that of false alarms.

    Parameters
    ----------
    detection, false_alarms : DataFrame
        Made by `helpers.audit.simulated_papers`.

    Returns
    -------
    Figure
    """
    alarm = false_alarms.iloc[-1]
    ordered = detection.sort_values("rate", ascending=False, kind="stable")
    labels = [*ordered["label"], "False alarm on a correct paper"]
    rates = [*ordered["rate"], alarm["rate"]]
    errors = [*ordered["std_error"], alarm["std_error"]]
    left = 0.2 + max(style.text_width(label) for label in labels)
    bottom, height = 0.55, ROW * len(labels)
    with style.house_style():
        figure = style.new_figure(bottom + height + 0.15)
        axes = style.place_axes(figure, left, bottom, style.WIDTH - left - 0.6, height)
        places = [number + 0.5 for number in range(len(labels))]
        colors = [style.ARM_COLORS[0]] * len(ordered) + [style.ARM_COLORS[1]]
        axes.barh(places, [100 * rate for rate in rates], 0.6, color=colors)
        spread = [100 * error for error in errors]
        shares = [100 * rate for rate in rates]
        axes.errorbar(
            shares, places, xerr=spread, fmt="none", ecolor=style.INK, elinewidth=1, capsize=2
        )
        for place, share, error in zip(places, shares, spread, strict=True):
            axes.annotate(
                f"{format_number(share, 1)}%",
                (share + error, place),
                (5, 0),
                textcoords="offset points",
                va="center",
            )
        axes.set_ylim(len(labels), 0)
        axes.set_xlim(0, 100)
        axes.set_yticks(places, labels)
        axes.grid(axis="x")
        style.hide_frame(axes)
        axes.set_xlabel(f"Share of {alarm['n']} simulated papers (%), with its standard error")
    return figure


def describe_detection(detection, false_alarms) -> str:
    """Say in words what `plot_detection` shows."""
    alarm = false_alarms.iloc[-1]
    ordered = detection.sort_values("rate", ascending=False, kind="stable")
    found = ", ".join(
        f"{row.label.lower()} {format_number(100 * row.rate, 1)}%" for row in ordered.itertuples()
    )
    return (
        f"Bars of the share of errors found in {alarm['n']} simulated papers: {found}. "
        f"False alarms: {format_number(100 * alarm['rate'], 1)}% of correct papers."
    )
