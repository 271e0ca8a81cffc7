"""Checks of counts: percentages, sums, tests of contingency tables, fragility."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from helpers.audit.check import CONSISTENT, INCONSISTENT, INFORMATION, UNDECIDED, Check, register
from helpers.audit.printed import Number, texts
from helpers.estimators.contingency import categorical_test, fisher, pearson, yates
from helpers.formats import format_number, format_p
from helpers.results import BETWEEN_ARMS, OVERALL

TESTS = {"Pearson": pearson, "Fisher": fisher, "Yates": yates}
RULES = {
    "fisher_if_observed_below_5": "Fisher where an observed count is below 5, else Pearson",
    "fisher_if_expected_below_5": "Fisher where an expected count is below 5, else Pearson",
    "chi_square": "always Pearson",
    "chi_square_yates": "always Yates",
    "fisher": "always Fisher",
}


@register("percentage", "Percentages against counts")
def percentages(printed):
    """Each percentage is that of a count among the patients of its group.

    Where the count is printed it is divided by the patients of the group, or by those with a
    value. Where it is not, some whole number of patients has to give the percentage.
    """
    for percent in printed.all("percent"):
        count = printed.beside(percent, "n")
        denominators = _denominators(printed, percent)
        if not denominators:
            continue
        if count is None:
            yield _possible_percentage(printed, percent, denominators[0])
        else:
            yield _percentage(percent, count, denominators, percent.subject)
    for row in printed.statements:
        if row["claim"] == "share":
            count, denominator = map(printed.number, row["about"].split())
            percent = printed.number(row["id"])
            yield _percentage(percent, count, [round(denominator.value)], row["id"])


def _denominators(printed, percent):
    size = printed.size(percent.group)
    if size is None:
        return []
    missing = printed.beside(percent, "n_missing", level="")
    if missing is not None:
        return [size - round(missing.value)]
    with_value = sum(printed.level_sizes(percent.variable, percent.group).values())
    known = percent.analysis == "baseline" and 0 < with_value < size
    return [size, with_value] if known else [size]


def _percentage(percent, count, denominators, subject):
    n = round(count.value)
    shares = [100 * n / denominator for denominator in denominators]
    fits = any(percent.overlaps(share, share) for share in shares)
    scale = 10.0**percent.decimals
    truncated = any(
        math.isclose(math.floor(share * scale + 1e-9) / scale, float(percent.text))
        for share in shares
    )
    return Check(
        "percentage",
        subject,
        f"100 × {n} / {' or '.join(map(str, denominators))}",
        texts(percent, count),
        " or ".join(format_number(share, percent.decimals + 1) for share in shares),
        CONSISTENT if fits else INCONSISTENT,
        "" if fits or not truncated else "cut off after the last decimal instead of rounded",
        min(shares),
        max(shares),
    )


def _possible_percentage(printed, percent, size):
    counts = possible_counts(percent, size)
    found = f"{' or '.join(map(str, counts)) or 'no whole number'} of {size}"
    return Check(
        "percentage",
        percent.subject,
        f"a whole number of {size} patients",
        texts(percent),
        found,
        CONSISTENT if counts else INCONSISTENT,
        low=min(counts, default=math.nan),
        high=max(counts, default=math.nan),
    )


def possible_counts(percent, size) -> list[int]:
    """The numbers of patients that print as a percentage of `size`."""
    first = max(0, math.floor(percent.low * size / 100))
    last = min(size, math.ceil(percent.high * size / 100))
    return [n for n in range(first, last + 1) if percent.overlaps(100 * n / size, 100 * n / size)]


@register("sum", "Levels and arms add up")
def sums(printed):
    """Levels add up to their group, arms to all patients; parts do not exceed the whole."""
    yield from _arm_sums(printed)
    yield from _level_sums(printed)
    yield from _parts(printed)


def _arm_sums(printed):
    for total in printed.all("n", group=OVERALL):
        parts = [printed.beside(total, "n", group=arm) for arm in printed.arms]
        if not parts or None in parts:
            continue
        added = sum(round(part.value) for part in parts)
        yield _sum("arms", total, parts, added, round(total.value))


def _level_sums(printed):
    counts = [n for n in printed.all("n") if n.level and n.analysis in ("baseline", "exposure")]
    keys = dict.fromkeys((n.analysis, n.variable, n.group) for n in counts)
    for analysis, variable, group in keys:
        size = printed.size(group)
        if size is None:
            continue
        parts = printed.all("n", analysis=analysis, variable=variable, group=group)
        parts = [part for part in parts if part.level]
        missing = printed.find("n_missing", analysis=analysis, variable=variable, group=group)
        added = sum(round(part.value) for part in parts)
        if analysis == "exposure" and added <= size:
            continue
        expected = size - (round(missing.value) if missing else 0)
        yield _sum("levels", parts[0], parts, added, expected)


def _sum(what, first, parts, added, expected):
    fits = added == expected
    short = f"{expected - added} patients may have no value, which the print does not say"
    subject = (first.analysis, first.variable, first.group if what == "levels" else first.level)
    return Check(
        "sum",
        ", ".join(part.replace("_", " ") for part in (*subject, f"sum of {what}") if part),
        " + ".join(part.text for part in parts),
        texts(*parts, *([first] if what == "arms" else [])),
        f"{added} of {expected}",
        CONSISTENT if fits else INCONSISTENT,
        short if added < expected and what == "levels" else "",
        added,
        added,
    )


def _parts(printed):
    for severe in printed.all("n", level="severe"):
        whole = printed.beside(severe, "n", level="any_grade")
        if whole is None:
            continue
        fits = severe.value <= whole.value
        yield Check(
            "sum",
            severe.subject,
            "severe at most any grade",
            texts(severe, whole),
            f"{severe.text} of {whole.text}",
            CONSISTENT if fits else INCONSISTENT,
        )


@dataclass(frozen=True)
class Tables:
    """A printed p value with the contingency tables that its counts allow.

    Attributes
    ----------
    p : Number
    counts : list of Number
    tables : list of ndarray of shape (levels, arms)
    """

    p: Number
    counts: list[Number]
    tables: list[np.ndarray]


def tested_tables(printed) -> list[Tables]:
    """The tables behind each printed p value that a table of counts can give."""
    found = []
    for p in printed.all("p", group=BETWEEN_ARMS):
        if p.analysis == "baseline":
            tables = _level_tables(printed, p)
        else:
            tables = _yes_no_tables(printed, p)
        if tables is not None:
            found.append(tables)
    return found


def _level_tables(printed, p):
    counts = printed.all("n", analysis="baseline", variable=p.variable)
    by_cell = {(n.level, n.group): n for n in counts if n.level}
    levels = list(dict.fromkeys(level for level, _ in by_cell))
    cells = [[by_cell.get((level, arm)) for arm in printed.arms] for level in levels]
    flat = list(itertools.chain.from_iterable(cells))
    if len(levels) < 2 or None in flat:
        return None
    return Tables(p, flat, [np.array([[round(n.value) for n in row] for row in cells])])


def _yes_no_tables(printed, p):
    numbers, options = [], []
    for arm in printed.arms:
        size = printed.size(arm)
        count = printed.beside(p, "n", group=arm)
        percent = printed.beside(p, "percent", group=arm)
        if count is None and percent is None:
            return None
        numbers.append(count or percent)
        options.append([round(count.value)] if count else possible_counts(percent, size))
    sizes = np.array([printed.size(arm) for arm in printed.arms])
    tables = [np.array([counts, sizes - counts]) for counts in itertools.product(*options)]
    return Tables(p, numbers, [table for table in tables if table.min() >= 0])


def reproducing_tests(tested) -> list[tuple[str, float]]:
    """The tests, with their p, that give the printed p value from any of the tables."""
    found = []
    for table, (name, test) in itertools.product(tested.tables, TESTS.items()):
        p = test(table).p
        if tested.p.overlaps(p, p):
            found.append((name, p))
    return found


@register("contingency", "p values from counts")
def contingency(printed):
    """A p value of a table of counts is one of Pearson's, Yates's or Fisher's tests.

    Where nobody, or everybody, has the event there is no test to print.

    References
    ----------
    Yates F. J R Stat Soc Suppl 1934;1:217-235. Freeman GH, Halton JH. Biometrika
    1951;38:141-149.
    """
    for tested in tested_tables(printed):
        p, numbers = tested.p, texts(tested.p, *tested.counts)
        if not tested.tables:
            continue
        exists = any(
            table.any(axis=1).sum() > 1 and table.any(axis=0).sum() > 1 for table in tested.tables
        )
        if math.isnan(p.low) or not exists:
            fits = math.isnan(p.low) != exists
            found = "a test exists" if exists else "no test exists"
            verdict = CONSISTENT if fits else INCONSISTENT
            yield Check("contingency", p.subject, "is there a test", numbers, found, verdict)
            continue
        values = [test(table).p for table in tested.tables for test in TESTS.values()]
        names = dict.fromkeys(name for name, _ in reproducing_tests(tested))
        shown = ", ".join(
            f"{name} {format_p(test(tested.tables[0]).p)}" for name, test in TESTS.items()
        )
        yield Check(
            "contingency",
            p.subject,
            f"printed by {' and '.join(names)}" if names else "none of the tests gives it",
            numbers,
            shown,
            CONSISTENT if names else INCONSISTENT,
            low=min(values),
            high=max(values),
        )


@register("test_rule", "One rule chooses between χ² and Fisher")
def test_rule(printed):
    """One rule for choosing the test gives every p value that any test can give.

    References
    ----------
    Cochran WG. Some methods for strengthening the common χ² tests. Biometrics
    1954;10:417-451 (expected counts, not observed ones).
    """
    tested = [t for t in tested_tables(printed) if not math.isnan(t.p.low)]
    tested = [t for t in tested if reproducing_tests(t)]
    if not tested:
        return
    hits = {rule: [_follows(t, rule) for t in tested] for rule in RULES}
    found = "; ".join(f"{text}: {sum(hits[rule])}" for rule, text in RULES.items())
    best = max(hits.values(), key=sum)
    odd = [t.p for t, hit in zip(tested, best, strict=True) if not hit]
    yield Check(
        "test_rule",
        f"{len(tested)} p values",
        "how many of them each rule gives",
        texts(*(odd or [t.p for t in tested])),
        found,
        CONSISTENT if all(best) else INCONSISTENT,
        low=sum(best),
        high=sum(best),
    )


def _follows(tested, rule):
    for table in tested.tables:
        p = categorical_test(table, rule).p
        if tested.p.overlaps(p, p):
            return True
    return False


@register("fragility", "Patients that undo a result")
def fragility(printed):
    """The fewest patients of one arm whose outcome, if another, moves p across the level.

    The test is the one that gives the printed p. Moves towards and away from the event are
    tried in each arm. A result that is not significant is moved to significance.

    References
    ----------
    Walsh M et al. The statistical significance of randomized controlled trial results is
    frequently fragile: a case for a fragility index. J Clin Epidemiol 2014;67:622-628.
    """
    level = printed.conventions.significance_level
    for tested in tested_tables(printed):
        tests = reproducing_tests(tested) if not math.isnan(tested.p.low) else []
        if not tests or tested.p.analysis == "baseline" or tested.tables[0].shape != (2, 2):
            continue
        name, p = tests[0]
        moved = fewest_moved(tested.tables[0], TESTS[name], level)
        p_all = ", ".join(f"{key} {format_p(t(tested.tables[0]).p)}" for key, t in TESTS.items())
        to = "at or above" if p < level else "below"
        yield Check(
            "fragility",
            tested.p.subject,
            f"patients moved until {name}'s p is {to} {level:g}",
            texts(tested.p, *tested.counts),
            f"{moved if moved is not None else 'no number of'} patients; {p_all}",
            INFORMATION,
            low=math.nan if moved is None else moved,
            high=math.nan if moved is None else moved,
        )


def fewest_moved(table, test, level) -> int | None:
    """The fewest patients of one arm to be moved between the rows of a 2 x 2 table.

    Parameters
    ----------
    table : ndarray of shape (2, 2)
        Arms in columns.
    test : callable
    level : float

    Returns
    -------
    int or None
        None where no move in one arm crosses the level.
    """
    significant = test(table).p < level
    for moved in range(1, int(table.max()) + 1):
        for arm, sign in itertools.product((0, 1), (1, -1)):
            changed = table.copy()
            changed[:, arm] += np.array([-moved, moved]) * sign
            if changed.min() < 0:
                continue
            p = test(changed).p
            if not math.isnan(p) and (p < level) != significant:
                return moved
    return None


@register("subset", "A printed number of patients in a part of the study")
def subsets(printed):
    """The size of a part that is described on its own does not exceed the whole."""
    for number in printed.all("n", analysis="measurement"):
        size = printed.size(number.group)
        if size is None:
            continue
        arms = [printed.beside(number, "n", group=arm) for arm in printed.arms]
        split = "its split between the arms is not printed" if None in arms else ""
        fits = number.value <= size
        verdict = (UNDECIDED if split else CONSISTENT) if fits else INCONSISTENT
        yield Check(
            "subset",
            number.subject,
            f"at most {size} patients",
            texts(number),
            f"{number.text} of {size}",
            verdict,
            split,
        )
