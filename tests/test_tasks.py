"""What a task raises is told as it is, and is no lost worker."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.errors import InputError
from helpers.tasks import run_tasks


def refuse(task):
    raise InputError("my.csv", ["row 2: no"])


def fill_disk(task):
    raise OSError(28, "No space left on device")


def square(task):
    return task**2


def run(function, tasks):
    taken = []

    def prepare(submit, left):
        return lambda task: submit(function, task)

    def take(task, result):
        taken.append((task, result))

    run_tasks(prepare, tasks, take, unit="task", advice="run it again", jobs=1, patience=0)
    return taken


def test_each_task_is_taken_once():
    tasks = list(range(20))
    assert sorted(run(square, tasks)) == [(task, task**2) for task in tasks]


def test_tasks_run_from_a_thread_too():
    with ThreadPoolExecutor(1) as thread:
        assert sorted(thread.submit(run, square, [2, 3]).result()) == [(2, 4), (3, 9)]


def test_what_a_task_raises_ends_the_run():
    with pytest.raises(InputError) as refused:
        run(refuse, [1, 2])
    assert (refused.value.source, refused.value.problems) == ("my.csv", ["row 2: no"])
    with pytest.raises(OSError, match="No space left") as full:
        run(fill_disk, [1])
    assert full.value.errno == 28
