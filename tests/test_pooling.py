import math

import numpy as np
import pandas as pd
import pytest
from drawn import small_study

from helpers.errors import InputError
from helpers.pipeline.sites import expand
from helpers.pooling import pool_sites
from helpers.results import collect_results, result_row, value_of
from helpers.tables.pooled import table_pooled

PLACE = {"endpoint": "os", "variable": "arm", "group": "new_vs_old"}


def results(coef, std_error, method="cox"):
    rows = [("coef", coef), ("std_error", std_error)]
    return collect_results(
        result_row("survival", name, value, method=method, **PLACE) for name, value in rows
    )


SITES = {"A": results(0.1, 0.2), "B": results(0.3, 0.25), "C": results(-0.6, 0.2)}


def value(pooled, statistic, level=""):
    return value_of(pooled, analysis="pooled", statistic=statistic, level=level, **PLACE)


def test_pooling_by_hand():
    """Inverse variance, Cochran's Q, and DerSimonian and Laird's variance between cohorts."""
    pooled = pool_sites(SITES, small_study())
    effects, variances = np.array([0.1, 0.3, -0.6]), np.array([0.04, 0.0625, 0.04])
    weights = 1 / variances
    mean = (weights @ effects) / weights.sum()
    q = weights @ (effects - mean) ** 2
    tau = (q - 2) / (weights.sum() - (weights**2).sum() / weights.sum())
    spread = 1 / (variances + tau)
    random = (spread @ effects) / spread.sum()
    z = 1.959963984540054
    limits = [mean - z / math.sqrt(weights.sum()), mean + z / math.sqrt(weights.sum())]
    assert value(pooled, "fixed_hazard_ratio") == pytest.approx(math.exp(mean))
    assert value(pooled, "fixed_hazard_ratio_conf_low") == pytest.approx(math.exp(limits[0]))
    assert value(pooled, "fixed_hazard_ratio_conf_high") == pytest.approx(math.exp(limits[1]))
    assert value(pooled, "q") == pytest.approx(q)
    assert value(pooled, "i_squared") == pytest.approx(100 * (q - 2) / q)
    assert value(pooled, "tau_squared") == pytest.approx(tau)
    assert value(pooled, "p_heterogeneity") == pytest.approx(math.exp(-q / 2))  # two degrees
    assert value(pooled, "random_hazard_ratio") == pytest.approx(math.exp(random))
    assert value(pooled, "weight_random", "B") == pytest.approx(100 * spread[1] / spread.sum())


def test_cohorts_more_alike_than_by_chance_have_one_effect():
    alike = {"A": results(0.1, 0.2), "B": results(0.11, 0.25)}
    pooled = pool_sites(alike, small_study())
    assert value(pooled, "tau_squared") == value(pooled, "i_squared") == 0
    for end in ("", "_conf_low", "_conf_high"):
        fixed = value(pooled, f"fixed_hazard_ratio{end}")
        assert value(pooled, f"random_hazard_ratio{end}") == fixed
    assert value(pooled, "weight_random", "A") == value(pooled, "weight_fixed", "A")


def test_a_cohort_without_an_estimate_has_no_weight():
    pooled = pool_sites(SITES | {"D": results(math.nan, math.nan)}, small_study())
    assert value(pooled, "n_site") == 3
    assert math.isnan(value(pooled, "weight_fixed", "D"))
    three = pool_sites(SITES, small_study())
    assert value(pooled, "random_hazard_ratio") == value(three, "random_hazard_ratio")
    table = table_pooled(pooled, small_study(), ["A", "B", "C", "D"])
    assert [row.cells for row in table.rows if row.cells[0] == "D"] == [("D", "–", "–", "–")]


def test_the_table_says_why_a_cohort_has_no_ratio():
    study = small_study().model_copy(update={"suppress_below": 5})
    label = "overall survival, New drug against Old drug"
    none = {
        "D": results(math.nan, math.nan, "none: an arm has no event"),
        "E": results(math.nan, math.nan, "hidden: a count below 5"),
    }
    table = table_pooled(pool_sites(SITES | none, study), study, [*SITES, *none])
    assert "Counts from 1 to 4, and what would reveal them, are not shown (–)." in table.notes
    assert f"No hazard ratio (–) of {label}, D: an arm has no event." in table.notes
    assert not any(", E" in note for note in table.notes)


def test_one_estimate_is_not_pooled_over_nothing():
    pooled = pool_sites({"A": SITES["A"], "D": results(math.nan, math.nan)}, small_study())
    assert value(pooled, "fixed_hazard_ratio") == pytest.approx(math.exp(0.1))
    assert math.isnan(value(pooled, "random_hazard_ratio"))
    assert math.isnan(value(pooled, "q"))


def test_patterns_are_expanded_in_the_order_of_names(tmp_path):
    for name in ("b.csv", "a.csv", "c.txt"):
        (tmp_path / name).touch()
    found = expand([tmp_path / "*.csv", tmp_path / "a.csv"])
    assert [path.name for path in found] == ["a.csv", "b.csv"]
    with pytest.raises(InputError, match="names no file"):
        expand([tmp_path / "*.sav"])
    (tmp_path / "a.sav").touch()
    with pytest.raises(InputError, match="two cohorts have this name"):
        expand([tmp_path / "a.*"])


def test_pooled_results_are_unique_rows():
    pooled = pool_sites(SITES, small_study(arms=3))
    assert isinstance(pooled, pd.DataFrame)
    assert set(pooled["group"]) == {"new_vs_old", "none_vs_old"}
