"""Time the drawing of an ensemble: cohorts in a core-hour, and one process against two.

The draws are those of `rhcc ensemble`, without the statistics. A process that waits for another
program's share of a core is no slower by its own CPU time, so the rate of one process is by CPU,
and the scaling by wall time; run it on an idle machine with at least two processors.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

for library in ("OPENBLAS", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

from distributed import Client, LocalCluster  # noqa: E402

from helpers.cohort import load_cohort  # noqa: E402
from helpers.published import load_ledger  # noqa: E402
from helpers.reconstruct.ensemble import draw_cohort, prepare_origin  # noqa: E402
from helpers.reconstruct.ensemble_files import EnsembleFolder  # noqa: E402
from helpers.reconstruct.ensemble_run import run_draws  # noqa: E402
from helpers.study import load_study  # noqa: E402
from helpers.tasks import LOCAL  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
SEED, SINGLE, DRAWS = 1, 3, 24
SCALING_LIMIT = 1.8


def main():
    study = load_study(DATA / "study.yml")
    cohort = load_cohort(DATA / "cohort.csv", study)
    ledger = load_ledger(DATA / "published.csv")
    origin = prepare_origin(ledger, study, cohort, DATA / "cohort.csv")
    draw_cohort(origin, SEED, 1)  # compiles
    began = time.process_time()
    for number in range(1, SINGLE + 1):
        draw_cohort(origin, SEED, number)
    each = (time.process_time() - began) / SINGLE
    print(f"a draw                 {each:6.2f} CPU s, {3600 / each:6.0f} cohorts in a core-hour")
    seconds = {jobs: run(origin, jobs) for jobs in (1, 2)}
    for jobs, wall in seconds.items():
        print(f"{DRAWS} draws, {jobs} processes {wall:6.1f} s")
    scaling = seconds[1] / seconds[2]
    print(f"two against one        {scaling:6.2f} times as fast (at least {SCALING_LIMIT})")
    return int(scaling < SCALING_LIMIT)


def run(origin, jobs):
    """Wall seconds of the draws on processes that have started and loaded what they need."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(n_workers=jobs, **LOCAL) as cluster,
    ):
        draws = EnsembleFolder(Path(folder) / "draws")
        draws.open({"seed": SEED}, resume=False)
        with Client(cluster, set_as_default=False) as client:
            client.run(draw_cohort, origin, SEED, 1)

        def write(number, patients, nearness):
            draws.write(number, SEED, patients, nearness)

        began = time.perf_counter()
        run_draws(origin, SEED, range(1, DRAWS + 1), write, scheduler=cluster.scheduler_address)
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
