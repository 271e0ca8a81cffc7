"""How often the audit is wrong: papers printed correctly, and with one error each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from helpers.audit.check import CHECKS
from helpers.audit.printed import reversed_contrast
from helpers.audit.report import OPTIONAL, audit, find_problems
from helpers.cohort import cohort_from_frame
from helpers.formats import NOT_REACHED, format_number
from helpers.published import COLUMNS, NO_TEST
from helpers.results import KEYS, OVERALL, contrast
from helpers.sections import summarize_all
from helpers.study import Conventions, load_study

STUDY = Path(__file__).with_name("simulated_study.yml")
MEASURED = Path(__file__).with_name("error_rates.csv")
SEED = 20240387
SMALLEST_P = 0.001
RULES = ("fisher_if_observed_below_5", "fisher_if_expected_below_5", "chi_square", "fisher")

COX = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high", "p_wald")
MEDIAN = ("median", "median_conf_low", "median_conf_high")
SUMMARIES = ("n", "percent", "mean", "sd", "q1", "median", "q3", "p")
PRINTED = {
    "cohort": ("n",),
    "baseline": SUMMARIES,
    "response": ("percent", "p"),
    "adverse_event": ("n", "percent", "p"),
    "survival": (*MEDIAN, *COX),
    "cox_univariable": COX,
    "cox_multivariable": COX,
    "subgroup": (*MEDIAN, "p"),
}
DECIMALS = {"n": 0, "p": 3, "p_wald": 3} | dict.fromkeys(COX[:3], 3)


def print_results(results, study) -> pd.DataFrame:
    """Print the results of a study as a paper does: the ledger of that paper.

    Parameters
    ----------
    results : DataFrame
        Made by `helpers.sections.summarize_all`.
    study : Study

    Returns
    -------
    DataFrame
        Counts, percentages, means, quartiles, medians, hazard ratios and p values, rounded
        half up. Hazard ratios of the arms have two decimals in the text and stand in the
        tables as their reciprocals. Response rates and medians are restated.
    """
    rows = [row for row in results.to_dict("records") if _is_printed(row, study)]
    printed = [_print(row, "cohort") for row in rows]
    repeated = [row for row in rows if _is_restated(row)]
    printed += [_print(row, "restated") for row in repeated]
    printed.append(_entry_claim(study.conventions.screening_threshold))
    ledger = pd.DataFrame(printed)
    ledger["id"] = [f"row{place}" for place in range(len(ledger))]
    return ledger.reindex(columns=[*COLUMNS, *OPTIONAL]).fillna("")


def _is_printed(row, study):
    analysis, group, value = row["analysis"], row["group"], row["value"]
    if row["statistic"] not in PRINTED.get(analysis, ()) or row["variable"] == "any":
        return False
    if row["statistic"] in COX:
        reference = study.reference(row["variable"])
        levels = [level for level in study.levels(row["variable"]) if level != reference]
        direct = group in [contrast(level, reference) for level in levels]
        tabled = analysis != "survival" and row["variable"] == "arm"
        return math.isfinite(value) and direct != tabled
    if analysis in ("survival", "subgroup") and group == OVERALL:
        return False
    if analysis == "response":
        return row["variable"] in study.response.rates and group != OVERALL
    if analysis == "adverse_event" and group == OVERALL:
        return False
    return row["statistic"] == "p" or not math.isnan(value)


def _is_restated(row):
    return row["analysis"] in ("response", "survival") and row["statistic"] in ("percent", "median")


def _print(row, kind):
    statistic, value = row["statistic"], row["value"]
    decimals = DECIMALS.get(statistic, 1)
    if row["analysis"] == "survival" and statistic in COX[:3]:
        decimals = 2
    if math.isnan(value):
        text = NO_TEST
    elif math.isinf(value):
        text = NOT_REACHED
    elif statistic in ("p", "p_wald") and value < SMALLEST_P:
        text = f"<{SMALLEST_P}"
    else:
        text = format_number(value, decimals)
    keys = {name: row[name] for name in KEYS}
    places = {"decimals": str(decimals), "precision": str(decimals)}
    return {**keys, "printed": text, **places, "place": kind, "section": kind, "class": kind}


def _entry_claim(threshold):
    empty = dict.fromkeys(KEYS, "")
    return {**empty, "printed": f"<{threshold:g}", "class": "design", "claim": "entry"}


def simulate_paper(seed) -> pd.DataFrame:
    """The ledger of a simulated study of two arms, printed correctly.

    Sizes, effects, frequencies and statistical conventions are drawn at random.

    Parameters
    ----------
    seed : int
    """
    rng = np.random.default_rng([SEED, seed])
    study = load_study(STUDY).model_copy(update={"conventions": _draw_conventions(rng)})
    cohort = cohort_from_frame(_draw_patients(study, rng), study)
    return print_results(summarize_all(cohort), study)


def _draw_conventions(rng):
    return Conventions(
        ties="breslow",  # the faster; no check depends on it
        median_conf_type=rng.choice(["log", "log_log", "plain"]),
        median_at_half=rng.choice(["midpoint", "first"]),
        baseline_quantile=int(rng.integers(6, 8)),
        categorical_test=rng.choice(RULES),
        mean_test=rng.choice(["student_t", "welch_t"]),
    )


def _draw_patients(study, rng):
    sizes = rng.integers(25, 81, 2)
    treated = np.repeat([0, 1], sizes)
    n = len(treated)
    late, present = (rng.random(n) < rng.uniform(0.15, 0.85) for _ in range(2))
    risk = rng.normal(0, 0.4) * treated + rng.normal(0, 0.6) * late + rng.normal(0, 0.6) * present
    death = rng.exponential(np.exp(-risk) * rng.uniform(400, 1200))
    progression = rng.exponential(np.exp(-risk) * rng.uniform(150, 500))
    seen = rng.uniform(180, 1800, n)
    first = np.minimum(death, progression)
    shares = rng.dirichlet([1, 3, 3, 3])
    frame = {
        "arm": np.where(treated, "treated", "control"),
        "age": np.rint(rng.normal(60, rng.uniform(6, 14), n)),
        "marker": rng.lognormal(3, 1, n).round(1),
        "stage": np.where(late, "late", "early"),
        "invasion": np.where(present, "present", "absent"),
        "os_days": np.maximum(np.ceil(np.minimum(death, seen)), 1),
        "os_event": (death <= seen).astype(int),
        "pfs_days": np.maximum(np.ceil(np.minimum(first, seen)), 1),
        "pfs_event": (first <= seen).astype(int),
        "response": rng.choice(list(study.response.categories), n, p=shares),
    }
    for event in study.adverse_events.events:
        common = rng.uniform(0.05, 0.5)
        frame[study.adverse_events.column(event)] = rng.choice(
            4, n, p=[1 - common, common / 2, common / 4, common / 4]
        )
    return pd.DataFrame(frame)


@dataclass(frozen=True)
class ErrorKind:
    """An error of print, and the checks that are there to find it.

    Attributes
    ----------
    label : str
    analyses, statistics : tuple of str
        Which rows it may strike.
    checks : tuple of str
        Empty where only the reading of the ledger can find it.
    """

    label: str
    analyses: tuple[str, ...]
    statistics: tuple[str, ...]
    checks: tuple[str, ...]


NOT_SIMULATED = (
    "subset",
    "grim",
    "grimmer",
    "debit",
    "quartile_grid",
    "quartile_spread",
    "quartile_versions",
    "claim",
)  # checks for which a simulated paper prints nothing
UNIVARIABLE = ("survival", "cox_univariable")
ERRORS = {
    "percent": ErrorKind(
        "Percentage", ("baseline", "adverse_event"), ("percent",), ("percentage",)
    ),
    "count": ErrorKind("Count of a level", ("baseline",), ("n",), ("sum", "percentage")),
    "event_count": ErrorKind(
        "Count of an adverse event",
        ("adverse_event",),
        ("n",),
        ("percentage", "sum", "contingency"),
    ),
    "table_p": ErrorKind(
        "p of a table of counts", ("response", "adverse_event"), ("p",), ("contingency",)
    ),
    "mean": ErrorKind("Mean", ("baseline",), ("mean",), ("t_test", "overall")),
    "sd": ErrorKind("Standard deviation", ("baseline",), ("sd",), ("t_test", "overall")),
    "quartile": ErrorKind(
        "Median or quartile", ("baseline",), ("q1", "median", "q3"), ("quartile_order", "overall")
    ),
    "hazard_ratio": ErrorKind(
        "Hazard ratio", UNIVARIABLE, ("hazard_ratio",), ("log_symmetry", "wald_p", "reciprocal")
    ),
    "hazard_limit": ErrorKind(
        "Limit of a hazard ratio",
        (*UNIVARIABLE, "cox_multivariable"),
        ("hazard_ratio_conf_low", "hazard_ratio_conf_high"),
        ("log_symmetry", "wald_p", "reciprocal"),
    ),
    "wald_p": ErrorKind("Wald p", UNIVARIABLE, ("p_wald",), ("wald_p", "reciprocal")),
    "label": ErrorKind(
        "Label of a hazard ratio turned round",
        ("cox_univariable",),
        ("hazard_ratio",),
        ("label", "direction", "reciprocal"),
    ),
    "survival_median": ErrorKind(
        "Median survival", ("subgroup",), ("median",), ("median_interval", "subgroup_medians")
    ),
    "survival_limit": ErrorKind(
        "Limit of a median",
        ("survival", "subgroup"),
        ("median_conf_low", "median_conf_high"),
        ("median_interval", "subgroup_limits"),
    ),
    "restated": ErrorKind(
        "Number restated", ("response", "survival"), ("percent", "median"), ("restated",)
    ),
    "entry": ErrorKind(
        "Model without a covariate", ("cox_multivariable",), ("hazard_ratio",), ("entry",)
    ),
    "logrank_p": ErrorKind("p of a subgroup", ("subgroup",), ("p",), ()),
}


def corrupt(ledger, kind, rng) -> pd.DataFrame | None:
    """Make one error of print: change a digit, turn a label round, or leave a row out.

    Parameters
    ----------
    ledger : DataFrame
    kind : str
        A key of `ERRORS`.
    rng : numpy.random.Generator

    Returns
    -------
    DataFrame or None
        A changed copy; None where the paper prints nothing that the error may strike.
    """
    error = ERRORS[kind]
    rows = ledger[
        ledger["analysis"].isin(error.analyses) & ledger["statistic"].isin(error.statistics)
    ]
    digits = rows["printed"].str.fullmatch(r"\d+(\.\d+)?")
    rows = rows[digits & ((rows["class"] == "restated") == (kind == "restated"))]
    if kind == "entry":  # a model of one covariate is no model without it
        rows = rows[rows.groupby("endpoint")["variable"].transform("nunique") > 1]
    if rows.empty:
        return None
    place = rng.choice(rows.index)
    changed = ledger.copy()
    if kind in ("label", "entry"):
        row = ledger.loc[place]
        same = (
            ledger[["analysis", "endpoint", "variable"]]
            == row[["analysis", "endpoint", "variable"]]
        ).all(axis=1)
        if kind == "entry":
            return changed[~same].reset_index(drop=True)
        changed.loc[same, "group"] = reversed_contrast(row["group"])
        return changed
    changed.loc[place, "printed"] = _change_digit(ledger.loc[place, "printed"], rng)
    return changed


def _change_digit(text, rng):
    places = [place for place, character in enumerate(text) if character.isdigit()]
    place = rng.choice(places)
    others = [digit for digit in "0123456789" if digit != text[place]]
    return text[:place] + str(rng.choice(others)) + text[place + 1 :]


def assess_paper(seed) -> dict[str, str]:
    """Audit one simulated paper as it should be, and with each kind of error.

    Parameters
    ----------
    seed : int

    Returns
    -------
    dict of str to str
        ``seed``; ``false_alarms``, the checks that fire on the correct print; and for each
        of `ERRORS` 1 if a covering check finds it or the ledger is refused, for instance as
        a probability above one; 0 if not, empty where it cannot occur.
    """
    ledger = simulate_paper(seed)
    asked = [name for name, question in CHECKS.items() if not question.informs]
    alarms = sorted({check.name for check in audit(ledger, only=asked) if check.fired})
    assessed = {"seed": str(seed), "false_alarms": " ".join(alarms)}
    rng = np.random.default_rng([SEED, seed, 1])
    for kind, error in ERRORS.items():
        changed = corrupt(ledger, kind, rng)
        covering = [name for name in error.checks if name not in alarms]
        if changed is None:
            assessed[kind] = ""
        else:
            fired = any(check.fired for check in audit(changed, only=covering))
            assessed[kind] = "1" if fired or find_problems(changed) else "0"
    return assessed


def load_error_rates(path=MEASURED) -> pd.DataFrame:
    """The stored answers of `assess_paper`, one row a simulated paper."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def summarize_detection(assessed) -> pd.DataFrame:
    """Share of errors found, by kind.

    Parameters
    ----------
    assessed : DataFrame
        Rows of `assess_paper`.

    Returns
    -------
    DataFrame
        ``kind, label, checks, n, found, rate, std_error``; rate and its Monte Carlo error
        as shares.
    """
    rows = []
    for kind, error in ERRORS.items():
        known = assessed.loc[assessed[kind] != "", kind].astype(int)
        rate = known.mean()
        rows.append(
            {
                "kind": kind,
                "label": error.label,
                "checks": ", ".join(CHECKS[name].title for name in error.checks),
                "n": len(known),
                "found": int(known.sum()),
                "rate": rate,
                "std_error": math.sqrt(rate * (1 - rate) / len(known)),
            }
        )
    return pd.DataFrame(rows)


def summarize_false_alarms(assessed) -> pd.DataFrame:
    """Share of correctly printed papers on which a check fires, by check.

    Returns
    -------
    DataFrame
        ``name, title, n, fired, rate, std_error`` of the checks that simulated papers print
        something for, and a last row for any check.
    """
    fired = assessed["false_alarms"].str.split()
    n = len(assessed)
    rows = [
        (name, question.title, fired.map(lambda names, k=name: k in names).sum())
        for name, question in CHECKS.items()
        if not question.informs and name not in NOT_SIMULATED
    ]
    rows.append(("any", "Any check", (fired.map(len) > 0).sum()))
    table = pd.DataFrame(rows, columns=["name", "title", "fired"]).assign(n=n)
    table["rate"] = table["fired"] / n
    table["std_error"] = np.sqrt(table["rate"] * (1 - table["rate"]) / n)
    return table


def measure_error_rates(n_papers, path=MEASURED) -> None:
    """Assess papers 0 to `n_papers` - 1 and store the answers."""
    rows = [assess_paper(seed) for seed in range(n_papers)]
    pd.DataFrame(rows).to_csv(path, index=False, lineterminator="\n")
