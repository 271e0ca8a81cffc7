"""The partial likelihood of a Cox model at given coefficients."""

import numpy as np


class PartialLikelihood:
    """Value, score and information of a partial likelihood.

    Parameters
    ----------
    sets : RiskSets
    covariates : ndarray of shape (n, p)
    weights : ndarray of shape (n,)
    coef : ndarray of shape (p,)

    Attributes
    ----------
    value : float
        Log likelihood.
    means : ndarray of shape (n_step, p)
        Mean of the covariates over those at risk in each step, by their hazard.
    scores : ndarray of shape (n_step, p)
        Contribution of each step to the score: of its event less what was expected.

    References
    ----------
    Cox DR. Biometrika 1975;62:269-276.
    """

    def __init__(self, sets, covariates, weights, coef):
        linear = covariates @ coef
        linear = linear - linear.max(initial=-np.inf)
        self._sets, self._covariates = sets, covariates
        self.hazard = weights * np.exp(linear)
        own = weights[sets.patient]
        with np.errstate(divide="ignore", invalid="ignore"):
            self.total = sets.sums(self.hazard)
            self.value = float(own @ linear[sets.patient] - sets.weight @ np.log(self.total))
            self.means = sets.sums(self.hazard[:, None] * covariates) / self.total[:, None]
        events = own[:, None] * covariates[sets.patient]
        self.scores = events - sets.weight[:, None] * self.means

    @property
    def score(self) -> np.ndarray:
        """Gradient of the log likelihood."""
        return self.scores.sum(axis=0)

    def information(self, factor=1.0) -> np.ndarray:
        """Negative Hessian of the log likelihood, each step multiplied by `factor`."""
        weight = factor * self._sets.weight
        own = self.hazard * self._sets.exposures(weight / self.total)
        x = self._covariates
        return (x.T * own) @ x - (self.means.T * weight) @ self.means
