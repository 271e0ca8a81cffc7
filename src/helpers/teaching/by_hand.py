"""The estimators of survival analysis as one would work them out on paper.

Plain loops over a handful of patients, each intermediate number kept. `helpers.estimators`
has the same statistics for any number of patients.
"""

import math

import pandas as pd

TIES = ("efron", "breslow")


def kaplan_meier_steps(time, event) -> pd.DataFrame:
    """Work out the Kaplan-Meier estimate time by time.

    Parameters
    ----------
    time, event : sequence of length n
        Time of the event (1) or of censoring (0).

    Returns
    -------
    DataFrame
        ``time, n_risk, n_event, n_censored, factor, survival``; ``term``, what the time adds
        to Greenwood's sum; ``std_error`` of survival, NaN once survival is zero.
    """
    rows, survival, total = [], 1.0, 0.0
    for when in sorted(set(time)):
        n_risk = sum(t >= when for t in time)
        n_event = sum(t == when and bool(e) for t, e in zip(time, event, strict=True))
        n_left = n_risk - n_event
        factor = n_left / n_risk
        survival *= factor
        term = n_event / (n_risk * n_left) if n_left else math.nan
        total += term
        rows.append(
            {
                "time": when,
                "n_risk": n_risk,
                "n_event": n_event,
                "n_censored": sum(t == when for t in time) - n_event,
                "factor": factor,
                "survival": survival,
                "term": term,
                "std_error": survival * math.sqrt(total),
            }
        )
    return pd.DataFrame(rows)


def band_steps(time, event, conf_type, z) -> pd.DataFrame:
    """Put a band around the Kaplan-Meier estimate, on the scale where it is symmetric.

    Parameters
    ----------
    time, event : sequence of length n
    conf_type : {'plain', 'log', 'log_log'}
    z : float
        Quantile of the normal distribution, for instance 1.96.

    Returns
    -------
    DataFrame
        ``time, survival, conf_low, conf_high`` at the death times before survival is zero.
    """
    steps = kaplan_meier_steps(time, event)
    rows = []
    for step in steps[(steps["n_event"] > 0) & (steps["survival"] > 0)].itertuples():
        s, error = step.survival, step.std_error
        if conf_type == "plain":
            limits = s - z * error, s + z * error
        elif conf_type == "log":
            spread = z * error / s
            limits = s * math.exp(-spread), s * math.exp(spread)
        else:
            spread = z * error / (s * -math.log(s))
            limits = s ** math.exp(spread), s ** math.exp(-spread)
        low, high = (min(max(limit, 0.0), 1.0) for limit in limits)
        rows.append({"time": step.time, "survival": s, "conf_low": low, "conf_high": high})
    return pd.DataFrame(rows)


def first_at_half(time, height) -> float:
    """The first time at which a falling height is one half or less; infinite if it never is."""
    reached = [when for when, h in zip(time, height, strict=True) if h <= 0.5 + 1e-12]
    return reached[0] if reached else math.inf


def redistribute(time, event) -> pd.DataFrame:
    """Hand the weight of each censored patient on to those who stay longer.

    Parameters
    ----------
    time, event : sequence of length n

    Returns
    -------
    DataFrame
        ``time, event, weight``, ordered by time, events before censorings at one time. The
        weights of those with an event are the falls of the Kaplan-Meier curve.

    References
    ----------
    Efron B. Proc Fifth Berkeley Symp Math Stat Prob 1967;4:831-853.
    """
    patients = sorted(zip(time, event, strict=True), key=lambda patient: (patient[0], -patient[1]))
    weights = [1 / len(patients)] * len(patients)
    for place, (_, died) in enumerate(patients):
        later = len(patients) - place - 1
        if not died and later:
            share = weights[place] / later
            weights[place] = 0.0
            weights[place + 1 :] = [weight + share for weight in weights[place + 1 :]]
    return pd.DataFrame(patients, columns=["time", "event"]).assign(weight=weights)


def logrank_steps(time, event, treated) -> pd.DataFrame:
    """Work out observed, expected and variance of the log-rank test, death time by death time.

    Parameters
    ----------
    time, event, treated : sequence of length n
        `treated` is 1 in the group whose events are counted.

    Returns
    -------
    DataFrame
        ``time, n_risk, n_risk_treated, n_event, observed, expected, variance``.
    """
    patients = list(zip(time, event, treated, strict=True))
    rows = []
    for when in sorted({t for t, e, _ in patients if e}):
        at_risk = [x for t, _, x in patients if t >= when]
        died = [x for t, e, x in patients if t == when and e]
        n, n_treated, d = len(at_risk), sum(at_risk), len(died)
        share = n_treated / n
        spread = d * share * (1 - share) * (n - d) / (n - 1) if n > 1 else 0.0
        rows.append(
            {
                "time": when,
                "n_risk": n,
                "n_risk_treated": n_treated,
                "n_event": d,
                "observed": sum(died),
                "expected": d * share,
                "variance": spread,
            }
        )
    return pd.DataFrame(rows)


