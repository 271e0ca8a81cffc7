"""What tests of the survival search start from: the print, and a state after some annealing."""

import numpy as np
import pytest
from small_book import ROOT

from helpers.published import load_ledger
from helpers.reconstruct.kernel import anneal
from helpers.reconstruct.survival_state import blank_copy, draw_state
from helpers.reconstruct.survival_targets import read_survival_targets


@pytest.fixture(scope="session")
def targets(study):
    return read_survival_targets(load_ledger(ROOT / "data/published.csv"), study)


@pytest.fixture(scope="session")
def annealed(targets):
    """A state after some annealing, of all kinds of moves."""
    state = draw_state(targets, 5)
    shares, labels = np.array([0.3, 0.6]), np.linspace(0, 1, len(targets.variables))
    anneal(targets.problem, state, blank_copy(state), 60_000, 1e5, 1e3, shares, labels)
    return state
