import numpy as np
import pytest

from helpers.audit import CHECKS, audit
from helpers.audit.simulated_papers import (
    ERRORS,
    NOT_SIMULATED,
    assess_paper,
    corrupt,
    load_error_rates,
    simulate_paper,
    summarize_detection,
    summarize_false_alarms,
)

N_PAPERS = 1000


@pytest.fixture(scope="module")
def paper():
    return simulate_paper(1)


def test_a_paper_printed_correctly_raises_no_alarm(paper):
    checks = audit(paper)
    assert [check for check in checks if check.fired] == []
    asked = {check.name for check in checks}
    silent = set(CHECKS) - asked
    assert silent == {*NOT_SIMULATED, "padding"}


def test_a_paper_is_printed_in_the_usual_forms(paper):
    texts = paper["printed"]
    assert texts[paper["statistic"] == "percent"].str.fullmatch(r"\d+\.\d").all()
    p = paper["statistic"].isin(["p", "p_wald"])
    assert texts[p].str.fullmatch(r"-|<0\.001|[01]\.\d{3}").all()
    ratios = paper[paper["statistic"] == "hazard_ratio"]
    assert set(ratios["printed"].str.partition(".")[2].str.len()) == {2, 3}


@pytest.mark.parametrize("kind", [kind for kind in ERRORS if kind not in ("label", "entry")])
def test_one_digit_is_changed(paper, kind):
    changed = corrupt(paper, kind, np.random.default_rng(5))
    (place,) = np.flatnonzero((changed != paper).any(axis=1))
    row = paper.loc[place]
    assert row["statistic"] in ERRORS[kind].statistics
    assert row["analysis"] in ERRORS[kind].analyses
    new, old = changed.loc[place, "printed"], row["printed"]
    assert len(new) == len(old)
    assert sum(a != b for a, b in zip(new, old, strict=True)) == 1


def test_a_label_is_turned_round_in_all_its_numbers(paper):
    changed = corrupt(paper, "label", np.random.default_rng(5))
    rows = (changed != paper).any(axis=1)
    assert rows.sum() == 4
    assert (changed.loc[rows, "printed"] == paper.loc[rows, "printed"]).all()


def test_the_stored_answers_are_those_of_the_program():
    stored = load_error_rates().set_index("seed")
    assert len(stored) == N_PAPERS
    assert list(stored.columns) == ["false_alarms", *ERRORS]
    answer = assess_paper(1)
    assert stored.loc[answer.pop("seed")].to_dict() == answer


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, N_PAPERS, 50))
def test_more_of_the_stored_answers(seed):
    stored = load_error_rates().set_index("seed").loc[str(seed)].to_dict()
    answer = assess_paper(seed)
    assert answer.pop("seed") == str(seed)
    assert stored == answer


def test_rates():
    assessed = load_error_rates()
    alarms = summarize_false_alarms(assessed).set_index("name")
    assert alarms.loc["any", "rate"] < 0.01
    # only the check that is not an inequality that must hold may be wrong
    assert set(alarms.index[alarms["fired"] > 0]) <= {
        "any",
        "direction",
        "label",
        "subgroup_limits",
        "subgroup_medians",
    }
    found = summarize_detection(assessed).set_index("kind")
    for kind in ("percent", "count", "event_count", "restated"):
        assert found.loc[kind, "rate"] == 1
    assert found.loc["hazard_ratio", "rate"] > 0.9
    # nothing covers it, but a quarter of the digits make a probability above one
    assert found.loc["logrank_p", "rate"] == pytest.approx(0.25, abs=0.05)
