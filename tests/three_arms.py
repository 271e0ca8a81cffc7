"""The cohort of `reference/three_arms.R`, and what R makes of it."""

import numpy as np
import pandas as pd
from survival_samples import REFERENCE

from helpers.cohort import cohort_from_frame
from helpers.results import KEYS
from helpers.study import Study

PATIENTS = pd.read_csv(REFERENCE / "three_arms.csv")
RESULTS = pd.read_csv(
    REFERENCE / "three_arms_results.csv",
    dtype=dict.fromkeys(["design", *KEYS], str),
    keep_default_na=False,
    na_values={"value": [""]},
    float_precision="round_trip",
)


def _categorical(label, column, reference, *levels, **options):
    named = {level: {"label": level} for level in levels}
    return {"kind": "categorical", "label": label, "column": column, "reference": reference} | {
        "levels": named,
        **options,
    }


STUDY = {
    "title": "Lung cancer by cell type",
    "identifier": "id",
    "arm": {
        "label": "Cell type",
        "column": "cell",
        "reference": "squamous",
        "levels": {level: {"label": level} for level in ("squamous", "smallcell", "large")},
    },
    "time": {"unit": "days"},
    "endpoints": {
        "os": {
            "label": "Overall survival",
            "abbreviation": "OS",
            "time": "os_days",
            "event": "died",
            "unit": "days",
        },
        "pfs": {
            "label": "Time to relapse",
            "abbreviation": "TTR",
            "time": "pfs_days",
            "event": "relapsed",
            "unit": "days",
        },
    },
    "milestones": [90, 180],
    "covariates": {
        "karno": {"kind": "continuous", "label": "Karnofsky score", "unit": "points"},
        "prior": _categorical("Earlier therapy", "prior", "no", "no", "yes"),
        "age": _categorical("Age", "age", "lt60", "lt60", "ge60", cutoff=60),
        "trt": _categorical("Treatment", "trt", "1", "1", "2"),
    },
    "prognostic": ["arm", "karno", "prior", "age"],
    "subgroups": ["prior", "age"],
}
OS = STUDY["endpoints"]["os"]
DESIGNS = {
    "plain": {},
    "stratified": {
        "strata": ["trt"],
        "endpoints": STUDY["endpoints"] | {"os": OS | {"entry": "late"}},
    },
}


def three_arms(design="plain", rows=slice(None), **changes):
    """The cohort, or some `rows` of it, by a design of the study and other changes of it."""
    study = Study.model_validate(STUDY | DESIGNS[design] | changes)
    return cohort_from_frame(PATIENTS[rows], study)


def assert_equals_r(results, design, *analyses):
    """Compare the numbers of R in these analyses with the results, none left out."""
    wanted = RESULTS[(RESULTS["design"] == design) & RESULTS["analysis"].isin(analyses)]
    assert set(wanted["analysis"]) == set(analyses)
    pairs = wanted.merge(results, on=KEYS, how="left", suffixes=("_r", ""), indicator=True)
    absent = pairs.loc[pairs["_merge"] != "both", KEYS]
    assert absent.empty, absent.to_string()
    # A coefficient next to one that grows without end is that of the limit.
    close = np.isclose(pairs["value"], pairs["value_r"], rtol=1e-8, atol=1e-8, equal_nan=True)
    assert close.all(), pairs.loc[~close, [*KEYS, "value_r", "value"]].to_string()
