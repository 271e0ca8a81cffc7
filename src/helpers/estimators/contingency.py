"""Counts: tests of contingency tables, proportions and their contrasts, balance of levels."""

import math

import numpy as np
from scipy import stats
from scipy.special import gammaln

from helpers.estimators.estimate import Estimate, PValue, no_estimate, no_test

SMALL_COUNT = 5  # below it the chi-square approximation is not trusted
TIE_TOLERANCE = 1e-7  # tables this close in probability are equally likely, as in R
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
    return PValue(float(stats.chi2_contingency(table, correction=correction).pvalue), method)


def fisher(table) -> PValue:
    """Fisher's exact test of an r x k table (Freeman and Halton).

    The p value is the total probability, given the margins, of the tables that are no more
    likely than the observed one. Tables are built column by column; partial tables that
    leave the same row totals at the same probability are counted together.

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
    other problems of significance. Biometrika 1951;38:141-149.
    """
    table = _without_empty(np.asarray(table, dtype=int))
    if min(table.shape) < 2:
        return PValue(1.0, "fisher")
    if table.shape[0] > table.shape[1]:
        table = table.T
    observed = gammaln(table + 1).sum()
    try:
        surprise, n_tables = _enumerate(*(np.sort(table.sum(axis=axis)) for axis in (1, 0)))
    except _TooLargeError:
        return _fisher_monte_carlo(table, observed)
    log_weight = np.log(n_tables) - surprise
    weight = np.exp(log_weight - log_weight.max())
    extreme = surprise >= observed - TIE_TOLERANCE
    return PValue(float(min(1.0, weight[extreme].sum() / weight.sum())), "fisher")


class _TooLargeError(Exception):
    pass


def _enumerate(row_totals, column_totals):
    """Sum of log factorials of every table with these sorted margins, and how many have it."""
    left = row_totals[None, :]
    surprise = np.zeros(1)
    n_tables = np.ones(1)
    for total in column_totals[:-1]:
        columns = _columns(total, row_totals)
        if len(left) * len(columns) > EXACT_WORK:
            raise _TooLargeError
        remaining = left[:, None, :] - columns[None, :, :]
        state, column = np.nonzero((remaining >= 0).all(axis=2))
        left = np.sort(remaining[state, column], axis=1)
        surprise = surprise[state] + gammaln(columns + 1).sum(axis=1)[column]
        keys = np.column_stack([left, np.rint(surprise / TIE_TOLERANCE * 100).astype(np.int64)])
        _, first, same = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        n_tables = np.bincount(same.ravel(), weights=n_tables[state])
        left, surprise = left[first], surprise[first]
    return surprise + gammaln(left + 1).sum(axis=1), n_tables


def _columns(total, limits):
    """All columns with this total that do not exceed the row totals."""
    spans = np.minimum(limits, total) + 1
    if math.prod(int(span) for span in spans[:-1]) > EXACT_WORK:
        raise _TooLargeError
    upper = np.indices(spans[:-1]).reshape(len(limits) - 1, -1).T
    last = total - upper.sum(axis=1)
    fits = (last >= 0) & (last <= limits[-1])
    return np.column_stack([upper[fits], last[fits]])


def _fisher_monte_carlo(table, observed):
    tables = stats.random_table(table.sum(axis=1), table.sum(axis=0)).rvs(
        MONTE_CARLO_TABLES, random_state=np.random.default_rng(MONTE_CARLO_SEED)
    )
    surprise = gammaln(tables + 1).sum(axis=(1, 2))
    n_extreme = np.count_nonzero(surprise >= observed - TIE_TOLERANCE)
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
    match rule:
        case "fisher_if_observed_below_5":
            small = table.min() < SMALL_COUNT
        case "fisher_if_expected_below_5":
            small = stats.contingency.expected_freq(table).min() < SMALL_COUNT
        case "chi_square":
            small = False
        case "chi_square_yates":
            return yates(table)
        case "fisher":
            small = True
        case _:
            raise ValueError(f"unknown rule {rule!r}")
    return fisher(table) if small else pearson(table)


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
