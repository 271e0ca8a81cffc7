"""The compiled engine of the Cox model: Newton's method in one sweep over sorted patients.

Backwards in time, the sums over those at risk grow by a patient at a time; nothing else is kept.
One fit takes many patients, or a batch many fits of few: of cohorts drawn by an ensemble or a
bootstrap.
"""

import math

import numpy as np

from helpers.estimators.cholesky import factorize, solve
from helpers.jit import njit

NEAR = 1e-5  # a step to the maximum this short has the square of this as its error
SINGULAR = 1e-10  # share of a covariate's information that others do not have
VANISHING = 1e-6  # information of an event that is none: the coefficient grows without end
MOST_STEPS = 50
MOST_HALVINGS = 40


def maximize(time, event, covariates, *, ties, strata=None, weights=None, entry=None):
    """Maximize a partial likelihood.

    Parameters
    ----------
    time, event : ndarray of shape (n,)
    covariates : ndarray of shape (n, p)
        With a standard deviation near one.
    ties : {'efron', 'breslow'}
    strata, weights, entry : ndarray of shape (n,), optional

    Returns
    -------
    ndarray of shape (p,) or None
        None where the method does not end at a maximum.
    """
    n = len(time)
    stratum = np.zeros(n, int) if strata is None else np.unique(strata, return_inverse=True)[1]
    order = np.lexsort([time, stratum]) if strata is not None else np.argsort(time, kind="stable")
    entries, entering = np.empty(0), np.empty(0, int)
    if entry is not None:
        entries = entry[order]
        entering = np.lexsort([entries, stratum[order]])
    weights = np.ones(n) if weights is None else weights
    coef = np.zeros(covariates.shape[1])
    found = _maximize(
        time[order],
        event[order],
        stratum[order],
        np.ascontiguousarray(covariates[order]),
        weights[order],
        entries,
        entering,
        ties == "efron",
        coef,
    )[0]
    return coef if found else None


def fit_batch(time, event, covariates, *, ties, members=None):
    """Fit one Cox model to each of many cohorts of the same size.

    Parameters
    ----------
    time, event : ndarray of shape (n_cohort, n)
    covariates : ndarray of shape (n_cohort, n, p)
    ties : {'efron', 'breslow'}
    members : ndarray of shape (n_cohort, n), optional
        Whom a model is fitted to, if not to all.

    Returns
    -------
    coef : ndarray of shape (n_cohort, p)
        NaN where the likelihood has no maximum.
    variance : ndarray of shape (n_cohort, p, p)
    log_likelihood : ndarray of shape (n_cohort,)
    """
    time, event, covariates = (np.asarray(part) for part in (time, event, covariates))
    members = np.ones(time.shape, bool) if members is None else members
    arrays = time.astype(float), event.astype(bool), covariates.astype(float)
    return _fit_batch(*arrays, members, ties == "efron")


@njit
def _fit_batch(time, event, covariates, members, efron):
    n_cohort, n, p = covariates.shape
    coefs, variances = np.full((n_cohort, p), np.nan), np.full((n_cohort, p, p), np.nan)
    values = np.full(n_cohort, np.nan)
    stratum, weights = np.zeros(n, np.int64), np.ones(n)
    entries, entering = np.empty(0), np.empty(0, np.int64)
    x, scale, coef = np.empty((n, p)), np.empty(p), np.empty(p)
    for k in range(n_cohort):
        rows = np.flatnonzero(members[k])
        rows = rows[np.argsort(time[k][rows])]
        size = len(rows)
        for j in range(p):
            for i in range(size):
                x[i, j] = covariates[k, rows[i], j]
            own = x[:size, j]
            scale[j] = own.std() if size else 0.0
            if scale[j] > 0.0:
                own[:] = (own - own.mean()) / scale[j]
        coef[:] = 0.0
        found, value, information = _maximize(
            time[k][rows],
            event[k][rows],
            stratum[:size],
            x[:size],
            weights[:size],
            entries,
            entering,
            efron,
            coef,
        )
        if found:
            values[k] = value
            inverse = np.linalg.inv(information)
            for j in range(p):
                coefs[k, j] = coef[j] / scale[j]
                for i in range(p):
                    variances[k, i, j] = inverse[i, j] / (scale[i] * scale[j])
    return coefs, variances, values


