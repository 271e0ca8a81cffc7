"""A second study: invented patients, and the ledger of their tables as a paper would print them."""

import numpy as np
import pandas as pd

from helpers.cohort import cohort_from_frame
from helpers.demographics import summarize_demographics
from helpers.formats import round_half_up
from helpers.published import COLUMNS
from helpers.response import summarize_response
from helpers.safety import summarize_safety
from helpers.study import Study

STUDY = Study.model_validate(
    {
        "title": "Invented",
        "identifier": "id",
        "arm": {
            "column": "randomised",
            "label": "Diet",
            "reference": "usual",
            "levels": {
                "usual": {"label": "Usual", "code": 1},
                "rich": {"label": "Rich", "code": 2},
                "poor": {"label": "Poor", "code": 3},
            },
        },
        "endpoints": {
            "relapse": {
                "label": "Time to relapse",
                "abbreviation": "TTR",
                "time": "weeks",
                "event": "relapsed",
                "unit": "weeks",
                "event_codes": ["yes"],
                "censored_codes": ["no"],
            }
        },
        "covariates": {
            "degree": {
                "kind": "categorical",
                "label": "Degree",
                "reference": "two",
                "levels": {
                    "one": {"label": "I", "code": "I"},
                    "two": {"label": "II", "code": "II"},
                    "three": {"label": "III", "code": "III"},
                },
            },
            "smoker": {
                "kind": "categorical",
                "label": "Smoker",
                "reference": "never",
                "levels": {"never": {"label": "Never"}, "ever": {"label": "Ever"}},
            },
            "ferritin": {
                "kind": "categorical",
                "label": "Ferritin",
                "column": "ferritin_value",
                "cutoff": 30,
                "reference": "enough",
                "levels": {"lacking": {"label": "< 30"}, "enough": {"label": "≥ 30"}},
            },
            "weight": {"kind": "continuous", "label": "Weight", "summary": "mean_sd"},
            "crp": {"kind": "continuous", "label": "CRP", "decimals": 1},
            "excess": {"kind": "continuous", "label": "Base excess", "column": "be"},
        },
        "baseline": ["degree", "smoker", "ferritin", "weight", "crp", "excess"],
        "exposures": {
            "iron": {
                "label": "Iron",
                "column": "iron",
                "duration": "iron_weeks",
                "unit": "weeks",
                "until": "relapse",
                "levels": {"oral": {"label": "Oral"}, "infused": {"label": "Infused"}},
            }
        },
        "response": {
            "column": "outcome",
            "categories": {
                "worse": {"label": "Worse"},
                "healed": {"label": "Healed"},
                "better": {"label": "Better"},
            },
            "rates": {"any_good": {"label": "Good", "categories": ["healed", "better"]}},
        },
        "measurements": {
            "lactate": {
                "label": "Lactate",
                "baseline": "lactate_1",
                "followup": "lactate_2",
                "above": 2,
            }
        },
        "adverse_events": {
            "severe_from": 2,
            "interruption": "paused",
            "events": {"nausea": {"label": "Nausea", "column": "tox_a"}, "rash": {"label": "Rash"}},
        },
        "associations": {"crp": {"degree": 0.5}, "response": {"relapse_time": -0.9}},
        "conventions": {
            "baseline_quantile": 8,
            "measurement_quantile": 5,
            "mean_test": "welch_t",
            "rank_test": "mann_whitney",
        },
    }
)
SIZES = {"usual": 24, "rich": 31, "poor": 20}
DECIMALS = {"n": 0, "p": 3}


def true_patients(seed=5) -> pd.DataFrame:
    """Patients in the columns of the study."""
    rng = np.random.default_rng(seed)
    n = sum(SIZES.values())
    weeks = np.ceil(rng.exponential(60, n))
    lactate = rng.lognormal(1, 0.6, n).round(1)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "randomised": np.repeat([1, 2, 3], list(SIZES.values())),
            "weeks": weeks,
            "relapsed": rng.choice(["yes", "no"], n, p=[0.8, 0.2]),
            "degree": rng.choice(["I", "II", "III"], n),
            "smoker": rng.choice(["never", "ever"], n),
            "ferritin_value": rng.integers(5, 90, n),
            "weight": rng.normal(71, 12, n).round(1),
            "crp": rng.lognormal(1.5, 0.8, n).round(1) + 0.1,
            "be": rng.normal(-1, 2.5, n).round(1),
            "iron": rng.choice(["oral", "infused"], n),
            "iron_weeks": np.floor(weeks * rng.uniform(0.4, 1, n)),
            "outcome": rng.choice(["worse", "healed", "better"], n),
            "lactate_1": lactate,
            "lactate_2": (lactate * rng.uniform(0.6, 1.2, n)).round(1),
            "tox_a": rng.choice(4, n, p=[0.6, 0.2, 0.1, 0.1]),
            "ae_rash": rng.choice(4, n, p=[0.8, 0.1, 0.05, 0.05]),
            "paused": rng.choice(2, n, p=[0.9, 0.1]),
        }
    )


def frame_of(patients) -> pd.DataFrame:
    """What is known before the search: arm, times, and two covariates by their keys."""
    lacking = patients["ferritin_value"] < 30
    return pd.DataFrame(
        {
            "randomised": np.repeat(list(SIZES), list(SIZES.values())),
            "weeks": patients["weeks"],
            "relapsed": patients["relapsed"],
            "smoker": patients["smoker"],
            "ferritin": np.where(lacking, "lacking", "enough"),
        }
    )


def print_tables(patients) -> pd.DataFrame:
    """The ledger of the tables: rounded, and silent where papers are."""
    cohort = cohort_from_frame(patients, STUDY)
    summaries = summarize_demographics, summarize_response, summarize_safety
    results = pd.concat([summarize(cohort) for summarize in summaries])
    printed = ("n", "mean", "sd", "q1", "median", "q3", "p", "duration_mean")
    rows = results[
        results["statistic"].isin(printed)
        & results["value"].notna()
        & ~results["analysis"].isin(["eligibility"])
        & ~results["level"].isin(["change"])
        & ~((results["analysis"] == "response") & (results["variable"] != "any_good"))
        & ~((results["variable"] == "iron") & results["group"].isin(["poor", "overall"]))
        & ~(
            (results["variable"] == "lactate")
            & (results["group"] == "poor")
            & (results["statistic"] == "n")
        )
        & ~((results["level"] == "three") & (results["statistic"] == "n"))
        & results["variable"].ne("any")
    ].copy()
    decimals = [DECIMALS.get(statistic, 1) for statistic in rows["statistic"]]
    rows["printed"] = [
        str(round_half_up(value, places))
        for value, places in zip(rows["value"], decimals, strict=True)
    ]
    rows["decimals"] = rows["precision"] = [str(places) for places in decimals]
    rows["class"] = "cohort"
    rows["id"] = [f"row{number}" for number in range(len(rows))]
    return rows.reindex(columns=COLUMNS, fill_value="")
