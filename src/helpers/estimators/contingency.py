"""Counts: tests of contingency tables, proportions and their contrasts, balance of levels."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import gammaln

from helpers.estimators.estimate import Estimate, PValue, no_estimate, no_test

SMALL_COUNT = 5  # below it the chi-square approximation is not trusted
TIE_TOLERANCE = 1e-7  # tables this close in log probability are equally likely, as in R
SAME_SURPRISE = 1e-9  # partial tables this close in log probability are counted together
EXACT_WORK = 5_000_000  # partial tables that one step of the exact test may hold
MONTE_CARLO_TABLES = 100_000
MONTE_CARLO_SEED = 20240387


def pearson(table) -> PValue:
    """Pearson's chi-square test of an r x k table, without continuity correction.

    Parameters
    ----------
    table : array_like of shape (r, k)
        Counts.

    Returns
    -------
    PValue
        NaN where a row or a column is empty, since an expected count is then zero.
    """
    return _chi_square(table, "pearson", correction=False)


def yates(table) -> PValue:
    """Chi-square test with Yates's continuity correction.

    The correction exists for 2 x 2 tables; a larger table is tested without it, and the
    method says so. As in R, it never exceeds the difference that it corrects.

    Parameters
    ----------
    table : array_like of shape (r, k)
        Counts.

    References
    ----------
    Yates F. Contingency tables involving small numbers and the chi-square test.
    J R Stat Soc Suppl 1934;1:217-235.
    """
    method = "yates" if np.shape(table) == (2, 2) else "pearson"
    return _chi_square(table, method, correction=True)


def _chi_square(table, method, correction):
    table = np.asarray(table)
    if table.shape != _without_empty(table).shape:
        return no_test("a row or a column is empty")
    if min(table.shape) < 2:
        return no_test("fewer than two rows or columns")
    return PValue(float(_chi_square_p(table, correction)), method)


def _chi_square_p(tables, correction):
    """p values of tables without empty rows or columns, of shape (..., r, k)."""
    expected = _expected(tables)
    gap = np.abs(tables - expected)
    n_row, n_column = tables.shape[-2:]
    df = (n_row - 1) * (n_column - 1)
    if correction and df == 1:
        gap = np.maximum(gap - 0.5, 0)
    return stats.chi2.sf((gap**2 / expected).sum(axis=(-1, -2)), df)


def fisher(table) -> PValue:
    """Fisher's exact test of an r x k table (Freeman and Halton).

    The p value is the total probability, given the margins, of the tables that are no more
    likely than the observed one. Tables are built column by column; partial tables that
    leave the same row totals at the same probability are counted together, and no further
    once all or none of their completions belong to the sum (Mehta and Patel).

    Parameters
    ----------
    table : array_like of shape (r, k)
        Counts. Empty rows and columns change nothing.

    Returns
    -------
    PValue
        1 where only one table has these margins. A table too large to enumerate is tested
        on 100,000 random tables from a fixed seed; the method is then ``fisher_monte_carlo``.

    References
    ----------
    Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and
    other problems of significance. Biometrika 1951;38:141-149. Mehta CR, Patel NR. A network
    algorithm for performing Fisher's exact test in r x c contingency tables. J Am Stat Assoc
    1983;78:427-434.
    """
    table = _without_empty(np.asarray(table, dtype=int))
    return _fisher(tuple(map(tuple, table.tolist())))


@functools.lru_cache(maxsize=256)
def _fisher(rows):
    """Fisher's test of a table without empty rows and columns, which several rules may ask for."""
    table = np.array(rows)
    if min(table.shape) < 2:
        return PValue(1.0, "fisher")
    if table.shape[0] > table.shape[1]:
        table = table.T
    row_totals, column_totals = (np.sort(table.sum(axis=axis)) for axis in (1, 0))
    least = float(_log_factorials(np.sort(table, axis=None)) - TIE_TOLERANCE)
    return _fisher_of(tuple(row_totals), tuple(column_totals), least)


@functools.lru_cache(maxsize=10_000)
def _fisher_of(row_totals, column_totals, least):
    row_totals, column_totals = np.array(row_totals), np.array(column_totals)
    try:
        p = _tail_probability(row_totals, column_totals, least)
    except _TooLargeError:
        return _fisher_monte_carlo(row_totals, column_totals, least)
    return PValue(min(1.0, p), "fisher")


