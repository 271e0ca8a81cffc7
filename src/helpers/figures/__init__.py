"""Figures: views of results, which never compute a statistic."""

from helpers.figures.balance import describe_balance, plot_balance
from helpers.figures.cumulative_incidence import (
    describe_cumulative_incidence,
    plot_cumulative_incidence,
)
from helpers.figures.forest import (
    ForestRow,
    cox_rows,
    describe_forest,
    describe_forest_cox,
    describe_forest_subgroups,
    plot_forest,
    plot_forest_cox,
    plot_forest_subgroups,
    subgroup_rows,
)
from helpers.figures.kaplan_meier import choose_times, describe_kaplan_meier, plot_kaplan_meier
from helpers.figures.paired import describe_paired, plot_paired
from helpers.figures.proportional_hazards import (
    describe_log_minus_log,
    describe_schoenfeld,
    plot_log_minus_log,
    plot_schoenfeld,
)
from helpers.figures.shares import (
    describe_adverse_events,
    describe_response,
    plot_adverse_events,
    plot_response,
)
from helpers.figures.show import show_figure
from helpers.figures.verdicts import describe_verdicts, plot_verdicts

__all__ = [
    "ForestRow",
    "choose_times",
    "cox_rows",
    "describe_adverse_events",
    "describe_balance",
    "describe_cumulative_incidence",
    "describe_forest",
    "describe_forest_cox",
    "describe_forest_subgroups",
    "describe_kaplan_meier",
    "describe_log_minus_log",
    "describe_paired",
    "describe_response",
    "describe_schoenfeld",
    "describe_verdicts",
    "plot_adverse_events",
    "plot_balance",
    "plot_cumulative_incidence",
    "plot_forest",
    "plot_forest_cox",
    "plot_forest_subgroups",
    "plot_kaplan_meier",
    "plot_log_minus_log",
    "plot_paired",
    "plot_response",
    "plot_schoenfeld",
    "plot_verdicts",
    "show_figure",
    "subgroup_rows",
]
