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
from helpers.results import BETWEEN_ARMS, contrast, select
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


def describe_printed(comparison, study) -> str:
    """Say what is printed of medians and response rates: arms against the reference, and p.

    What is not printed for every arm is left out; the text may be empty.

    Parameters
    ----------
    comparison : DataFrame
        Made by `helpers.published.compare`.
    study : Study
    """

    def printed(**keys):
        return next(iter(select(comparison, **keys)["printed"]), "")

    reference = study.arm.reference
    others = [arm for arm in study.arm.levels if arm != reference]
    found = []
    for label, unit, keys, p in _printed_lines(study, others, reference):
        values = [printed(group=arm, **keys) for arm in (*others, reference)]
        if all(values):
            tested = f" (p\xa0=\xa0{text})" if (text := printed(**p)) else ""
            found.append(f"{label} {', '.join(values[:-1])} against {values[-1]}{unit}{tested}")
    arms = ", ".join(study.arm.levels[arm].label for arm in others)
    return f"{arms} {against_reference(study)}: {', '.join(found)}." if found else ""


def _printed_lines(study, others, reference):
    """Yield label, unit, keys of an arm's number, and keys of the p value."""
    for endpoint, described in study.endpoints.items():
        keys = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
        p = {"group": contrast(others[0], reference), "statistic": "p_wald"}
        if len(others) > 1:
            p = {"group": BETWEEN_ARMS, "statistic": "p_logrank"}
        label = f"median {described.label.lower()}"
        yield label, f" {study.time.unit}", keys | {"statistic": "median"}, keys | p
    for rate, described in study.response.rates.items() if study.response else ():
        keys = {"analysis": "response", "variable": rate}
        p = {"group": BETWEEN_ARMS, "statistic": "p"}
        yield described.label.lower(), "%", keys | {"statistic": "percent"}, keys | p


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
