from math import log, sqrt

import numpy as np
import pytest
from lifelines import CoxPHFitter
from survival_samples import COVARIATES, PATIENTS, assert_equals_r, expected, model_data

from helpers.estimators.compiled_cox import fit_batch
from helpers.estimators.compiling import LARGE
from helpers.estimators.cox import MONOTONE, NO_EVENT, NO_INFORMATION, fit_cox

ENGINES = ["lifelines", "newton", "counts", "compiled"]


def statistics(fit):
    low, high = fit.interval(0.95)
    by_covariate = {
        "coef": fit.coef,
        "std_error": fit.std_error,
        "conf_low": low,
        "conf_high": high,
        "p": fit.wald_p(),
    }
    found = {
        f"{name}_{x}": value
        for name, values in by_covariate.items()
        for x, value in zip(COVARIATES, values, strict=True)
    }
    return found | {
        "log_likelihood": fit.log_likelihood,
        "null_log_likelihood": fit.null_log_likelihood,
        "score": fit.score_test.statistic,
        "wald": fit.wald_test([0, 1, 2]).statistic,
        "concordance": fit.concordance,
    }


@pytest.mark.parametrize("engine", ENGINES[1:])
@pytest.mark.parametrize(("sample", "variant", "ties", "values"), expected("cox.csv"))
def test_equals_r(sample, variant, ties, values, engine):
    arrays, options = model_data(sample, variant)
    fit = fit_cox(*arrays, ties=ties, engine=engine, **options)
    assert fit.method == f"cox, {ties} ties, {engine}"
    assert_equals_r(statistics(fit), values)


@pytest.mark.parametrize(
    ("sample", "variant", "ties", "values"),
    [case for case in expected("cox.csv") if "-efron" in case.id][::2],
)
def test_lifelines_finds_the_same_maximum(sample, variant, ties, values):
    arrays, options = model_data(sample, variant)
    fit = fit_cox(*arrays, ties=ties, engine="lifelines", **options)
    assert fit.method == "cox, efron ties, lifelines"
    assert_equals_r(statistics(fit), values)


def test_lifelines_by_itself_agrees_with_efron_and_not_with_breslow():
    (time, event, covariates), _ = model_data("lung_months", "plain")
    frame = PATIENTS["lung_months"][["time", "event", *COVARIATES]]
    coef = CoxPHFitter().fit(frame, "time", "event").params_.to_numpy()
    fits = {ties: fit_cox(time, event, covariates, ties=ties) for ties in ("efron", "breslow")}
    assert fits["efron"].coef == pytest.approx(coef, abs=1e-5)
    assert np.abs(fits["breslow"].coef - coef).max() > 1e-3


@pytest.mark.parametrize("engine", ENGINES)
def test_without_ties_by_hand(engine):
    # Likelihood r / (2r + 1) * 1 / (r + 1) with r = exp(coef) is largest where 2 r^2 = 1.
    fit = fit_cox([1, 2, 3], [1, 1, 1], [[1], [0], [1]], ties="efron", engine=engine)
    r = sqrt(0.5)
    shares = 2 * r / (2 * r + 1), r / (r + 1)
    information = sum(share * (1 - share) for share in shares)
    assert fit.coef == pytest.approx([log(r)], abs=1e-12)
    assert fit.std_error == pytest.approx([1 / sqrt(information)])
    assert fit.log_likelihood == pytest.approx(log(r / (2 * r + 1) / (r + 1)))
    assert fit.null_log_likelihood == pytest.approx(log(1 / 6))
    # Score at zero: 1 - 2/3 + 0 - 1/2; information 2/9 + 1/4.
    assert fit.score_test.statistic == pytest.approx((1 / 6) ** 2 / (17 / 36))
    assert fit.score_test.df == 1
    # Pairs: 1 and 2 disagree, 2 and 3 agree, 1 and 3 have equal covariates.
    assert fit.concordance == pytest.approx(1.5 / 3)
    assert (fit.n, fit.n_event, fit.reasons, fit.problem) == (3, 3, ("",), "")


@pytest.mark.parametrize(("ties", "r"), [("efron", sqrt(6)), ("breslow", 2)])
def test_ties_by_hand(ties, r):
    # Events of r and 1 at one time, a third patient at risk. Efron: r / ((r + 2) (r + 3) / 2),
    # Breslow: r / (r + 2)^2.
    fit = fit_cox([1, 1, 2], [1, 1, 0], [[1], [0], [0]], ties=ties)
    likelihood = r / ((r + 2) * (r + 3) / 2) if ties == "efron" else r / (r + 2) ** 2
    assert fit.coef == pytest.approx([log(r)], abs=1e-10)
    assert fit.log_likelihood == pytest.approx(log(likelihood))


