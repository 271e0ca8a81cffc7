"""Weights by the propensity: a saturated model by hand."""

import numpy as np

from helpers.estimators.propensity import propensity_weights


def test_one_binary_covariate():
    # of 4 with the covariate 3 are treated, of 6 without it 2: probabilities 3/4 and 1/3
    covariate = np.array([1] * 4 + [0] * 6)
    treated = np.array([1, 1, 1, 0, 1, 1, 0, 0, 0, 0], bool)
    found = propensity_weights(treated, covariate[:, None])
    two_thirds, three_halves = 0.5 / 0.75, 0.5 / (1 / 3)
    expected = [two_thirds] * 3 + [0.5 / 0.25] + [three_halves] * 2 + [0.5 / (2 / 3)] * 4
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_weights_balance_the_covariates():
    rng = np.random.default_rng(5)
    covariates = (rng.random((200, 2)) < 0.5).astype(float)
    treated = rng.random(200) < 0.3 + 0.3 * covariates[:, 0]
    saturated = np.column_stack([covariates, covariates.prod(axis=1)])
    weights = propensity_weights(treated, saturated)
    shares = [np.average(saturated[arm], axis=0, weights=weights[arm]) for arm in
              (treated, ~treated)]
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-6)
