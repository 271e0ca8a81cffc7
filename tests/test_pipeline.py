import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest
from small_book import COUNTS, PARAMETERS, READ, write_notebook, write_small_book

from helpers.errors import InputError
from helpers.parameters import _Written, read_parameters
from helpers.pipeline import BuildError, build_book
from helpers.pipeline.edition import edition
from helpers.pipeline.html import for_any_cohort
from helpers.pipeline.project import PARAMETERS as WRITTEN
from helpers.pipeline.project import Project, find_project, takes_parameters
from helpers.pipeline.publish import Output

pytestmark = pytest.mark.xdist_group("pipeline")  # one process builds the small book, once


def make(root, out=None, lines=None, **settings):
    report = (lambda line: None) if lines is None else lines.append
    settings = {"whole": True, "ledger": root / "data" / "published.csv"} | settings
    return build_book(
        root / "data" / "cohort.csv",
        root / "data" / "study.yml",
        out or root / "out",
        root=root,
        report=report,
        **settings,
    )


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".rhcc" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="module", autouse=True)
def fixed_helpers(tmp_path_factory):
    """Helpers that do not change while the tests run, whoever edits the real ones."""
    folder = tmp_path_factory.mktemp("helpers")
    (folder / "survival.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.pipeline.digest.PACKAGE", folder)
        yield


@pytest.fixture(scope="module")
def built(fixed_helpers, tmp_path_factory):
    root = write_small_book(tmp_path_factory.mktemp("built") / "book")
    make(root)
    return root


@pytest.fixture
def root(built, tmp_path):
    """The sources of the book and what a build has left of them, to change."""
    return shutil.copytree(built, tmp_path / "book", symlinks=True)


# the parameters cell


def test_parameters_are_resolved_in_the_nearest_parent_that_has_them(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    for name in ("cohort.csv", "study.yml"):
        (tmp_path / "data" / name).touch()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    namespace = {"In": [], "Out": {}, "_": 1, "os": os, "Path": Path, "print": print}
    namespace |= {"cohort": "data/cohort.csv", "study": "data/study.yml"}
    namespace |= {"ledger": "", "out": "", "suppress_below": 5}
    parameters = read_parameters(namespace)
    assert parameters.cohort == tmp_path / "data" / "cohort.csv"
    assert parameters.study == tmp_path / "data" / "study.yml"
    assert (parameters.ledger, parameters.out, parameters.suppress_below) == (None, None, 5)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"typo": 1}, "'typo' is not a parameter"),
        ({"cohort": 3}, "cohort = 3"),
        ({"suppress_below": "five"}, "suppress_below = 'five'"),
        ({"suppress_below": -1}, "suppress_below = -1"),
        ({"suppress_below": True}, "suppress_below = True"),
        ({"cohort": ""}, "cohort = ''"),
    ],
)
def test_a_wrong_parameter_is_an_error(change, word):
    namespace = {"cohort": "c", "study": "s", "ledger": "", "out": "", "suppress_below": 0}
    with pytest.raises(InputError) as caught:
        read_parameters(namespace | change)
    assert len(caught.value.problems) == 1
    assert word in caught.value.problems[0]


def test_a_missing_parameter_is_an_error():
    with pytest.raises(InputError, match="'study' is missing"):
        read_parameters({"cohort": "c", "ledger": "", "out": "", "suppress_below": 0})


def test_the_pipeline_and_the_notebooks_know_the_same_parameters():
    assert {name: field.annotation for name, field in _Written.model_fields.items()} == WRITTEN


@pytest.mark.parametrize(
    "cell", [PARAMETERS + "\ntypo = 1", PARAMETERS.replace("0", '"0"'), 'cohort = "a"']
)
def test_a_notebook_with_other_parameters_is_refused(tmp_path, cell):
    write_notebook(tmp_path / "wrong.ipynb", ["# Wrong", cell, READ])
    with pytest.raises(BuildError, match="the parameters cell is wrong about"):
        takes_parameters(tmp_path / "wrong.ipynb")


def test_plain_papermill_refuses_an_unknown_parameter(built, tmp_path):
    command = [sys.executable, "-m", "papermill", "notebooks/01_counts.ipynb"]
    command += [str(tmp_path / "out.ipynb"), "-k", "python3", "-l", "python"]
    command += ["-p", "cohort", "data/cohort.csv"]
    done = subprocess.run([*command, "-p", "typo", "1"], cwd=built, capture_output=True, text=True)
    assert done.returncode != 0
    assert "'typo' is not a parameter" in done.stderr
    assert subprocess.run(command, cwd=built, capture_output=True).returncode == 0


