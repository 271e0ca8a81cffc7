"""Several cohorts: what is published is whole, whichever of the books fails."""

import shutil

import pandas as pd
import pytest
import yaml
from random_cohort import random_frame
from small_book import write_small_book
from test_damaged_files import study as toy_study
from test_private_book import (
    assert_no_markup,
    canaries_in,
    canaries_of,
    contents,
    difficult_cohort,
    difficult_study,
)

from helpers.cohort import load_cohort
from helpers.errors import InputError
from helpers.pipeline import BuildError, site_books, sites
from helpers.pipeline.book import Inputs, digest_book
from helpers.pipeline.project import Project
from helpers.pipeline.publish import Output
from helpers.results import read_results, value_of, write_results
from helpers.study import load_study
from helpers.survival import summarize_survival


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The small book, with books of cohorts that hold their results alone."""

    def build_book(cohort, study, out, *, report, suppress_below, root, **options):
        output = Output(out)
        inputs = Inputs(cohort, study, suppress_below=suppress_below)
        key = digest_book(Project(root, whole=False), inputs).book
        with output.building() as work:
            staged = work / "staged"
            (staged / "html").mkdir(parents=True)
            (staged / "html" / "index.txt").write_text(cohort.read_text("utf-8"), "utf-8")
            patients = load_cohort(cohort, load_study(study))
            write_results(summarize_survival(patients), staged / "results.csv")
            output.publish(staged, key, [])
        report("made")

    monkeypatch.setattr(site_books, "build_book", build_book)
    root = write_small_book(tmp_path / "book")
    write_study(root, "Toy")
    for seed, name in enumerate(("north", "south")):
        random_frame(toy_study(), n=60, seed=seed).to_csv(root / f"{name}.csv", index=False)
    return root


def write_study(root, title):
    text = toy_study(title=title).model_dump_json()
    (root / "study.yml").write_text(text, "utf-8")


def make(root, lines=None):
    cohorts = sites.expand([root / "*.csv"])
    report = lines.append if lines is not None else print
    options = {"jobs": 1, "root": root, "report": report}
    return sites.build_sites(cohorts, root / "study.yml", root / "out", **options)


def published(root):
    return {
        path.relative_to(root): path.read_bytes()
        for path in sorted((root / "out").rglob("*"))
        if path.is_file() and ".rhcc" not in path.parts
    }


def test_books_and_their_pool_are_published_whole_or_not_at_all(root, monkeypatch):
    front = make(root)
    page = front.with_name("pooled.html").read_text("utf-8")
    assert page.count("<table") == page.count("<figure") == 1
    assert "Survival by cohort" in page
    assert (front.parent / "_images" / "fig-pooled-os-new.svg").is_file()
    for name in ("north", "south"):
        book = front.parents[1] / "sites" / name
        assert f"../sites/{name}/html/index.html" in page
        assert (book / "html" / "index.txt").read_bytes() == (root / f"{name}.csv").read_bytes()
    pooled = read_results(front.parents[1] / "results.csv")
    keys = {"analysis": "pooled", "endpoint": "os", "variable": "arm", "group": "new_vs_old"}
    assert value_of(pooled, statistic="n_site", level="", **keys) == 2

    before = published(root)
    lines = []
    make(root, lines)
    assert lines[-1].startswith("nothing has changed")
    made = site_books.build_book

    def fails(cohort, *arguments, **options):
        raise BuildError("a notebook failed")

    def is_made_of_another_study(cohort, study, *arguments, **options):
        other = root / "other.yml"
        other.write_text(study.read_text("utf-8") + " ", "utf-8")
        made(cohort, other, *arguments, **options)

    for number, name in enumerate(("north", "south")):
        random_frame(toy_study(), n=70, seed=7 + number).to_csv(root / f"{name}.csv", index=False)
    for stub, told in (
        (fails, "^north: a notebook failed\nsouth: a notebook failed$"),
        (is_made_of_another_study, "^north, south: what the books are made of was changed"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(site_books, "build_book", stub)
            with pytest.raises(BuildError, match=told):
                make(root)
        assert published(root) == before

    make(root, lines)
    assert published(root) != before
    before = published(root)
    (root / "north.csv").write_text((root / "north.csv").read_text("utf-8") + "\n", "utf-8")
    lines.clear()
    make(root, lines)
    assert lines[:2] == ["south: unchanged", "north:"]

    (root / "south.csv").rename(root / "west.csv")
    make(root)
    assert published(root) != before
    for books in (root / "out" / "sites", root / "out" / ".rhcc" / "books"):
        assert sorted(path.name for path in books.iterdir()) == ["north", "west"]


def test_all_problems_of_all_cohorts_are_told_before_the_first_is_run(root):
    for name, old in (("north", "Male"), ("south", "Female")):
        path = root / f"{name}.csv"
        path.write_text(path.read_text("utf-8").replace(old, "unknown"), "utf-8")
    with pytest.raises(InputError) as caught:
        make(root)
    text = "\n".join(map(str, caught.value.problems))
    assert "north.csv" in text
    assert "south.csv" in text
    assert not (root / "out").exists()


def test_no_value_of_a_patient_is_on_the_page_of_the_cohorts_together(root):
    text = yaml.safe_dump(difficult_study(), sort_keys=False, allow_unicode=True)
    (root / "study.yml").write_text(text, "utf-8")
    frame = difficult_cohort()
    half = len(frame) // 2
    for name, rows in (("north", frame[:half]), ("south", frame[half:])):
        rows.to_csv(root / f"{name}.csv", index=False)
    make(root)
    out = root / "out"
    results = [read_results(path) for path in out.rglob("results.csv")]
    canaries = canaries_of(frame, pd.concat(results))
    assert canaries_in(out / "sites", canaries)
    shutil.rmtree(out / "sites")
    shutil.rmtree(out / ".rhcc")
    names = {path.name for path, _ in contents(out)}
    assert {"pooled.html", "searchindex.js", "results.csv", "tables.docx"} <= names
    assert canaries_in(out, canaries) == set()
    assert_no_markup(out)