def test_weights_are_copies_of_patients_with_breslow_ties():
    (time, event, covariates), _ = model_data("ovarian", "plain")
    copies = np.where(covariates[:, 2] == 2, 3, 1)
    weighted = fit_cox(time, event, covariates, ties="breslow", weights=copies)
    repeated = fit_cox(
        *(np.repeat(x, copies, axis=0) for x in (time, event, covariates)), ties="breslow"
    )
    assert weighted.coef == pytest.approx(repeated.coef)
    assert weighted.std_error == pytest.approx(repeated.std_error)
    assert weighted.concordance == pytest.approx(repeated.concordance)


def test_strata_compare_patients_within_them_only():
    # Each stratum is the model worked by hand; pairs across them would change it.
    time, event, x = [1, 2, 3, 2, 3, 4], [1] * 6, [[1], [0], [1]] * 2
    fit = fit_cox(time, event, x, ties="efron", strata=["a"] * 3 + ["b"] * 3)
    assert fit.coef == pytest.approx([log(sqrt(0.5))])


def test_who_enters_at_a_time_is_not_yet_at_risk_at_it():
    # The patient who enters at 1 is not in the risk set of time 1, and adds nothing to it.
    time, event, x = [1, 2, 3], [1, 1, 1], [[1], [0], [1]]
    late = fit_cox([*time, 1.5], [*event, 0], [*x, [0]], ties="efron", entry=[0, 0, 0, 1])
    assert late.coef == pytest.approx(fit_cox(time, event, x, ties="efron").coef)


def test_scale_and_origin_of_a_covariate_do_not_matter():
    (time, event, x), _ = model_data("veteran", "plain")
    moved = fit_cox(time, event, 1e3 + x / 1e4, ties="efron")
    fit = fit_cox(time, event, x, ties="efron")
    assert moved.coef / 1e4 == pytest.approx(fit.coef, rel=1e-6)
    assert moved.wald_test([0, 1, 2]).p == pytest.approx(fit.wald_test([0, 1, 2]).p, rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("n", [0, 4])
def test_without_events_nothing_exists(engine, n):
    fit = fit_cox([1.0] * n, [0] * n, np.eye(4)[:n, :2], ties="efron", engine=engine)
    assert np.isnan([*fit.coef, *fit.std_error, fit.log_likelihood, fit.concordance]).all()
    assert fit.reasons == (NO_EVENT, NO_EVENT)
    assert np.isnan(fit.wald_test([0]).p) and np.isnan(fit.score_test.p)
    assert fit.method_of(0) == f"none: {NO_EVENT}"
    assert (fit.n, fit.n_event) == (n, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_covariate_of_one_value_is_set_aside(engine):
    (time, event, x), _ = model_data("ovarian", "plain")
    fit = fit_cox(time, event, x, ties="efron", engine=engine)
    constant, copy = np.ones(len(x)), x[:, 0] - x[:, 1]
    wide = np.column_stack([constant, x, copy])
    wide_fit = fit_cox(time, event, wide, ties="efron", engine=engine)
    assert wide_fit.coef == pytest.approx([np.nan, *fit.coef, np.nan], nan_ok=True)
    assert wide_fit.reasons == (NO_INFORMATION, "", "", "", NO_INFORMATION)
    assert wide_fit.log_likelihood == pytest.approx(fit.log_likelihood)
    # Together with one that exists it adds nothing to a test; alone there is no test.
    assert wide_fit.wald_test([0, 1]).p == pytest.approx(fit.wald_p()[0])
    assert wide_fit.wald_test([0]).method == f"none: {NO_INFORMATION}"


def test_of_no_covariate_with_information_there_is_the_null_model():
    fit = fit_cox([1, 2, 3], [1, 1, 1], np.ones((3, 1)), ties="efron")
    assert fit.log_likelihood == fit.null_log_likelihood == pytest.approx(-log(6))
    assert np.isnan(fit.score_test.p)
    assert fit.concordance == 0.5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_level_without_events_leaves_the_others_as_if_it_were_not_there(engine):
    # As its coefficient falls, its patients leave all risk sets.
    (time, event, x), _ = model_data("ovarian", "plain")
    group = (np.arange(len(time)) % 5 == 0).astype(float)
    event = np.where(group == 1, 0, event)
    with_group = np.column_stack([group, x])
    fit = fit_cox(time, event, with_group, ties="efron", engine=engine)
    inside = group == 0
    without = fit_cox(time[inside], event[inside], x[inside], ties="efron", engine=engine)
    assert fit.reasons == (MONOTONE, "", "", "")
    assert np.isnan([fit.coef[0], fit.std_error[0], fit.wald_p()[0]]).all()
    assert fit.coef[1:] == pytest.approx(without.coef, abs=1e-7)
    assert fit.std_error[1:] == pytest.approx(without.std_error, rel=1e-7)
    assert fit.log_likelihood == pytest.approx(without.log_likelihood, abs=1e-7)
    assert fit.method_of(0) == f"none: {MONOTONE}"
    assert fit.wald_test([0, 1]).method == f"none: {MONOTONE}"
    assert fit.wald_test([1]).p == pytest.approx(without.wald_p()[0], rel=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_complete_separation(engine):
    # Every patient of one arm dies before any of the other: the likelihood rises to
    # 1/3! * 1/3! as the hazard ratio grows.
    time, event, x = [1, 2, 3, 4, 5, 6], [1] * 6, [[1], [1], [1], [0], [0], [0]]
    fit = fit_cox(time, event, x, ties="efron", engine=engine)
    assert fit.reasons == (MONOTONE,)
    assert fit.log_likelihood == pytest.approx(-2 * log(6), abs=1e-7)
    assert fit.concordance == pytest.approx((9 + 6 / 2) / 15)


def test_what_varies_only_in_a_level_without_events_has_no_estimate_either():
    time, event = [1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 1, 0]
    x = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1], [0, 0, 1], [0, 0, 0]])
    fit = fit_cox(time, event, x, ties="efron", engine="newton")
    inside = x[:, 0] == 0
    without = fit_cox(np.array(time)[inside], np.array(event)[inside], x[inside, 2:], ties="efron")
    assert fit.reasons == (MONOTONE, MONOTONE, "")
    assert fit.coef[2] == pytest.approx(without.coef[0], abs=1e-7)
    assert fit.std_error[2] == pytest.approx(without.std_error[0], abs=1e-7)


