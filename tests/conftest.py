"""What many tests start from: the book's own study, its synthetic cohort, processes to end."""

import pytest
from dask_processes import kill
from small_book import ROOT

from helpers.cohort import load_cohort
from helpers.study import load_study


@pytest.fixture(scope="session")
def study():
    return load_study(ROOT / "data/study.yml")


@pytest.fixture(scope="session")
def cohort(study):
    return load_cohort(ROOT / "data/cohort.csv", study)


@pytest.fixture
def processes():
    """Processes of a Dask that are ended with the test."""
    running = []
    yield running
    for process in running:
        kill(process)
