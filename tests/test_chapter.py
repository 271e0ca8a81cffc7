import pytest
from small_book import ROOT

from helpers.chapter import open_chapter
from helpers.parameters import Parameters

DATA = ROOT / "data"


@pytest.mark.parametrize(
    ("cohort", "study", "n_compared"),
    [("cohort.csv", "study.yml", 233), ("hepatocellular.csv", "hepatocellular.yml", None)],
)
def test_printed_numbers_are_compared_with_their_own_study_alone(cohort, study, n_compared):
    parameters = Parameters(
        cohort=DATA / cohort,
        study=DATA / study,
        ledger=DATA / "published.csv",
        out=None,
        suppress_below=0,
    )
    comparison = open_chapter("01_demographics", parameters).comparison
    assert (None if comparison is None else len(comparison)) == n_compared
