import numpy as np
import pytest

from helpers.estimators.compiling import LARGE
from helpers.estimators.concordance import concordance
from helpers.estimators.count_table import CountTable, number_patterns


def test_concordance_by_hand():
    # Comparable: 1 with 2, 3, 4 (censored at its time counts as later); 3 with 4.
    time, event = [1, 1, 2, 3], [1, 0, 1, 1]
    assert concordance(time, event, [4, 3, 2, 1]) == 1
    assert concordance(time, event, [1, 1, 1, 1]) == 0.5
    assert concordance(time, event, [2, 3, 2, 1]) == pytest.approx((0 + 0.5 + 1 + 1) / 4)
    assert concordance(time, event, [2, 3, 2, 1], weights=[2, 1, 1, 3]) == pytest.approx(
        (2 * (0 + 0.5 + 3) + 3) / (2 * 5 + 3)
    )
    assert np.isnan(concordance([1, 2], [0, 1], [1, 2]))


def test_compiled_and_counted_as_by_pairs():
    rng = np.random.default_rng(1)
    n = LARGE
    time, event = rng.choice(300, n) + 1.0, rng.random(n) < 0.4
    score, weights = rng.choice(40, n), rng.random(n)
    strata, entry = rng.choice(3, n), rng.choice(300, n) * (rng.random(n) < 0.3) - 1.0
    entry = np.minimum(entry, time - 1)
    agreeing = comparable = 0.0
    for dies in np.flatnonzero(event):
        later = (time > time[dies]) | ((time == time[dies]) & ~event)
        later &= (entry < time[dies]) & (strata == strata[dies])
        agrees = (score[later] < score[dies]) + (score[later] == score[dies]) / 2
        agreeing += weights[dies] * (weights[later] @ agrees)
        comparable += weights[dies] * weights[later].sum()
    options = {"strata": strata, "weights": weights, "entry": entry}
    by_pairs = pytest.approx(agreeing / comparable, rel=1e-12)
    assert concordance(time, event, score, **options) == by_pairs
    pattern = number_patterns(score[:, None])
    table = CountTable(time, event, score[:, None], pattern, **options)
    assert table.concordance(table.patterns[:, 0]) == by_pairs
