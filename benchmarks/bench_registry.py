"""Time a registry against R's survival: a million patients, nine covariates, two endpoints.

    python benchmarks/bench_registry.py [patients] [folder]

Each task runs in a process of its own, here and in R, on the same columns; CPU seconds and peak
memory are those of the task less those of loading the libraries and reading the columns. Then
`rhcc run` makes the whole book of these patients from Parquet, in one process at a time. Last,
the Cox model, and every number of the book by `rhcc results`, grow from a thousand patients to
ten times those given, and the figure `growth.svg` in the folder compares them with the time that
memory needs to deliver the covariates once.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
from process_tree import measure_tree  # noqa: E402
from registry import SEED, draw_patients, write_registry  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
COVARIATES = ["active", "male", "older", "two", "three", "cirrhosis", "diabetes", "thrombus"]
COVARIATES += ["metastasis"]
TASKS = ("kaplan_meier", "logrank", "univariable", "multivariable")
CPU_RATIO, MEMORY_RATIO = 10, 1 / 3
BOOK_SECONDS, BOOK_MEGABYTES = 60, 2000  # of a million patients
R = """
suppressMessages(library(survival))
given <- commandArgs(TRUE)
n <- as.integer(given[3])
file <- file(given[2], "rb")
d <- as.data.frame(matrix(readBin(file, "double", n * 13), n))
close(file)
x <- as.matrix(d[, 5:13])
began <- proc.time()
for (k in c(1, 3)) {
  y <- Surv(d[, k], d[, k + 1])
  switch(given[1],
    reading = NULL,
    kaplan_meier = survfit(y ~ d[, 5]),
    logrank = survdiff(y ~ d[, 5]),
    univariable = for (j in 5:13) coxph(y ~ d[, j], ties = "efron"),
    multivariable = coxph(y ~ x, ties = "efron"))
}
cpu <- sum((proc.time() - began)[1:2])
peak <- grep("VmHWM", readLines("/proc/self/status"), value = TRUE)
cat(cpu, as.numeric(gsub("[^0-9]", "", peak)))
"""


def main(n=1_000_000, folder=ROOT / "_build" / "benchmarks"):
    n, folder = int(n), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory() as work:
        columns, script = Path(work, "columns"), Path(work, "tasks.R")
        columns.write_bytes(as_matrix(n).tobytes(order="F"))
        script.write_text(R)
        ours, theirs = [sys.executable, __file__], ["Rscript", script]
        base, base_r = (measure([*c, "reading", columns, n]) for c in (ours, theirs))
        print(f"{n} patients, {len(COVARIATES)} covariates, two endpoints, Efron's ties")
        print(f"{'':14} {'rhcc':>8} {'R':>8}  times faster   {'rhcc':>6} {'R':>6}  share of memory")
        for task in TASKS:
            here, there = (measure([*c, task, columns, n]) for c in (ours, theirs))
            cpu, memory = there[0] / here[0], (here[1] - base[1]) / (there[1] - base_r[1])
            failed |= cpu < CPU_RATIO or memory > MEMORY_RATIO
            print(
                f"{task:14} {here[0]:6.2f} s {there[0]:6.2f} s  {cpu:7.1f} (>= {CPU_RATIO})"
                f"  {here[1] - base[1]:4.0f} MB {there[1] - base_r[1]:4.0f} MB  {memory:.2f}"
                f" (<= {MEMORY_RATIO:.2f})",
                flush=True,
            )
        failed |= not make_book(n, Path(work))
        sizes = [10**k for k in range(3, len(str(n)) + 1)]
        draw_growth(sizes, [compute_results(size, Path(work)) for size in sizes], folder)
    return int(failed)


def as_matrix(n):
    """Times and events of both endpoints, then the covariates, as columns."""
    rng = np.random.default_rng(SEED)
    drawn = draw_patients(n, rng)
    flags = {
        "active": np.asarray(drawn["arm"].indices) == 1,
        "male": np.asarray(drawn["sex"].indices) == 1,
        "older": drawn["age_years"] >= 65,
        "two": drawn["stage"].indices.fill_null(0).to_numpy() == 1,
        "three": drawn["stage"].indices.fill_null(0).to_numpy() == 2,
    }
    for name in COVARIATES[5:]:
        flags[name] = np.asarray(drawn[name].indices) == 1
    outcomes = [drawn[name] for name in ("os_days", "os_event", "pfs_days", "pfs_event")]
    return np.column_stack([*outcomes, *(flags[name] for name in COVARIATES)]).astype(float)


def measure(command):
    """CPU seconds and peak memory in MB, as a task prints them."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr}")
    seconds, kilobytes = map(float, done.stdout.split())
    return seconds, kilobytes / 1000


