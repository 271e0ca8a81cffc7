"""Ensembles: a draw follows from its number, files are whole, what is lost is made again."""

import io
import logging
import threading
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from dask_processes import free_port, kill, start_scheduler, start_worker, wait_for
from small_book import ROOT

from helpers.cli import main
from helpers.demographics import summarize_demographics
from helpers.determined import cohort_of_draw
from helpers.errors import InputError
from helpers.pipeline.project import BuildError
from helpers.published import compare, load_ledger
from helpers.reconstruct import ensemble_files
from helpers.reconstruct.ensemble import (
    Walk,
    draw_cohort,
    find_start,
    measure_nearness,
    measure_origin,
    prepare_origin,
    start_of,
    trace_walk,
)
from helpers.reconstruct.ensemble_files import EnsembleFolder
from helpers.reconstruct.ensemble_run import make_ensemble, run_draws
from helpers.reconstruct.survival_state import make_state
from helpers.safety import summarize_safety

SHORT = Walk(
    n_starts=1, n_steps=2_000, n_cooling=3_000, n_sum=500, n_settling=500, n_mends=0, n_tries=1
)
SEED = 7


@pytest.fixture(scope="module")
def origin(study, cohort):
    return prepare_origin(load_ledger(ROOT / "data/published.csv"), study, cohort, "c.csv", SHORT)


@pytest.fixture(scope="module")
def drawn(origin):
    return {number: draw_cohort(origin, SEED, number) for number in (1, 2)}


def test_draws_take_the_starts_in_turn(origin, drawn):
    two = replace(origin, walk=replace(SHORT, n_starts=2, n_searching=3_000))
    assert [start_of(two, number) for number in (1, 2, 3)] == [1, 0, 1]
    assert draw_cohort(two, SEED, 2)[0].equals(drawn[2][0])  # of the cohort itself
    start = find_start(two, SEED, 1)
    for number, other in zip(start, origin.arrays, strict=True):
        assert number.shape == other.shape
        assert not np.array_equal(number, other)
    x, patient, event, _ = start
    for arm in (0, 1):
        here, there = (x[x[:, 0] == arm].sum(axis=0) for x in (start[0], origin.arrays[0]))
        np.testing.assert_array_equal(here, there)
    np.testing.assert_array_equal(event.sum(axis=1), [58, 83])
    np.testing.assert_array_equal(np.sort(patient, axis=1), np.tile(np.arange(88), (2, 1)))
    given = draw_cohort(two, SEED, 1, start)[0]
    assert given.equals(draw_cohort(two, SEED, 1)[0])
    assert not given.equals(drawn[1][0])


def test_a_start_that_lost_a_curve_is_searched_again(origin):
    def find(n_tries):
        walk = replace(SHORT, n_starts=2, n_searching=3_000, n_tries=n_tries)
        return find_start(replace(origin, walk=walk), SEED, 1)

    first, second = find(1), find(2)
    state = make_state(origin.problem, *first, np.ones(1, np.uint64))
    assert not measure_nearness(origin.problem, state).holds_curves
    assert not np.array_equal(first[0], second[0])


def test_a_draw_that_does_not_hold_the_print_goes_on_and_is_the_nearest(origin):
    energies = []
    for number in (1, 2, 3):
        once, thrice = (
            draw_cohort(replace(origin, walk=replace(SHORT, n_tries=n)), SEED, number)[1]
            for n in (1, 3)
        )
        assert not once.holds_print
        energies.append((once.energy, thrice.energy))
    assert all(thrice <= once for once, thrice in energies)
    assert any(thrice < once for once, thrice in energies)


def write_all(folder, drawn):
    for number, draw in drawn.items():
        folder.write(number, SEED, *draw)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("draw-*"))}


def test_a_draw_follows_from_seed_and_number(origin, drawn):
    again, nearness = draw_cohort(origin, SEED, 2)
    pd.testing.assert_frame_equal(again, drawn[2][0], check_exact=True)
    assert nearness == drawn[2][1]
    assert not again.equals(drawn[1][0])
    assert not again.equals(draw_cohort(origin, SEED + 1, 2)[0])


def test_a_draw_keeps_what_is_printed_as_counts(study, cohort, drawn):
    patients = cohort_of_draw(drawn[1][0], study).data
    assert (patients["os_event"].sum(), patients["pfs_event"].sum()) == (58, 83)
    for name in study.prognostic:
        own, found = (
            pd.crosstab(data["arm"], data[name]).to_numpy() for data in (cohort.data, patients)
        )
        np.testing.assert_array_equal(found, own)
    assert (patients["pfs_time"] <= patients["os_time"]).all()
    assert (patients["os_event"] <= patients["pfs_event"]).all()
    large = patients["tumor_diameter"] == "ge5"
    assert (large | (patients["pvtt"] == "yes") | (patients["extrahepatic"] == "yes")).all()
    assert not patients["os_time"].sort_values().reset_index(drop=True).equals(
        cohort.data["os_time"].sort_values().reset_index(drop=True)
    )


