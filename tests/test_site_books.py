"""The books of several cohorts on Dask: one that is lost with its worker is made again, once."""

import json
import os
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import psutil
import pytest
from click.testing import CliRunner
from dask_processes import free_port, kill, start_scheduler, start_worker, wait_for, wait_until
from random_cohort import random_frame
from small_book import PARAMETERS, write_notebook, write_small_book
from test_damaged_files import study as toy_study

from helpers.cli import main
from helpers.errors import InputError
from helpers.pipeline.publish import Output
from helpers.pipeline.site_books import _run_apart, make_books
from helpers.pipeline.sites import build_sites, expand

SITES = ("north", "south")
SURVIVAL = """\
from helpers.cohort import load_cohort
from helpers.parameters import read_parameters
from helpers.results import write_results
from helpers.study import load_study
from helpers.survival import summarize_survival

parameters = read_parameters(globals())
patients = load_cohort(parameters.cohort, load_study(parameters.study))
write_results(summarize_survival(patients), parameters.out / "survival.csv")"""


@pytest.fixture
def root(tmp_path):
    """A book of its front page, and the patients of two sites."""
    root = write_small_book(tmp_path / "book")
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\n", "utf-8")
    (root / "book" / "index.md").write_text("---\nany_cohort: true\n---\n# Front\n", "utf-8")
    (root / "study.yml").write_text(toy_study(title="Toy").model_dump_json(), "utf-8")
    for seed, site in enumerate(SITES):
        random_frame(toy_study(), n=60, seed=seed).to_csv(root / f"{site}.csv", index=False)
    return root


def make(root, out, lines=None, **workers):
    output = Output(root / out)
    with output.building():
        make_books(
            {site: root / f"{site}.csv" for site in SITES},
            root / "study.yml",
            {site: output.state / "books" / site for site in SITES},
            root,
            suppress_below=0,
            shared=[root / "_toc.yml", output.lock],
            report=print if lines is None else lines.append,
            **{"jobs": None, "scheduler": None} | workers,
        )


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "lock"
    }


def run_command(root, cohorts, out, *options):
    """`rhcc run` as a process of its own."""
    command = [sys.executable, "-m", "helpers.cli", "run", str(root / cohorts), *options]
    return [*command, "--study", str(root / "study.yml"), "--out", str(root / out)]


def wait_for_a_book(workers, out):
    """The first worker whose book is being built, and the process that builds it."""

    def built():
        if [*out.glob(".rhcc/books/*/.rhcc/building-*")]:
            for worker in workers:
                for book in psutil.Process(worker.pid).children():
                    return worker, book
        return None

    return wait_until(built)


def lose_a_worker(processes, port, out):
    """Kill the first worker whose book is being built, and nothing that it started."""
    worker, book = wait_for_a_book(processes[1:], out)
    os.kill(worker.pid, signal.SIGKILL)
    book.wait(30)


def lose_the_scheduler(processes, port, out):
    """Kill scheduler and workers while a book is being built, and start others."""
    wait_for_a_book(processes[1:], out)
    for process in processes:
        kill(process)
    processes += [start_scheduler(port), start_worker(port), start_worker(port)]


def run_and_lose(lose, processes, out, run):
    """Run something on a scheduler of which a part is lost."""
    port = free_port()
    processes += [start_scheduler(port), start_worker(port), start_worker(port)]
    wait_for(port)
    with ThreadPoolExecutor(1) as thread:
        losing = thread.submit(lose, processes, port, out)
        run(f"tcp://127.0.0.1:{port}")
        losing.result()


@pytest.mark.parametrize(
    "lose", [lose_a_worker, pytest.param(lose_the_scheduler, marks=pytest.mark.slow)]
)
def test_a_loss_changes_no_byte_of_a_book(lose, root, processes):
    make(root, "expected", jobs=1)
    lines, out = [], root / "found"
    run_and_lose(
        lose, processes, out, lambda address: make(root, "found", lines, scheduler=address)
    )
    assert [line for line in lines if not line.startswith(" ")] in (
        ["north:", "south:"],
        ["south:", "north:"],
    )
    expected, found = (contents(root / name) for name in ("expected", "found"))
    assert {path.parts[2] for path in found if path.name == "index.html"} == set(SITES)
    assert found == expected
    make(root, "found", lines, jobs=1)
    assert sum("nothing has changed" in line for line in lines) == 2
    assert contents(root / "found") == expected


