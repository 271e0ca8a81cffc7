"""What the ledger says about one number: the values that round to the print."""

from __future__ import annotations

from decimal import Decimal

from helpers.formats import NOT_REACHED
from helpers.published import COMPARED, NO_TEST
from helpers.results import KEYS

TIE_DIGITS = -7  # nearer to a tie than this share of half a unit is a tie


class PrintedNumbers:
    """The printed numbers of a ledger by their keys.

    Parameters
    ----------
    ledger : DataFrame
        See `helpers.published.load_ledger`. A number that is printed more than once counts
        with every print.
    """

    def __init__(self, ledger):
        rows = ledger[ledger["class"].isin(COMPARED)]
        rows = rows[~rows["printed"].isin([NO_TEST, NOT_REACHED])]
        self._prints = {}
        for row in rows.to_dict("records"):
            key = tuple(row[name] for name in KEYS)
            self._prints.setdefault(key, []).append((row["printed"], int(row["precision"])))

    def prints(self, **keys) -> list[tuple[str, int]]:
        """Each print of a number, with the decimals at which it is compared."""
        return self._prints.get(tuple(keys.get(name, "") for name in KEYS), [])

    def window(self, **keys) -> tuple[Decimal, Decimal] | None:
        """The half-open interval of values that round half up to every print; None if none."""
        windows = [_window(*print_) for print_ in self.prints(**keys)]
        if not windows:
            return None
        return max(low for low, _ in windows), min(high for _, high in windows)

    def fewest_decimals(self, analysis, variable, statistics) -> int | None:
        """The fewest decimals at which any of these statistics is compared; None if none is."""
        decimals = [
            precision
            for key, prints in self._prints.items()
            if (key[0], key[2]) == (analysis, variable) and key[-1] in statistics
            for _, precision in prints
        ]
        return min(decimals, default=None)

    def count(self, size, **keys) -> int | None:
        """A number of patients: as printed, or from its percentage of `size`.

        Raises
        ------
        ValueError
            No whole number, or more than one, has the printed percentage.
        """
        printed = self.window(**keys, statistic="n")
        if printed:
            return round(sum(printed) / 2)
        window = self.window(**keys, statistic="percent")
        if window is None:
            return None
        low, high = window
        fitting = [n for n in range(size + 1) if low <= Decimal(100 * n) / size < high]
        if len(fitting) != 1:
            raise ValueError(f"{keys}: {len(fitting)} counts of {size} have the printed percentage")
        return fitting[0]


def _window(printed, precision):
    """Ties round away from zero, and what is a binary fraction away from a tie is one."""
    half = Decimal(5).scaleb(-precision - 1)
    tie = half.scaleb(TIE_DIGITS).copy_sign(Decimal(printed))
    return Decimal(printed) - half - tie, Decimal(printed) + half - tie


def level_counts(printed, levels, size, **keys) -> dict[str, int] | None:
    """How many of `size` patients are at each level; one level may be the remainder.

    Returns
    -------
    dict or None
        None where the print leaves two levels or more open.
    """
    counts = {level: printed.count(size, level=level, **keys) for level in levels}
    open_ = [level for level, count in counts.items() if count is None]
    if len(open_) > 1:
        return None
    known = sum(count for count in counts.values() if count is not None)
    if open_:
        counts[open_[0]] = size - known
    if min(counts.values()) < 0 or sum(counts.values()) != size:
        raise ValueError(f"{keys}: the printed levels do not add up to {size} patients")
    return counts


def category_counts(categories, sums, size) -> dict[str, int]:
    """Counts of categories of which sums are printed.

    Where the sums leave a choice, the counts of the categories that share a sum are as near as
    possible to the proportion 1 : 2 : 3 … in their order.

    Parameters
    ----------
    categories : sequence of str
    sums : list of (set of str, int)
        Categories, and how many patients they have together.
    size : int

    Raises
    ------
    ValueError
        No counts have these sums.
    """
    sums = [*sums, (set(categories), size)]
    best, least = None, None
    for counts in _fillings(list(categories), sums, {}):
        spread = sum(count * count / place for place, count in enumerate(counts.values(), start=1))
        if least is None or spread < least:
            best, least = counts, spread
    if best is None:
        raise ValueError(f"no counts of {', '.join(categories)} have the printed sums")
    return best


def _fillings(left, sums, counts):
    if not left:
        yield dict(counts)
        return
    category, *later = left
    room = [
        total - sum(counts.get(c, 0) for c in members)
        for members, total in sums
        if category in members
    ]
    forced = {
        total - sum(counts.get(c, 0) for c in members)
        for members, total in sums
        if category in members and not members & set(later)
    }
    choices = forced if forced else range(min(room) + 1)
    for count in choices:
        if 0 <= count <= min(room) and len(forced) <= 1:
            yield from _fillings(later, sums, {**counts, category: count})
