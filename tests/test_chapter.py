from types import SimpleNamespace

import pytest
from small_book import ROOT

from helpers import chapter
from helpers.chapter import introduce, open_chapter
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


def test_a_note_is_a_box_on_a_page_and_a_paragraph_in_a_notebook_by_itself(monkeypatch):
    shown = []
    monkeypatch.setattr(chapter, "display", lambda data, raw=False: shown.append(data))
    study = SimpleNamespace(
        synthetic=True,
        source="Hou & others",
        reconstruction={},
        title="",
        suppress_below=0,
        chapters={},
    )
    introduce(SimpleNamespace(name="", study=study))
    (note,) = shown
    assert note["text/markdown"].startswith(
        ":::{admonition} Synthetic cohort\n:class: important\nThe patients of this chapter"
    )
    assert "Hou \\& others" in note["text/markdown"]
    assert note["text/html"].startswith("<p><strong>Synthetic cohort.</strong> The patients")
    assert "printed in Hou &amp; others. No row is a real patient.</p>" in note["text/html"]
    study.reconstruction = None
    introduce(SimpleNamespace(name="", study=study))
    assert "they were made up (Hou &amp; others). No row" in shown[1]["text/html"]
