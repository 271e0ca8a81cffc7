"""Measured values: quantiles, tests of location, standardized mean difference."""

import functools
import math

import numpy as np
from scipy import stats

from helpers.estimators.estimate import PValue, no_test

QUANTILE_METHODS = {
    1: "inverted_cdf",
    2: "averaged_inverted_cdf",
    3: "closest_observation",
    4: "interpolated_inverted_cdf",
    5: "hazen",
    6: "weibull",
    7: "linear",
    8: "median_unbiased",
    9: "normal_unbiased",
}


def quantile(values, probability, kind):
    """Sample quantile by the numbered definitions of Hyndman and Fan.

    Parameters
    ----------
    values : array_like
        Without missing values.
    probability : float or array_like
        Between 0 and 1.
    kind : int
        1 to 9; 6 is the definition of SPSS, 7 the default of R.

    Returns
    -------
    float or ndarray
        NaN where there is no value.

    References
    ----------
    Hyndman RJ, Fan Y. Sample quantiles in statistical packages. Am Stat 1996;50:361-365.
    """
    if np.size(values) == 0:
        return np.full(np.shape(probability), np.nan)[()]
    return np.quantile(values, probability, method=QUANTILE_METHODS[kind])


def quantile_batch(samples, probability, kind) -> np.ndarray:
    """Quantiles of many samples, see `quantile`.

    Parameters
    ----------
    samples : ndarray of shape (n_sample, n)
        NaN where there is no value.
    probability : array_like of shape (p,)
    kind : int

    Returns
    -------
    ndarray of shape (p, n_sample)
    """
    found = np.full((len(probability), len(samples)), math.nan)
    for rows, (values,) in _by_size(samples):
        if values.shape[1]:
            method = QUANTILE_METHODS[kind]
            found[:, rows] = np.quantile(values, probability, axis=1, method=method)
    return found


def _by_size(*groups):
    """Yield rows in which the groups have as many values as in each other, and these values."""
    ordered = [np.sort(samples, axis=1) for samples in groups]
    sizes = np.column_stack([(~np.isnan(samples)).sum(axis=1) for samples in groups])
    for own in np.unique(sizes, axis=0):
        rows = np.flatnonzero((sizes == own).all(axis=1))
        yield rows, [samples[rows, :n] for samples, n in zip(ordered, own, strict=True)]


def student_t(*groups) -> PValue:
    """Test of equal means, equal variances assumed: Student's t, or one-way ANOVA.

    Parameters
    ----------
    *groups : array_like
        Two or more samples without missing values.

    Returns
    -------
    PValue
        NaN where a group is empty or no value varies.
    """
    groups = _as_arrays(groups)
    sizes, variances = _moments(groups)
    if sizes.min() < 1 or sizes.sum() <= len(groups):
        return no_test("too few values")
    if not np.nansum(variances) > 0:
        return no_test("the values do not vary within the groups")
    method = "student_t" if len(groups) == 2 else "anova"
    return PValue(float(_compare_means(groups)), method)


def _compare_means(groups, **options):
    return stats.f_oneway(*groups, axis=-1, **options).pvalue


def welch_t(*groups) -> PValue:
    """Test of equal means, unequal variances allowed: Welch's t, or Welch's ANOVA.

    Parameters
    ----------
    *groups : array_like
        Two or more samples without missing values.

    Returns
    -------
    PValue
        NaN where a group has fewer than two values, or where values do not vary in both of
        two groups or in any of more.

    References
    ----------
    Welch BL. On the comparison of several mean values: an alternative approach.
    Biometrika 1951;38:330-336.
    """
    groups = _as_arrays(groups)
    sizes, variances = _moments(groups)
    if sizes.min() < 2:
        return no_test("a group has fewer than two values")
    if len(groups) > 2:
        if not variances.min() > 0:
            return no_test("the values of a group do not vary")
        return PValue(float(_compare_means(groups, equal_var=False)), "welch_anova")
    if not variances.sum() > 0:
        return no_test("the values do not vary within the groups")
    (x, y), spreads = groups, np.sqrt(variances)
    test = stats.ttest_ind_from_stats(
        x.mean(), spreads[0], len(x), y.mean(), spreads[1], len(y), equal_var=False
    )
    return PValue(float(test.pvalue), "welch_t")


def rank_sum(*groups, continuity) -> PValue:
    """Test of equal location by ranks: Mann-Whitney, or Kruskal-Wallis for more groups.

    Normal (chi-square) approximation, corrected for ties.

    Parameters
    ----------
    *groups : array_like
        Two or more samples without missing values.
    continuity : bool
        Whether the Mann-Whitney statistic is corrected for continuity, as in R; SPSS does
        not. Kruskal-Wallis has no such correction.

    Returns
    -------
    PValue
        NaN where a group is empty or all values are equal.
    """
    groups = _as_arrays(groups)
    if min(map(len, groups)) == 0:
        return no_test("a group has no value")
    if np.ptp(np.concatenate(groups)) == 0:
        return no_test("all values are equal")
    p = float(_compare_ranks(groups, continuity))
    if len(groups) > 2:
        return PValue(p, "kruskal_wallis")
    return PValue(p, "mann_whitney_continuity" if continuity else "mann_whitney")


