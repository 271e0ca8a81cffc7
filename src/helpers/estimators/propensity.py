"""Weights by the propensity to be treated."""

import numpy as np
import statsmodels.api as sm


def propensity_weights(treated, covariates) -> np.ndarray:
    """Stabilized inverse probability of treatment weights from a logistic regression.

    Parameters
    ----------
    treated : array_like of bool, shape (n,)
    covariates : array_like of shape (n, p)

    Returns
    -------
    ndarray of shape (n,)
        The share of the patient's own treatment over the probability of it given the
        covariates.

    References
    ----------
    Robins JM, Hernan MA, Brumback B. Epidemiology 2000;11:550-560.
    """
    treated = np.asarray(treated, bool)
    design = sm.add_constant(np.asarray(covariates, float), has_constant="add")
    fitted = sm.GLM(treated.astype(float), design, family=sm.families.Binomial()).fit()
    share, probability = treated.mean(), fitted.fittedvalues
    return np.where(treated, share / probability, (1 - share) / (1 - probability))