def run_task(task, columns, n):
    """Read the columns, do the task, print its CPU seconds."""
    from helpers.estimators.cox import fit_cox
    from helpers.estimators.kaplan_meier import kaplan_meier
    from helpers.estimators.logrank import logrank

    d = np.fromfile(columns).reshape(13, int(n)).T
    arm, x = d[:, 4], d[:, 4:]
    few = d[:10_000]
    fit_cox(few[:, 0], few[:, 1], few[:, 4:5], ties="efron")  # loads what is compiled
    began = time.process_time()
    for k in (0, 2):
        outcome = d[:, k], d[:, k + 1]
        if task == "kaplan_meier":
            for level in (0, 1):
                own = (part[arm == level] for part in outcome)
                kaplan_meier(*own, conf_level=0.95, conf_type="log")
        elif task == "logrank":
            logrank(*outcome, arm)
        elif task == "univariable":
            for column in x.T:
                fit_cox(*outcome, column[:, None], ties="efron")
        elif task == "multivariable":
            fit_cox(*outcome, x, ties="efron")
    cpu = time.process_time() - began
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]
    print(cpu, peak)


def make_book(n, work):
    """Make the book of `n` patients, print what it took; whether that is little enough."""
    seconds, megabytes = measure_command("run", n, work, "book", "--jobs", 1)
    print(
        f"rhcc run       {seconds:6.1f} s (<= {BOOK_SECONDS})  {megabytes:5.0f} MB"
        f" (<= {BOOK_MEGABYTES})",
        flush=True,
    )
    return seconds <= BOOK_SECONDS and megabytes <= BOOK_MEGABYTES


def compute_results(n, work):
    """Compute every number of `n` patients, print what it took; the CPU seconds."""
    seconds, megabytes = measure_command("results", n, work, "results.csv")
    print(f"{n:9} patients {seconds:8.1f} s  {megabytes:5.0f} MB  rhcc results", flush=True)
    return seconds


def measure_command(name, n, work, out, *options):
    """CPU seconds and peak memory in MB of a command of `rhcc` on `n` patients."""
    cohort, study = work / f"{n}.parquet", Path(__file__).with_name("registry.yml")
    if not cohort.exists():
        write_registry(n, cohort)
    rhcc = Path(sys.executable).with_name("rhcc")
    command = [rhcc, name, cohort, "--study", study, "--out", work / out, *options]
    status, seconds, megabytes = measure_tree(command)
    if status:
        raise SystemExit(f"rhcc {name} failed")
    return seconds, megabytes


def draw_growth(sizes, all_results, folder):
    """Time the model with all covariates at growing sizes and draw it over the memory's time.

    `all_results` has the CPU seconds of all numbers of the book at each size.
    """
    from matplotlib.figure import Figure

    from helpers.estimators.cox import fit_cox

    block = np.ones(20_000_000)
    began = time.process_time()
    copy = block.copy()
    bandwidth = 2 * copy.nbytes / (time.process_time() - began)
    seconds = []
    for n in sizes:
        d = as_matrix(n)
        began = time.process_time()
        fit = fit_cox(d[:, 0], d[:, 1], d[:, 4:], ties="efron")
        seconds.append(time.process_time() - began)
        print(f"{n:9} patients {seconds[-1]:8.3f} s  {fit.method}", flush=True)
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.loglog(sizes, all_results, marker="s", label="all results, from Parquet")
    axes.loglog(sizes, seconds, marker="o", label="Cox model, nine covariates")
    row = 8 * (len(COVARIATES) + 2)
    axes.loglog(
        sizes,
        [n * row / bandwidth for n in sizes],
        linestyle="dashed",
        label=f"reading the columns once, {bandwidth / 1e9:.0f} GB/s",
    )
    axes.set_xlabel("Patients")
    axes.set_ylabel("CPU seconds")
    axes.legend(frameon=False)
    path = folder / "growth.svg"
    figure.savefig(path, metadata={"Date": None})
    print(f"the growth is drawn in {path}")


if __name__ == "__main__":
    if len(sys.argv) == 4:
        run_task(*sys.argv[1:])
    else:
        sys.exit(main(*sys.argv[1:]))
