"""Rows, curves and a study with hostile labels, made by hand, and what a figure drew of them."""

from pathlib import Path

import pandas as pd

from helpers.results import collect_results, result_row
from helpers.study import Study, load_study

HOSTILE = "<script>alert(1)</script> | *a* {ref}`x` $y_1$ \\"
ROOT = Path(__file__).resolve().parents[1]


def small_study(label="New drug", arms=2):
    levels = {"old": {"label": "Old drug"}, "new": {"label": label}, "none": {"label": "No drug"}}
    return Study.model_validate(
        {
            "title": "A trial",
            "arm": {
                "label": "Treatment",
                "reference": "old",
                "levels": dict(list(levels.items())[:arms]),
            },
            "endpoints": {
                "os": {"label": "Overall survival", "abbreviation": "OS", "time": "t", "event": "e"}
            },
            "covariates": {
                "age": {"kind": "continuous", "label": "Age", "unit": "years", "decimals": 0},
                "sex": {
                    "kind": "categorical",
                    "label": f"Sex {label}" if label == HOSTILE else "Sex",
                    "reference": "f",
                    "levels": {"m": {"label": "Male"}, "f": {"label": "Female"}},
                },
            },
            "baseline": ["age", "sex"],
            "prognostic": ["sex", "age"],
            "subgroups": ["sex"],
            "response": {
                "column": "r",
                "categories": {"cr": {"label": "Complete"}, "pd": {"label": "Progression"}},
                "rates": {"orr": {"label": "Response rate", "categories": ["cr"]}},
            },
            "measurements": {
                "afp": {
                    "label": "AFP",
                    "unit": "ng/mL",
                    "baseline": "a",
                    "followup": "b",
                    "scale": "log",
                }
            },
            "adverse_events": {"events": {"rash": {"label": "Rash"}, "fever": {"label": "Fever"}}},
        }
    )


def published_study():
    return load_study(ROOT / "data" / "study.yml")


def rows_of(table):
    """Results from ``{(analysis, endpoint, variable, level, group): {statistic: value}}``."""
    return collect_results(
        result_row(
            analysis,
            statistic,
            value,
            endpoint=endpoint,
            variable=variable,
            level=level,
            group=group,
        )
        for (analysis, endpoint, variable, level, group), statistics in table.items()
        for statistic, value in statistics.items()
    )


def estimate(name, value, low, high):
    return {name: value, f"{name}_conf_low": low, f"{name}_conf_high": high}


def survival_rows(analysis="survival", variable="arm", level=""):
    inf = float("inf")
    keys = (analysis, "os", variable, level)
    p = "p_logrank" if analysis == "survival" else "p"
    return rows_of(
        {
            (*keys, "old"): {"n": 4, "n_event": 3, **estimate("median", 10, 5, 20)},
            (*keys, "new"): {"n": 5, "n_event": 2, **estimate("median", 24, 12, inf)},
            (*keys, "new_vs_old"): {**estimate("hazard_ratio", 0.5, 0.25, 1.0), "p_wald": 0.0495},
            (*keys, "between_arms"): {p: 0.0004},
        }
    )


def curves():
    old = [(0, 4, 0, 0, 1), (5, 4, 1, 0, 0.75), (10, 3, 1, 1, 0.5), (20, 1, 1, 0, 0)]
    new = [(0, 5, 0, 0, 1), (12, 5, 1, 1, 0.8), (24, 2, 1, 0, 0.4), (30, 1, 0, 1, 0.4)]
    names = ["group", "time", "n_risk", "n_event", "n_censored", "survival"]
    frame = pd.DataFrame(
        [(group, *row) for group, rows in (("old", old), ("new", new)) for row in rows],
        columns=names,
    )
    spread = 0.1 * frame["time"].gt(0)
    return frame.assign(
        conf_low=(frame["survival"] - spread).clip(0),
        conf_high=(frame["survival"] + spread).clip(0, 1),
    )


def at_risk(times):
    frame = curves()
    rows = []
    for group, curve in frame.groupby("group", sort=False):
        for time in times:
            later = curve[curve["time"] >= time]
            rows.append(
                {
                    "group": group,
                    "time": time,
                    "n_risk": later["n_risk"].iloc[0] if len(later) else 0,
                    "n_event": curve.loc[curve["time"] <= time, "n_event"].sum(),
                }
            )
    return pd.DataFrame(rows)


def lines(figure, gid):
    """The lines that bear a name, over all axes."""
    return [line for axes in figure.axes for line in axes.get_lines() if line.get_gid() == gid]


def texts(figure):
    """Every text of a figure."""
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [text.get_text() for text in axes.texts]
        found += [axes.get_xlabel(), axes.get_ylabel()]
        found += [label.get_text() for label in axes.get_yticklabels()]
    return [text for text in found if text]
