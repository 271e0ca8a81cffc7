"""The chapters of the primer: sources, exercises, and solutions that are right."""

import json
import re
from pathlib import Path

import jupytext
import nbformat
import pytest

from helpers.errors import InputError
from helpers.study import load_study
from helpers.teaching.exercises import PLACEHOLDER, derive
from helpers.teaching.lesson import open_lesson
from helpers.teaching.simulate import draw_cohort

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks" / "primer").glob("*.ipynb"))
TITLE = re.compile(r"\*\*Exercise ([A-Z\d]+\.\d+)\.\*\*")

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def cells_of(path, *tags):
    cells = nbformat.read(path, 4).cells
    return [cell for cell in cells if set(tags) & set(cell.metadata.get("tags", []))]


def test_there_are_eight_chapters_and_the_exercises_on_the_study():
    assert [path.stem[0] for path in LESSONS] == list("123456789")


@each_lesson
def test_a_lesson_and_its_text_are_in_step(path):
    written = jupytext.writes(nbformat.read(path, 4), fmt="md:myst")
    text = path.with_suffix(".md").read_text("utf-8")
    assert written.split("\n---\n", 1)[1].strip() == text.split("\n---\n", 1)[1].strip()


@each_lesson
def test_a_lesson_is_stored_without_outputs_and_defines_nothing(path):
    code = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert not any(re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE) for cell in code)


@each_lesson
def test_each_exercise_has_one_solution_and_one_check(path):
    kinds = [
        next(tag for tag in cell.metadata["tags"] if tag != "setup")
        for cell in cells_of(path, "exercise", "solution", "check")
    ]
    runs = [kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]
    count = kinds.count("exercise")
    assert count >= 3
    assert runs == ["exercise", "solution", "check"] * count
    titles = [TITLE.match(cell.source).group(1) for cell in cells_of(path, "exercise")]
    assert len(set(titles)) == count


@each_lesson
def test_the_students_notebook_has_no_solution_and_no_output(path):
    source = nbformat.read(path, 4)
    for cell in source.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="computed")]
    derived = derive(path.stem, source)
    lesson, solutions, student = derived.values()
    assert list(derived) == [path.stem, f"{path.stem}_solutions", f"{path.stem}_exercises"]
    hidden = [cell.source for cell in cells_of(path, "solution")]
    for notebook in (lesson, student):
        text = json.dumps(notebook)
        assert not any(json.dumps(source)[1:-1] in text for source in hidden)
    assert all(source in [cell.source for cell in solutions.cells] for source in hidden)
    count = len(cells_of(path, "exercise"))
    assert [cell.source for cell in student.cells].count(PLACEHOLDER) == count
    assert not any(cell.get("outputs") for cell in student.cells)
    nbformat.validate(student)


@each_lesson
@pytest.mark.parametrize("seed", [None, 1], ids=["the cohort", "a drawn cohort"])
def test_each_solution_is_right_in_a_students_notebook(path, seed, tmp_path, monkeypatch):
    """What a student has, the cells tagged setup, must be enough; no answer may be typed in."""
    monkeypatch.chdir(ROOT)
    cohort = ROOT / "data" / "cohort.csv"
    if seed is not None:
        cohort = tmp_path / "drawn.csv"
        draw_cohort(ROOT / "data" / "cohort.csv", cohort, load_study("data/study.yml"), seed)
    namespace, checked = {}, 0
    for cell in cells_of(path, "setup", "solution", "check"):
        if cell.cell_type != "code":
            continue
        if "check" in cell.metadata["tags"]:
            found = eval(cell.source, namespace)
            assert found.correct, (cell.source, namespace["answer"])
            checked += 1
        else:
            source = cell.source.replace("open_lesson()", f"open_lesson({str(cohort)!r})")
            exec(source, namespace)
    assert checked == len(cells_of(path, "exercise"))


def test_a_notebook_works_wherever_a_student_keeps_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len(open_lesson().cohort.data) == 88
    with pytest.raises(InputError) as error:
        open_lesson("cohort_7.csv")
    assert Path(error.value.source) == tmp_path / "cohort_7.csv"


def test_a_notebook_without_exercises_stays_one():
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A page")])
    assert list(derive("page", notebook)) == ["page"]
