"""All printed p values together."""

from __future__ import annotations

import math

from statsmodels.stats.multitest import multipletests

from helpers.audit.check import INFORMATION, Check, register
from helpers.audit.hazard_ratios import UNADJUSTED
from helpers.audit.printed import Number, reversed_contrast, sides, texts

METHODS = {"bonferroni": "Bonferroni", "holm": "Holm", "fdr_bh": "Benjamini-Hochberg"}


def distinct_p_values(printed) -> list[Number]:
    """Every printed p value of a test, once; text and table may both hold an unadjusted one."""
    found = {}
    statistics = dict.fromkeys(n.statistic for n in printed.numbers)
    for statistic in statistics:
        if statistic != "p" and not statistic.startswith("p_"):
            continue
        for number in printed.all(statistic):
            if not math.isnan(number.low):
                found.setdefault(_test(number), number)
    return list(found.values())


def _test(number):
    """What makes two p values one test: an unadjusted hazard ratio has two directions."""
    analysis, group = number.analysis, number.group
    if analysis in UNADJUSTED and sides(group):
        analysis, group = "unadjusted", min(group, reversed_contrast(group))
    return analysis, number.endpoint, number.variable, number.level, group


def adjust(values) -> dict[str, list[float]]:
    """Adjusted p values by Bonferroni, Holm, and Benjamini and Hochberg.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70. Benjamini Y, Hochberg Y. J R Stat Soc B
    1995;57:289-300.
    """
    return {name: multipletests(values, method=name)[1].tolist() for name in METHODS}


@register("multiplicity", "Many tests", informs=True)
def multiplicity(printed):
    """How many of all printed p values remain below the level after adjustment.

    Counted where every p value is the largest, and where it is the smallest, that prints as it
    does. Subgroup tests are adjusted among themselves too.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70. Benjamini Y, Hochberg Y. J R Stat Soc B
    1995;57:289-300.
    """
    level = printed.conventions.significance_level
    found = distinct_p_values(printed)
    families = {"all p values": found}
    families["subgroup p values"] = [n for n in found if n.analysis == "subgroup"]
    for name, numbers in families.items():
        if not numbers:
            continue
        below = [n for n in numbers if n.low < level and n.high <= level]
        least, most = (
            adjust([getattr(number, end) for number in numbers]) for end in ("high", "low")
        )
        shown = ", ".join(
            f"{title} {_from_to(_count(least[method], level), _count(most[method], level))}"
            for method, title in METHODS.items()
        )
        yield Check(
            "multiplicity",
            name,
            f"p values below {level:g}, and how many after adjustment",
            texts(*below),
            f"{len(below)} of {len(numbers)}; {shown}",
            INFORMATION,
            low=len(below),
            high=len(numbers),
        )


def _count(p_values, level):
    return sum(p < level for p in p_values)


def _from_to(least, most):
    return str(least) if least == most else f"{least} to {most}"
