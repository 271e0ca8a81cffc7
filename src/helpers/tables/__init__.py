"""Tables: views of results, which never compute a statistic."""

from helpers.tables.baseline import table_baseline, table_eligibility, table_exposures, table_flow
from helpers.tables.comparison import (
    describe_comparison,
    table_comparison,
    table_not_testable,
    table_verdicts,
)
from helpers.tables.competing import table_competing
from helpers.tables.dictionary import table_conventions, table_dictionary
from helpers.tables.outcomes import (
    table_adverse_events,
    table_measurements,
    table_milestones,
    table_response,
    table_response_tests,
    table_survival,
)
from helpers.tables.regression import (
    table_cox,
    table_cox_models,
    table_cox_sensitivity,
    table_multiplicity,
    table_subgroups,
)
from helpers.tables.summary import describe_printed, table_main_results
from helpers.tables.table import Column, Row, Table, show_table

__all__ = [
    "Column",
    "Row",
    "Table",
    "describe_comparison",
    "describe_printed",
    "show_table",
    "table_adverse_events",
    "table_baseline",
    "table_comparison",
    "table_conventions",
    "table_competing",
    "table_cox",
    "table_cox_models",
    "table_cox_sensitivity",
    "table_dictionary",
    "table_eligibility",
    "table_exposures",
    "table_flow",
    "table_main_results",
    "table_measurements",
    "table_milestones",
    "table_multiplicity",
    "table_not_testable",
    "table_response",
    "table_response_tests",
    "table_subgroups",
    "table_survival",
    "table_verdicts",
]
