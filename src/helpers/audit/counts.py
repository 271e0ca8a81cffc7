"""Checks of counts: percentages, sums, tests of contingency tables, fragility."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from helpers.audit.check import CONSISTENT, INCONSISTENT, INFORMATION, UNDECIDED, Check, register
from helpers.audit.printed import Number, texts
from helpers.estimators.contingency import categorical_test, fisher, pearson, yates
from helpers.formats import format_number, format_p
from helpers.results import BETWEEN_ARMS, OVERALL

CUT_OFF = "cut off after the last decimal instead of rounded"
TESTS = {"Pearson": pearson, "Fisher": fisher, "Yates": yates}
RULES = {
    "fisher_if_observed_below_5": "Fisher where an observed count is below 5, else Pearson",
    "fisher_if_expected_below_5": "Fisher where an expected count is below 5, else Pearson",
    "chi_square": "always Pearson",
    "chi_square_yates": "always Yates",
    "fisher": "always Fisher",
}


@dataclass(frozen=True)
class Share:
    """A printed percentage whose count is printed too.

    Attributes
    ----------
    percent, count : Number
    denominators : list of int
        The patients of the group, and those with a value where that is another number.
    subject : str
    """

    percent: Number
    count: Number
    denominators: list[int]
    subject: str

    @property
    def values(self) -> list[float]:
        return [100 * round(self.count.value) / n for n in self.denominators]

    @property
    def rounded(self) -> bool:
        """Whether it is the percentage, rounded."""
        return any(self.percent.overlaps(value, value) for value in self.values)

    @property
    def cut(self) -> bool:
        """Whether it is the percentage, cut off after the last decimal."""
        scale = 10.0**self.percent.decimals
        cut = [math.floor(value * scale + 1e-9) / scale for value in self.values]
        return any(math.isclose(value, float(self.percent.text)) for value in cut)


def shares(printed) -> list[Share]:
    """Every percentage that stands beside its count."""
    found = []
    for percent in printed.all("percent"):
        count, denominators = printed.beside(percent, "n"), _denominators(printed, percent)
        if count is not None and denominators:
            found.append(Share(percent, count, denominators, percent.subject))
    for row in printed.statements:
        if row["claim"] == "share":
            count, denominator = map(printed.number, row["about"].split())
            percent = printed.number(row["id"])
            where = row["place"] or row["id"]
            found.append(Share(percent, count, [round(denominator.value)], where))
    return found


@register("percentage", "Percentages against counts")
def percentages(printed):
    """Each percentage is that of a count among the patients of its group.

    Where the count is printed it is divided by the patients of the group, or by those with a
    value. Where it is not, some whole number of patients has to give the percentage.
    """
    for share in shares(printed):
        yield Check(
            "percentage",
            share.subject,
            f"100 × {share.count.text} / {' or '.join(map(str, share.denominators))}",
            texts(share.percent, share.count),
            " or ".join(format_number(v, share.percent.decimals + 1) for v in share.values),
            CONSISTENT if share.rounded else INCONSISTENT,
            CUT_OFF if share.cut and not share.rounded else "",
            min(share.values),
            max(share.values),
        )
    for percent in printed.all("percent"):
        size = printed.size(percent.group)
        if size is None or printed.beside(percent, "n") is not None:
            continue
        counts = possible_counts(percent, size)
        yield Check(
            "percentage",
            percent.subject,
            f"a whole number of {size} patients",
            texts(percent),
            f"{' or '.join(map(str, counts)) or 'no whole number'} of {size}",
            CONSISTENT if counts else INCONSISTENT,
            low=min(counts, default=math.nan),
            high=max(counts, default=math.nan),
        )


@register("rounding_rule", "One rule rounds every percentage")
def rounding_rule(printed):
    """Every percentage is rounded to nearest, or every one is cut off after its last decimal."""
    found = shares(printed)
    if not found:
        return
    rounded = [share for share in found if share.rounded]
    odd = [share for share in found if not share.rounded]
    cut = [share for share in odd if share.cut]
    fits = not odd or all(share.cut for share in found)
    yield Check(
        "rounding_rule",
        f"{len(found)} percentages with their counts",
        "how many are rounded to nearest, how many cut off",
        texts(*(share.percent for share in odd or found)),
        f"{len(rounded)} rounded, {len(cut)} cut off, {len(odd) - len(cut)} neither",
        CONSISTENT if fits else INCONSISTENT,
        low=len(rounded),
        high=len(found),
    )


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
        subject = printed.describe(
            analysis=total.analysis, variable=total.variable, level=total.level
        )
        yield _sum(subject, [*parts, total], added, round(total.value))


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
        subject = printed.describe(analysis=analysis, variable=variable, group=group)
        short = f"{expected - added} patients may have no value, which the print does not say"
        yield _sum(subject, parts, added, expected, short if added < expected else "")


def _sum(subject, numbers, added, expected, explanation=""):
    return Check(
        "sum",
        subject or "Patients",
        f"adds up to {expected}",
        texts(*numbers),
        f"{added} of {expected}",
        CONSISTENT if added == expected else INCONSISTENT,
        explanation,
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
    for part in printed.all("n"):
        whole = printed.find("n", analysis="cohort", group=part.group)
        alone = not part.level and printed.beside(part, "percent") is None
        if whole is not None and alone and part.analysis != "cohort":
            yield Check(
                "sum",
                part.subject,
                "at most all patients of the group",
                texts(part, whole),
                f"{part.text} of {whole.text}",
                CONSISTENT if part.value <= whole.value else INCONSISTENT,
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
    if len(printed.arms) < 2:
        return None
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


@lru_cache(maxsize=4096)
def _p(name, cells, n_arms):
    return TESTS[name](np.array(cells).reshape(-1, n_arms)).p


def p_value(name, table) -> float:
    """The p value of one of `TESTS`, levels that nobody has left out; NaN where it is none."""
    table = table[table.any(axis=1)]
    return _p(name, tuple(table.ravel().tolist()), table.shape[1])


def reproducing_tests(tested) -> list[tuple[str, float]]:
    """The tests, with their p, that give the printed p value from any of the tables."""
    found = []
    for table, name in itertools.product(tested.tables, TESTS):
        p = p_value(name, table)
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
        values = [p_value(name, table) for table in tested.tables for name in TESTS]
        names = dict.fromkeys(name for name, _ in reproducing_tests(tested))
        shown = _every_p(tested.tables[0])
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


@register("fragility", "Patients that undo a result", informs=True)
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
        moved = fewest_moved(tested.tables[0], name, level)
        to = "at or above" if p < level else "below"
        yield Check(
            "fragility",
            tested.p.subject,
            f"patients moved until {name}'s p is {to} {level:g}",
            texts(tested.p, *tested.counts),
            f"{'none' if moved is None else moved} of them; {_every_p(tested.tables[0])}",
            INFORMATION,
            low=math.nan if moved is None else moved,
            high=math.nan if moved is None else moved,
        )


def _every_p(table):
    return ", ".join(f"{name} {format_p(p_value(name, table))}" for name in TESTS)


def fewest_moved(table, name, level) -> int | None:
    """The fewest patients of one arm to be moved between the rows of a 2 x 2 table.

    Parameters
    ----------
    table : ndarray of shape (2, 2)
        Arms in columns.
    name : str
        One of `TESTS`.
    level : float

    Returns
    -------
    int or None
        None where no move in one arm crosses the level.
    """
    significant = p_value(name, table) < level
    for moved in range(1, int(table.max()) + 1):
        for arm, sign in itertools.product((0, 1), (1, -1)):
            changed = table.copy()
            changed[:, arm] += np.array([-moved, moved]) * sign
            if changed.min() < 0:
                continue
            p = p_value(name, changed)
            if not math.isnan(p) and (p < level) != significant:
                return moved
    return None


def most_frequent(printed, group, n, level="any_grade") -> list[Number]:
    """The adverse events of most patients of a group, in order; as many more as tie.

    Parameters
    ----------
    printed : Printed
    group : str
    n : int
    level : str
    """
    counts = printed.all("n", analysis="adverse_event", group=group, level=level)
    ordered = sorted(counts, key=lambda number: -number.value)
    return [number for number in ordered if number.value >= ordered[min(n, len(ordered)) - 1].value]


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
