"""The Cox proportional hazards model."""

import math
import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats

from helpers.estimators.chi_square import ChiSquare, no_chi_square, quadratic_test
from helpers.estimators.compiling import LARGE
from helpers.estimators.concordance import concordance
from helpers.estimators.count_table import CountTable, number_patterns, tabulate
from helpers.estimators.partial_likelihood import TIES, PartialLikelihood
from helpers.estimators.risk_sets import RiskSets

PRECISION = 1e-9  # of a coefficient per standard deviation of its covariate
NEAR = 1e-6  # a step to the maximum this short has the square of this as its error
FLAT = 1e-9  # gain of likelihood that is none
DIVERGENT = 1e-2  # of the log hazard of a patient: a step this long for no gain has no end
SINGULAR = 1e-10  # information of an event that is no information
VANISHING = 1e-6  # information of an event that is none in the limit
MOST_STEPS = 50
KEPT = 2  # likelihoods of a model that are not computed again

NO_EVENT = "no event"
NO_INFORMATION = "takes one value among those at risk, or follows from other covariates"
MONOTONE = "the likelihood has no maximum (a level without events, or separated by time)"


@dataclass(frozen=True)
class CoxFit:
    """A fitted model.

    Attributes
    ----------
    coef, std_error : ndarray of shape (p,)
        Log hazard ratios and their standard errors; NaN where there is none.
    variance : ndarray of shape (p, p)
    reasons : tuple of str
        Why a coefficient does not exist; empty if it does.
    log_likelihood, null_log_likelihood : float
        At the estimate, or its limit where a coefficient is infinite, and at zero.
    score_test : ChiSquare
        Test that all coefficients are zero.
    concordance : float
    n, n_event : int
    method : str
    model : Model
        What was fitted.
    """

    coef: np.ndarray
    std_error: np.ndarray
    variance: np.ndarray
    reasons: tuple[str, ...]
    log_likelihood: float
    null_log_likelihood: float
    score_test: ChiSquare
    concordance: float
    n: int
    n_event: int
    method: str
    model: "Model"

    @property
    def problem(self) -> str:
        """Why any of the coefficients does not exist; empty if all do."""
        return next((reason for reason in self.reasons if reason), "")

    def method_of(self, place) -> str:
        """The method of a coefficient, or why it does not exist."""
        reason = self.reasons[place]
        return f"none: {reason}" if reason else self.method

    def wald_p(self) -> np.ndarray:
        """Two-sided p value of each coefficient."""
        return 2 * stats.norm.sf(np.abs(self.coef / self.std_error))

    def wald_test(self, which) -> ChiSquare:
        """Test the coefficients at the positions `which` together."""
        which = [place for place in which if self.reasons[place] != NO_INFORMATION]
        if not which:
            return no_chi_square(self.problem)
        for place in which:
            if self.reasons[place]:
                return no_chi_square(self.reasons[place])
        variance = self.variance[np.ix_(which, which)]
        return quadratic_test(self.coef[which], variance, "joint Wald test")

    def interval(self, conf_level) -> tuple[np.ndarray, np.ndarray]:
        """Wald limits of the log hazard ratios."""
        spread = stats.norm.ppf((1 + conf_level) / 2) * self.std_error
        return self.coef - spread, self.coef + spread


