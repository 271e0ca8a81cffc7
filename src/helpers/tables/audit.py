"""The audit of the print: checks, how often they are wrong, biases of a design."""

from collections import defaultdict

from helpers.audit.check import CHECKS
from helpers.audit.medians import ANALYSES as MEDIAN_ANALYSES
from helpers.audit.simulated_papers import NOT_SIMULATED
from helpers.formats import format_number
from helpers.tables.table import Column, Row, Table

TIMES = {
    "median": "median",
    "median_conf_low": "lower limit",
    "median_conf_high": "upper limit",
}
MOST_LISTED = 17  # printed numbers of a check that are shown


def table_checks(checks, name, caption, notes=()) -> Table:
    """Each check: the verdict, on which printed numbers, what was computed, the result.

    Parameters
    ----------
    checks : list of Check
    name, caption : str
    notes : sequence of str
    """
    columns = [
        Column("Subject", "text"),
        Column("Verdict", "verdict"),
        Column("Printed", "note"),
        Column("Computed", "note"),
        Column("What would explain it", "note"),
    ]
    explained = any(check.explanation for check in checks)
    rows = []
    for check in checks:
        printed = _listed(list(check.printed.values()))
        computed = f"{check.tested}: {check.found}"
        cells = (check.subject, check.verdict, printed, computed, check.explanation)
        rows.append(Row(cells if explained else cells[:-1]))
    return Table(name, caption, columns if explained else columns[:-1], rows, list(notes))


def _listed(texts):
    if len(texts) <= MOST_LISTED:
        return ", ".join(texts)
    return f"{', '.join(texts[:MOST_LISTED])} and {len(texts) - MOST_LISTED} more"


def table_questions(summary, questions) -> Table:
    """What each check asks, and how many of its answers got which verdict.

    Parameters
    ----------
    summary : DataFrame
        Made by `helpers.audit.summarize`.
    questions : dict of str to Question
        `helpers.audit.CHECKS`.
    """
    verdicts = [name for name in summary.columns if name not in ("title", "total")]
    columns = [Column("Check", "text"), *(Column(h, "note") for h in ("Asks", "Answers", "Source"))]
    rows = []
    for name, counts in summary.iterrows():
        answers = [f"{counts[verdict]} {verdict}" for verdict in verdicts if counts[verdict]]
        question = questions[name]
        source = question.source or "arithmetic"
        rows.append(Row((question.title, question.summary, ", ".join(answers), source)))
    return Table("tab-audit-checks", "The checks and their answers", columns, rows)


def table_false_alarms(false_alarms) -> Table:
    """How often each check fires on a paper that is printed correctly.

    Parameters
    ----------
    false_alarms : DataFrame
        Made by `helpers.audit.simulated_papers.summarize_false_alarms`.
    """
    columns = [Column("Check", "text"), Column("Papers"), Column("False alarms"), Column("Share")]
    rows = [
        Row((row.title, str(row.n), str(row.fired), _share(row.rate, row.std_error)))
        for row in false_alarms.itertuples()
    ]
    unasked = ", ".join(CHECKS[name].title for name in NOT_SIMULATED)
    notes = [_monte_carlo_note(false_alarms), f"Nothing is printed in these papers for: {unasked}."]
    caption = "False alarms on simulated papers that are printed correctly"
    return Table("tab-false-alarms", caption, columns, rows, notes)


def table_detection(detection) -> Table:
    """How often an error of print is found, by its kind.

    Parameters
    ----------
    detection : DataFrame
        Made by `helpers.audit.simulated_papers.summarize_detection`.
    """
    columns = [
        Column("Error", "text"),
        Column("Papers"),
        Column("Found"),
        Column("Share"),
        Column("Checks that cover it", "note"),
    ]
    rows = [
        Row(
            (
                row.label,
                str(row.n),
                str(row.found),
                _share(row.rate, row.std_error),
                row.checks or "none",
            )
        )
        for row in detection.itertuples()
    ]
    note = _monte_carlo_note(detection)
    return Table("tab-detection", "Errors found, by kind", columns, rows, [note])


def _monte_carlo_note(rates):
    most = 1 - 0.025 ** (1 / rates["n"].max())  # Clopper and Pearson's limit for none of n
    return (
        "Share in per cent, with its Monte Carlo standard error. A share of 0 or 100 is known to "
        f"{format_number(100 * most, 1)} (95% CI)."
    )