@njit
def _maximize(time, event, stratum, x, weight, entry, entering, efron, coef):
    """Climb to the maximum from `coef`, which becomes it; whether there is one, value, Hessian."""
    p = x.shape[1]
    score, information = np.zeros(p), np.zeros((p, p))
    arrays = (time, event, stratum, x, weight, entry, entering, efron)
    value = _sweep(arrays, coef, score, information)
    step = np.zeros(p)
    for _ in range(MOST_STEPS):
        if not math.isfinite(value) or not _solve(information, score, step):
            break
        longest = np.abs(step).max()
        start = coef.copy()
        allowed = 1e-12 * abs(value)
        for _ in range(MOST_HALVINGS):
            coef[:] = start + step
            new = _sweep(arrays, coef, score, information)
            if new >= value - allowed or longest < NEAR:
                break
            step /= 2
        value = new
        if longest < NEAR:
            least = VANISHING * (weight * event).sum()
            return factorize(information, least, SINGULAR)[1], value, information
    return False, value, information


@njit
def _solve(information, score, step):
    """Newton's step; whether there is one, and not from an information nearly singular."""
    factor, found = factorize(information, 0.0, SINGULAR)
    if found:
        solve(factor, score, step)
    return found


@njit
def _sweep(arrays, coef, score, information):
    """The log likelihood; writes its gradient and its negative Hessian."""
    time, event, stratum, x, weight, entry, entering, efron = arrays
    n, p = x.shape
    score[:] = 0.0
    information[:] = 0.0
    value = 0.0
    total = 0.0
    first, first_tied = np.zeros(p), np.zeros(p)
    second, second_tied = np.zeros((p, p)), np.zeros((p, p))
    i, late = n - 1, len(entering) - 1
    while i >= 0:
        now, here = time[i], stratum[i]
        if i == n - 1 or stratum[i + 1] != here:
            total = 0.0
            first[:] = 0.0
            second[:] = 0.0
            while late >= 0 and stratum[entering[late]] != here:
                late -= 1
        n_event, event_weight, tied = 0, 0.0, 0.0
        last = i
        while i >= 0 and time[i] == now and stratum[i] == here:
            n_event += event[i]
            i -= 1
        if n_event > 1:
            first_tied[:] = 0.0
            second_tied[:] = 0.0
        for k in range(i + 1, last + 1):
            linear = 0.0
            for a in range(p):
                linear += x[k, a] * coef[a]
            hazard = weight[k] * math.exp(linear)
            total += hazard
            _add(first, second, x, k, hazard)
            if event[k]:
                event_weight += weight[k]
                value += weight[k] * linear
                for a in range(p):
                    score[a] += weight[k] * x[k, a]
                if n_event > 1:
                    tied += hazard
                    _add(first_tied, second_tied, x, k, hazard)
        if n_event == 0:
            continue
        while late >= 0 and stratum[entering[late]] == here and entry[entering[late]] >= now:
            k = entering[late]
            linear = 0.0
            for a in range(p):
                linear += x[k, a] * coef[a]
            hazard = weight[k] * math.exp(linear)
            total -= hazard
            _add(first, second, x, k, -hazard)
            late -= 1
        share = event_weight / n_event
        both, own, squared, crossed, own_squared = 0.0, 0.0, 0.0, 0.0, 0.0
        for step in range(n_event):
            gone = step / n_event if efron else 0.0
            inverse = 1.0 / (total - gone * tied)
            value += share * math.log(inverse)
            both += inverse
            own += gone * inverse
            squared += inverse * inverse
            crossed += gone * inverse * inverse
            own_squared += (gone * inverse) ** 2
        for a in range(p):
            score[a] -= share * both * first[a]
            left = share * squared * first[a]
            for b in range(p):
                information[a, b] += share * both * second[a, b] - left * first[b]
        if n_event == 1:
            continue
        for a in range(p):
            score[a] += share * own * first_tied[a]
            left = share * crossed * first_tied[a]
            right = share * (crossed * first[a] - own_squared * first_tied[a])
            for b in range(p):
                information[a, b] += (
                    left * first[b] + right * first_tied[b] - share * own * second_tied[a, b]
                )
    return value


@njit
def _add(first, second, x, k, hazard):
    p = x.shape[1]
    for a in range(p):
        product = hazard * x[k, a]
        first[a] += product
        for b in range(p):
            second[a, b] += product * x[k, b]
