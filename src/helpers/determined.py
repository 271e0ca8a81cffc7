"""What a print determines: the range of unprinted numbers over cohorts that all hold it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.cohort import Cohort, cohort_from_frame
from helpers.errors import InputError
from helpers.pipeline.digest import digest_file
from helpers.reconstruct.nearness import Nearness
from helpers.results import KEYS
from helpers.unprinted import summarize_unprinted
from helpers.whole_file import whole_file

DRAW = ["draw", "seed", "n_hit", "n_printed", "n_curve_hit", "n_curve", "energy"]
COHORT = "cohort_sha256"
UNLIKE = {"unlike_cohort": "from the cohort", "unlike_next": "from the next draw"}
SEPARATOR = "/"
DIGITS = 8  # significant, of what is stored
TAILS = (0.025, 0.975)
SHARE, COUNT, RATIO, OF_HORIZON = 0.05, 1.0, 1.1, 0.05  # widest ranges of what is pinned down
PINNED, OPEN = "pinned down", "open"
UNMOVED, ABSENT = "same in all draws", "not in the data"


def cohort_of_draw(patients, study) -> Cohort:
    """The patients of one draw as a cohort, without the columns that the draw does not have.

    Parameters
    ----------
    patients : DataFrame
        As of `helpers.reconstruct.survival_state.to_patients`, or every column of a cohort.
    study : Study
    """
    if {study.covariate_column(key) for key in study.covariates} <= set(patients):
        return cohort_from_frame(patients, study)
    columns = {"arm": _levels(patients[study.arm.column], study.arm.levels)}
    for name in study.prognostic:
        if name != "arm":
            columns[name] = _levels(patients[name], study.covariates[name].levels)
    for key, endpoint in study.endpoints.items():
        per_unit = study.time.per(endpoint.unit)
        columns[f"{key}_time"] = patients[endpoint.time].to_numpy(float) / per_unit
        event = patients[endpoint.event].isin(endpoint.event_codes)
        columns[f"{key}_event"] = event.to_numpy(float)
    return Cohort(pd.DataFrame(columns), study)


def _levels(values, levels):
    return pd.Categorical(values, categories=list(levels), ordered=True)


def summarize_ensemble(draws, cohort, digest) -> pd.DataFrame:
    """One row a draw: how near it is to the print, how unlike others, and its unprinted numbers.

    Parameters
    ----------
    draws : DataFrame
        As of `helpers.reconstruct.ensemble_files.EnsembleFolder.read`.
    cohort : Cohort
        From which the draws were made.
    digest : str
        Of its file.

    Returns
    -------
    DataFrame
        Columns `DRAW`, `COHORT`, ``unlike_cohort`` and ``unlike_next`` (of the draw that
        follows, after the last the first) by endpoint, see `unlikeness`; and a column for each
        number of `helpers.unprinted.summarize_unprinted`, its keys joined by slashes.
    """
    study = cohort.study
    cohorts = {
        number: cohort_of_draw(patients, study)
        for number, patients in draws.groupby("draw", sort=True)
    }
    facts = draws.groupby("draw", sort=True)[DRAW[1:]].first()
    numbers = list(cohorts)
    rows = []
    for number, following in zip(numbers, numbers[1:] + numbers[:1], strict=True):
        drawn = cohorts[number]
        row = {"draw": number, **facts.loc[number], COHORT: digest}
        for name, other in zip(UNLIKE, (cohort, cohorts[following]), strict=True):
            for endpoint in study.endpoints:
                row[SEPARATOR.join((name, endpoint))] = unlikeness(drawn, other, endpoint)
        results = summarize_unprinted(drawn)
        rows.append(row | dict(zip(_names(results), results["value"], strict=True)))
    return pd.DataFrame(rows).astype(dict.fromkeys(set(DRAW) - {"energy"}, int))


def _names(results):
    return [SEPARATOR.join(keys) for keys in results[KEYS].itertuples(index=False)]


def unlikeness(cohort, other, endpoint) -> float:
    """How far the order of the patients by an endpoint differs between two cohorts.

    Patients of different cohorts are not the same persons; what is compared is who stands at
    each place of the order, by arm and by every prognostic covariate.

    Returns
    -------
    float
        Share of places at which a characteristic differs, over the share to be expected if the
        order of one cohort were shuffled; mean over the characteristics. 0: the same order;
        1: nothing in common but the counts.
    """
    orders = [each.data.sort_values(f"{endpoint}_time", kind="stable") for each in (cohort, other)]
    found = []
    for name in dict.fromkeys(("arm", *cohort.study.prognostic)):
        one, two = (order[name].cat.codes.to_numpy() for order in orders)
        shares = [np.bincount(codes, minlength=one.max() + 1) / len(codes) for codes in (one, two)]
        by_chance = 1 - float(shares[0] @ shares[1])
        found.append(float((one != two).mean()) / by_chance)
    return float(np.mean(found))


def write_ensemble(ensemble, path) -> None:
    """Write rows of draws as CSV, to eight significant digits."""
    with whole_file(path) as file:
        ensemble.to_csv(file, index=False, lineterminator="\n", float_format=f"%.{DIGITS}g")


def read_ensemble(path) -> pd.DataFrame:
    """Read what `write_ensemble` wrote.

    Raises
    ------
    InputError
        There is no such file, or it is not one of an ensemble.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path, ["there is no such file; make it with: make ensemble"])
    ensemble = pd.read_csv(path, dtype={COHORT: str})
    missing = [name for name in (*DRAW, COHORT) if name not in ensemble]
    if missing or ensemble.empty:
        raise InputError(path, [f"is no ensemble: without {', '.join(missing) or 'a draw'}"])
    return ensemble


