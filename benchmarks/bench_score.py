"""Time the score of one cohort: every printed number computed and compared.

A batch of cohorts is scored at once from arrays: those that an ensemble draws, whose patients have
their outcomes in other orders, and bootstrap samples, in which every count differs. Complete draws
are also read from files and checked first, as by `rhcc ensemble --complete --scores`. The pages
score one cohort at a time, as `rhcc score` does. lifelines and R's survival compute the numbers of
survival alone: medians, log-rank tests, Cox models. CPU time, one core, all in one run.
"""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for library in ("OPENBLAS", "OMP"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from lifelines import CoxPHFitter, KaplanMeierFitter  # noqa: E402
from lifelines.statistics import multivariate_logrank_test  # noqa: E402
from lifelines.utils import median_survival_times  # noqa: E402

from helpers.batch.cohorts import stack_cohorts  # noqa: E402
from helpers.batch.scores import Scorer, score_draws  # noqa: E402
from helpers.cohort import Cohort, load_cohort  # noqa: E402
from helpers.published import VERDICTS, compare, load_ledger  # noqa: E402
from helpers.reconstruct.ensemble_files import EnsembleFolder  # noqa: E402
from helpers.reconstruct.nearness import Nearness  # noqa: E402
from helpers.sections import summarize_all  # noqa: E402
from helpers.study import load_study  # noqa: E402

DATA = Path(__file__).parents[1] / "data"
BATCHES, COHORTS, FILES, SINGLE = 3, 1_000, 300, 4
LIMIT = 5.0  # milliseconds a cohort
SEED = 20240387
R = """
library(survival)
d <- read.csv(file("stdin"), stringsAsFactors = TRUE)
task <- strsplit(commandArgs(TRUE), ",")
score <- function() for (e in task[[1]]) {
  y <- Surv(d[[paste0(e, "_time")]], d[[paste0(e, "_event")]])
  p <- c()
  for (x in task[[2]]) {
    fit <- summary(coxph(y ~ d[[x]]))
    p <- c(p, fit$waldtest["pvalue"])
  }
  entered <- task[[2]][p < as.numeric(task[[4]])]
  if (length(entered)) summary(coxph(reformulate(entered, quote(y)), d))
  groups <- c(list(rep(TRUE, nrow(d))), unlist(lapply(task[[3]], function(x)
    lapply(levels(d[[x]]), function(level) d[[x]] == level)), recursive = FALSE))
  for (g in groups) {
    summary(survfit(y[g] ~ d$arm[g]))$table
    summary(survfit(y[g] ~ 1))$table
    survdiff(y[g] ~ d$arm[g])
  }
}
score()
began <- proc.time()
for (i in 1:20) score()
cat(sum((proc.time() - began)[1:2]) / 20)
"""


def main():
    study = load_study(DATA / "study.yml")
    cohort = load_cohort(DATA / "cohort.csv", study)
    ledger = load_ledger(DATA / "published.csv")
    rng = np.random.default_rng(SEED)
    scorer = Scorer(ledger, study)

    def pages():
        return compare(summarize_all(cohort), ledger)

    scores = scorer.score(stack_cohorts(cohort, 1))  # compiles
    verdicts = pages().set_index("id").loc[scores.ids, "verdict"].tolist()
    if [VERDICTS[place] for place in scores.verdicts[0]] != verdicts:
        print("the batch and the pages differ")
        return 1
    drawn = {"batch, drawn": reorder_outcomes, "batch, bootstrap": resample}
    milliseconds = {}
    for name, draw in drawn.items():
        batches = [draw_cohorts(cohort, draw, rng) for _ in range(BATCHES)]
        seconds = [
            measure_once(lambda own=own: scorer.score(stack_cohorts(own, COHORTS)))
            for own in batches
        ]
        milliseconds[name] = 1e3 * min(seconds) / COHORTS
    milliseconds["batch, read first"] = score_files(study, scorer, rng)
    milliseconds["pages"] = 1e3 * measure(pages, SINGLE)
    milliseconds["lifelines, survival"] = 1e3 * measure(lambda: score_lifelines(cohort), SINGLE)
    milliseconds["R survival, survival"] = 1e3 * score_r(cohort)
    print(f"{len(scores.ids)} printed numbers, {len(cohort.data)} patients, CPU")
    for name, each in milliseconds.items():
        ratio = milliseconds["pages"] / each
        print(f"{name:22} {each:9.2f} ms a cohort  {ratio:8.1f} times as fast as the pages")
    slowest = max(milliseconds[name] for name in [*drawn, "batch, read first"])
    print(f"slowest batch          {slowest:9.2f} ms (at most {LIMIT:g})")
    return int(slowest > LIMIT)


def draw_cohorts(cohort, draw, rng):
    """Cohorts that were not scored before, below each other."""
    patients = [draw(cohort, rng) for _ in range(COHORTS)]
    return Cohort(pd.concat(patients, ignore_index=True), cohort.study)


def reorder_outcomes(cohort, rng):
    """Each endpoint's times and events given to other patients."""
    data = cohort.data.copy()
    for endpoint in cohort.study.endpoints:
        own = [name for name in cohort.study.names_of(endpoint) if name in data]
        data[own] = data[own].to_numpy()[rng.permutation(len(data))]
    return data


def resample(cohort, rng):
    """As many patients, drawn with replacement."""
    return cohort.data.iloc[rng.choice(len(cohort.data), len(cohort.data))]


def score_files(study, scorer, rng):
    """Milliseconds in which one complete draw of an ensemble's folder is read and scored."""
    file = pd.read_csv(DATA / "cohort.csv")
    own = [name for each in study.endpoints.values() for name in (each.time, each.event)]
    nearness = Nearness(n_hit=0, n_printed=0, n_curve_hit=0, n_curve=0, energy=0.0)
    with tempfile.TemporaryDirectory() as folder:
        draws = EnsembleFolder(folder)
        for number in range(1, FILES + 1):
            drawn = file.copy()
            drawn[own] = file[own].to_numpy()[rng.permutation(len(file))]
            draws.write(number, SEED, drawn, nearness)
        return 1e3 / FILES * measure(lambda: score_draws(draws.read(), study, scorer), SINGLE)


def score_lifelines(cohort):
    """The medians, tests and Cox models of survival by lifelines."""
    data, study = cohort.data, cohort.study
    coded = pd.get_dummies(data[study.prognostic], drop_first=True, dtype=float)
    everyone = pd.Series(True, index=data.index)
    groups = [everyone]
    groups += [data[name] == level for name in study.subgroups for level in study.levels(name)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for endpoint in study.endpoints:
            names = [f"{endpoint}_time", f"{endpoint}_event"]
            frame = coded.join(data[names])
            p = pd.concat([fit_lifelines(frame, [name], names) for name in coded])
            entered = list(p.index[p < study.conventions.screening_threshold])
            if entered:
                fit_lifelines(frame, entered, names)
            for rows in groups:
                own = data[rows]
                for _, arm in [("", own), *own.groupby("arm", observed=True)]:
                    curve = KaplanMeierFitter().fit(*(arm[name] for name in names))
                    median_survival_times(curve.confidence_interval_)
                multivariate_logrank_test(own[names[0]], own["arm"], own[names[1]])


def fit_lifelines(frame, covariates, names):
    fitted = CoxPHFitter().fit(frame[[*covariates, *names]], *names)
    return fitted.summary["p"]


def score_r(cohort):
    """CPU seconds in which R computes the same numbers of survival."""
    study = cohort.study
    task = [study.endpoints, study.prognostic, study.subgroups]
    threshold = f"{study.conventions.screening_threshold:g}"
    done = subprocess.run(
        ["Rscript", "-e", R, *(",".join(names) for names in task), threshold],
        input=cohort.data.to_csv(index=False),
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure(call, rounds):
    """CPU seconds of a call, the least of some rounds after a first one."""
    call()
    return min(measure_once(call) for _ in range(rounds))


def measure_once(call):
    """CPU seconds of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
