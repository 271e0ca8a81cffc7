"""How the numbers of a cohort vary from bootstrap sample to bootstrap sample.

A sample has as many patients of each arm as the cohort, drawn with replacement, and every number
is computed of it as of the cohort: where a model takes what passed a screening, the screening is
repeated. Samples come in blocks, each a task on Dask. A block follows from the seed and its
number, so that the samples are the same whoever draws them. The workers read the patients from
the file; nothing of a patient is sent to them, and they give back numbers of whole samples.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.batch.cohorts import Batch, stack_cohorts
from helpers.batch.numbers import COMPUTED, Numbers
from helpers.cohort import load_cohort
from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.results import KEYS, write_results
from helpers.study import load_study
from helpers.tasks import require_same_files, run_tasks, same
from helpers.teaching.simulate import resample
from helpers.whole_file import require_folder, whole_file

ESTIMATES = (
    *("percent", "mean", "sd", "q1", "median", "q3"),
    *("duration_mean", "duration_sd", "duration_median"),
    *("survival", "followup_median", "hazard_ratio", "coef"),
)
BLOCK = 200  # samples at most
PATIENTS = 200_000  # of a block's samples together, about


def bootstrap_cohort(
    cohort, study, out, seed, count, *, scheduler=None, jobs=None, report=print
) -> None:
    """Write the bootstrap's intervals of a cohort's estimates.

    Parameters
    ----------
    cohort, study : path-like
        The workers read them under these names.
    out : path-like
        CSV file for the rows of `describe_samples`.
    seed, count : int
        Of the samples.
    scheduler, jobs
        As of `helpers.tasks.run_tasks`.
    report : callable
        Receives a line of text.

    Raises
    ------
    InputError
        An input is not fit, or the samples are too few for an interval.
    BuildError
        Workers were lost and did not come back.
    """
    from helpers.sections import summarize_all

    paths = [str(Path(path).resolve()) for path in (cohort, study)]
    described = load_study(study)
    if described.suppress_below:
        problem = "suppress_below: the bootstrap hides no small counts; remove it for this command"
        raise InputError(study, [problem])
    patients = load_cohort(cohort, described)
    require_folder(out)
    conf_level = described.conventions.confidence_level
    fewest = math.ceil(round(2 / (1 - conf_level), 6)) - 1
    if count < fewest:
        problem = f"an interval of {100 * conf_level:g}% needs {fewest} samples at least"
        raise InputError(f"{count} samples", [problem])
    try:
        Numbers(described, [])
    except ValueError as error:
        raise InputError(study, [f"{error}, and the bootstrap is"]) from None
    results = select_estimates(summarize_all(patients))
    keys = list(results[KEYS].itertuples(index=False, name=None))
    digests = [digest_file(path) for path in paths]
    sizes = block_sizes(count, len(patients.data))

    def prepare(submit, left):
        wanted = submit(same, keys)
        return lambda block: submit(draw_block, paths, digests, wanted, seed, block, sizes[block])

    drawn = {}
    told = {"unit": "block", "advice": "nothing was written; run it again"}
    options = {"scheduler": scheduler, "jobs": jobs}
    run_tasks(prepare, range(len(sizes)), drawn.__setitem__, **told, **options)
    samples = np.concatenate([drawn[block] for block in sorted(drawn)])
    with whole_file(out) as file:
        write_results(describe_samples(results, samples, conf_level), file)
    report(f"{count} samples, {len(results)} numbers: {out}")


def select_estimates(results) -> pd.DataFrame:
    """The numbers of a cohort that have a bootstrap interval.

    Counts are given with their percentages; tests and limits of intervals have no interval.

    Parameters
    ----------
    results : DataFrame
        In the schema of `helpers.results`.
    """
    chosen = [
        row.statistic in ESTIMATES
        and row.statistic in COMPUTED.get(row.analysis, ())
        and not math.isnan(row.value)
        for row in results.itertuples()
    ]
    return results[chosen].reset_index(drop=True)


def block_sizes(count, n_patient) -> list[int]:
    """How many samples each block has; a large cohort has few in a block."""
    size = min(BLOCK, max(1, PATIENTS // n_patient))
    return [min(size, count - before) for before in range(0, count, size)]


def draw_block(paths, digests, keys, seed, block, n_sample) -> np.ndarray:
    """Draw a block of samples, and compute their numbers.

    Parameters
    ----------
    paths, digests : list of str
        Of the cohort and the study file.
    keys : list of tuple
        Of the numbers, see `helpers.batch.numbers.Numbers`.
    seed, block, n_sample : int

    Returns
    -------
    ndarray of shape (n_sample, n_number)
        NaN where a sample does not give the number.

    Raises
    ------
    InputError
        This machine has not these files.
    """
    batch = _read_batch(*paths, *digests)
    arm = batch.columns["arm"][0]
    counts = resample(len(arm), n_sample, [seed, block], arm).astype(int)
    rows = np.repeat(np.tile(np.arange(len(arm)), n_sample), counts.ravel())
    rows = rows.reshape(n_sample, len(arm))
    drawn = {name: values[0][rows] for name, values in batch.columns.items()}
    return Numbers(batch.study, keys).compute(Batch(drawn, batch.study))[0]


@functools.lru_cache(maxsize=1)
def _read_batch(cohort, study, *digests):
    """The cohort alone in a batch, once in each worker."""
    require_same_files(dict(zip((cohort, study), digests, strict=True)))
    return stack_cohorts(load_cohort(cohort, load_study(study)), 1)


def describe_samples(results, samples, conf_level) -> pd.DataFrame:
    """Bias, standard error and percentile interval of each number.

    Parameters
    ----------
    results : DataFrame
        Of the cohort, in the schema of `helpers.results`.
    samples : ndarray of shape (n_sample, n_number)
        The same numbers of each sample; ``inf`` where a time is not reached, NaN where a sample
        does not give the number.
    conf_level : float

    Returns
    -------
    DataFrame
        `results` with ``bias``, the mean of the samples less the value, and ``std_error``, their
        standard deviation, both NaN where a sample's value is infinite; ``conf_low`` and
        ``conf_high``, of B ordered values number k = floor((B + 1) (1 - conf_level) / 2) from
        below and from above, NaN where k is 0; and B, the ``n_sample`` that give the number.

    References
    ----------
    Efron B, Tibshirani RJ. An introduction to the bootstrap. Chapman & Hall 1993, chapters 10,
    13 and, for k, 12.
    """
    ordered = np.sort(samples, axis=0)  # NaN last
    n_sample = (~np.isnan(samples)).sum(axis=0)
    place = np.floor((n_sample + 1) * (1 - conf_level) / 2 + 1e-9).astype(int)
    column = np.arange(len(n_sample))
    limits = [ordered[k, column] for k in (np.maximum(place, 1) - 1, n_sample - place)]
    finite = pd.DataFrame(np.where(np.isinf(samples).any(axis=0), np.nan, samples))
    described = results.drop(columns="method").assign(
        bias=finite.mean().to_numpy() - results["value"],
        std_error=finite.std().to_numpy(),
        conf_low=np.where(place > 0, limits[0], np.nan),
        conf_high=np.where(place > 0, limits[1], np.nan),
        n_sample=n_sample,
    )
    return described.assign(method=results["method"])