def likelihood_steps(time, event, x, coef, ties="efron", entry=None) -> pd.DataFrame:
    """Work out the partial likelihood of a Cox model with one covariate, event by event.

    Parameters
    ----------
    time, event, x : sequence of length n
    coef : float
        Log hazard ratio of one unit of `x`.
    ties : {'efron', 'breslow'}
    entry : sequence of length n, optional
        Time after which a patient is at risk.

    Returns
    -------
    DataFrame
        ``time, x, hazard, total, factor`` (hazard over total: the probability that it was
        this patient), ``mean`` and ``variance`` of the covariate among those at risk,
        weighted by hazard, and ``residual`` of Schoenfeld.

    Raises
    ------
    ValueError
        Unknown `ties`.
    """
    if ties not in TIES:
        raise ValueError(f"unknown ties {ties!r}; they are {', '.join(TIES)}")
    entry = [-math.inf] * len(time) if entry is None else entry
    patients = list(zip(time, event, x, entry, strict=True))
    rows = []
    for when in sorted({t for t, e, _, _ in patients if e}):
        died = [value for t, e, value, _ in patients if t == when and e]
        for order, own in enumerate(died):
            gone = order / len(died) if ties == "efron" else 0.0
            weighted = [
                (value, math.exp(coef * value) * (1 - gone * (t == when and bool(e))))
                for t, e, value, entered in patients
                if entered < when <= t
            ]
            total = sum(weight for _, weight in weighted)
            mean = sum(weight * value for value, weight in weighted) / total
            square = sum(weight * value**2 for value, weight in weighted) / total
            rows.append(
                {
                    "time": when,
                    "x": own,
                    "hazard": math.exp(coef * own),
                    "total": total,
                    "factor": math.exp(coef * own) / total,
                    "mean": mean,
                    "variance": square - mean**2,
                    "residual": own - mean,
                }
            )
    steps = pd.DataFrame(rows)
    if ties == "efron":  # tied events share the mean of their steps
        steps["residual"] = steps["x"] - steps.groupby("time")["mean"].transform("mean")
    return steps


def log_likelihood(time, event, x, coef, ties="efron") -> float:
    """Logarithm of the partial likelihood of `likelihood_steps`."""
    return sum(map(math.log, likelihood_steps(time, event, x, coef, ties)["factor"]))


def newton_steps(time, event, x, ties="efron", entry=None, n_step=6) -> pd.DataFrame:
    """Climb the partial likelihood from zero by Newton's method.

    Returns
    -------
    DataFrame
        ``coef, log_likelihood, score, information`` before each step.
    """
    rows, coef = [], 0.0
    for _ in range(n_step):
        steps = likelihood_steps(time, event, x, coef, ties, entry)
        score = (steps["x"] - steps["mean"]).sum()
        information = steps["variance"].sum()
        rows.append(
            {
                "coef": coef,
                "log_likelihood": sum(map(math.log, steps["factor"])),
                "score": score,
                "information": information,
            }
        )
        coef += score / information
    return pd.DataFrame(rows)


def count_pairs(time, event, score) -> dict:
    """Count the pairs in which the higher score has the earlier event.

    A pair counts where one patient has the event while the other is under observation.

    Returns
    -------
    dict
        ``concordant``, ``discordant`` and ``tied`` pairs.
    """
    counts = {"concordant": 0, "discordant": 0, "tied": 0}
    patients = list(zip(time, event, score, strict=True))
    for t, e, s in patients:
        for other_t, other_e, other_s in patients:
            if e and (other_t > t or (other_t == t and not other_e)):
                kind = "tied" if s == other_s else "concordant" if s > other_s else "discordant"
                counts[kind] += 1
    return counts


def area_steps(time, event, horizon) -> pd.DataFrame:
    """Cut the area under the Kaplan-Meier curve up to a horizon into rectangles.

    Returns
    -------
    DataFrame
        ``start, end, survival, area``; the areas add up to the restricted mean.
    """
    steps = kaplan_meier_steps(time, event)
    falls = steps[(steps["n_event"] > 0) & (steps["time"] < horizon)]
    starts = [0.0, *falls["time"]]
    ends = [*falls["time"], horizon]
    heights = [1.0, *falls["survival"]]
    rows = [
        {"start": start, "end": end, "survival": height, "area": (end - start) * height}
        for start, end, height in zip(starts, ends, heights, strict=True)
    ]
    return pd.DataFrame(rows)


def naive_estimates(time, event, when) -> dict:
    """Estimate the share alive at a time in four ways, three of which are wrong.

    Returns
    -------
    dict
        ``dropped``: those censored before are left out. ``dead``: they count as dead.
        ``alive``: they count as alive. ``kaplan_meier``: the estimate that is right.
    """
    patients = list(zip(time, event, strict=True))
    later = sum(t > when for t, _ in patients)
    lost = sum(t <= when and not e for t, e in patients)
    steps = kaplan_meier_steps(time, event)
    before = steps.loc[steps["time"] <= when, "survival"]
    return {
        "dropped": later / (len(patients) - lost) if len(patients) > lost else math.nan,
        "dead": later / len(patients),
        "alive": (later + lost) / len(patients),
        "kaplan_meier": float(before.iloc[-1]) if len(before) else 1.0,
    }
