import numpy as np
import pytest

from helpers.estimators.partial_likelihood import PartialLikelihood
from helpers.estimators.risk_sets import RiskSets

# Events at 1 (patient 0) and twice at 3 (patients 2 and 4); 1 is censored at 3, 3 at 5.
TIME = np.array([1.0, 3, 3, 5, 3])
EVENT = np.array([True, False, True, False, True])
VALUES = np.array([1.0, 10, 100, 1000, 10000])


def test_sums_by_hand():
    efron = RiskSets(TIME, EVENT, ties="efron")
    assert efron.time.tolist() == [1, 3, 3]
    assert efron.patient.tolist() == [0, 2, 4]
    assert efron.first_of_ties.tolist() == [0, 1]
    # At the second of two tied events their patients count one half.
    assert efron.sums(VALUES).tolist() == [11111, 11110, 11110 - 10100 / 2]
    breslow = RiskSets(TIME, EVENT, ties="breslow")
    assert breslow.sums(VALUES).tolist() == [11111, 11110, 11110]


def test_entry_and_strata_by_hand():
    # Patient 3 enters at 1: not at risk at 1, at risk at 3.
    late = RiskSets(TIME, EVENT, ties="breslow", entry=np.array([0.0, 0, 0, 1, 0]))
    assert late.sums(VALUES).tolist() == [10111, 11110, 11110]
    apart = RiskSets(TIME, EVENT, ties="breslow", strata=np.array(["b", "a", "a", "b", "b"]))
    assert apart.patient.tolist() == [2, 0, 4]  # by stratum, then by time
    assert apart.sums(VALUES).tolist() == [110, 11001, 11000]


def test_tied_events_share_their_mean_weight():
    sets = RiskSets(TIME, EVENT, ties="efron", weights=np.array([2.0, 1, 3, 1, 5]))
    assert sets.weight.tolist() == [2, 4, 4]


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_exposures_are_the_transpose_of_sums(ties):
    random = np.random.default_rng(1)
    time = random.integers(2, 9, 30).astype(float)
    sets = RiskSets(
        time,
        random.random(30) < 0.6,
        ties=ties,
        strata=random.integers(0, 2, 30),
        entry=np.where(random.random(30) < 0.5, time - random.integers(1, 5, 30), -1),
    )
    patients, steps = random.normal(size=30), random.normal(size=len(sets.time))
    assert steps @ sets.sums(patients) == pytest.approx(sets.exposures(steps) @ patients)


def test_means_of_ties_by_hand():
    sets = RiskSets(TIME, EVENT, ties="efron")
    assert sets.means_of_ties(np.array([[1.0], [2], [4]])).ravel().tolist() == [1, 3, 3]


def test_likelihood_by_hand():
    # Hazards 1, r, r^2 with r = 2 in the order of their events.
    covariates = np.array([[0.0], [1], [2]])
    sets = RiskSets(np.array([1.0, 2, 3]), np.ones(3, bool), ties="efron")
    there = PartialLikelihood(sets, covariates, np.ones(3), np.array([np.log(2)]))
    assert there.value == pytest.approx(np.log(1 / 7 * 2 / 6))
    assert there.means.ravel() == pytest.approx([(2 + 8) / 7, (2 + 8) / 6, 2])
    assert there.score == pytest.approx([0 - 10 / 7 + 1 - 10 / 6])
    variances = 18 / 7 - (10 / 7) ** 2, 18 / 6 - (10 / 6) ** 2
    assert there.information()[0, 0] == pytest.approx(sum(variances))
    weighted = there.information(np.array([0, 5, 9]))
    assert weighted[0, 0] == pytest.approx(5 * variances[1])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_and_information_are_derivatives(ties):
    random = np.random.default_rng(2)
    time, event = random.integers(1, 9, 40).astype(float), random.random(40) < 0.7
    weights, covariates = random.uniform(1, 3, 40), random.normal(size=(40, 2))
    sets = RiskSets(time, event, ties=ties, weights=weights)
    coef, h = np.array([0.3, -0.5]), 1e-5

    def at(coef):
        return PartialLikelihood(sets, covariates, weights, coef)

    for own, step in enumerate(np.eye(2) * h):
        slope = (at(coef + step).value - at(coef - step).value) / (2 * h)
        assert at(coef).score[own] == pytest.approx(slope, rel=1e-6)
        bend = (at(coef + step).score - at(coef - step).score) / (2 * h)
        assert at(coef).information()[own] == pytest.approx(-bend, rel=1e-6)


def test_without_events_there_is_no_step():
    sets = RiskSets(TIME, np.zeros(5, bool), ties="efron")
    assert len(sets.time) == 0
    assert len(sets.sums(VALUES)) == 0


def test_bad_input_is_an_error():
    with pytest.raises(ValueError, match="unknown ties 'exact'; they are one of efron, breslow"):
        RiskSets(TIME, EVENT, ties="exact")
    with pytest.raises(ValueError, match="an entry is not before its time"):
        RiskSets(TIME, EVENT, ties="efron", entry=np.array([0.0, 0, 3, 0, 0]))
