"""Tables: views of results, which never compute a statistic."""

from helpers.tables.table import Column, Row, Table, show_table

__all__ = ["Column", "Row", "Table", "show_table"]
