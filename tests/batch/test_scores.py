import numpy as np
import pandas as pd
import pytest
from random_cohort import random_cohort
from small_book import ROOT
from three_arms import three_arms

from helpers.batch.cohorts import Batch, stack_cohorts
from helpers.batch.numbers import COMPUTED
from helpers.batch.scores import Scorer
from helpers.cohort import Cohort, load_cohort
from helpers.determined import cohort_of_draw
from helpers.errors import InputError
from helpers.published import COMPARED, NOT_TESTABLE, VERDICTS, compare, load_ledger
from helpers.reconstruct.ensemble import Walk
from helpers.reconstruct.ensemble_files import EnsembleFolder
from helpers.reconstruct.ensemble_run import make_ensemble
from helpers.results import KEYS
from helpers.sections import summarize_all
from helpers.study import load_study

PATHS = [ROOT / "data" / name for name in ("published.csv", "study.yml", "cohort.csv")]
STUDY = load_study(ROOT / "data/study.yml")
CONVENTIONS = {
    "ties": "breslow",
    "median_conf_type": "log_log",
    "median_at_half": "first",
    "categorical_test": "fisher_if_expected_below_5",
    "mean_test": "welch_t",
    "rank_test": "mann_whitney",
    "subgroup_test": "wald",
    "screening_threshold": 0.3,
}


@pytest.fixture(scope="module")
def ledger():
    return load_ledger(ROOT / "data/published.csv")


def stack(cohorts):
    patients = pd.concat([cohort.data for cohort in cohorts], ignore_index=True)
    return stack_cohorts(Cohort(patients, cohorts[0].study), len(cohorts))


def shuffled(cohort, seed, missing=0.0):
    """The cohort with half of its columns in another order, and some values missing."""
    rng, data = np.random.default_rng(seed), cohort.data.copy()
    outcomes = [name for key in cohort.study.endpoints for name in cohort.study.names_of(key)]
    for name in data.columns.difference(["arm", *outcomes]):
        if rng.random() < 0.5:
            data[name] = data[name].take(rng.permutation(len(data))).array
        data[name] = data[name].mask(rng.random(len(data)) < missing)
    for key in cohort.study.endpoints:
        own = [name for name in cohort.study.names_of(key) if name in data]
        data[own] = data[own].take(rng.permutation(len(data))).to_numpy()
        data.loc[rng.random(len(data)) < missing, own] = np.nan
    return Cohort(data, cohort.study)


def bootstrapped(cohort, seed):
    rows = np.random.default_rng(seed).choice(len(cohort.data), len(cohort.data))
    return Cohort(cohort.data.take(rows).reset_index(drop=True), cohort.study)


def assert_scores_are_those_of_the_pages(scores, cohorts, ledger):
    compared = ledger["class"].isin(COMPARED).to_numpy()
    for values, verdicts, cohort in zip(scores.values, scores.verdicts, cohorts, strict=True):
        pages = compare(summarize_all(cohort), ledger)[compared]
        assert list(pages["id"]) == scores.ids
        close = np.isclose(values, pages["value"], rtol=1e-8, atol=1e-12, equal_nan=True)
        assert close.all(), pages[~close].assign(batch=values[~close])[["id", "value", "batch"]]
        assert np.array(VERDICTS)[verdicts].tolist() == pages["verdict"].tolist()


def ledger_of(results):
    """Every number that a batch computes, as if printed to two decimals."""
    known = [row.statistic in COMPUTED.get(row.analysis, ()) for row in results.itertuples()]
    numbers = results[known].drop_duplicates(KEYS)[KEYS].reset_index(drop=True)
    columns = {"printed": "1.00", "decimals": "2", "precision": "2", "class": "cohort"}
    return numbers.assign(id=[f"row{n}" for n in numbers.index], **columns)


def test_all_numbers_and_verdicts_are_those_of_the_pages(cohort, ledger):
    changed = bootstrapped(cohort, 1), shuffled(cohort, 2), shuffled(cohort, 3, missing=0.1)
    cohorts = [cohort, *changed]
    scores = Scorer(ledger, cohorts[0].study).score(stack(cohorts))
    assert_scores_are_those_of_the_pages(scores, cohorts, ledger)
    assert scores.count()["not testable"].tolist() == [0] * len(cohorts)


