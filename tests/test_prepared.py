"""What a run leaves beside its cohort for the notebooks."""

import dataclasses

import pandas as pd
import pytest
from random_cohort import random_frame
from small_book import ROOT

from helpers.chapter import open_chapter, open_study
from helpers.cohort import load_cohort
from helpers.disclosure import hiding_below, suppress
from helpers.parameters import Parameters
from helpers.pipeline.project import BuildError
from helpers.pipeline.sections import _compute, compute_sections
from helpers.prepared import folder_of, open_cohort, results_of, write_patients, write_sections
from helpers.results import read_results
from helpers.sections import SECTIONS, hide_small_counts, summarize_all, summarize_sections
from helpers.study import load_study


@pytest.fixture(scope="module")
def study():
    return load_study(ROOT / "data" / "study.yml")


@pytest.fixture(scope="module")
def path(study, tmp_path_factory):
    """A cohort file with missing cells, and its prepared patients and results."""
    path = tmp_path_factory.mktemp("run") / "cohort.csv"
    random_frame(study, n=60, missing=0.1).to_csv(path, index=False)
    cohort = load_cohort(path, study)
    write_patients(cohort, path)
    write_sections(compute_sections(path, study, 2), folder_of(path))
    return path


def test_prepared_patients_are_those_of_the_file(path, study):
    found, expected = open_cohort(path, study).data, load_cohort(path, study).data
    pd.testing.assert_frame_equal(found, expected)
    assert found["arm"].dtype == expected["arm"].dtype


def test_prepared_results_are_those_that_would_be_computed(path, study):
    cohort = load_cohort(path, study)
    found = results_of(path, cohort, SECTIONS)
    pd.testing.assert_frame_equal(found, summarize_all(cohort), check_exact=True)
    elsewhere = path.with_name("other.csv")
    own = results_of(elsewhere, cohort, ["06_safety"])
    pd.testing.assert_frame_equal(own, results_of(path, cohort, ["06_safety"]), check_exact=True)


def test_chapters_show_what_is_prepared(path, study, tmp_path):
    other = tmp_path / "cohort.csv"
    other.write_bytes(path.read_bytes())
    write_patients(load_cohort(path, study), other)
    results = {name: read_results(folder_of(path) / f"{name}.csv") for name in SECTIONS}
    results["06_safety"].loc[0, "value"] = 4711
    write_sections(results, folder_of(other))
    parameters = Parameters(
        cohort=other, study=ROOT / "data" / "study.yml", ledger=None, out=None, suppress_below=0
    )
    assert open_chapter("06_safety", parameters).results["value"][0] == 4711
    assert (open_study("07_scorecard", parameters).results["value"] == 4711).sum() == 1


def test_small_counts_are_hidden_in_sections_as_in_all_together(path, study):
    hiding = hiding_below(study, 6)
    cohort = dataclasses.replace(load_cohort(path, study), study=hiding)
    expected = suppress(summarize_all(cohort), hiding)
    assert expected["value"].isna().sum() > summarize_all(cohort)["value"].isna().sum()
    pd.testing.assert_frame_equal(summarize_sections(cohort, SECTIONS), expected)
    hidden = hide_small_counts({n: summarize(cohort) for n, summarize in SECTIONS.items()}, hiding)
    pd.testing.assert_frame_equal(pd.concat(hidden.values(), ignore_index=True), expected)


def test_a_section_that_fails_is_named(tmp_path, study):
    with pytest.raises(BuildError, match="^02_survival: InputError: .*no such file"):
        _compute("02_survival", tmp_path / "gone.csv", study)
