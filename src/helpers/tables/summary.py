"""The main results on one page, and whether they are those of the print."""

from helpers.formats import (
    format_count,
    format_estimate,
    format_interval,
    format_number,
    format_p,
)
from helpers.lookup import Lookup
from helpers.published import NOT_TESTABLE, VERDICTS
from helpers.results import BETWEEN_ARMS
from helpers.tables.parts import (
    against_reference,
    below_arms,
    contrasts,
    group_columns,
    interval_name,
    notes_of,
)
from helpers.tables.table import Column, Row, Table


def table_main_results(results, study, comparison=None) -> Table:
    """Medians, response rates and severe adverse events by arm, with their comparison.

    Parameters
    ----------
    results : DataFrame
    study : Study
    comparison : DataFrame, optional
        Made by `helpers.published.compare`; adds the verdict on the printed numbers of
        each line: the least favourable one.
    """
    lookup = Lookup(results)
    arms = group_columns(lookup, study, overall=False)
    groups = contrasts(study)
    columns = [Column("Result", "text"), *arms.values()]
    columns += [Column("Comparison")] if len(groups) == 1 else []
    columns += [Column("p")] if comparison is None else [Column("p"), Column("Verdict", "verdict")]
    rows = []
    for label, keys, cell, ratio, p in _lines(lookup, study):
        tail = [] if comparison is None else [_verdict(comparison, keys)]
        cells = [cell(key) for key in arms]
        if len(groups) == 1:
            rows.append(Row((label, *cells, ratio(*groups), p(*groups), *tail)))
            continue
        rows.append(Row((label, *cells, p(BETWEEN_ARMS), *tail)))
        compared = [*below_arms(study, ratio), "", *[""] * len(tail)]
        rows.append(Row((against_reference(study), *compared), indent=True))
    interval = interval_name(study)
    test = "Wald" if len(groups) == 1 else "log-rank"
    notes = notes_of(
        study,
        f"Survival: median ({interval}), hazard ratio (HR), {test} p. "
        "Shares: n (%), difference in percentage points.",
    )
    return Table("tab-main-results", "Main results", columns, rows, notes)


def _lines(lookup, study):
    """Yield label, keys, and what gives the cell of an arm, the comparison and its p."""
    for endpoint, described in study.endpoints.items():
        keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
        yield (f"{described.label}, {study.time.unit}", keys, *_survival(lookup, keys))
    if study.response:
        for rate, described in study.response.rates.items():
            keys = {"analysis": "response", "variable": rate}
            yield (described.label, keys, *_share(lookup, keys))
    if study.adverse_events:
        keys = {"analysis": "adverse_event", "variable": "any", "level": "severe"}
        label = f"Any adverse event of grade {study.adverse_events.severe_from} or above"
        yield (label, keys, *_share(lookup, keys))


def _survival(lookup, keys):
    def ratio(group):
        return f"HR {format_estimate(*lookup.interval('hazard_ratio', group=group, **keys), 2)}"

    def p(group):
        statistic = "p_logrank" if group == BETWEEN_ARMS else "p_wald"
        return format_p(lookup.value(group=group, statistic=statistic, **keys))

    return (
        lambda arm: format_estimate(*lookup.interval("median", group=arm, **keys)),
        ratio,
        p,
    )


def _share(lookup, keys):
    def difference(group):
        value, low, high = lookup.interval("risk_difference", group=group, **keys)
        if value != value:
            return format_number(value)
        return f"{format_number(value)} ({format_interval(low, high)})"

    return (
        lambda arm: format_count(*lookup.values("n", "percent", group=arm, **keys)),
        difference,
        lambda _: format_p(lookup.value(group=BETWEEN_ARMS, statistic="p", **keys)),
    )


def _verdict(comparison, keys):
    own = comparison[comparison["verdict"] != NOT_TESTABLE]
    for name in ("analysis", "endpoint", "variable", "level"):
        own = own[own[name] == keys.get(name, "")]
    found = set(own["verdict"])
    return next((verdict for verdict in reversed(VERDICTS) if verdict in found), "")
