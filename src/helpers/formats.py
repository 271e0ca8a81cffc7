"""The only place that turns numbers into strings. Rounding is half up."""

import math
import re
from decimal import ROUND_HALF_UP, Decimal

NOT_REACHED = "NA"
NO_VALUE = "–"
MINUS = "−"
SIGNIFICANT_DIGITS = 12  # beyond these a binary fraction is not what was meant
FINER = 2  # decimals that are added at most to tell limits apart
LARGEST_FIXED = 1e12  # from here on, numbers are shown as a power of ten


def round_half_up(value, decimals) -> Decimal:
    """Round to `decimals` places, ties away from zero.

    The number is first read to 12 significant digits, so that 0.285, which no binary
    fraction equals, is a tie.
    """
    exact = Decimal(f"{value:.{SIGNIFICANT_DIGITS}g}")
    return exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


def rounding_edge(tie) -> float:
    """The least float that `round_half_up` reads as this positive tie, or as more.

    Parameters
    ----------
    tie : Decimal
    """
    last_digit = Decimal(tie).adjusted() + 1 - SIGNIFICANT_DIGITS
    if tie == Decimal(1).scaleb(Decimal(tie).adjusted()):  # digits are finer below a power of ten
        last_digit -= 1
    edge = tie - Decimal(5).scaleb(last_digit - 1)
    nearest = float(edge)
    return nearest if Decimal(nearest) >= edge else math.nextafter(nearest, math.inf)


def format_number(value, decimals=1) -> str:
    """Format a number with fixed decimals; ``NA`` if not reached, a dash if there is none."""
    if math.isnan(value):
        return NO_VALUE
    if math.isinf(value):
        return NOT_REACHED
    if abs(value) >= LARGEST_FIXED:
        size = f"{abs(value):.{decimals}e}"
    else:
        size = f"{abs(round_half_up(value, decimals)):f}"
    return f"{MINUS}{size}" if value < 0 and float(size) else size


def format_whole(n) -> str:
    """Format a number of patients or events, with a comma between thousands."""
    return NO_VALUE if math.isnan(n) else f"{round_half_up(n, 0):,f}"


def format_significant(value, digits=4) -> str:
    """Format a number with at most so many significant digits, but all before the point."""
    size = math.floor(math.log10(abs(value))) if value and math.isfinite(value) else 0
    text = format_number(value, max(digits - 1 - size, 0))
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_interval(low, high, decimals=1) -> str:
    """Format an interval as ``low to high``; finer where it is less than a last unit wide."""
    decimals = _decimals_apart(low, high, decimals)
    return f"{format_number(low, decimals)} to {format_number(high, decimals)}"


def _decimals_apart(low, high, decimals):
    """So many decimals, or at most `FINER` more, that limits are a unit of the last apart."""
    for finer in range(decimals, decimals + FINER + 1):
        if round(float(high) - float(low), SIGNIFICANT_DIGITS) >= 10**-finer:
            return finer
    return decimals


def format_estimate(value, low, high, decimals=1) -> str:
    """Format an estimate as ``value (low to high)``; alone without interval, or not reached.

    It is finer where the interval is less than a unit of the last decimal wide, as that of very
    many patients.
    """
    if math.isnan(value):
        return NO_VALUE
    decimals = _decimals_apart(low, high, decimals)
    shown = format_number(value, decimals)
    if math.isnan(low) and math.isnan(high) or low == value == high == math.inf:
        return shown
    return f"{shown} ({format_interval(low, high, decimals)})"


def format_p(p, decimals=3) -> str:
    """Format a p value; below the last shown place it is given as an inequality."""
    if math.isnan(p):
        return NO_VALUE
    smallest = Decimal(1).scaleb(-decimals)
    if Decimal(repr(float(p))) < smallest:
        return f"< {smallest}"
    return format_number(p, decimals)


def format_count(n, percent, decimals=1) -> str:
    """Format a count with its percentage as ``n (percent%)``."""
    if math.isnan(n):
        return NO_VALUE
    if math.isnan(percent):
        return format_whole(n)
    return f"{format_whole(n)} ({format_number(percent, decimals)}%)"


def format_events(n_event, n) -> str:
    """Format events and patients as ``n_event/n``."""
    return f"{format_whole(n_event)}/{format_whole(n)}"


def escape_formula(text) -> str:
    """Text that a spreadsheet program does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def escape_markdown(text) -> str:
    """Text in which nothing is markup, in Markdown or in HTML."""
    return re.sub(r"([\\`*_{}\[\]<>#$&|~!:])", r"\\\1", text)
