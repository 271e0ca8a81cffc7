import re
from pathlib import Path

import pytest
from drawn import HOSTILE, small_study

from helpers.methods import cite_in_page, describe_methods, format_methods
from helpers.study import load_study

ROOT = Path(__file__).parents[1]
BIBLIOGRAPHY = ROOT / "book" / "references.bib"


def text_of(study):
    return " ".join(describe_methods(study))


def changed(**conventions):
    study = small_study()
    return study.model_copy(
        update={"conventions": study.conventions.model_copy(update=conventions)}
    )


@pytest.mark.parametrize("name", ["study", "hepatocellular", "gbsg2", "actg175"])
def test_every_citation_has_its_reference_in_the_order_of_the_text(name):
    text = format_methods(describe_methods(load_study(ROOT / "data" / f"{name}.yml")), BIBLIOGRAPHY)
    body, references = text.rsplit("\n\n", 1)
    cited = [int(n) for group in re.findall(r"\[([\d, ]+)\]", body) for n in group.split(", ")]
    first = list(dict.fromkeys(cited))
    assert first == list(range(1, len(first) + 1))
    assert len(references.splitlines()) == len(first)
    assert "[@" not in body


def test_the_sentences_follow_the_conventions():
    assert "Efron’s" in text_of(changed(ties="efron"))
    assert "Breslow’s" in text_of(changed(ties="breslow"))
    assert "p below 0.01 is called significant" in text_of(changed(significance_level=0.01))
    assert "Fisher’s exact test where an observed" in text_of(
        changed(categorical_test="fisher_if_observed_below_5")
    )
    assert "multiple imputation" not in text_of(changed())
    assert "(7 imputations" in text_of(changed(missing="mice", imputations=7))
    assert "Kruskal-Wallis" in text_of(small_study(arms=3))
    assert "Mann-Whitney" in text_of(small_study(arms=2))


def test_what_a_study_does_not_do_is_not_mentioned():
    bare = small_study().model_copy(
        update={"response": None, "adverse_events": None, "subgroups": [], "prognostic": []}
    )
    for word in ("Response", "Adverse", "interaction", "multivariable", "competing", "Counts from"):
        assert word not in text_of(bare)
    assert "Counts from 1 to 4" in text_of(bare.model_copy(update={"suppress_below": 5}))


def test_labels_are_no_markup_in_the_page():
    page = cite_in_page(describe_methods(small_study(HOSTILE)))
    assert "<script>" not in page
    assert r"\<script\>" in page
    assert "{cite}`cox1972`" in page