@pytest.mark.slow
def test_a_killed_worker_changes_no_byte_of_books_with_notebooks_nor_of_their_pool(root, processes):
    path = root / "notebooks" / "survival.ipynb"
    write_notebook(path, ["# Survival", PARAMETERS, SURVIVAL])
    notebook = json.loads(path.read_text("utf-8"))
    notebook["cells"].pop()
    path.write_text(json.dumps(notebook), "utf-8")
    with (root / "_toc.yml").open("a", encoding="utf-8") as file:
        file.write("chapters:\n  - file: notebooks/survival\n")
    lines = []

    def build(out, **workers):
        options = {"root": root, "report": lines.append} | workers
        return build_sites(expand([root / "*.csv"]), root / "study.yml", root / out, **options)

    build("expected", jobs=1)
    run_and_lose(
        lose_a_worker, processes, root / "found", lambda address: build("found", scheduler=address)
    )
    expected, found = (contents(root / name) for name in ("expected", "found"))
    assert {path.parts[1] for path in found if path.parts[0] == "sites"} == set(SITES)
    assert found == expected
    build("found")
    assert lines[-1].startswith("nothing has changed")


@pytest.mark.slow
def test_a_disk_without_room_leaves_no_part_of_a_book(root):
    command = run_command(root, "*.csv", "found", "--jobs", "2")
    small = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (10_000, 10_000))
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, preexec_fn=small)
    assert done.returncode == 1
    assert [f"{site}: " in done.stderr for site in SITES] == [True, True]
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not [*(root / "found").rglob("index.html")]
    make(root, "expected", jobs=1)
    make(root, "found", jobs=2)
    assert contents(root / "found") == contents(root / "expected")


def test_an_interrupted_run_ends_its_books(root):
    command = run_command(root, "*.csv", "found", "--jobs", "2")
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # as a terminal starts it
    run = subprocess.Popen(
        command,
        cwd=root,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heard,
    )

    def makes_a_book(process):
        with suppress(psutil.NoSuchProcess):  # one that has just ended
            return "--bound" in process.cmdline()

    def with_a_book():
        tree = psutil.Process(run.pid).children(recursive=True)
        return tree if any(map(makes_a_book, tree)) else None

    started = wait_until(with_a_book)
    os.killpg(run.pid, signal.SIGINT)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 130
    assert error.splitlines()[-1] == "interrupted; what was there before is untouched"
    assert "Traceback" not in error
    assert psutil.wait_procs(started, 10)[1] == []
    assert not [*(root / "found").rglob("index.html")]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_wrong_at_every_site_is_told_at_once(root, jobs):
    for site in SITES:
        (root / "out" / ".rhcc" / "books" / site / "html").mkdir(parents=True)
    with pytest.raises(InputError) as refused:
        make(root, "out", jobs=jobs)
    assert [problem.split(": ")[0] for problem in refused.value.problems] == list(SITES)
    assert all("was not made by rhcc" in problem for problem in refused.value.problems)


def test_a_worker_that_sees_other_files_refuses(root):
    with pytest.raises(InputError, match="all must see the same files"):
        _run_apart(["run"], {root / "study.yml": "another digest"}, root)


def test_a_scheduler_that_cannot_be_used_is_told_before_anything_is_made(root, monkeypatch):
    monkeypatch.setattr("helpers.tasks.CONNECT", 1.0)
    address, out = f"tcp://127.0.0.1:{free_port()}", root / "out"
    options = ["--study", str(root / "study.yml"), "--out", str(out), "--scheduler", address]
    for cohorts, problem in (
        ("*.csv", "no Dask scheduler answers there"),
        ("north.csv", "a scheduler goes with several cohorts"),
    ):
        done = CliRunner().invoke(main, ["run", str(root / cohorts), *options])
        assert done.exit_code == 2
        assert f"{address}: {problem}" in done.output
        assert not out.exists()


def test_a_book_of_a_task_waits_for_another_run_and_ends_when_its_worker_does(root):
    output = Output(root / "out")
    command = run_command(root, "north.csv", "out", "--bound")
    with output.building():
        waiting = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
        _, error = waiting.communicate(timeout=60)
    assert waiting.returncode == 130
    assert error == "interrupted; what was there before is untouched\n"