def table_bias(rows, labels, name, caption, notes=()) -> Table:
    """The hazard ratio and the rejections that a design makes without an effect.

    Parameters
    ----------
    rows : DataFrame
        Made by a function of `helpers.audit.simulations`.
    labels : dict of str to str
        Headings of the columns that describe the scenario, in order.
    name, caption : str
    notes : sequence of str
    """
    first, *rest = labels.values()
    columns = [
        Column(first, "text"),
        *map(Column, rest),
        Column("Hazard ratio (error)"),
        Column("p below 0.05, % (error)"),
    ]
    shown = [
        Row(
            (
                *(_plain(row[column]) for column in labels),
                f"{format_number(row['hazard_ratio'], 2)} "
                f"({format_number(row['hazard_ratio_error'], 3)})",
                _share(row["rejected"], row["rejected_error"]),
            )
        )
        for row in rows.to_dict("records")
    ]
    return Table(name, caption, columns, shown, list(notes))


def table_subgroup_rates(rates, labels, name, caption, notes=()) -> Table:
    """How often tests within subgroups mislead.

    Parameters
    ----------
    rates : dict of str to DataFrame
        Made by `helpers.audit.simulations.subgroup_tests`, by the heading of their column.
    labels : dict of str to str
        What each outcome is called.
    name, caption : str
    notes : sequence of str
    """
    by_heading = {heading: rows.set_index("outcome") for heading, rows in rates.items()}
    columns = [Column("Outcome", "text"), *map(Column, by_heading)]
    rows = [
        Row(
            (
                label,
                *(
                    _share(rows.loc[outcome, "share"], rows.loc[outcome, "share_error"])
                    for rows in by_heading.values()
                ),
            )
        )
        for outcome, label in labels.items()
    ]
    return Table(name, caption, columns, rows, list(notes))


def table_cox_print(printed, endpoint, name, caption, notes=()) -> Table:
    """The printed Cox models of an endpoint, with the contrasts as the ledger reads them.

    Parameters
    ----------
    printed : Printed
    endpoint : str
    name, caption : str
    notes : sequence of str

    Returns
    -------
    Table
        The numbers are the printed ones; a contrast that is read the other way round than
        it is labelled says so in the last column.
    """
    columns = [
        Column("Covariate", "text"),
        Column("HR (95% CI)", spanner="Univariable"),
        Column("p", spanner="Univariable"),
        Column("HR (95% CI)", spanner="Multivariable"),
        Column("p", spanner="Multivariable"),
        Column("Change", "note"),
    ]
    rows = []
    for ratio in printed.all("hazard_ratio", analysis="cox_univariable", endpoint=endpoint):
        group = ratio.reading or ratio.group
        label = printed.describe(variable=ratio.variable, group=group)
        adjusted = printed.beside(ratio, "hazard_ratio", analysis="cox_multivariable")
        change = f"printed as {_contrast(printed, ratio)}" if ratio.reading else ""
        cells = (*_printed_row(printed, ratio), *_printed_row(printed, adjusted))
        rows.append(Row((label, *cells, change)))
    return Table(name, caption, columns, rows, list(notes))


def table_repeated_times(printed, arms) -> Table:
    """The survival times that stand more than once in an arm, and as what.

    Parameters
    ----------
    printed : Printed
    arms : dict of str to str
        Each arm and what it is called.
    """
    found = defaultdict(list)
    for statistic in TIMES:
        for number in printed.all(statistic):
            if number.group in arms and number.finite and number.analysis in MEDIAN_ANALYSES:
                found[number.endpoint, number.group, number.text].append(number)
    columns = [Column("Endpoint and arm", "text"), Column("Time"), Column("Stands as", "note")]
    rows = []
    for (endpoint, arm, text), numbers in found.items():
        if len(numbers) > 1:
            places = "; ".join(f"{TIMES[n.statistic]} of {_patients(printed, n)}" for n in numbers)
            where = f"{printed.describe(endpoint=endpoint)}, {arms[arm]}"
            rows.append(Row((where, text, places)))
    caption = "Survival times that are printed more than once in an arm"
    return Table("tab-repeated-times", caption, columns, rows)


def _patients(printed, number):
    if not number.level:
        return "all patients"
    return printed.describe(variable=number.variable, level=number.level)


def _printed_row(printed, ratio):
    if ratio is None:
        return "", ""
    statistics = ("hazard_ratio_conf_low", "hazard_ratio_conf_high", "p_wald")
    low, high, p = (printed.beside(ratio, statistic).text for statistic in statistics)
    return f"{ratio.text} ({low} to {high})", p


def _contrast(printed, ratio):
    whole = printed.describe(variable=ratio.variable, group=ratio.group)
    return whole.removeprefix(f"{printed.describe(variable=ratio.variable)}, ")


def _share(share, error):
    return f"{format_number(100 * share, 1)} ({format_number(100 * error, 1)})"


def _plain(value):
    return value if isinstance(value, str) else format(value, "g")
