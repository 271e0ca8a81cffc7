"""How large a bias a design can make: simulated studies of two arms without any effect.

Each function draws many studies at once and returns one row a scenario: ``hazard_ratio``, the
geometric mean of the estimates, and ``rejected``, the share of studies with p below the level
where no effect exists, each with its Monte Carlo standard error.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

N_STUDIES = 2000
STEPS = 25
LONGEST_STEP = 1.0  # of Newton's method, so that a separated study does not run away


@dataclass(frozen=True)
class Design:
    """The size and the follow-up of the simulated studies.

    Attributes
    ----------
    n_treated, n_control : int
        Patients analysed.
    median : float
        Median survival time of an average patient.
    follow_up : tuple of float
        Shortest and longest time under observation; uniform between them.
    level : float
        Of the two-sided test.
    n_studies : int
    seed : int
    """

    n_treated: int
    n_control: int
    median: float
    follow_up: tuple[float, float]
    level: float = 0.05
    n_studies: int = N_STUDIES
    seed: int = 20240387

    @property
    def rate(self) -> float:
        """Hazard of an average patient."""
        return math.log(2) / self.median

    def generator(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def treated(self) -> np.ndarray:
        """Which patients are in the treated arm, for each study."""
        arm = np.arange(self.n_treated + self.n_control) < self.n_treated
        return np.broadcast_to(arm, (self.n_studies, len(arm)))

    def observe(self, time, rng) -> tuple[np.ndarray, np.ndarray]:
        """Censor times at the end of follow-up."""
        seen = rng.uniform(*self.follow_up, time.shape)
        return np.minimum(time, seen), time <= seen


def fit_many(time, event, treated) -> tuple[np.ndarray, np.ndarray]:
    """Fit the Cox model of one binary covariate to many studies.

    Parameters
    ----------
    time, event, treated : ndarray of shape (studies, patients)
        Patients with an infinite time are not in the study. Ties as Breslow's.

    Returns
    -------
    coef, std_error : ndarray of shape (studies,)
        NaN where an arm has no event.

    References
    ----------
    Cox DR. J R Stat Soc B 1972;34:187-220.
    """
    order = np.argsort(-time, axis=1, kind="stable")
    time, event, treated = (np.take_along_axis(x, order, axis=1) for x in (time, event, treated))
    inside = np.isfinite(time)
    event = event & inside
    at_risk = np.cumsum(inside & treated, axis=1)
    others = np.cumsum(inside & ~treated, axis=1)
    observed = (event & treated).sum(axis=1)
    coef = np.zeros(len(time))
    for _ in range(STEPS):
        weighted = np.exp(coef)[:, None] * at_risk
        share = np.divide(weighted, weighted + others, where=event, out=np.zeros(time.shape))
        information = (share * (1 - share)).sum(axis=1)
        score = observed - share.sum(axis=1)
        step = np.divide(score, information, where=information > 0, out=np.zeros(len(coef)))
        coef = coef + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
    both = (observed > 0) & (observed < event.sum(axis=1))
    std_error = np.where(
        both & (information > 0), 1 / np.sqrt(np.maximum(information, 1e-300)), np.nan
    )
    return np.where(both, coef, np.nan), std_error


def summarize_fits(coef, std_error, level) -> dict[str, float]:
    """The geometric mean of hazard ratios and the share of small p, with Monte Carlo errors."""
    known = ~np.isnan(coef) & ~np.isnan(std_error)
    coef, p = coef[known], 2 * stats.norm.sf(np.abs(coef[known] / std_error[known]))
    n, rejected = len(coef), float((p < level).mean())
    mean = float(np.exp(coef.mean()))
    return {
        "hazard_ratio": mean,
        "hazard_ratio_error": mean * float(coef.std(ddof=1)) / math.sqrt(n),
        "rejected": rejected,
        "rejected_error": math.sqrt(rejected * (1 - rejected) / n),
        "n_studies": n,
    }


def exclusion_bias(design, frail, excluded, hazard_ratios, excluded_control=0.0) -> pd.DataFrame:
    """The bias from leaving out patients who stopped their treatment.

    In both arms the same share is frail: these patients die faster, and are the ones who
    stop. Some or all of them are left out of the treated arm, fewer out of the control arm;
    the analysed arms have the sizes of the design.

    Parameters
    ----------
    design : Design
    frail : float
        Share of all patients.
    excluded : sequence of float
        Shares left out of the treated arm, at most `frail`.
    hazard_ratios : sequence of float
        Of a frail patient against another.
    excluded_control : float
        Share left out of the control arm.

    Returns
    -------
    DataFrame
        Columns ``excluded`` and ``frail_hazard_ratio`` before the common ones.
    """
    rows = []
    for share, ratio in itertools.product(excluded, hazard_ratios):
        rng, treated = design.generator(), design.treated()
        left_out = np.where(treated, share, excluded_control)
        is_frail = rng.random(treated.shape) < (frail - left_out) / (1 - left_out)
        time = rng.exponential(1 / design.rate, treated.shape) / np.where(is_frail, ratio, 1.0)
        fits = fit_many(*design.observe(time, rng), treated)
        here = {"excluded": share, "frail_hazard_ratio": ratio}
        rows.append(here | summarize_fits(*fits, design.level))
    return pd.DataFrame(rows)


def immortal_time(design, delays) -> pd.DataFrame:
    """The bias from a treatment that starts some time after time zero.

    Who dies, or has the event, before the start cannot receive it. Such patients are either
    counted in the control arm or not in the study at all; either way the treated arm has
    survived the delay by construction.

    Parameters
    ----------
    design : Design
    delays : sequence of float

    Returns
    -------
    DataFrame
        Columns ``delay`` and ``early`` (``moved`` or ``left out``) before the common ones.
    """
    rows = []
    for delay, early in itertools.product(delays, ("moved", "left out")):
        rng, treated = design.generator(), design.treated()
        time = rng.exponential(1 / design.rate, treated.shape)
        time, event = design.observe(time, rng)
        too_early = treated & (time < delay)
        if early == "moved":
            fits = fit_many(time, event, treated & ~too_early)
        else:
            fits = fit_many(np.where(too_early, np.inf, time), event, treated)
        rows.append({"delay": delay, "early": early} | summarize_fits(*fits, design.level))
    return pd.DataFrame(rows)


def different_origins(design, lags) -> pd.DataFrame:
    """The bias from an endpoint that is counted from before the treatment.

    Survival from the first treatment has one distribution. Counted from the diagnosis it is
    longer by the lag between the two, which everyone in the study has survived.

    Parameters
    ----------
    design : Design
    lags : sequence of (float, float)
        Mean lag of the treated and of the control arm; lags are exponential.

    Returns
    -------
    DataFrame
        Columns ``lag_treated``, ``lag_control`` and ``median_shift`` (how much longer the
        median of the treated arm is than that of the control) before the common ones.
    """
    rows = []
    for lag_treated, lag_control in lags:
        rng, treated = design.generator(), design.treated()
        time = rng.exponential(1 / design.rate, treated.shape)
        lag = rng.exponential(1.0, treated.shape) * np.where(treated, lag_treated, lag_control)
        fits = fit_many(*design.observe(time + lag, rng), treated)
        shift = [np.median((time + lag)[treated == arm]) for arm in (True, False)]
        here = {"lag_treated": lag_treated, "lag_control": lag_control}
        here["median_shift"] = float(shift[0] - shift[1])
        rows.append(here | summarize_fits(*fits, design.level))
    return pd.DataFrame(rows)


def subgroup_tests(design, shares, progression_rate, effect=1.0) -> pd.DataFrame:
    """How often tests within subgroups mislead: two endpoints, each level of each covariate.

    Survival is the time to death, progression-free survival that to progression or death.
    The covariates are independent of everything.

    Parameters
    ----------
    design : Design
    shares : sequence of float
        Share of patients at the first level of each covariate.
    progression_rate : float
        Hazard of progression before death.
    effect : float
        Hazard ratio of the treatment, the same for everyone, on both endpoints.

    Returns
    -------
    DataFrame
        Rows ``any test``, ``any test of survival`` and ``one level only``: p below the level
        in one level of the first covariate and not in the other, for survival. Columns
        ``share``, ``share_error``, ``n_tests``.

    Notes
    -----
    With an effect of one the first two are false positive rates; with another effect the last
    is how often subgroups seem to differ where they do not.
    """
    rng, treated = design.generator(), design.treated()
    hazard = np.where(treated, effect, 1.0)
    death = rng.exponential(1 / design.rate, treated.shape) / hazard
    progression = rng.exponential(1 / progression_rate, treated.shape) / hazard
    seen = rng.uniform(*design.follow_up, treated.shape)
    small = {}
    for number, first in enumerate(shares):
        inside = rng.random(treated.shape) < first
        for level, patients in (("first", inside), ("second", ~inside)):
            for endpoint, time in (("os", death), ("pfs", np.minimum(death, progression))):
                observed = np.where(patients, np.minimum(time, seen), np.inf)
                coef, error = fit_many(observed, time <= seen, treated)
                p = 2 * stats.norm.sf(np.abs(coef / error))
                small[number, level, endpoint] = p < design.level
    survival = [found for key, found in small.items() if key[-1] == "os"]
    outcomes = {
        "any test": (np.any(list(small.values()), axis=0), len(small)),
        "any test of survival": (np.any(survival, axis=0), len(survival)),
        "one level only": (small[0, "first", "os"] != small[0, "second", "os"], 2),
    }
    rows = []
    for name, (found, n_tests) in outcomes.items():
        share = float(found.mean())
        error = math.sqrt(share * (1 - share) / len(found))
        rows.append({"outcome": name, "share": share, "share_error": error, "n_tests": n_tests})
    return pd.DataFrame(rows)