def fit_cox(
    time,
    event,
    covariates,
    *,
    ties,
    strata=None,
    weights=None,
    entry=None,
    n_patient=None,
    engine=None,
) -> CoxFit:
    """Fit a Cox model by partial likelihood.

    Parameters
    ----------
    time, event : array_like of shape (n,)
    covariates : array_like of shape (n, p)
    ties : {'efron', 'breslow'}
    strata, weights, entry : array_like of shape (n,), optional
        Baseline hazards of their own; case weights; times after which patients are at risk.
    n_patient : array_like of shape (n,), optional
        How many patients each row stands for; only counts take it.
    engine : {'lifelines', 'newton', 'counts', 'compiled'}, optional
        Who maximizes; chosen by size if not given, and named by the method of the fit.
        lifelines knows Efron's ties only. Newton's method finds the maximum of the likelihood
        as the other estimators see it; with counts, of tables of times and patterns of
        covariates, where these pay; compiled, in sweeps over the patients. What lifelines and
        the sweeps find is kept if it is the maximum but for a last short step.

    Returns
    -------
    CoxFit
        A coefficient without information or without a finite estimate is NaN and has a
        reason; the others are those of the model without it, or of its limit.

    Raises
    ------
    ValueError
        Unknown `ties` or `engine`, or an entry that is not before its time.

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187-220.
    """
    if engine not in (None, *MAXIMIZERS):
        raise ValueError(f"unknown engine {engine!r}; they are {', '.join(MAXIMIZERS)}")
    options = {"strata": strata, "weights": weights, "entry": entry, "n_patient": n_patient}
    counted = None if engine is None else engine == "counts"
    model = prepare_model(time, event, covariates, ties=ties, counted=counted, **options)
    if model.sets is None:
        return fit_without_events(model)
    engine = engine or _choose_engine(model)
    origin = np.zeros(len(model.used))
    null = model.at(origin)
    score_test = no_chi_square(NO_INFORMATION)
    if len(model.used):
        score_test = quadratic_test(null.score, null.information(), "score test")
    found = MAXIMIZERS[engine](model) if len(model.used) else None
    if found is None:
        engine = "counts" if model.is_counted else "newton"
        found = _maximize_newton(model)
    coef, divergent = found
    return describe_fit(
        model,
        coef,
        np.where(divergent, MONOTONE, ""),
        log_likelihood=model.at(coef).value,
        null_log_likelihood=null.value,
        score_test=score_test,
        method=f"cox, {ties} ties, {engine}",
    )


def _choose_engine(model):
    if model.is_counted:
        return "counts"
    if len(model.time) >= LARGE:
        return "compiled"
    return "lifelines" if model.ties == "efron" else "newton"


@dataclass(frozen=True)
class Model:
    """Data of a model, its covariates standardized and those without information set aside.

    Attributes
    ----------
    time, event : ndarray of shape (n,)
    covariates : ndarray of shape (n_row, q)
        The informative ones, with mean zero and standard deviation one. A row is a patient, or
        a pattern of covariates where patients are counted.
    scale : ndarray of shape (q,)
        Their standard deviations.
    used : ndarray of shape (q,)
        Their positions among the `n_covariate` given ones.
    n_covariate : int
    sets : RiskSets, CountTable or None
        None without any event.
    ties : {'efron', 'breslow'}
    strata, weights, entry, n_patient : ndarray of shape (n,) or None
    """

    time: np.ndarray
    event: np.ndarray
    covariates: np.ndarray
    scale: np.ndarray
    used: np.ndarray
    n_covariate: int
    sets: RiskSets | CountTable | None
    ties: str
    strata: np.ndarray | None
    weights: np.ndarray | None
    entry: np.ndarray | None
    n_patient: np.ndarray | None

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.time) if self.n_patient is None else int(self.n_patient.sum())

    @property
    def n_event(self) -> int:
        """Number of patients with the event."""
        own = self.event if self.n_patient is None else self.event * self.n_patient
        return int(own.sum())

    @property
    def is_counted(self) -> bool:
        """Whether rows are patterns of covariates."""
        return isinstance(self.sets, CountTable)

    @property
    def options(self) -> dict:
        """Strata, weights and entries as the estimators take them."""
        return {"strata": self.strata, "weights": self.weights, "entry": self.entry}

    def at(self, coef) -> PartialLikelihood:
        """The likelihood at coefficients of the standardized covariates."""
        key = coef.tobytes()
        if key not in self._recent:
            there = PartialLikelihood(self.sets, self.covariates, coef, ties=self.ties)
            while len(self._recent) >= KEPT:
                self._recent.pop(next(iter(self._recent)))
            self._recent[key] = there
        return self._recent[key]

    @cached_property
    def _recent(self):
        return {}

    def concordance(self, coef) -> float:
        """How well the linear predictor orders the patients by their events."""
        score = (self.covariates * coef).sum(axis=1)
        if self.is_counted:
            return self.sets.concordance(score)
        return concordance(self.time, self.event, score, **self.options)