def test_the_size_chooses_the_engine():
    def method(n, x):
        time = 1 + np.arange(n) % 50
        fit = fit_cox(time, np.arange(n) % 3 == 0, x[:n, None], ties="efron")
        return fit.method.removeprefix("cox, efron ties, ")

    few, many = LARGE - 1, LARGE
    discrete = np.arange(many) % 4.0
    assert method(few, discrete) == "lifelines"
    assert method(many, discrete) == "counts"
    assert method(many, np.sin(discrete * np.arange(many))) == "compiled"


def test_one_patient_of_many_without_the_event():
    # The same limit, where the standard deviation of the covariate is below a hundredth.
    n = 20_000
    one = np.arange(n) == n - 1
    event, other = np.arange(n) < 40, np.sin(np.arange(n))
    time = 1.0 + np.arange(n)
    fit = fit_cox(time, event, np.column_stack([one, other]), ties="efron", engine="newton")
    without = fit_cox(time[~one], event[~one], other[~one, None], ties="efron", engine="newton")
    assert fit.reasons == (MONOTONE, "")
    assert fit.coef[1] == pytest.approx(without.coef[0], abs=1e-7)


def test_an_arm_of_one_patient():
    # 1 / (3 + r) * r / (2 + r), largest where r^2 = 6.
    fit = fit_cox([1, 2, 3, 4], [1, 1, 0, 1], [[0], [1], [0], [0]], ties="efron")
    assert fit.coef == pytest.approx([log(6) / 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ties": "exact"}, "unknown ties 'exact'"),
        ({"ties": "efron", "engine": "r"}, "unknown engine 'r'"),
        ({"ties": "efron", "entry": [0, 2, 0]}, "an entry is not before its time"),
    ],
)
def test_unknown_options_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        fit_cox([1, 2, 3], [1, 1, 1], [[1], [0], [1]], **options)


def test_a_batch_is_many_fits():
    (time, event, x), _ = model_data("lung_months", "plain")
    rng = np.random.default_rng(1)
    rows = np.array([rng.choice(len(time), len(time)) for _ in range(5)])
    for ties in ("efron", "breslow"):
        coef, variance, value = fit_batch(time[rows], event[rows], x[rows], ties=ties)
        for draw, own in enumerate(rows):
            fit = fit_cox(time[own], event[own], x[own], ties=ties, engine="newton")
            assert coef[draw] == pytest.approx(fit.coef, rel=1e-8)
            assert variance[draw] == pytest.approx(fit.variance, rel=1e-8)
            assert value[draw] == pytest.approx(fit.log_likelihood, rel=1e-12)
    separated = fit_batch([[1, 2, 3, 4]], [[1, 1, 1, 1]], [[[1], [1], [0], [0]]], ties="efron")
    assert np.isnan(np.concatenate([part.ravel() for part in separated])).all()
