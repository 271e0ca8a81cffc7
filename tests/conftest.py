"""What many tests start from: the book's own study and its synthetic cohort."""

import pytest
from small_book import ROOT

from helpers.cohort import load_cohort
from helpers.study import load_study


@pytest.fixture(scope="session")
def study():
    return load_study(ROOT / "data/study.yml")


@pytest.fixture(scope="session")
def cohort(study):
    return load_cohort(ROOT / "data/cohort.csv", study)