def prepare_model(
    time,
    event,
    covariates,
    *,
    ties,
    strata=None,
    weights=None,
    entry=None,
    n_patient=None,
    counted=None,
) -> Model:
    """Standardize covariates and set those without information aside.

    `counted` says whether patients are counted by pattern; where it pays if not given. Rows that
    stand for several patients always are.
    """
    if ties not in TIES:
        raise ValueError(f"unknown ties {ties!r}; they are one of {', '.join(TIES)}")
    time, event = np.asarray(time, float), np.asarray(event).astype(bool)
    x = np.asarray(covariates, float)
    options = {"strata": strata, "weights": weights, "entry": entry}
    options |= {
        name: np.asarray(values, None if name == "strata" else float)
        for name, values in options.items()
        if values is not None
    }
    numbers = None if n_patient is None else np.asarray(n_patient)
    sets, of_row = None, np.ones(len(x), int) if numbers is None else numbers
    if event.any():
        if counted or numbers is not None:
            sets = CountTable(time, event, x, number_patterns(x), n_patient=numbers, **options)
        elif counted is None:
            sets = tabulate(time, event, x, **options)
        if sets is None:
            sets = RiskSets(time, event, **options)
        else:
            x, of_row = sets.patterns, sets.n_patient
    x, scale, varies = _standardize(x, of_row)
    used = np.flatnonzero(varies)
    if sets is not None:
        null = PartialLikelihood(sets, x, np.zeros(x.shape[1]), ties=ties)
        used = _informative(null.information(), SINGULAR * (sets.weight @ sets.n_event))
    options["n_patient"] = numbers
    return Model(time, event, x[:, used], scale[used], used, x.shape[1], sets, ties, **options)


def _standardize(x, n_patient):
    """Covariates with mean zero and standard deviation one, that deviation, and which have one."""
    if not len(x):
        return x, np.ones(x.shape[1]), np.zeros(x.shape[1], bool)
    n = n_patient.sum()
    centred = x - n_patient @ x / n
    scale = np.sqrt(n_patient @ centred**2 / n)
    varies = scale > PRECISION * np.abs(x).max(axis=0, initial=0)
    return centred / np.where(varies, scale, 1.0) * varies, scale, varies


def _informative(information, least):
    """Positions whose information is not already that of the positions before them."""
    kept = []
    for place in range(len(information)):
        across = information[kept, place]
        explained = across @ np.linalg.solve(information[np.ix_(kept, kept)], across)
        if information[place, place] - explained > least:
            kept.append(place)
    return np.array(kept, int)


def describe_fit(
    model, coef, problems, *, log_likelihood, null_log_likelihood, score_test, method
) -> CoxFit:
    """Bring an estimate back to the scale and the places of the given covariates.

    `problems` says of each informative coefficient why it does not exist; empty if it does.
    """
    finite = np.flatnonzero(problems == "")
    information = model.at(coef).information()[np.ix_(finite, finite)]
    scale = model.scale[finite]
    places = model.used[finite]
    reasons = np.full(model.n_covariate, NO_INFORMATION, object)
    reasons[model.used] = problems
    full = np.full(model.n_covariate, math.nan)
    full[places] = coef[finite] / scale
    variance = np.full((model.n_covariate, model.n_covariate), math.nan)
    variance[np.ix_(places, places)] = np.linalg.inv(information) / np.outer(scale, scale)
    return CoxFit(
        coef=full,
        std_error=np.sqrt(np.diag(variance)),
        variance=variance,
        reasons=tuple(reasons),
        log_likelihood=log_likelihood,
        null_log_likelihood=null_log_likelihood,
        score_test=score_test,
        concordance=model.concordance(coef),
        n=model.n,
        n_event=model.n_event,
        method=method,
        model=model,
    )