class _TooLargeError(Exception):
    pass


@dataclass(frozen=True)
class _Layer:
    """The ways to fill one column: from each state of the row totals left, to the next.

    `low` and `high` bound what the later columns add to the sum of log factorials from the
    state that is reached; `log_weight` is the log of the sum of 1 / (product of factorials)
    over all ways to fill them.
    """

    origin: np.ndarray
    cost: np.ndarray
    target: np.ndarray
    n_origins: int
    low: np.ndarray
    high: np.ndarray
    log_weight: np.ndarray


def _tail_probability(row_totals, column_totals, least):
    """Probability of the tables whose sum of log factorials is at least `least`."""
    n = row_totals.sum()
    log_scale = _log_factorials(np.append(row_totals, column_totals)) - gammaln(n + 1)
    state, surprise, n_tables = np.zeros(1, dtype=int), np.zeros(1), np.ones(1)
    p = 0.0
    for layer in _layers(row_totals, column_totals):
        degree = np.bincount(layer.origin, minlength=layer.n_origins)
        branches = degree[state]
        if branches.sum() > EXACT_WORK:
            raise _TooLargeError
        parent = np.repeat(np.arange(len(state)), branches)
        within = np.arange(len(parent)) - np.repeat(np.cumsum(branches) - branches, branches)
        edge = (np.cumsum(degree) - degree)[state[parent]] + within
        state = layer.target[edge]
        surprise = surprise[parent] + layer.cost[edge]
        n_tables = n_tables[parent]
        all_extreme = surprise + layer.low[state] >= least
        log_p = log_scale + layer.log_weight[state] - surprise
        p += float((n_tables * np.exp(log_p))[all_extreme].sum())
        open_ = ~all_extreme & (surprise + layer.high[state] >= least)
        keys = np.column_stack([state, np.rint(surprise / SAME_SURPRISE).astype(np.int64)])[open_]
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        n_tables = np.bincount(same.ravel(), weights=n_tables[open_])
        state, surprise = state[open_][first], surprise[open_][first]
    return p


def _layers(row_totals, column_totals):
    left = row_totals[None, :]
    edges = []
    for total in column_totals[:-1]:
        columns = _columns(total, row_totals)
        if len(left) * len(columns) > EXACT_WORK:
            raise _TooLargeError
        remaining = left[:, None, :] - columns[None, :, :]
        origin, column = np.nonzero((remaining >= 0).all(axis=2))
        reached = np.sort(remaining[origin, column], axis=1)
        n_origins = len(left)
        left, target = _unique_rows(reached)
        edges.append((origin, _log_factorials(columns)[column], target.ravel(), n_origins, left))
    layers = []
    low = high = _log_factorials(left)
    for number, (origin, cost, target, n_origins, left) in reversed(list(enumerate(edges))):
        later = column_totals[number + 1 :]
        log_weight = gammaln(later.sum() + 1) - _log_factorials(left) - _log_factorials(later)
        layers.append(_Layer(origin, cost, target, n_origins, low, high, log_weight))
        lowest, highest = np.full(n_origins, np.inf), np.full(n_origins, -np.inf)
        np.minimum.at(lowest, origin, cost + low[target])
        np.maximum.at(highest, origin, cost + high[target])
        low, high = lowest, highest
    return reversed(layers)


def _unique_rows(counts):
    """The distinct rows and the place of each, by whole numbers where they are small enough."""
    spans = counts.max(axis=0, initial=0) + 1
    if math.prod(map(int, spans)) >= 2**62:
        rows, place = np.unique(counts, axis=0, return_inverse=True)
        return rows, place.ravel()
    keys, place = np.unique(np.ravel_multi_index(counts.T, spans), return_inverse=True)
    return np.column_stack(np.unravel_index(keys, spans)), place


def _log_factorials(counts):
    return gammaln(counts + 1).sum(axis=-1)