def test_days_of_a_draw_are_not_pushed_together(drawn):
    # Where every day is as late as order and curves allow, three days in four follow each other
    # and nobody dies in the first year. No printed number asks for the day of an early death.
    for patients, _ in drawn.values():
        for days in (patients["os_days"], patients["pfs_days"]):
            assert (np.diff(np.sort(days)) == 1).mean() < 0.3
        assert 5 <= (patients["os_days"] < 365).sum() <= 20


def test_the_start_is_the_cohort(study, cohort, origin):
    start = trace_walk(origin, SEED, 1, 0)[0]
    patients = cohort_of_draw(start, study).data
    names = [name for name in cohort.data if name in patients]
    order = ["arm", "os_time"]
    pd.testing.assert_frame_equal(
        patients[names].sort_values(order, ignore_index=True),
        cohort.data[names].sort_values(order, ignore_index=True),
        check_dtype=False,
    )
    nearness = measure_origin(origin)
    assert (nearness.n_printed, nearness.n_curve) == (172, 60)


def test_a_complete_draw_is_a_cohort_that_holds_the_other_tables(origin, study, drawn, cohort):
    ledger = load_ledger(ROOT / "data/published.csv")
    complete = replace(origin, ledger=ledger)
    patients, nearness = draw_cohort(complete, SEED, 1)
    whole = cohort_of_draw(patients, study)
    assert list(whole.data) == list(cohort.data)
    assert nearness == drawn[1][1]
    survival = cohort_of_draw(drawn[1][0], study).data
    pd.testing.assert_frame_equal(whole.data[list(survival)], survival, check_dtype=False)
    for summarize in (summarize_demographics, summarize_safety):
        own, found = (compare(summarize(each), ledger) for each in (cohort, whole))
        assert (found["verdict"] == own["verdict"]).all()
    assert not whole.data["age"].equals(cohort.data["age"])


def test_a_cohort_without_the_printed_counts_is_refused(study, cohort):
    ledger = load_ledger(ROOT / "data/published.csv")
    fewer = cohort.subset(cohort.data.index > 0)
    with pytest.raises(InputError) as refused:
        prepare_origin(ledger, study, fewer, "c.csv")
    assert "patients in arm tace_t: the cohort has 41, and should have 42" in str(refused.value)


def test_a_folder_is_one_data_set(tmp_path, drawn):
    folder = EnsembleFolder(tmp_path / "draws")
    folder.open({"seed": SEED}, resume=False)
    write_all(folder, drawn)
    whole = pd.read_parquet(tmp_path / "draws")
    assert len(whole) == 2 * 88
    assert whole.groupby("draw").size().to_dict() == {1: 88, 2: 88}
    assert set(whole["seed"]) == {SEED}
    pd.testing.assert_frame_equal(folder.read(), whole, check_exact=True)
    first = whole[whole["draw"] == 1]
    for name, value in asdict(drawn[1][1]).items():
        assert set(first[name]) == {value}
    columns = list(drawn[1][0])
    pd.testing.assert_frame_equal(first[columns], drawn[1][0], check_exact=True)


def test_a_folder_of_something_else_is_refused(tmp_path, drawn):
    folder = EnsembleFolder(tmp_path / "draws")
    folder.open({"seed": SEED}, resume=False)
    with pytest.raises(InputError, match="another seed"):
        folder.open({"seed": 8}, resume=True)
    folder.open({"seed": SEED}, resume=False)
    write_all(folder, drawn)
    with pytest.raises(InputError, match="--resume"):
        folder.open({"seed": SEED}, resume=False)
    folder.open({"seed": SEED}, resume=True)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(InputError, match="no ensemble"):
        EnsembleFolder(tmp_path).open({"seed": SEED}, resume=True)