@pytest.mark.parametrize(
    "cohorts",
    [
        [load_cohort(ROOT / "data/invented.csv", load_study(ROOT / "data/invented.yml"))],
        [bootstrapped(three_arms(conventions=CONVENTIONS), seed) for seed in (1, 2)],
        [random_cohort(STUDY, n=9, seed=seed, missing=0.4) for seed in (1, 2)],
    ],
    ids=["another study", "three arms, other conventions", "few patients, many missing values"],
)
def test_every_number_is_that_of_the_pages(cohorts):
    pages = pd.concat([summarize_all(cohort) for cohort in cohorts])
    ledger = ledger_of(pages)
    scores = Scorer(ledger, cohorts[0].study).score(stack(cohorts))
    assert_scores_are_those_of_the_pages(scores, cohorts, ledger)
    assert (np.array(VERDICTS)[scores.verdicts] != NOT_TESTABLE).any(axis=0).all()


def test_what_needs_a_column_that_is_not_there_is_not_testable(cohort, ledger):
    batch = stack([cohort])
    survival = {"arm", *STUDY.prognostic, *STUDY.names_of("os"), *STUDY.names_of("pfs")}
    columns = {name: values for name, values in batch.columns.items() if name in survival}
    scorer = Scorer(ledger, STUDY)
    whole, part = scorer.score(batch), scorer.score(Batch(columns, cohort.study))
    rows = ledger[ledger["class"].isin(COMPARED)].reset_index(drop=True)
    is_given = rows["analysis"].isin(["cohort", "survival", "subgroup"])
    is_given |= rows["analysis"].str.startswith("cox")
    is_given |= (rows["analysis"] == "baseline") & rows["variable"].isin(STUDY.prognostic)
    assert (part.verdicts[0, is_given] == whole.verdicts[0, is_given]).all()
    assert set(np.array(VERDICTS)[part.verdicts[0, ~is_given]]) == {NOT_TESTABLE}
    assert np.isnan(part.values[0, ~is_given]).all()


def test_a_number_that_is_not_computed_in_a_batch_is_named(ledger):
    rows = ledger[ledger["class"].isin(COMPARED)].iloc[:2].assign(statistic="smd")
    with pytest.raises(ValueError, match=rf"not computed in a batch: {rows['id'].iloc[0]}"):
        Scorer(rows, STUDY)


def test_strata_are_refused(ledger):
    with pytest.raises(ValueError, match="strata or late entries"):
        Scorer(ledger, three_arms("stratified").study)


def test_an_ensemble_is_scored_draw_by_draw(tmp_path, ledger):
    folder, scores = tmp_path / "draws", tmp_path / "scores.csv"
    walk = Walk(
        n_starts=1, n_steps=2_000, n_cooling=3_000, n_sum=500, n_settling=500, n_mends=0, n_tries=1
    )
    options = {"walk": walk, "complete": True, "scores": scores, "jobs": 1}
    make_ensemble(*PATHS, folder, 1, 2, report=str, **options)
    found = pd.read_csv(scores)
    assert found["draw"].tolist() == [1, 2]
    assert (found[VERDICTS].sum(axis=1) == ledger["class"].isin(COMPARED).sum()).all()
    last = EnsembleFolder(folder).read().query("draw == 2").reset_index(drop=True)
    pages = compare(summarize_all(cohort_of_draw(last, STUDY)), ledger)
    pages = pages[pages["class"].isin(COMPARED)]
    assert found[pages["id"]].loc[1].tolist() == pages["verdict"].tolist()


def test_a_folder_for_scores_that_is_not_there_is_named_before_anything_is_drawn(tmp_path):
    with pytest.raises(InputError, match="its folder does not exist"):
        make_ensemble(*PATHS, tmp_path / "draws", 1, 1, scores=tmp_path / "none" / "scores.csv")
    assert not (tmp_path / "draws").exists()