def belongs_to(ensemble, cohort_path) -> bool:
    """Whether an ensemble was drawn from the cohort in this file."""
    return set(ensemble[COHORT]) == {digest_file(cohort_path)}


def holds_print(ensemble) -> pd.Series:
    """Which draws hold the print, see `helpers.reconstruct.nearness.Nearness`."""
    names = [field.name for field in fields(Nearness)]
    found = [Nearness(*row).holds_print for row in ensemble[names].itertuples(index=False)]
    return pd.Series(found, index=ensemble.index)


def summarize_ranges(ensemble, results, study) -> pd.DataFrame:
    """The range of each unprinted number over an ensemble, beside its value in one cohort.

    Parameters
    ----------
    ensemble : DataFrame
    results : DataFrame
        The same numbers of the one cohort.
    study : Study

    Returns
    -------
    DataFrame
        The keys of a result, its ``value``, ``n`` draws in which it exists, ``least``, ``low``,
        ``median``, ``high``, ``most``; ``verdict``, see `judge`; or `UNMOVED`, where every draw
        has the same, or `ABSENT`.

    Notes
    -----
    ``low`` and ``high`` hold the middle 95% of the draws.
    """
    level = study.conventions.significance_level
    rows = []
    for row, name in zip(results.to_dict("records"), _names(results), strict=True):
        values = ensemble[name].to_numpy(float)
        values = values[np.isfinite(values)]
        n = len(values)
        points = np.quantile(values, (0, TAILS[0], 0.5, TAILS[1], 1)) if n else np.full(5, np.nan)
        found = dict(zip(("least", "low", "median", "high", "most"), points, strict=True))
        verdict = judge(row["statistic"], row["level"], found["low"], found["high"], level)
        if n == len(ensemble) and found["least"] == found["most"]:
            verdict = UNMOVED
        share = n / len(ensemble)
        if share < 1 - (TAILS[1] - TAILS[0]):
            verdict = ABSENT
        elif share < TAILS[1] - TAILS[0]:
            verdict = OPEN
        rows.append(
            {key: row[key] for key in (*KEYS, "value")} | {"n": n, **found} | {"verdict": verdict}
        )
    return pd.DataFrame(rows)


def judge(statistic, level, low, high, significance) -> str:
    """Whether a number is pinned down by the print.

    It is where the middle 95% of the draws are no further apart than: one event; 0.05 of a
    probability or of a concordance; a factor of 1.1 of a ratio; a twentieth of the horizon of a
    restricted mean, or of a follow-up. Those of a ratio lie on one side of one as well, those of
    a difference on one side of zero, and those of a p value on one side of the significance
    level; of a p value nothing else is asked.

    Parameters
    ----------
    statistic, level : str
        Keys of the result.
    low, high : float
        Limits of the middle 95%.
    significance : float
    """
    if statistic.startswith("p_"):
        pinned = (low < significance) == (high < significance)
    elif statistic.endswith("ratio"):
        pinned = high <= RATIO * low and not low < 1 < high
    elif statistic == "n_event":
        pinned = high - low <= COUNT
    elif statistic.startswith("rmst"):
        has_sign = statistic != "rmst_difference" or low >= 0 or high <= 0
        pinned = has_sign and high - low <= OF_HORIZON * float(level)
    elif statistic == "followup_median":
        pinned = high - low <= OF_HORIZON * low
    else:
        pinned = high - low <= SHARE
    return PINNED if pinned else OPEN


def compare_spreads(ensemble) -> pd.Series:
    """Whether the numbers spread less in draws that are nearer to the print.

    Returns
    -------
    Series
        By number, the standard deviation over the half of the draws that is nearest, over that
        of all draws. Numbers that do not vary, or do not exist in some draw, are left out.
    """
    values = _known_in_all(ensemble)
    spread = values.std(ddof=1)
    near = values[ensemble["energy"] <= ensemble["energy"].median()].std(ddof=1)
    return (near / spread)[spread > 0]


def compare_starts(ensemble, starts) -> pd.Series:
    """Whether draws from different starts agree, as chains of one walk are compared.

    Parameters
    ----------
    ensemble : DataFrame
    starts : Series
        The start of each draw.

    Returns
    -------
    Series
        By number, the factor by which the spread over all starts exceeds that within one: 1
        where starts make no difference, infinite where only starts do. Numbers that do not vary,
        or do not exist in some draw, are left out.

    References
    ----------
    Gelman A, Rubin DB. Stat Sci 1992;7:457-472 (the potential scale reduction).
    """
    values = _known_in_all(ensemble)
    groups = values.groupby(starts.to_numpy())
    size = groups.size().mean()
    within = (groups.var(ddof=1).mul(groups.size() - 1, axis=0)).sum() / (
        len(values) - groups.ngroups
    )
    between = groups.mean().var(ddof=1)
    varies = values.nunique() > 1
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.sqrt((size - 1) / size + between / within)
    return factor[varies]


def _known_in_all(ensemble):
    """The numbers that exist in every draw."""
    columns = [name for name in ensemble if name.count(SEPARATOR) == len(KEYS) - 1]
    return ensemble[columns].dropna(axis=1)


def count_verdicts(ranges) -> dict[str, int]:
    """How many numbers got each verdict."""
    counts = ranges["verdict"].value_counts()
    return {verdict: int(counts.get(verdict, 0)) for verdict in (PINNED, OPEN, UNMOVED, ABSENT)}
