"""The partial likelihood of a Cox model at given coefficients."""

from functools import cached_property

import numpy as np

from helpers.estimators.tied_events import TiedEvents

TIES = ("efron", "breslow")


class PartialLikelihood:
    """Value, score and information of a partial likelihood.

    Events tied at a time follow each other in steps. With Efron's ties the tied patients count
    less from step to step; with Breslow's they count in full in all of them.

    Parameters
    ----------
    sets : RiskSets or CountTable
    covariates : ndarray of shape (n_row, p)
        One row for each of the `sets`.
    coef : ndarray of shape (p,)
    ties : {'efron', 'breslow'}

    Attributes
    ----------
    value : float
        Log likelihood.
    hazard : ndarray of shape (n_row,)
        Up to a factor.

    References
    ----------
    Cox DR. Biometrika 1975;62:269-276. Efron B. J Am Stat Assoc 1977;72:557-565. Breslow N.
    Biometrics 1974;30:89-99.
    """

    def __init__(self, sets, covariates, coef, *, ties):
        if ties not in TIES:
            raise ValueError(f"unknown ties {ties!r}; they are one of {', '.join(TIES)}")
        linear = covariates @ coef
        linear = linear - linear.max(initial=-np.inf)
        self.sets, self.covariates = sets, covariates
        self.hazard = np.exp(linear)
        with np.errstate(divide="ignore", invalid="ignore"):
            with_one = np.column_stack([np.ones(len(linear)), covariates])
            at_risk, tied = self.sums(with_one)
            events = TiedEvents(at_risk[:, 0], tied[:, 0], sets.n_event, efron=ties == "efron")
            self.value = float(sets.event_weight @ linear - sets.weight @ events.logs)
        self._events, self._at_risk, self._tied = events, at_risk[:, 1:], tied[:, 1:]

    def sums(self, values) -> tuple[np.ndarray, np.ndarray]:
        """Sum `values` of each row by hazard: over those at risk, over those with the event."""
        weighted = (self.hazard * values.T).T
        return self.sets.at_risk(weighted), self.sets.with_event(weighted)

    def moment(self, power, degree) -> np.ndarray:
        """Sum over the steps of each time: share gone to `degree` over total hazard to `power`."""
        return self._events.moment(power, degree)

    @cached_property
    def means(self) -> np.ndarray:
        """Mean of the covariates over those at risk at each time, by hazard, over its steps."""
        total = self.moment(1, 0)[:, None] * self._at_risk - self.moment(1, 1)[:, None] * self._tied
        return total / self.sets.n_event[:, None]

    @property
    def score(self) -> np.ndarray:
        """Gradient of the log likelihood."""
        expected = (self.sets.weight * self.sets.n_event) @ self.means
        return self.sets.event_weight @ self.covariates - expected

    def score_over_time(self, factor) -> np.ndarray:
        """The score with what each time adds to it multiplied by `factor`."""
        observed = self.sets.with_event(self.covariates)
        return factor @ observed - (factor * self.sets.weight * self.sets.n_event) @ self.means

    def information(self, factor=1.0) -> np.ndarray:
        """Negative Hessian of the log likelihood, each time multiplied by `factor`."""
        weight, x = factor * self.sets.weight, self.covariates
        exposure = self.sets.exposures(weight * self.moment(1, 0), weight * self.moment(1, 1))
        at_risk, tied = self._at_risk, self._tied
        both, crossed, own = (weight * self.moment(2, degree) for degree in range(3))
        across = (at_risk.T * crossed) @ tied
        squared = (at_risk.T * both) @ at_risk - across - across.T + (tied.T * own) @ tied
        return (x.T * (self.hazard * exposure)) @ x - squared
