"""Bootstrap: the samples are those of the seed, the intervals those of the samples."""

import math

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from dask_processes import free_port, kill, start_scheduler, start_worker, wait_for
from lifelines import CoxPHFitter
from lifelines.datasets import load_gbsg2
from small_book import ROOT

from helpers.batch import bootstrap
from helpers.batch.bootstrap import (
    block_sizes,
    bootstrap_cohort,
    describe_samples,
    draw_block,
    select_estimates,
)
from helpers.cli import main
from helpers.cohort import load_cohort
from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.results import KEYS, collect_results, result_row
from helpers.sections import summarize_all
from helpers.study import load_study

PATHS = [str(ROOT / "data" / name) for name in ("hepatocellular.csv", "hepatocellular.yml")]
SEED, SIZES = 5, (45, 34)
AGE = ("baseline", "", "age", "", "absent", "mean")
RATIO = ("survival", "os", "arm", "", "present_vs_absent", "hazard_ratio")


@pytest.fixture(scope="module")
def patients():
    return load_cohort(PATHS[0], load_study(PATHS[1]))


def samples_by_hand(patients):
    """The samples of the blocks, drawn arm by arm: patients who are drawn twice stand twice."""
    for block, size in enumerate(SIZES):
        rng = np.random.default_rng([SEED, block])
        arms = [patients.data[patients.data["arm"] == arm] for arm in ("absent", "present")]
        counts = [rng.multinomial(len(arm), [1 / len(arm)] * len(arm), size) for arm in arms]
        for own in zip(*counts, strict=True):
            yield pd.concat(arm.loc[arm.index.repeat(n)] for arm, n in zip(arms, own, strict=True))


def fit_lifelines(sample):
    frame = sample[["os_time", "os_event"]].assign(arm=(sample["arm"] == "present") * 1.0)
    fitted = CoxPHFitter().fit(frame, "os_time", "os_event", fit_options={"precision": 1e-12})
    return fitted.hazard_ratios_["arm"]


def test_intervals_are_those_of_samples_drawn_by_hand(patients):
    by_hand = list(samples_by_hand(patients))
    expected = np.array(
        [[each[each["arm"] == "absent"]["age"].mean(), fit_lifelines(each)] for each in by_hand]
    )
    digests = [digest_file(path) for path in PATHS]
    blocks = [
        draw_block(PATHS, digests, [AGE, RATIO], SEED, block, size)
        for block, size in enumerate(SIZES)
    ]
    found = np.concatenate(blocks)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    results = select_estimates(summarize_all(patients))
    results = results.set_index(KEYS).loc[[AGE, RATIO]].reset_index()
    described = describe_samples(results, found, 0.95)
    ordered = np.sort(expected, axis=0)
    np.testing.assert_allclose(described["conf_low"], ordered[1], rtol=1e-6)  # 2nd of 79
    np.testing.assert_allclose(described["conf_high"], ordered[77], rtol=1e-6)  # 78th
    np.testing.assert_allclose(described["std_error"], expected.std(axis=0, ddof=1), rtol=1e-6)
    bias = expected.mean(axis=0) - results["value"]
    np.testing.assert_allclose(described["bias"], bias, rtol=1e-5)


def test_bias_error_and_interval_by_hand():
    results = collect_results(
        result_row("survival", "median", 18, group=group) for group in ("all", "late", "few")
    )
    values = np.random.default_rng(1).permutation(np.arange(1.0, 40.0))
    late, few = (np.where(values == 39, odd, values) for odd in (np.inf, np.nan))
    found = describe_samples(results, np.column_stack([values, late, few]), 0.95).set_index("group")
    columns = ["bias", "std_error", "conf_low", "conf_high", "n_sample"]
    # The numbers 1 to 39 have mean 20 and variance 39 * 40 / 12; k = 40 * 0.025 = 1.
    np.testing.assert_allclose(found.loc["all", columns].astype(float), [2, 130**0.5, 1, 39, 39])
    assert found.loc["late", columns[2:]].tolist() == [1, math.inf, 39]
    assert found.loc["late", columns[:2]].isna().all()
    # Of 38 values k = floor(39 * 0.025) = 0: too few for an interval. Their mean is 19.5.
    np.testing.assert_allclose(found.loc["few", ["bias", "n_sample"]].astype(float), [1.5, 38])
    assert found.loc["few", ["conf_low", "conf_high"]].isna().all()


def test_blocks_hold_all_samples_and_never_many_patients():
    assert block_sizes(450, 88) == [200, 200, 50]
    assert block_sizes(3, 1_000_000) == [1, 1, 1]
    assert block_sizes(100, 10_000) == [20] * 5


def test_a_killed_worker_changes_no_byte(tmp_path, monkeypatch, processes):
    monkeypatch.setattr(bootstrap, "BLOCK", 4)
    files = [tmp_path / name for name in ("one.csv", "killed.csv")]
    bootstrap_cohort(*PATHS, files[0], SEED, 48, jobs=1)
    port = free_port()
    processes += [start_scheduler(port), start_worker(port), start_worker(port)]
    taken = []

    def run_and_kill(prepare, tasks, take, **options):
        def take_and_kill(task, result):
            taken.append(task)
            kill(processes[1])
            take(task, result)

        run_tasks(prepare, tasks, take_and_kill, **options)

    run_tasks = bootstrap.run_tasks
    monkeypatch.setattr(bootstrap, "run_tasks", run_and_kill)
    wait_for(port)
    bootstrap_cohort(*PATHS, files[1], SEED, 48, scheduler=f"tcp://127.0.0.1:{port}")
    assert sorted(taken) == list(range(12))
    assert files[0].read_bytes() == files[1].read_bytes()
    found = pd.read_csv(files[0])
    columns = ["value", "bias", "std_error", "conf_low", "conf_high", "n_sample", "method"]
    assert list(found) == [*KEYS, *columns]
    assert not found["statistic"].isin(["n", "p", "p_wald", "hazard_ratio_conf_low"]).any()
    always = found["analysis"].isin(["baseline", "survival"]) & (found["statistic"] != "median")
    assert (found["n_sample"][always] == 48).all()


def refused(*options, cohort=PATHS[0], study=PATHS[1]):
    done = CliRunner().invoke(main, ["bootstrap", cohort, "--study", study, *map(str, options)])
    assert done.exit_code == 2
    return done.output


def test_what_cannot_be_done_is_told_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("helpers.tasks.CONNECT", 1.0)
    out = tmp_path / "out.csv"
    text = refused("--out", out, "--count", 38)
    assert "38 samples: an interval of 95% needs 39 samples at least" in text
    assert "its folder does not exist" in refused("--out", tmp_path / "none" / "out.csv")
    address = f"tcp://127.0.0.1:{free_port()}"
    text = refused("--out", out, "--scheduler", address)
    assert f"{address}: no Dask scheduler answers there" in text
    study = tmp_path / "study.yml"
    as_written = (ROOT / "data/hepatocellular.yml").read_text("utf-8")
    study.write_text(f"{as_written}\nsuppress_below: 5\n", "utf-8")
    assert "hides no small counts" in refused("--out", out, study=str(study))
    stratified = tmp_path / "gbsg2.csv"
    load_gbsg2().to_csv(stratified, index=False)
    text = refused("--out", out, cohort=str(stratified), study=str(ROOT / "data/gbsg2.yml"))
    assert "strata or late entries" in text
    assert not out.exists()


def test_a_worker_that_finds_another_file_refuses():
    with pytest.raises(InputError, match="all must see the same files"):
        draw_block(PATHS, ["another", "digest"], [AGE], SEED, 0, 1)