def _columns(total, limits):
    """All columns with this total that do not exceed the row totals."""
    spans = np.minimum(limits, total) + 1
    if math.prod(int(span) for span in spans[:-1]) > EXACT_WORK:
        raise _TooLargeError
    upper = np.indices(spans[:-1]).reshape(len(limits) - 1, -1).T
    last = total - upper.sum(axis=1)
    fits = (last >= 0) & (last <= limits[-1])
    return np.column_stack([upper[fits], last[fits]])


def _fisher_monte_carlo(row_totals, column_totals, least):
    tables = stats.random_table(row_totals, column_totals).rvs(
        MONTE_CARLO_TABLES, random_state=np.random.default_rng(MONTE_CARLO_SEED)
    )
    n_extreme = int((_log_factorials(tables).sum(axis=1) >= least).sum())
    return PValue((n_extreme + 1) / (MONTE_CARLO_TABLES + 1), "fisher_monte_carlo")


def categorical_test(table, rule) -> PValue:
    """Test of association in an r x k table by a named rule.

    Rows and columns that nobody is in are left out first. A table of which less than two
    rows or two columns remain has no test.

    Parameters
    ----------
    table : array_like of shape (r, k)
        Counts.
    rule : str
        ``fisher_if_observed_below_5`` or ``fisher_if_expected_below_5``: Fisher's exact test
        where any observed (expected) count is below 5, otherwise Pearson's; ``chi_square``,
        ``chi_square_yates``, ``fisher``: always that test.

    Returns
    -------
    PValue
        With the name of the test that the rule led to.

    Raises
    ------
    ValueError
        The rule is unknown.
    """
    table = _without_empty(np.asarray(table))
    if min(table.shape) < 2:
        return no_test("fewer than two rows or columns are observed")
    if _needs_fisher(table, rule):
        return fisher(table)
    return yates(table) if rule == "chi_square_yates" else pearson(table)


def _needs_fisher(tables, rule):
    """Which tables a rule leads to Fisher's test, of shape (..., r, k)."""
    match rule:
        case "fisher_if_observed_below_5":
            return tables.min(axis=(-1, -2)) < SMALL_COUNT
        case "fisher_if_expected_below_5":
            return _expected(tables).min(axis=(-1, -2)) < SMALL_COUNT
        case "chi_square" | "chi_square_yates":
            return np.zeros(tables.shape[:-2], bool)
        case "fisher":
            return np.ones(tables.shape[:-2], bool)
    raise ValueError(f"unknown rule {rule!r}")


def _expected(tables):
    rows, columns = (tables.sum(axis=axis, keepdims=True) for axis in (-1, -2))
    return rows * columns / tables.sum(axis=(-1, -2), keepdims=True)


def categorical_test_batch(tables, rule) -> np.ndarray:
    """Test of association in many tables, see `categorical_test`; each distinct one once.

    Parameters
    ----------
    tables : ndarray of shape (n_table, r, k)
        Counts.
    rule : str

    Returns
    -------
    ndarray of shape (n_table,)
        p values; NaN where there is no test.
    """
    distinct, place = _unique_rows(tables.reshape(len(tables), -1))
    distinct = distinct.reshape(-1, *tables.shape[1:])
    p = np.empty(len(distinct))
    is_full = distinct.any(axis=1).all(axis=-1) & distinct.any(axis=2).all(axis=-1)
    by_chi_square = np.flatnonzero(is_full)
    by_chi_square = by_chi_square[~_needs_fisher(distinct[by_chi_square], rule)]
    p[by_chi_square] = _chi_square_p(distinct[by_chi_square], rule == "chi_square_yates")
    for number in np.setdiff1d(np.arange(len(p)), by_chi_square):
        p[number] = categorical_test(distinct[number], rule).p
    return p[place]


def _without_empty(table):
    return table[table.any(axis=1)][:, table.any(axis=0)]


def proportion(n_with, n, conf_level=0.95) -> Estimate:
    """A proportion with its exact (Clopper-Pearson) interval.

    Parameters
    ----------
    n_with, n : int
        Patients with the characteristic, and all patients.
    conf_level : float

    References
    ----------
    Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case
    of the binomial. Biometrika 1934;26:404-413.
    """
    if n == 0:
        return no_estimate("nobody is observed")
    tail = (1 - conf_level) / 2
    low = stats.beta.ppf(tail, n_with, n - n_with + 1) if n_with > 0 else 0.0
    high = stats.beta.ppf(1 - tail, n_with + 1, n - n_with) if n_with < n else 1.0
    return Estimate(n_with / n, float(low), float(high), "clopper_pearson")


