"""Time Cox models of a small cohort against R's survival and lifelines.

Ninety patients less two, nine covariates, Efron's ties: fits one by one in each program, and a
batch of fits of resampled cohorts by the compiled engine. CPU time, one core, all in one run.
"""

import os
import subprocess
import sys
import time
import warnings

for library in ("OPENBLAS", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from lifelines import CoxPHFitter  # noqa: E402

from helpers.estimators.compiled_cox import fit_batch  # noqa: E402
from helpers.estimators.cox import fit_cox  # noqa: E402

PATIENTS, COVARIATES, COHORTS, SINGLE = 88, 9, 5_000, 20
BATCHED_LIMIT = 10_000  # fits in a second on one core
SEED = 20240387
R = """
library(survival)
d <- read.csv(file("stdin"))
x <- as.matrix(d[, -(1:2)])
began <- proc.time()
for (i in 1:200) coxph(Surv(d$time, d$event) ~ x, ties = "efron")
cat(sum((proc.time() - began)[1:2]) / 200)
"""


def main():
    rng = np.random.default_rng(SEED)
    x = (rng.random((PATIENTS, COVARIATES)) < 0.4).astype(float)
    hazard = np.exp(x @ rng.normal(0, 0.4, COVARIATES))
    time_ = np.ceil(rng.exponential(600 / hazard) / 10) * 10
    event = rng.random(PATIENTS) < 0.75
    frame = pd.DataFrame(x, columns=[f"x{n}" for n in range(COVARIATES)])
    frame.insert(0, "time", time_)
    frame.insert(1, "event", event.astype(int))
    rows = np.array([rng.choice(PATIENTS, PATIENTS) for _ in range(COHORTS)])
    drawn = time_[rows], event[rows], x[rows]

    fit_batch(*(part[:1] for part in drawn), ties="efron")  # compiles
    seconds = {
        "R survival, coxph": float(
            subprocess.run(
                ["Rscript", "-e", R],
                input=frame.to_csv(index=False),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        ),
        "lifelines, CoxPHFitter": measure(lambda: fit_lifelines(frame), SINGLE),
        "rhcc, lifelines polished": measure(lambda: fit(time_, event, x, "lifelines"), SINGLE),
        "rhcc, newton": measure(lambda: fit(time_, event, x, "newton"), SINGLE),
        "rhcc, compiled in a batch": measure(lambda: fit_batch(*drawn, ties="efron"), 3) / COHORTS,
    }
    reference = seconds["R survival, coxph"]
    print(f"{PATIENTS} patients, {COVARIATES} covariates, Efron's ties, CPU")
    for name, each in seconds.items():
        print(f"{name:28} {1e3 * each:9.3f} ms a fit  {reference / each:8.1f} times R")
    rate = 1 / seconds["rhcc, compiled in a batch"]
    print(f"fits a second on one core    {rate:9.0f} (at least {BATCHED_LIMIT})")
    return int(rate < BATCHED_LIMIT)


def fit(time_, event, x, engine):
    return fit_cox(time_, event, x, ties="efron", engine=engine)


def fit_lifelines(frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CoxPHFitter().fit(frame, "time", "event")


def measure(call, rounds):
    """CPU seconds of a call, the least of three times `rounds`."""
    call()
    best = np.inf
    for _ in range(3):
        began = time.process_time()
        for _ in range(rounds):
            call()
        best = min(best, (time.process_time() - began) / rounds)
    return best


if __name__ == "__main__":
    sys.exit(main())