def test_on_a_full_disk_no_part_of_a_draw_is_left(tmp_path, drawn, monkeypatch):
    folder = EnsembleFolder(tmp_path)
    folder.open({"seed": SEED}, resume=False)
    folder.write(1, SEED, *drawn[1])
    before = contents(tmp_path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(ensemble_files.os, "fsync", full)
        folder.write(2, SEED, *drawn[2])
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    folder.write(2, SEED, *drawn[2])
    assert folder.numbers() == [1, 2]


def test_what_a_killed_run_left_is_cleared_away(tmp_path):
    folder = EnsembleFolder(tmp_path)
    folder.open({"seed": SEED}, resume=False)
    (tmp_path / f"{ensemble_files.PARTIAL}x").write_bytes(b"half")
    folder.open({"seed": SEED}, resume=True)
    with folder.writing():
        assert folder.numbers() == []
        assert not list(tmp_path.glob(f"{ensemble_files.PARTIAL}*"))


def test_two_runs_do_not_write_to_a_folder_at_once(tmp_path):
    folder = EnsembleFolder(tmp_path)
    folder.open({"seed": SEED}, resume=False)
    partial = tmp_path / f"{ensemble_files.PARTIAL}x"
    with folder.writing():
        partial.write_bytes(b"half")
        with pytest.raises(InputError, match="another run"), EnsembleFolder(tmp_path).writing():
            pass
        assert partial.exists()
    with folder.writing():
        assert not partial.exists()


def test_a_full_disk_ends_a_run_and_is_no_lost_scheduler(origin):
    def full(number, patients, nearness):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run_draws(origin, SEED, [1], full, jobs=1)


def test_a_real_cohort_starts_no_ensemble(tmp_path):
    text = (ROOT / "data/study.yml").read_text("utf-8")
    study = tmp_path / "study.yml"
    study.write_text(text.replace("synthetic: true", "synthetic: false"), "utf-8")
    with pytest.raises(InputError, match="real patient"):
        make_ensemble(
            ROOT / "data/published.csv", study, ROOT / "data/cohort.csv", tmp_path / "d", 1, 1
        )
    assert not (tmp_path / "d").exists()


def test_a_scheduler_that_does_not_answer_is_named(tmp_path):
    address = f"tcp://127.0.0.1:{free_port()}"
    options = ["--count", "1", "--out", str(tmp_path / "draws"), "--scheduler", address]
    done = CliRunner().invoke(main, ["ensemble", *options])
    assert done.exit_code == 2
    assert f"{address}: no Dask scheduler answers there" in done.output


def run_with_loss(origin, port, numbers, lose, folder):
    """Make draws, and call `lose` when the first of them has been written."""
    lost = threading.Event()

    def write(number, patients, nearness):
        folder.write(number, SEED, patients, nearness)
        if not lost.is_set():
            lost.set()
            lose()

    run_draws(origin, SEED, numbers, write, scheduler=f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("loss", ["a worker is killed", "the scheduler starts again"])
def test_a_loss_in_mid_run_changes_no_byte(loss, origin, tmp_path, processes):
    numbers = list(range(1, 13))
    for name in ("expected", "found"):
        EnsembleFolder(tmp_path / name).open({"seed": SEED}, resume=False)
    port = free_port()
    processes += [start_scheduler(port), start_worker(port), start_worker(port)]

    def lose():
        if loss == "a worker is killed":
            kill(processes[1])
            return
        for process in processes:
            kill(process)
        processes.extend([start_scheduler(port), start_worker(port)])

    wait_for(port)
    run_with_loss(origin, port, numbers, lose, EnsembleFolder(tmp_path / "found"))
    expected = EnsembleFolder(tmp_path / "expected")
    write_all(expected, {number: draw_cohort(origin, SEED, number) for number in numbers})
    assert contents(tmp_path / "found") == contents(tmp_path / "expected")
    assert len(contents(tmp_path / "found")) == len(numbers)


def test_a_scheduler_that_stays_away_ends_the_run(origin, tmp_path, processes):
    port = free_port()
    processes += [start_scheduler(port), start_worker(port)]
    folder = EnsembleFolder(tmp_path)
    folder.open({"seed": SEED}, resume=False)

    def lose(number, patients, nearness):
        folder.write(number, SEED, patients, nearness)
        for process in processes:
            kill(process)

    wait_for(port)
    address, told = f"tcp://127.0.0.1:{port}", io.StringIO()
    handler, logger = logging.StreamHandler(told), logging.getLogger("distributed.client")
    logger.addHandler(handler)
    with pytest.raises(BuildError, match="go on with --resume"):
        run_draws(origin, SEED, [1, 2, 3, 4], lose, scheduler=address, patience=1)
    logger.removeHandler(handler)
    assert "Traceback" not in told.getvalue()
    made = folder.numbers()
    assert 1 <= len(made) < 4
    left = sorted({1, 2, 3, 4}.difference(made))
    run_draws(origin, SEED, left, lambda *draw: folder.write(draw[0], SEED, *draw[1:]), jobs=1)
    assert folder.numbers() == [1, 2, 3, 4]