def risk_difference(n_with, n, n_with_reference, n_reference, conf_level=0.95) -> Estimate:
    """Difference of two proportions with Newcombe's hybrid score interval.

    Parameters
    ----------
    n_with, n : int
        Patients with the event, and all patients.
    n_with_reference, n_reference : int
        The same in the reference arm, which is subtracted.
    conf_level : float

    References
    ----------
    Newcombe RG. Interval estimation for the difference between independent proportions:
    comparison of eleven methods. Stat Med 1998;17:873-890, method 10.
    """
    if n == 0 or n_reference == 0:
        return no_estimate("an arm is empty")
    share, low, high = _wilson(n_with, n, conf_level)
    share_reference, low_reference, high_reference = _wilson(
        n_with_reference, n_reference, conf_level
    )
    difference = share - share_reference
    return Estimate(
        difference,
        difference - math.hypot(share - low, high_reference - share_reference),
        difference + math.hypot(high - share, share_reference - low_reference),
        "newcombe",
    )


def _wilson(n_with, n, conf_level):
    z = stats.norm.isf((1 - conf_level) / 2)
    share = n_with / n
    centre = (n_with + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * math.sqrt(n * share * (1 - share) + z**2 / 4)
    return share, centre - half, centre + half


def odds_ratio(n_with, n, n_with_reference, n_reference, conf_level=0.95) -> Estimate:
    """Odds ratio with Woolf's interval, normal on the log scale.

    Where one of the four counts is zero, 0.5 is added to each of them (Haldane and
    Anscombe), and the method says so. Where nobody or everybody has the event in both arms
    there is no odds ratio.

    Parameters
    ----------
    n_with, n : int
        Patients with the event, and all patients.
    n_with_reference, n_reference : int
        The same in the reference arm, the denominator.
    conf_level : float

    References
    ----------
    Woolf B. On estimating the relation between blood group and disease. Ann Hum Genet
    1955;19:251-253. Haldane JBS. The estimation and significance of the logarithm of a ratio
    of frequencies. Ann Hum Genet 1956;20:309-311.
    """
    counts = np.array(
        [[n_with, n - n_with], [n_with_reference, n_reference - n_with_reference]], dtype=float
    )
    if _without_empty(counts).shape != counts.shape:
        return no_estimate("a row or a column is empty")
    method = "woolf"
    if not counts.all():
        counts += 0.5
        method = "woolf, 0.5 added to each count"
    log_ratio = float(np.log(counts[0, 0] * counts[1, 1] / (counts[0, 1] * counts[1, 0])))
    half = stats.norm.isf((1 - conf_level) / 2) * math.sqrt((1 / counts).sum())
    return Estimate(
        math.exp(log_ratio), math.exp(log_ratio - half), math.exp(log_ratio + half), method
    )


def standardized_difference(counts, counts_reference) -> float:
    """Standardized difference between two groups in the levels of a characteristic.

    The Mahalanobis distance between the two vectors of proportions; with two levels it is
    the absolute difference of proportions over the root of the mean of the two variances.

    Parameters
    ----------
    counts, counts_reference : array_like of shape (k,)
        Patients of each group at each level.

    Returns
    -------
    float
        Not negative. NaN where a group is empty, or where the groups differ in a direction
        in which neither varies, so that no finite distance exists.

    References
    ----------
    Yang D, Dalton JE. A unified approach to measuring the effect size between two groups
    using SAS. SAS Global Forum 2012, paper 335.
    """
    counts = np.array([counts, counts_reference], dtype=float)
    counts = counts[:, counts.any(axis=0)]
    sizes = counts.sum(axis=1, keepdims=True)
    if not sizes.all():
        return math.nan
    shares = (counts / sizes)[:, 1:]
    difference = shares[0] - shares[1]
    covariance = np.mean([np.diag(share) - np.outer(share, share) for share in shares], axis=0)
    direction = np.linalg.pinv(covariance, hermitian=True) @ difference
    if not np.allclose(covariance @ direction, difference):
        return math.nan
    return math.sqrt(difference @ direction)
