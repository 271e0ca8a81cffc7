"""Several cohorts together."""

from helpers.formats import format_estimate, format_number, format_p
from helpers.lookup import Lookup
from helpers.tables.parts import contrasts, interval_name, notes_of, why_no_ratio
from helpers.tables.table import Column, Row, Table

MODELS = {"fixed": "Fixed effect", "random": "Random effects"}


def table_pooled(results, study, sites) -> Table:
    """Hazard ratios by cohort with their weights, and pooled with heterogeneity.

    Parameters
    ----------
    results : DataFrame
        Made by `helpers.pooling.pool_sites`.
    study : Study
    sites : list of str
    """
    lookup = Lookup(results)
    columns = [
        Column("Cohort", "text"),
        Column(f"HR ({interval_name(study)})"),
        *(Column(label, spanner="Weight, %") for label in MODELS.values()),
    ]
    rows, ratios = [], []
    for endpoint, described in study.endpoints.items():
        for group, label in contrasts(study).items():
            keys = {"analysis": "pooled", "endpoint": endpoint, "variable": "arm", "group": group}
            rows.append(Row((f"{described.label}, {label}",), "section"))
            for site in sites:
                here = {**keys, "level": site}
                weights = lookup.values("weight_fixed", "weight_random", **here)
                ratio = format_estimate(*lookup.interval("hazard_ratio", **here), 2)
                rows.append(Row((site, ratio, *(format_number(w) for w in weights))))
                ratios.append((f"{described.label.lower()}, {label}, {site}", here))
            for model, name in MODELS.items():
                ratio = lookup.interval(f"{model}_hazard_ratio", **keys)
                rows.append(Row((name, format_estimate(*ratio, 2), "", "")))
            q, p, share, tau = lookup.values(
                "q", "p_heterogeneity", "i_squared", "tau_squared", **keys
            )
            rows.append(Row(("Q, p", f"{format_number(q, 2)}, {format_p(p)}", "", "")))
            spread = f"{format_number(share)}%, {format_number(tau, 3)}"
            rows.append(Row(("I², τ²", spread, "", "")))
    note = (
        "HR: hazard ratio. Random effects by DerSimonian and Laird. Q: Cochran’s test of "
        "heterogeneity; I²: share of the variation that is between cohorts; τ²: its variance. "
        "Pooled are the cohorts that have a weight."
    )
    notes = notes_of(study, note, *why_no_ratio(lookup, ratios))
    return Table("tab-pooled", "Hazard ratios by cohort, and pooled", columns, rows, notes)