def fit_without_events(model) -> CoxFit:
    """The fit that does not exist."""
    nothing = np.full(model.n_covariate, math.nan)
    return CoxFit(
        coef=nothing,
        std_error=nothing,
        variance=np.full((model.n_covariate, model.n_covariate), math.nan),
        reasons=(NO_EVENT,) * model.n_covariate,
        log_likelihood=math.nan,
        null_log_likelihood=math.nan,
        score_test=no_chi_square(NO_EVENT),
        concordance=math.nan,
        n=model.n,
        n_event=0,
        method=f"none: {NO_EVENT}",
        model=model,
    )


def _maximize_lifelines(model):
    """The estimate of lifelines, or None if it is not the maximum."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    if model.ties != "efron":
        return None
    frame = pd.DataFrame(model.covariates).rename(columns=lambda place: f"x{place}")
    options = {}
    columns = {"strata": "strata", "weights": "weights_col", "entry": "entry_col"}
    for own, name in columns.items():
        if (values := model.options[own]) is not None:
            options[name] = [name] if name == "strata" else name
            frame[name] = values
    frame = frame.assign(time=model.time, event=model.event)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitter = CoxPHFitter().fit(
                frame,
                "time",
                "event",
                fit_options={"precision": 1e-12, "r_precision": 1e-15, "max_steps": 100},
                **options,
            )
        except ConvergenceError:
            return None
    return _polish(model, fitter.params_.to_numpy(float))


def _maximize_compiled(model):
    """The estimate of the compiled sweeps, or None if they end nowhere."""
    from helpers.estimators.compiled_cox import maximize

    coef = maximize(model.time, model.event, model.covariates, ties=model.ties, **model.options)
    return None if coef is None else _polish(model, coef)


def _polish(model, coef):
    """The maximum beside `coef`, or None if it is not near."""
    there = model.at(coef)
    if not np.isfinite(there.value):
        return None
    step = _solve(there.information(), there.score)
    if step is None or np.abs(step).max() > NEAR:
        return None
    return coef + step, np.zeros(len(coef), bool)


def _maximize_newton(model):
    """The estimate, and which of its coefficients grow without end."""
    coef = np.zeros(len(model.used))
    if not len(coef):
        return coef, np.zeros(0, bool)
    there = model.at(coef)
    for _ in range(MOST_STEPS):
        step = _solve(there.information(), there.score)
        if step is None:
            break
        longest = np.abs(step).max()
        if longest < PRECISION:
            return coef + step, np.zeros(len(coef), bool)
        if there.score @ step < FLAT and np.ptp(model.covariates @ step) > DIVERGENT:
            finite = np.flatnonzero(np.abs(step) <= DIVERGENT * longest)
            information = there.information()[np.ix_(finite, finite)]
            left = _informative(information, VANISHING * (model.sets.weight @ model.sets.n_event))
            divergent = np.ones(len(coef), bool)
            divergent[finite[left]] = False
            return coef, divergent
        coef, there = _climb(model, coef, step, there)
    return coef, np.ones(len(coef), bool)


def _climb(model, coef, step, there):
    """Go a step, or as much of it as does not lose likelihood."""
    allowed = 1e-12 * abs(there.value)
    for _ in range(40):
        new = model.at(coef + step)
        if np.isfinite(new.value) and new.value >= there.value - allowed:
            break
        step = step / 2
    return coef + step, new


def _solve(information, score):
    try:
        return np.linalg.solve(information, score)
    except np.linalg.LinAlgError:
        return None


MAXIMIZERS = {
    "lifelines": _maximize_lifelines,
    "newton": _maximize_newton,
    "counts": _maximize_newton,
    "compiled": _maximize_compiled,
}
