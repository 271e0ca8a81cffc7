import numpy as np
import pytest

from helpers.estimators.count_table import CountTable
from helpers.estimators.partial_likelihood import PartialLikelihood
from helpers.estimators.risk_sets import RiskSets

# Events at 1 (patient 0) and twice at 3 (patients 2 and 4); 1 is censored at 3, 3 at 5.
TIME = np.array([1.0, 3, 3, 5, 3])
EVENT = np.array([True, False, True, False, True])
VALUES = np.array([1.0, 10, 100, 1000, 10000])


def each_a_pattern(time, event, **options):
    """A table in which each patient has covariates of his own, numbered as he is."""
    everyone = np.arange(len(time))
    return CountTable(time, event, everyone[:, None], everyone, **options)


KINDS = pytest.mark.parametrize("kind", [RiskSets, each_a_pattern])


@KINDS
def test_sums_by_hand(kind):
    sets = kind(TIME, EVENT)
    assert sets.time.tolist() == [1, 3]
    assert sets.n_event.tolist() == [1, 2]
    assert sets.at_risk(VALUES).tolist() == [11111, 11110]
    assert sets.with_event(VALUES).tolist() == [1, 10100]
    assert [x.tolist() for x in sets.list_events()] == [[0, 1, 1], [0, 2, 4], [1, 1, 1]]


@KINDS
def test_entry_and_strata_by_hand(kind):
    # Patient 3 enters at 1: not at risk at 1, at risk at 3.
    late = kind(TIME, EVENT, entry=np.array([0.0, 0, 0, 1, 0]))
    assert late.at_risk(VALUES).tolist() == [10111, 11110]
    apart = kind(TIME, EVENT, strata=np.array([2, 1, 1, 2, 2]))
    # By stratum, in whichever order, then by time.
    found = sorted(zip(apart.time, apart.at_risk(VALUES), apart.with_event(VALUES), strict=True))
    assert found == [(1, 11001, 1), (3, 110, 100), (3, 11000, 10000)]


@KINDS
def test_weights_by_hand(kind):
    sets = kind(TIME, EVENT, weights=np.array([2.0, 1, 3, 1, 5]))
    assert sets.weight.tolist() == [2, 4]
    assert sets.event_weight.tolist() == [2, 0, 3, 0, 5]
    assert sets.at_risk(VALUES).tolist() == [51312, 51310]


@KINDS
def test_exposures_are_the_transpose_of_sums(kind):
    random = np.random.default_rng(1)
    time = random.integers(2, 9, 30).astype(float)
    sets = kind(
        time,
        random.random(30) < 0.6,
        strata=random.integers(0, 2, 30),
        weights=random.random(30),
        entry=np.where(random.random(30) < 0.5, time - random.integers(1, 5, 30), -1),
    )
    patients, risk, events = (random.normal(size=n) for n in (30, *[len(sets.time)] * 2))
    sums = risk @ sets.at_risk(patients) - events @ sets.with_event(patients)
    assert sums == pytest.approx(sets.exposures(risk, events) @ patients)


def test_a_table_counts_patients_of_one_pattern_once():
    table = CountTable(TIME, EVENT, VALUES[:, None] % 2, np.array([0, 1, 1, 1, 1]))
    assert table.patterns.ravel().tolist() == [1, 0]
    assert table.n_patient.tolist() == [1, 4]
    assert table.at_risk(np.array([100, 1])).tolist() == [104, 4]
    assert table.with_event(np.array([100, 1])).tolist() == [100, 2]


def test_likelihood_by_hand():
    # Hazards 1, r, r^2 with r = 2 in the order of their events.
    covariates = np.array([[0.0], [1], [2]])
    sets = RiskSets(np.array([1.0, 2, 3]), np.ones(3, bool))
    there = PartialLikelihood(sets, covariates, np.array([np.log(2)]), ties="efron")
    assert there.value == pytest.approx(np.log(1 / 7 * 2 / 6))
    assert there.means.ravel() == pytest.approx([(2 + 8) / 7, (2 + 8) / 6, 2])
    assert there.score == pytest.approx([0 - 10 / 7 + 1 - 10 / 6])
    variances = 18 / 7 - (10 / 7) ** 2, 18 / 6 - (10 / 6) ** 2
    assert there.information()[0, 0] == pytest.approx(sum(variances))
    weighted = there.information(np.array([0, 5, 9]))
    assert weighted[0, 0] == pytest.approx(5 * variances[1])
    assert there.score_over_time(np.array([2, 5, 9])) == pytest.approx(
        [2 * (0 - 10 / 7) + 5 * (1 - 10 / 6)]
    )


def test_steps_of_ties_by_hand():
    # Three at risk, two tied events of hazard 1: the second counts them one half.
    sets = RiskSets(np.array([1.0, 1, 2]), np.array([True, True, False]))
    x, coef = np.array([[3.0], [5], [9]]), np.zeros(1)
    efron, breslow = (PartialLikelihood(sets, x, coef, ties=t) for t in ("efron", "breslow"))
    assert efron.value == pytest.approx(-np.log(3 * 2))
    assert breslow.value == pytest.approx(-np.log(3 * 3))
    assert efron.means.ravel() == pytest.approx([(17 / 3 + (17 - 8 / 2) / 2) / 2])
    assert breslow.means.ravel() == pytest.approx([17 / 3])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_score_and_information_are_derivatives(ties):
    random = np.random.default_rng(2)
    time, event = random.integers(1, 9, 40).astype(float), random.random(40) < 0.7
    weights, covariates = random.uniform(1, 3, 40), random.normal(size=(40, 2))
    sets = RiskSets(time, event, weights=weights)
    coef, h = np.array([0.3, -0.5]), 1e-5

    def at(coef):
        return PartialLikelihood(sets, covariates, coef, ties=ties)

    for own, step in enumerate(np.eye(2) * h):
        slope = (at(coef + step).value - at(coef - step).value) / (2 * h)
        assert at(coef).score[own] == pytest.approx(slope, rel=1e-6)
        bend = (at(coef + step).score - at(coef - step).score) / (2 * h)
        assert at(coef).information()[own] == pytest.approx(-bend, rel=1e-6)


@KINDS
def test_an_entry_is_before_its_time(kind):
    with pytest.raises(ValueError, match="an entry is not before its time"):
        kind(TIME, EVENT, entry=np.array([0.0, 0, 3, 0, 0]))