# what a build leaves


def test_a_build_leaves_the_site_the_results_and_the_notebooks(built):
    out = built / "out"
    assert (out / "html" / "index.html").is_file()
    assert (out / "html" / "notebooks" / "02_curve.html").is_file()
    assert (out / "results.csv").read_text() == (
        "analysis,statistic,value\n01_counts,n,227\n02_curve,n,227\n"
    )
    assert sorted(path.name for path in (out / "notebooks").iterdir()) == [
        "01_counts.ipynb",
        "02_curve.ipynb",
    ]


def test_executed_notebooks_are_the_source_with_outputs(built):
    for path in (built / "out" / "notebooks").iterdir():
        executed = nbformat.read(path, 4)
        source = nbformat.read(built / "notebooks" / path.name, 4)
        assert executed.metadata == source.metadata
        assert [c.source for c in executed.cells] == [c.source for c in source.cells]
        assert [c.metadata for c in executed.cells] == [c.metadata for c in source.cells]
        code = [cell for cell in executed.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
        assert any(cell.outputs for cell in code)


def test_no_published_file_names_this_machine(built):
    needles = [str(built).encode(), str(Path(sys.prefix)).encode(), b"/site-packages"]
    for name, content in contents(built / "out").items():
        assert not any(needle in content for needle in needles), name


def test_forked_kernels_give_the_bytes_of_fresh_ones(built):
    make(built, out=built / "fresh", forked=False)
    assert contents(built / "fresh") == contents(built / "out")
    assert b"<svg" in contents(built / "out")["notebooks/02_curve.ipynb"]


def test_a_notebook_that_names_a_folder_of_the_machine_is_not_published(root):
    write_notebook(root / "notebooks" / "01_counts.ipynb", [*COUNTS, "import os; os.getcwd()"])
    with pytest.raises(BuildError, match="name a folder of this machine: .*01_counts"):
        make(root, out=root / "new")
    assert not (root / "new" / "html").exists()


# what runs again


def test_nothing_runs_again_when_nothing_changed(built):
    lines = []
    make(built, lines=lines)
    assert len(lines) == 1
    assert lines[0].startswith("nothing has changed")


def test_a_change_in_prose_runs_no_notebook(root):
    before = contents(root / "out")
    page = root / "book" / "sources.md"
    page.write_text(page.read_text() + "\nOne more sentence.\n")
    lines = []
    make(root, lines=lines)
    assert lines[:2] == ["01_counts: unchanged", "02_curve: unchanged"]
    after = contents(root / "out")
    assert b"One more sentence" in after["html/book/sources.html"]
    assert after["notebooks/01_counts.ipynb"] == before["notebooks/01_counts.ipynb"]


@pytest.mark.parametrize(
    "name",
    ["data/cohort.csv", "data/study.yml", "data/published.csv", "requirements.lock"],
)
def test_a_change_in_what_is_read_runs_every_notebook(root, name):
    path = root / name
    path.write_bytes(path.read_bytes() + b"\n")
    assert ran_again(root) == ["01_counts", "02_curve"]


def test_a_change_in_a_helper_runs_every_notebook(root, monkeypatch, tmp_path):
    other = tmp_path / "helpers"
    other.mkdir()
    (other / "survival.py").write_text("changed = True\n")
    monkeypatch.setattr("helpers.pipeline.digest.PACKAGE", other)
    assert ran_again(root) == ["01_counts", "02_curve"]


def test_a_change_in_one_notebook_runs_it_alone(root):
    write_notebook(root / "notebooks" / "01_counts.ipynb", [*COUNTS, "1 + 1"])
    assert ran_again(root) == ["01_counts"]


def ran_again(root):
    """The notebooks that run again; the pages are not built, which takes most of the time."""
    lines = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.pipeline.html.build_html", lambda source, folder: source)
        make(root, lines=lines)
    return sorted(line.split(":")[0] for line in lines if ": run in" in line)


def test_nothing_is_kept_of_a_run_whose_input_changed_meanwhile(root):
    study = root / "data" / "study.yml"
    change = f"open({str(study)!r}, 'a').write('# changed' + chr(10))"
    write_notebook(root / "notebooks" / "01_counts.ipynb", [*COUNTS, change])
    before = contents(root / "out")
    with pytest.raises(BuildError, match="was changed while they ran"):
        make(root)
    assert contents(root / "out") == before
    write_notebook(root / "notebooks" / "01_counts.ipynb", COUNTS)
    assert ran_again(root) == ["01_counts", "02_curve"]


def test_two_notebooks_of_one_name_are_refused(root):
    (root / "notebooks" / "more").mkdir()
    shutil.copy(root / "notebooks" / "01_counts.ipynb", root / "notebooks" / "more")
    toc = root / "_toc.yml"
    toc.write_text(toc.read_text() + "  - file: notebooks/more/01_counts\n")
    with pytest.raises(BuildError, match="two notebooks are called 01_counts"):
        make(root)


def test_a_damaged_page_is_built_again(root):
    before = contents(root / "out")
    (root / "out" / "html" / "index.html").unlink()
    make(root)
    assert contents(root / "out") == before


# what goes wrong


def test_a_failing_notebook_is_named_and_leaves_the_output_whole(root):
    before = contents(root / "out")
    write_notebook(root / "notebooks" / "02_curve.ipynb", ["# C", PARAMETERS, READ, "1 / 0"])
    with pytest.raises(BuildError) as caught:
        make(root)
    message = "02_curve.ipynb, cell 4 (1 / 0): ZeroDivisionError: division by zero"
    assert str(caught.value) == message
    assert contents(root / "out") == before


def test_a_run_that_stopped_takes_up_where_it_was(root):
    good = (root / "notebooks" / "02_curve.ipynb").read_text("utf-8")
    cohort = root / "data" / "cohort.csv"
    cohort.write_text(cohort.read_text("utf-8") + "\n", "utf-8")
    write_notebook(root / "notebooks" / "02_curve.ipynb", ["# C", PARAMETERS, READ, "1 / 0"])
    with pytest.raises(BuildError):
        make(root, jobs=1)
    (root / "notebooks" / "02_curve.ipynb").write_text(good, "utf-8")
    assert ran_again(root) == ["02_curve"]


def test_a_warning_in_the_whole_book_is_an_error(root):
    warn = "import warnings; warnings.warn('odd')"
    write_notebook(root / "notebooks" / "01_counts.ipynb", [*COUNTS, warn])
    with pytest.raises(BuildError, match="01_counts.ipynb, cell 5: .*odd"):
        make(root)
    lines = []
    make(root, lines=lines, whole=False)
    assert any("odd" in line for line in lines)
    executed = nbformat.read(root / "out" / "notebooks" / "01_counts.ipynb", 4)
    names = [output.get("name") for cell in executed.cells for output in cell.get("outputs", [])]
    assert "stderr" not in names


def test_a_broken_reference_fails_the_build_and_leaves_the_output_whole(root):
    before = contents(root / "out")
    page = root / "book" / "sources.md"
    page.write_text(page.read_text() + "\n{ref}`nowhere`\n")
    with pytest.raises(BuildError, match="book/sources.md:.*nowhere"):
        make(root)
    assert contents(root / "out") == before


def test_bad_input_is_told_before_anything_is_written(root, tmp_path):
    (root / "data" / "study.yml").write_text("title: [")
    with pytest.raises(InputError):
        make(root, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_files_that_were_there_are_never_replaced(root, tmp_path):
    mine = tmp_path / "mine"
    (mine / "html").mkdir(parents=True)
    (mine / "html" / "precious.html").write_text("mine")
    with pytest.raises(InputError, match="html is there already"):
        make(root, out=mine)
    assert contents(mine) == {"html/precious.html": b"mine"}


def test_publishing_is_undone_when_it_fails_midway(tmp_path, monkeypatch):
    output = Output(tmp_path / "out")
    with output.building() as work:
        stage(work, "old")
        output.publish(work / "staged", "1", [])
    before = contents(output.folder)
    rename, calls = Path.rename, []

    def failing(self, target):
        calls.append(target)
        if len(calls) == 3:
            raise OSError("disk full")
        return rename(self, target)

    with output.building() as work:
        stage(work, "new")
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", failing)
            with pytest.raises(OSError, match="disk full"):
                output.publish(work / "staged", "2", [])
    assert contents(output.folder) == before
    assert not output.is_current("2")


def stage(work, text):
    (work / "staged" / "html").mkdir(parents=True)
    (work / "staged" / "html" / "index.html").write_text(text)
    (work / "staged" / "results.csv").write_text(text)


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    output = Output(tmp_path)
    with (
        output.building(),
        pytest.raises(InputError, match="another run"),
        Output(tmp_path).building(),
    ):
        pass


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_the_output_whole_and_no_process(root, signum, tmp_path):
    (root / "out").rename(root / "_build")
    before = contents(root / "_build")
    started = tmp_path / "started"
    wait = f"import os, time; open({str(started)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    write_notebook(root / "notebooks" / "02_curve.ipynb", ["# C", PARAMETERS, READ, wait])
    command = [sys.executable, "-m", "helpers.cli", "book"]
    # a job in the background of a shell ignores SIGINT, and so would what it starts
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, handler)
    while not (started.exists() and started.read_text()):
        assert running.poll() is None
    running.send_signal(signum)
    _, error = running.communicate(timeout=30)
    assert running.returncode == 130
    assert error == "interrupted; what was there before is untouched\n"
    assert contents(root / "_build") == before
    assert not [*(root / "_build" / ".rhcc").glob("building-*")]
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


# the book for another cohort


def test_another_cohort_gets_what_is_not_about_the_study_of_the_book(root):
    (root / "book" / "ours.md").write_text("# Ours\n")
    write_notebook(root / "notebooks" / "03_ours.ipynb", ["# Ours", None, "1 + 1"])
    toc = root / "_toc.yml"
    toc.write_text(toc.read_text() + "  - file: book/ours\n  - file: notebooks/03_ours\n")
    path = root / "notebooks" / "02_curve.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("Only our patients.", id="ours"))
    notebook.cells[-1].metadata["tags"] = ["whole-book"]
    nbformat.write(notebook, path)
    assert Project(root, whole=True).documents[-2:] == ["book/ours", "notebooks/03_ours"]
    make(root, whole=False, ledger=None)
    names = contents(root / "out")
    assert {"html/book/index.html", "html/notebooks/02_curve.html"} <= {*names}
    assert not [name for name in names if "ours" in name]
    for name in ("html/notebooks/02_curve.html", "notebooks/02_curve.ipynb"):
        assert b"Only our patients." not in names[name]


def test_a_front_page_that_suits_one_study_alone_is_refused(root):
    (root / "book" / "index.md").write_text("# Front page of one study\n")
    with pytest.raises(BuildError, match="book/index does not suit any cohort"):
        Project(root, whole=False).documents  # noqa: B018


def test_a_front_page_about_the_study_of_the_book_gets_the_title_of_the_other():
    texts = {"title": "# Ours", "both": "Both", "us": "Us"}
    ours = [nbformat.v4.new_markdown_cell(text, id=key) for key, text in texts.items()]
    for cell in (ours[0], ours[2]):
        cell.metadata["tags"] = ["whole-book"]
    notebook = for_any_cohort(nbformat.v4.new_notebook(cells=ours), "A *new* study")
    assert [cell.id for cell in notebook.cells] == ["title", "both"]
    assert notebook.cells[0].source.startswith("# A \\*new\\* study\n")
    assert notebook.cells[0].metadata["tags"] == []


def test_the_edition_is_the_version_and_the_day_of_the_sources(tmp_path, monkeypatch):
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert edition(tmp_path) == f"Version {version('rhcc')}"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.example", "-C", str(tmp_path)]
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2024-02-29T12:00:00Z")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "a"], check=True)
    assert edition(tmp_path) == f"Version {version('rhcc')}, 29 February 2024"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert edition(tmp_path) == f"Version {version('rhcc')}, 1 January 1970"


def test_chapters_of_a_dropped_page_move_up(tmp_path):
    root = write_small_book(tmp_path / "book")
    (root / "book" / "ours.md").write_text("# Ours\n")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- caption: One\n  chapters:\n"
        "  - file: book/ours\n    sections:\n    - file: notebooks/02_curve\n"
        "    - file: book/sources\n"
    )
    toc = Project(root, whole=False).toc
    assert toc["parts"] == [
        {
            "caption": "One",
            "chapters": [{"file": "notebooks/02_curve"}, {"file": "book/sources"}],
        }
    ]


def test_a_project_is_found_from_below(root):
    assert find_project(root / "notebooks") == root


def test_source_notebooks_are_left_as_they_were(built):
    for path in (built / "notebooks").iterdir():
        assert all(not cell.get("outputs") for cell in json.loads(path.read_text())["cells"])