def _compare_ranks(groups, continuity):
    if len(groups) > 2:
        return stats.kruskal(*groups, axis=-1).pvalue
    options = {"use_continuity": continuity, "method": "asymptotic"}
    return stats.mannwhitneyu(*groups, axis=-1, **options).pvalue


def signed_rank(differences, *, continuity) -> PValue:
    """Wilcoxon's signed rank test of paired differences.

    Zero differences are left out; normal approximation, corrected for ties.

    Parameters
    ----------
    differences : array_like
        Without missing values.
    continuity : bool
        Whether the statistic is corrected for continuity.

    Returns
    -------
    PValue
        NaN where every difference is zero.

    References
    ----------
    Wilcoxon F. Individual comparisons by ranking methods. Biometrics Bull 1945;1:80-83.
    """
    differences = np.asarray(differences, dtype=float)
    differences = differences[differences != 0]
    if len(differences) == 0:
        return no_test("no value changes")
    test = stats.wilcoxon(differences, correction=continuity, method="asymptotic")
    return PValue(float(test.pvalue), "signed_rank_continuity" if continuity else "signed_rank")


def location_test(groups, rule) -> PValue:
    """Test of location by a named rule; groups without a value are left out first.

    Parameters
    ----------
    groups : sequence of array_like
        One sample a group, without missing values.
    rule : {'student_t', 'welch_t', 'mann_whitney', 'mann_whitney_continuity'}
        Their counterparts are used for more than two groups.

    Returns
    -------
    PValue
        With the name of the test that the rule led to.

    Raises
    ------
    ValueError
        The rule is unknown.
    """
    groups = [group for group in groups if len(group)]
    if len(groups) < 2:
        return no_test("fewer than two groups have values")
    match rule:
        case "student_t":
            return student_t(*groups)
        case "welch_t":
            return welch_t(*groups)
        case "mann_whitney":
            return rank_sum(*groups, continuity=False)
        case "mann_whitney_continuity":
            return rank_sum(*groups, continuity=True)
    raise ValueError(f"unknown rule {rule!r}")


def location_test_batch(groups, rule) -> np.ndarray:
    """Test of location in each of many cohorts, see `location_test`.

    Parameters
    ----------
    groups : sequence of ndarray of shape (n_cohort, n)
        The samples of a group; NaN where there is no value.
    rule : str

    Returns
    -------
    ndarray of shape (n_cohort,)
        p values; NaN where there is no test.
    """
    p = np.full(len(groups[0]), math.nan)
    for rows, samples in _by_size(*groups):
        varies = np.ones(len(rows), bool)
        for values in samples:
            varies &= values[:, -1] > values[:, 0] if values.shape[1] > 1 else False
        for row in np.flatnonzero(~varies):
            p[rows[row]] = location_test([values[row] for values in samples], rule).p
        if varies.any():
            p[rows[varies]] = COMPARISONS[rule]([values[varies] for values in samples])
    return p


COMPARISONS = {
    "student_t": _compare_means,
    "welch_t": functools.partial(_compare_means, equal_var=False),
    "mann_whitney": functools.partial(_compare_ranks, continuity=False),
    "mann_whitney_continuity": functools.partial(_compare_ranks, continuity=True),
}


def standardized_mean_difference(x, y) -> float:
    """Difference of means over the root of the mean of the two variances.

    Parameters
    ----------
    x, y : array_like
        Without missing values; `y` is the reference group.

    Returns
    -------
    float
        NaN where a group has fewer than two values or neither varies.

    References
    ----------
    Austin PC. Balance diagnostics for comparing the distribution of baseline covariates
    between treatment groups. Stat Med 2009;28:3083-3107.
    """
    x, y = _as_arrays((x, y))
    sizes, variances = _moments((x, y))
    if sizes.min() < 2 or not variances.sum() > 0:
        return math.nan
    return float((x.mean() - y.mean()) / math.sqrt(variances.mean()))


def _as_arrays(groups):
    return [np.asarray(group, dtype=float) for group in groups]


def _moments(groups):
    """Sizes and variances; the variance of a single value is NaN, of equal values exactly 0."""
    sizes = np.array([len(group) for group in groups])
    variances = [
        math.nan if len(group) < 2 else 0.0 if np.ptp(group) == 0 else np.var(group, ddof=1)
        for group in groups
    ]
    return sizes, np.array(variances)
