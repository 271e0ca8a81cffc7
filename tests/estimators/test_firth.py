from math import exp, log

import numpy as np
import pytest
from scipy import optimize, stats
from survival_samples import COVARIATES, assert_equals_r, expected, model_data

from helpers.estimators import cox
from helpers.estimators.count_table import CountTable, number_patterns
from helpers.estimators.cox import NO_EVENT, NO_INFORMATION, fit_cox
from helpers.estimators.firth import fit_firth, profile_firth, wald_profile


def statistics(fit, profile):
    by_covariate = {"coef": fit.coef, "std_error": fit.std_error}
    if profile:
        by_covariate |= {
            "conf_low": profile.conf_low,
            "conf_high": profile.conf_high,
            "test": [test.statistic for test in profile.tests],
        }
    return {"log_likelihood": fit.log_likelihood} | {
        f"{name}_{x}": value
        for name, values in by_covariate.items()
        for x, value in zip(COVARIATES, values, strict=True)
    }


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(("sample", "variant", "ties", "values"), expected("firth.csv"))
def test_equals_r(sample, variant, ties, values, counted, monkeypatch):
    if counted:
        monkeypatch.setattr(
            cox, "tabulate", lambda t, e, x, **how: CountTable(t, e, x, number_patterns(x), **how)
        )
    arrays, options = model_data(sample, variant)
    fit = fit_firth(*arrays, ties=ties, **options)
    profile = None
    if "test_x1" in values:
        profile = profile_firth(fit, conf_level=0.95)
        assert profile.method == "profile penalized likelihood"
    assert fit.method == f"cox, {ties} ties, Firth's penalty"
    assert_equals_r(statistics(fit, profile), values, abs=1e-8)


def test_two_patients_by_hand():
    # log r - log(1 + r) + log(r / (1 + r)^2) / 2 is largest where r = exp(coef) is 3, though
    # the likelihood without the penalty, r / (1 + r), has no maximum.
    time, event, x = [1, 2], [1, 1], [[1], [0]]
    fit = fit_firth(time, event, x, ties="efron")
    assert fit.coef == pytest.approx([log(3)])
    assert fit.std_error == pytest.approx([(1 + 3) / 3**0.5])
    assert fit.log_likelihood == pytest.approx(1.5 * log(3) - 2 * log(4))
    assert fit.null_log_likelihood == pytest.approx(-2 * log(2))
    profile = profile_firth(fit, conf_level=0.95)
    gain = 2 * (1.5 * log(3) - 2 * log(4) + 2 * log(2))
    assert profile.tests[0].statistic == pytest.approx(gain)
    assert profile.tests[0].p == pytest.approx(stats.chi2.sf(gain, 1))

    def fallen(b):
        return fit.log_likelihood - (1.5 * b - 2 * log(1 + exp(b))) - stats.chi2.ppf(0.95, 1) / 2

    assert profile.conf_low == pytest.approx([optimize.brentq(fallen, -9, log(3), xtol=1e-12)])
    assert profile.conf_high == pytest.approx([optimize.brentq(fallen, log(3), 9, xtol=1e-12)])


def test_limits_are_finite_where_arms_are_separated():
    time, event, x = [1, 2, 3, 4, 5, 6], [1] * 6, [[1], [1], [1], [0], [0], [0]]
    assert fit_cox(time, event, x, ties="efron").problem
    fit = fit_firth(time, event, x, ties="efron")
    profile = profile_firth(fit, conf_level=0.95)
    assert fit.reasons == ("",)
    assert 0 < profile.conf_low[0] < fit.coef[0] < profile.conf_high[0] < 10
    assert 0 < profile.tests[0].p < 0.05


def test_arms_exchanged_change_the_sign():
    (time, event, x), _ = model_data("veteran", "plain")
    exchanged = x * [-1, 1, 1] + [3, 0, 0]
    fits = [fit_firth(time, event, values, ties="efron") for values in (x, exchanged)]
    assert fits[1].coef == pytest.approx(fits[0].coef * [-1, 1, 1])
    profiles = [profile_firth(fit, conf_level=0.9) for fit in fits]
    assert profiles[1].conf_low[0] == pytest.approx(-profiles[0].conf_high[0])
    assert profiles[1].tests[0].p == pytest.approx(profiles[0].tests[0].p)


def test_a_covariate_without_information_is_set_aside():
    (time, event, x), _ = model_data("ovarian", "plain")
    wide = np.insert(x, 1, 5, axis=1)
    fit, wide_fit = (fit_firth(time, event, values, ties="efron") for values in (x, wide))
    assert wide_fit.coef == pytest.approx(np.insert(fit.coef, 1, np.nan), nan_ok=True)
    assert wide_fit.log_likelihood == pytest.approx(fit.log_likelihood)
    profile = profile_firth(wide_fit, conf_level=0.95)
    assert np.isnan([profile.conf_low[1], profile.conf_high[1], profile.tests[1].p]).all()
    assert profile.tests[1].method == f"none: {NO_INFORMATION}"
    assert np.isfinite(np.delete(profile.conf_low, 1)).all()


def test_of_no_covariate_with_information_there_is_the_null_model():
    data = [1, 2, 3], [1, 1, 1], np.ones((3, 1))
    fit = fit_firth(*data, ties="efron")
    assert fit.log_likelihood == pytest.approx(-log(6))
    assert np.isnan(profile_firth(fit, conf_level=0.95).conf_low).all()


@pytest.mark.parametrize("n", [0, 3])
def test_without_events_nothing_exists(n):
    data = [1.0] * n, [0] * n, np.eye(3)[:n, :2]
    fit = fit_firth(*data, ties="efron")
    assert fit.reasons == (NO_EVENT, NO_EVENT)
    profile = profile_firth(fit, conf_level=0.95)
    assert profile.method == f"none: {NO_EVENT}"
    assert np.isnan([test.p for test in profile.tests]).all()


def test_a_limit_that_is_not_found_does_not_exist_and_is_no_error():
    # Fewer events than covariates: the profile is followed where it can be.
    random = np.random.default_rng(23)
    time, event = np.arange(9.0), random.random(9) < 0.5
    x = random.random((9, 7)) < 0.5
    fit = fit_firth(time, event, x, ties="efron")
    profile = profile_firth(fit, conf_level=0.95)
    found = ~np.isnan(profile.conf_low) & ~np.isnan(fit.coef)
    assert (profile.conf_low[found] < fit.coef[found]).all()
    assert all(0 <= test.p <= 1 or test.method.startswith("none: ") for test in profile.tests)


def test_walds_limits_are_near_those_of_the_profile_with_many_patients():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 2, (3000, 2)).astype(float)
    time = np.ceil(rng.exponential(10 / np.exp(x @ [0.5, 0.0])))
    fit = fit_firth(time, np.ones(3000), x, ties="efron")
    wald, profile = wald_profile(fit, conf_level=0.95), profile_firth(fit, conf_level=0.95)
    spread = 1.959963984540054 * fit.std_error
    assert wald.conf_low == pytest.approx(fit.coef - spread, abs=1e-12)
    assert wald.conf_high == pytest.approx(fit.coef + spread, abs=1e-12)
    assert [test.p for test in wald.tests] == pytest.approx(fit.wald_p(), abs=1e-12)
    assert wald.conf_low == pytest.approx(profile.conf_low, abs=1e-3)
    assert wald.conf_high == pytest.approx(profile.conf_high, abs=1e-3)
