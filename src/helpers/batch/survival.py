"""Survival by arm, within subgroups, and Cox models of many cohorts at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.batch.cohorts import batch_row
from helpers.estimators import kaplan_meier as km
from helpers.estimators.compiled_cox import fit_batch
from helpers.estimators.cox import fit_cox
from helpers.estimators.logrank import logrank_batch
from helpers.estimators.ordered_times import OrderedTimes
from helpers.regression import Term, directed, terms_of
from helpers.results import BETWEEN_ARMS, OVERALL

MEDIAN = ("median", "median_conf_low", "median_conf_high")
RATIO = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high")
COEFFICIENT = (*RATIO, "p_wald", "coef", "std_error")
MULTIVARIABLE = ("cox_multivariable", "cox_full")


def summarize_survival_batch(batch, wanted):
    """Yield the wanted numbers of survival, subgroups and Cox models, see `batch_row`.

    Parameters
    ----------
    batch : Batch
        What needs a column that it does not have is left out.
    wanted : Wanted
    """
    study = batch.study
    for endpoint in study.endpoints:
        if not wanted(endpoint=endpoint) or f"{endpoint}_time" not in batch.columns:
            continue
        outcome = _Outcome(batch, endpoint)
        yield from _survival_rows(outcome, wanted)
        for variable in study.subgroups:
            if variable in batch.columns:
                yield from _subgroup_rows(outcome, variable, wanted)
        if set(study.prognostic) <= set(batch.columns):
            yield from _prognostic_rows(outcome, wanted)


class _Outcome:
    """An endpoint of each cohort of a batch."""

    def __init__(self, batch, endpoint):
        self.batch, self.endpoint = batch, endpoint
        self.time = batch.columns[f"{endpoint}_time"]
        self.event = batch.columns[f"{endpoint}_event"] == 1
        self.is_known = ~np.isnan(self.time)
        self.ordered = OrderedTimes(self.time)

    def curve(self, members, *, reverse=False):
        """The Kaplan-Meier estimate of some patients, or that of their follow-up."""
        conventions = self.batch.study.conventions
        return km.kaplan_meier_batch(
            self.ordered,
            ~self.event if reverse else self.event,
            members,
            conf_level=conventions.confidence_level,
            conf_type=conventions.median_conf_type,
        )

    def median(self, members, **options):
        """The median of some patients."""
        at_half = self.batch.study.conventions.median_at_half
        return km.median(self.curve(members, **options), at_half=at_half)


def _estimate_rows(statistic, estimate, **keys):
    yield batch_row(statistic=statistic, values=estimate.value, **keys)
    for limit in ("conf_low", "conf_high"):
        yield batch_row(statistic=f"{statistic}_{limit}", values=getattr(estimate, limit), **keys)


def _survival_rows(outcome, wanted):
    keys = {"analysis": "survival", "endpoint": outcome.endpoint, "variable": "arm"}
    if not wanted(**keys):
        return
    yield from _arm_rows(outcome, outcome.is_known, wanted, **keys)
    for group, everyone in outcome.batch.groups.items():
        n_missing = (everyone & ~outcome.is_known).sum(axis=1)
        yield batch_row(statistic="n_missing", values=n_missing, group=group, **keys)
        members = everyone & outcome.is_known
        if wanted(statistic="followup_median", group=group, **keys):
            median = outcome.median(members, reverse=True)
            yield from _estimate_rows("followup_median", median, group=group, **keys)
        milestones = {f"{milestone:g}": milestone for milestone in outcome.batch.study.milestones}
        for level, milestone in milestones.items():
            if wanted(statistic="survival", level=level, group=group, **keys):
                at = km.survival_at(outcome.curve(members), milestone)
                yield from _estimate_rows("survival", at, level=level, group=group, **keys)


def _subgroup_rows(outcome, variable, wanted):
    keys = {"analysis": "subgroup", "endpoint": outcome.endpoint, "variable": variable}
    batch = outcome.batch
    for level in batch.study.levels(variable):
        here = {"level": level, **keys}
        if not wanted(**here):
            continue
        members = outcome.is_known & (batch.is_at(variable, level) == 1)
        yield from _arm_rows(outcome, members, wanted, **here)
        if wanted(statistic="p", **here):
            if batch.study.conventions.subgroup_test == "logrank":
                p = _logrank(outcome, members)
            else:
                p = _fit(outcome, ["arm"], members).joint_p
            yield batch_row(statistic="p", values=p, group=BETWEEN_ARMS, **here)


def _arm_rows(outcome, members, wanted, **keys):
    """Yield the patients, events and medians of each arm, and what compares the arms."""
    for group, everyone in outcome.batch.groups.items():
        own = everyone & members
        yield batch_row(statistic="n", values=own.sum(axis=1), group=group, **keys)
        n_event = (own & outcome.event).sum(axis=1)
        yield batch_row(statistic="n_event", values=n_event, group=group, **keys)
        if any(wanted(statistic=name, group=group, **keys) for name in MEDIAN):
            yield from _estimate_rows("median", outcome.median(own), group=group, **keys)
    if wanted(statistic="p_logrank", **keys):
        p = _logrank(outcome, members)
        yield batch_row(statistic="p_logrank", values=p, group=BETWEEN_ARMS, **keys)
    if any(wanted(statistic=name, **keys) for name in COEFFICIENT):
        fits = _fit(outcome, ["arm"], members)
        yield from _coefficient_rows(outcome, *fits.coefficients, **keys)


def _logrank(outcome, members):
    groups = [arm & members for arm in outcome.batch.arms]
    return logrank_batch(outcome.ordered, outcome.event, groups)


def _prognostic_rows(outcome, wanted):
    batch, endpoint = outcome.batch, outcome.endpoint
    study = batch.study
    models = [name for name in MULTIVARIABLE if wanted(analysis=name, endpoint=endpoint)]
    p_screening = []
    for variable in study.prognostic:
        keys = {"analysis": "cox_univariable", "endpoint": endpoint, "variable": variable}
        if not models and not wanted(**keys):
            continue
        fit = _fit(outcome, [variable], outcome.is_known)
        p_screening.append(fit.joint_p)
        yield from _coefficient_rows(outcome, *fit.coefficients, **keys)
        for statistic, values in (
            ("p_screening", fit.joint_p),
            ("n", fit.n),
            ("n_event", fit.n_event),
        ):
            yield batch_row(statistic=statistic, values=values, **keys)
        for level in study.levels(variable) if study.reference(variable) is not None else ():
            has = outcome.is_known & (batch.is_at(variable, level) == 1)
            here = {"level": level, "group": OVERALL, **keys}
            yield batch_row(statistic="n", values=has.sum(axis=1), **here)
            n_event = (has & outcome.event).sum(axis=1)
            yield batch_row(statistic="n_event", values=n_event, **here)
    for analysis in models:
        entered = np.ones((batch.n_cohort, len(study.prognostic)), bool)
        if analysis == "cox_multivariable":
            entered = np.column_stack(p_screening) < study.conventions.screening_threshold
        fits = _fit_entered(outcome, entered)
        yield from _coefficient_rows(outcome, *fits, analysis=analysis, endpoint=endpoint)


@dataclass(frozen=True)
class _Fits:
    """A Cox model of each cohort.

    Attributes
    ----------
    terms : list of Term
    coef : ndarray of shape (n_cohort, n_term)
        NaN where there is none.
    std_error : ndarray of shape (n_cohort, n_term)
    joint_p : ndarray of shape (n_cohort,)
        Of the Wald test of all terms.
    n, n_event : ndarray of shape (n_cohort,)
        Patients whose covariates are known, and those of them with the event.
    """

    terms: list[Term]
    coef: np.ndarray
    std_error: np.ndarray
    joint_p: np.ndarray
    n: np.ndarray
    n_event: np.ndarray

    @property
    def coefficients(self):
        """Terms, coefficients and their standard errors."""
        return self.terms, self.coef, self.std_error


def _fit(outcome, variables, members, rows=slice(None)):
    """Fit a model to some patients of each cohort, or of some cohorts."""
    study, columns = outcome.batch.study, outcome.batch.columns
    terms = [term for variable in variables for term in terms_of(study, variable)]
    members = members[rows] & ~np.isnan([columns[name][rows] for name in variables]).any(axis=0)
    covariates = np.stack(
        [
            columns[term.variable][rows] / term.step
            if term.level is None
            else outcome.batch.is_at(term.variable, term.level)[rows]
            for term in terms
        ],
        axis=-1,
    )
    arrays = outcome.time[rows], outcome.event[rows], covariates
    ties = study.conventions.ties
    coef, variance, value = fit_batch(*arrays, ties=ties, members=members)
    found = ~np.isnan(value)
    joint_p = np.full(len(value), np.nan)
    slope = np.linalg.solve(variance[found], coef[found][..., None])[..., 0]
    joint_p[found] = stats.chi2.sf((coef[found] * slope).sum(axis=1), len(terms))
    for k in np.flatnonzero(~found):
        own = (array[k][members[k]] for array in arrays)
        fit = fit_cox(*own, ties=ties, engine="newton")
        coef[k], variance[k] = fit.coef, fit.variance
        joint_p[k] = fit.wald_test(range(len(terms))).p
    std_error = np.sqrt(np.diagonal(variance, axis1=1, axis2=2))
    n_event = (members & arrays[1]).sum(axis=1)
    return _Fits(terms, coef, std_error, joint_p, members.sum(axis=1), n_event)


def _fit_entered(outcome, entered):
    """Fit to each cohort the model of what entered it: all terms, coefficients, their errors."""
    study = outcome.batch.study
    terms = [term for variable in study.prognostic for term in terms_of(study, variable)]
    coef, std_error = np.full((2, len(entered), len(terms)), np.nan)
    for chosen in np.unique(entered, axis=0):
        variables = [name for name, has in zip(study.prognostic, chosen, strict=True) if has]
        if variables:
            rows = np.flatnonzero((entered == chosen).all(axis=1))
            fits = _fit(outcome, variables, outcome.is_known, rows)
            places = np.flatnonzero([term.variable in variables for term in terms])
            coef[np.ix_(rows, places)], std_error[np.ix_(rows, places)] = fits.coef, fits.std_error
    return terms, coef, std_error


def _coefficient_rows(outcome, terms, coefs, std_errors, **keys):
    spread = stats.norm.ppf((1 + outcome.batch.study.conventions.confidence_level) / 2)
    for term, coef, std_error in zip(terms, coefs.T, std_errors.T, strict=True):
        limits = coef - spread * std_error, coef + spread * std_error
        p = 2 * stats.norm.sf(np.abs(coef / std_error))
        here = {"variable": term.variable, **keys}
        for group, sign in term.directions.items():
            for statistic, values in directed(sign, coef, std_error, limits, p).items():
                yield batch_row(statistic=statistic, values=values, group=group, **here)
