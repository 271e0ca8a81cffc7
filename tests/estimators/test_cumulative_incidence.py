from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from helpers.estimators.cumulative_incidence import cumulative_incidence, incidence_at
from helpers.estimators.kaplan_meier import kaplan_meier

REFERENCE = Path(__file__).parents[1] / "reference"
DATA = pd.read_csv(REFERENCE / "cumulative_incidence_data.csv")
IN_R = pd.read_csv(REFERENCE / "cumulative_incidence.csv")


@pytest.mark.parametrize("truncated", [0, 1])
@pytest.mark.parametrize("cause", [1, 2])
def test_the_estimate_is_that_of_r(cause, truncated):
    entry = np.where(DATA["entry"] > 0, DATA["entry"], -np.inf) if truncated else None
    found = cumulative_incidence(DATA["time"], DATA["cause"], cause, conf_level=0.95, entry=entry)
    expected = IN_R[(IN_R["cause"] == cause) & (IN_R["truncated"] == truncated)]
    assert len(expected) == 5
    for row in expected.itertuples():
        at = incidence_at(found, row.time)
        np.testing.assert_allclose(
            [at.value, at.conf_low, at.conf_high],
            [row.value, row.conf_low, row.conf_high],
            rtol=1e-10,
        )
        error = found.std_error[np.searchsorted(found.time, row.time, side="right") - 1]
        assert error == pytest.approx(row.std_error, rel=1e-10)


def test_four_patients_by_hand():
    """Of four, one has the event at 1, one dies at 2, one is censored at 3, one has it at 4."""
    found = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1], 1, conf_level=0.95)
    np.testing.assert_allclose(found.value, [1 / 4, 1 / 4, 1 / 4, 1 / 4 + 1 / 2])
    other = cumulative_incidence([1, 2, 3, 4], [1, 2, 0, 1], 2, conf_level=0.95)
    np.testing.assert_allclose(other.value, [0, 1 / 4, 1 / 4, 1 / 4])


def test_without_competing_events_it_is_one_minus_kaplan_meier():
    event = (DATA["cause"] > 0).astype(int)
    found = cumulative_incidence(DATA["time"], event, 1, conf_level=0.95)
    curve = kaplan_meier(DATA["time"], event, conf_level=0.95, conf_type="log")
    np.testing.assert_allclose(found.value, 1 - curve.survival, atol=1e-12)


def test_incidences_and_survival_add_up_to_one():
    total = sum(
        cumulative_incidence(DATA["time"], DATA["cause"], cause, conf_level=0.95).value
        for cause in (1, 2)
    )
    curve = kaplan_meier(DATA["time"], DATA["cause"] > 0, conf_level=0.95, conf_type="log")
    np.testing.assert_allclose(total + curve.survival, 1, atol=1e-12)


def test_where_there_is_nothing_to_read():
    found = cumulative_incidence([3, 5], [0, 1], 1, conf_level=0.95)
    assert incidence_at(found, 4).value == 0
    assert np.isnan(incidence_at(found, 6).value)
    assert np.isnan(incidence_at(cumulative_incidence([], [], 1, conf_level=0.9), 1).value)
