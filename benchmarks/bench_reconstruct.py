"""Time the survival search: evaluations of all printed survival numbers, one core, one run.

An evaluation gives every Cox model, Kaplan-Meier curve and log-rank test of the print for one
order of the patients. The search updates it from move to move; lifelines and R's survival fit it
anew. Also: how many steps the stored search took to all Kaplan-Meier numbers and to its end.
"""

import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

for library in ("OPENBLAS", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from lifelines import CoxPHFitter, KaplanMeierFitter  # noqa: E402
from lifelines.statistics import logrank_test  # noqa: E402
from lifelines.utils import median_survival_times  # noqa: E402

from helpers.published import load_ledger  # noqa: E402
from helpers.reconstruct.cohort import trace_path  # noqa: E402
from helpers.reconstruct.kernel import anneal, evaluate  # noqa: E402
from helpers.reconstruct.survival_state import blank_copy, draw_state  # noqa: E402
from helpers.reconstruct.survival_targets import read_survival_targets  # noqa: E402
from helpers.reconstruct.walks import SHARES  # noqa: E402
from helpers.study import load_study  # noqa: E402

DATA = Path(__file__).resolve().parents[1] / "data"
SEED, STEPS, HEAT, WHOLE = 20240387, 200_000, 300.0, 200
LIMIT = 100_000  # evaluations in a second by moves
R = """
library(survival)
d <- read.csv(file("stdin"))
covariates <- grep("^x", names(d), value = TRUE)
strata <- c(list(rep(TRUE, nrow(d))), lapply(STRATA, function(s) d[[s[1]]] == as.integer(s[2])))
joint <- JOINT
evaluate <- function() for (e in 1:2) {
  y <- Surv(d[[paste0("time", e)]], d[[paste0("event", e)]])
  for (x in covariates) summary(coxph(y ~ d[[x]]))
  summary(coxph(y ~ as.matrix(d[joint[[e]]])))
  for (s in strata) for (arm in 0:1) quantile(survfit(y[s & d$x0 == arm] ~ 1), 0.5)
  for (s in strata[-1]) survdiff(y[s] ~ d$x0[s])
}
evaluate()
began <- proc.time()
for (i in 1:5) evaluate()
cat(sum((proc.time() - began)[1:2]) / 5)
"""


def main():
    study = load_study(DATA / "study.yml")
    targets = read_survival_targets(load_ledger(DATA / "published.csv"), study)
    problem, state = targets.problem, draw_state(targets, SEED)
    labels = np.linspace(0, 1, len(targets.variables))

    def by_moves(n):
        anneal(problem, state, blank_copy(state), n, HEAT, HEAT, SHARES, labels)

    def from_scratch():
        for _ in range(WHOLE):
            evaluate(problem, state)

    by_moves(1000)  # compiles
    frame, strata, joint = as_frame(problem, state)
    seconds = {
        "R survival": fit_in_r(frame, strata, joint),
        "lifelines": measure(lambda: fit_lifelines(frame, strata, joint), 1),
        "rhcc, all anew": measure(from_scratch) / WHOLE,
        "rhcc, by moves": measure(lambda: by_moves(STEPS)) / STEPS,
    }
    print(f"{problem.n} patients, every printed survival number, CPU")
    for name, each in seconds.items():
        times = seconds["R survival"] / each
        print(f"{name:16} {1 / each:12.1f} evaluations a second {times:12.1f} times R")
    report_trace(pd.read_csv(trace_path(DATA / "cohort.csv")))
    rate = 1 / seconds["rhcc, by moves"]
    print(f"evaluations a second on one core {rate:.0f} (at least {LIMIT})")
    return int(rate < LIMIT)


def as_frame(problem, state):
    """The state's patients, the subgroups, and the covariates of the joint models."""
    frame = pd.DataFrame(state.x, columns=[f"x{r}" for r in range(state.x.shape[1])])
    for e in range(2):
        place = state.place[e]
        frame[f"time{e + 1}"] = state.now.day[e, place]
        frame[f"event{e + 1}"] = state.now.event[e, place]
    levels = zip(problem.test_covariate, problem.test_level, strict=True)
    strata = [(f"x{covariate}", int(level)) for covariate, level in levels]
    index = zip(problem.joint_index, problem.joint_size, strict=True)
    return frame, strata, [[f"x{r}" for r in rows[:size]] for rows, size in index]


def fit_lifelines(frame, strata, joint):
    covariates = [name for name in frame if name.startswith("x")]
    groups = [np.ones(len(frame), bool), *(frame[name] == level for name, level in strata)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for e, names in enumerate(joint, start=1):
            time_, event = f"time{e}", f"event{e}"
            for model in (*([name] for name in covariates), names):
                CoxPHFitter().fit(frame[[time_, event, *model]], time_, event).summary  # noqa: B018
            for group in groups:
                for arm in (0, 1):
                    own = frame[group & (frame["x0"] == arm)]
                    curve = KaplanMeierFitter().fit(own[time_], own[event])
                    median_survival_times(curve.confidence_interval_)
            for group in groups[1:]:
                arms = [frame[group & (frame["x0"] == arm)] for arm in (0, 1)]
                times = [own[time_] for own in arms]
                logrank_test(*times, *(own[event] for own in arms))


def fit_in_r(frame, strata, joint):
    """CPU seconds of an evaluation by R."""
    listed = ", ".join(f'c("{name}", {level})' for name, level in strata)
    models = ", ".join("c(" + ", ".join(f'"{name}"' for name in names) + ")" for names in joint)
    code = R.replace("STRATA", f"list({listed})").replace("JOINT", f"list({models})")
    done = subprocess.run(
        ["Rscript", "-e", code],
        input=frame.to_csv(index=False),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def report_trace(trace):
    """Steps of the stored search to all Kaplan-Meier numbers, and what it had at its end."""
    curves = trace[trace["block"] == "Kaplan-Meier"]
    missed = curves[curves["n_hit"] < curves["n_printed"]]
    later = curves[curves["leg"] > missed["leg"].max()] if len(missed) else curves
    if len(later):
        print(f"all Kaplan-Meier numbers after   {later['steps'].min() / 1e6:.1f} million steps")
    last = trace[trace["leg"] == trace["leg"].max()]
    hit, printed = last["n_hit"].sum(), last["n_printed"].sum()
    print(f"{hit} of {printed} numbers after {last['steps'].max() / 1e6:.1f} million steps")


def measure(call, rounds=3):
    """CPU seconds of a call, the least of `rounds`."""
    best = np.inf
    for _ in range(rounds):
        began = time.process_time()
        call()
        best = min(best, time.process_time() - began)
    return best


if __name__ == "__main__":
    sys.exit(main())
