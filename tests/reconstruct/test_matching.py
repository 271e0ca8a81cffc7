import numpy as np

from helpers.reconstruct.matching import association_scores, give, normal_scores

ARMS = np.repeat(["a", "b"], [60, 40])


def test_equal_values_share_a_score():
    scores = normal_scores([2, 1, 2, 5])
    assert scores[0] == scores[2]
    assert scores[1] < scores[0] < scores[3]
    assert not normal_scores([3, 3, 3]).any()


def test_values_are_given_within_arms_in_the_order_of_scores():
    arms = np.array(["b", "a", "b", "a"])
    given = give({"a": [20, 10], "b": [5, 7]}, np.array([2.0, 1.0, 1.0, 9.0]), arms)
    assert given.tolist() == [7, 10, 5, 20]


def test_a_stratum_goes_before_the_score():
    arms = np.array(["a"] * 3)
    given = give({"a": [1, 2, 3]}, np.array([3.0, 2.0, 1.0]), arms, np.array([0, 0, 1]))
    assert given.tolist() == [2, 1, 3]


def test_an_exact_association_orders_the_patients():
    known = {"x": np.arange(100.0)}
    scores = association_scores({"x": -1.0}, known, ARMS, np.random.default_rng(1))
    for arm in "ab":
        assert (np.diff(scores[arm == ARMS]) < 0).all()
    blurred = {"x": 0.5}
    exact = association_scores(blurred, known, ARMS, np.random.default_rng(1), exact=True)
    assert (np.diff(exact[ARMS == "a"]) > 0).all()


def test_associations_are_near_the_correlations_asked_for():
    rng = np.random.default_rng(2)
    arms = np.full(4000, "a")
    known = {"x": rng.normal(size=4000), "y": rng.normal(size=4000)}
    scores = association_scores({"x": 0.6, "y": -0.3}, known, arms, rng)
    assert abs(np.corrcoef(scores, known["x"])[0, 1] - 0.6) < 0.04
    assert abs(np.corrcoef(scores, known["y"])[0, 1] + 0.3) < 0.04


def test_no_two_patients_tie():
    known = {"x": np.zeros(100)}
    scores = association_scores({"x": 1.0}, known, ARMS, np.random.default_rng(3))
    assert all(len(set(scores[arm == ARMS])) == (arm == ARMS).sum() for arm in "ab")
