"""Figures: views of results, which never compute a statistic."""

from helpers.figures.kaplan_meier import choose_times, describe_kaplan_meier, plot_kaplan_meier
from helpers.figures.show import show_figure

__all__ = ["choose_times", "describe_kaplan_meier", "plot_kaplan_meier", "show_figure"]
