"""What is printed of survival, as the arrays that the search works on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.formats import NOT_REACHED
from helpers.published import COMPARED
from helpers.reconstruct.bounds import event_range
from helpers.reconstruct.kernel import JOINT_MOST, NEVER, ONE, WINDOWS, Problem
from helpers.reconstruct.printed import PrintedNumbers, level_counts
from helpers.reconstruct.regions import row_region
from helpers.results import BETWEEN_ARMS, contrast

PRECISION = 12  # decimals of a bound, so that it is the same number on every machine
PRINT_DIGITS = 7  # decimals of the edge of a window, without its binary fraction
INSIDE = 0.96  # share of a window that is aimed at: the estimates are third-order steps
BOUNDLESS, FALLS_SHORT = 99.0, 0.05  # of a z whose p is only below a number: most; half a window
HAZARD_UNIT = 2.0**-30  # hazards are whole multiples of it, so that sums of them are exact
QUANTILES = 4096  # of the exponential distribution
CURVE_WEIGHT = 14400.0  # an event that a curve is off weighs as 120 half-windows of a number
ESTIMATE = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high")
MEDIAN = ("median_conf_low", "median", "median_conf_high")


@dataclass(frozen=True)
class SurvivalTargets:
    """The printed survival of a study.

    Attributes
    ----------
    problem : Problem
        Covariate 0 is the arm; a covariate is 1 at the level that is not the reference.
    endpoints : tuple of str
        The outer one, and the inner one that ends no later.
    variables : tuple of str
        The covariates in order, the arm first.
    levels : dict of str to tuple of str
        For each covariate its level at 0 and at 1.
    sizes : dict of str to int
        Patients of each arm.
    exposed : dict of (str, str) to int
        Patients of an arm who have covariate 1.
    n_event : dict of str to int
    """

    problem: Problem
    endpoints: tuple[str, ...]
    variables: tuple[str, ...]
    levels: dict[str, tuple[str, str]]
    sizes: dict[str, int]
    exposed: dict[tuple[str, str], int]
    n_event: dict[str, int]


def read_survival_targets(ledger, study) -> SurvivalTargets:
    """Take the printed survival from a ledger.

    Medians with their limits by arm, overall and by subgroup; p values of the subgroups'
    log-rank tests; and the univariable and multivariable Cox models of two endpoints.

    Parameters
    ----------
    ledger : DataFrame
    study : Study
        With two arms, two endpoints in ``reconstruction``, and covariates of two levels.

    Raises
    ------
    ValueError
        The study is not of this kind, or a number is missing.
    """
    if study.reconstruction is None or len(study.reconstruction.endpoints) != 2:
        raise ValueError("reconstruction: name two endpoints, the outer one first")
    variables = ("arm", *(name for name in study.prognostic if name != "arm"))
    levels = {name: _two_levels(study, name) for name in variables}
    printed = PrintedNumbers(ledger)
    sizes = {arm: printed.count(0, analysis="cohort", group=arm) for arm in levels["arm"]}
    exposed = {
        (name, arm): level_counts(
            printed, levels[name], size, analysis="baseline", variable=name, group=arm
        )[levels[name][1]]
        for name in variables[1:]
        for arm, size in sizes.items()
    }
    n_event = {key: searched.n_event for key, searched in study.reconstruction.endpoints.items()}
    reader = _Reader(ledger, printed, study, variables, levels)
    problem = reader.problem(sum(sizes.values()), n_event)
    return SurvivalTargets(problem, tuple(n_event), variables, levels, sizes, exposed, n_event)


def _two_levels(study, name):
    reference = study.reference(name)
    others = [level for level in study.levels(name) if level != reference]
    if reference is None or len(others) != 1:
        raise ValueError(f"{name}: only covariates of two levels can be searched for")
    return reference, others[0]


class _Reader:
    def __init__(self, ledger, printed, study, variables, levels):
        rows = ledger[ledger["class"].isin(COMPARED) & (ledger["printed"] == NOT_REACHED)]
        names = ["analysis", "endpoint", "variable", "level", "group", "statistic"]
        self.not_reached = set(rows[names].itertuples(index=False, name=None))
        self.printed = printed
        self.study = study
        self.variables = variables
        self.levels = levels
        self.endpoints = list(study.reconstruction.endpoints)

    def problem(self, n, n_event) -> Problem:
        row = np.zeros((2, len(self.variables), WINDOWS))
        joint_size = np.zeros(2, np.int64)
        joint_index = np.zeros((2, JOINT_MOST), np.int64)
        joint_hazard = np.zeros((2, 1 << JOINT_MOST))
        joint = np.zeros((2, JOINT_MOST, WINDOWS))
        for e, endpoint in enumerate(self.endpoints):
            for r, name in enumerate(self.variables):
                row[e, r] = self._windows("cox_univariable", endpoint, name)
                row[e, r, 13:15] = event_range(_least_information(row[e, r]), n_event[endpoint])
                windows = self._windows("cox_multivariable", endpoint, name)
                if windows is not None:
                    joint_index[e, joint_size[e]] = r
                    joint[e, joint_size[e]] = windows
                    joint_size[e] += 1
            betas = joint[e, : joint_size[e], 0]
            for pattern in range(1 << joint_size[e]):
                beta = sum(b for a, b in enumerate(betas) if pattern >> a & 1)
                joint_hazard[e, pattern] = round(math.exp(beta) / HAZARD_UNIT) * HAZARD_UNIT
        curves = self._curves()
        tests = self._tests(np.sign(row[:, 0, 0]))
        clauses = self._clauses()
        searched = [self.study.reconstruction.endpoints[key] for key in self.endpoints]
        sizes = np.arange(n + 1, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_step = np.where(sizes > 1, np.log1p(-1 / sizes), 0).round(PRECISION + 3)
            greenwood = np.where(sizes > 1, 1 / (sizes * (sizes - 1)), 0)
        levels = (np.arange(QUANTILES) + 0.5) / QUANTILES
        return Problem(
            n=n,
            table=_information_table(row[:, :, 0], n),
            row=row,
            row_weight=np.array(
                [[each.weights.get(name, 1.0) for name in self.variables] for each in searched]
            ),
            ratio_alone=np.array(
                [[name in each.ratio_alone for name in self.variables] for each in searched]
            ),
            joint_size=joint_size,
            joint_index=joint_index,
            joint_hazard=joint_hazard,
            joint=joint,
            joint_weight=np.ones(2),
            **curves,
            curve_weight=np.full((2, len(curves["curve_arm"])), CURVE_WEIGHT),
            **tests,
            test_weight=np.ones((2, len(tests["test_level"]))),
            log_step=log_step,
            greenwood=greenwood,
            minus_log=-np.log(levels).round(PRECISION),
            day_low=np.array([each.shortest for each in searched]),
            day_high=np.array([each.longest for each in searched]),
            **clauses,
            stiffness=np.zeros((2, 0, 0)),
        )

    def _window(self, **keys):
        window = self.printed.window(**keys)
        return window and tuple(round(float(limit), PRINT_DIGITS) for limit in window)

    def _windows(self, analysis, endpoint, name):
        """Coefficient; low, high, 1/half of HR, limits and z; fewest, most events; upper limit.

        The coefficient and its upper limit are those of the region's centre: see `regions`.

        None where the row is not printed.

        On the log scale, for covariate 1 against 0, whichever way the print has it.
        """
        zero, one = self.levels[name]
        keys = {"analysis": analysis, "endpoint": endpoint, "variable": name}
        found = self._estimate(contrast(one, zero), keys)
        if found:
            logs = [(math.log(low), math.log(high)) for low, high in found[:3]]
        else:
            found = self._estimate(contrast(zero, one), keys)
            if not found and analysis == "cox_univariable":
                raise ValueError(f"{endpoint}, {name}: no univariable row is printed")
            if not found:
                return None
            ratio, low_limit, high_limit, _ = found
            logs = [
                (-math.log(high), -math.log(low)) for low, high in (ratio, high_limit, low_limit)
            ]
        logs.append(_z_window(*found[3]))
        windows = np.zeros(WINDOWS)
        for q, (low, high) in enumerate(logs):
            windows[1 + 3 * q : 4 + 3 * q] = _aim(low, high)
        windows[[0, 15]] = row_region(windows).centre
        return windows.round(PRECISION)

    def _estimate(self, group, keys):
        """Windows of a hazard ratio, its limits and its p value; None where one is not printed."""
        statistics = (*ESTIMATE, "p_wald")
        found = [self._window(statistic=s, group=group, **keys) for s in statistics]
        return found if all(found) else None

    def _curves(self):
        strata = [("arm", "", -1, 0)]
        for name in self.study.subgroups:
            place = self.variables.index(name)
            strata += [(name, level, place, one) for one, level in enumerate(self.levels[name])]
        rows = [(*stratum, arm) for stratum in strata for arm in (0, 1)]
        low = np.zeros((2, len(rows), 3), np.int64)
        high = np.zeros((2, len(rows), 3), np.int64)
        for e, endpoint in enumerate(self.endpoints):
            for q, (name, level, _, _, arm) in enumerate(rows):
                analysis = "survival" if name == "arm" else "subgroup"
                for w, statistic in enumerate(MEDIAN):
                    key = (analysis, endpoint, name, level, self.levels["arm"][arm], statistic)
                    low[e, q, w], high[e, q, w] = self._days(key)
        return {
            "curve_arm": np.array([arm for *_, arm in rows]),
            "curve_covariate": np.array([place for _, _, place, _, _ in rows]),
            "curve_level": np.array([one for *_, one, _ in rows]),
            "curve_low": low,
            "curve_high": high,
        }

    def _days(self, key):
        """First and last whole time that rounds to the print."""
        if key in self.not_reached:
            return NEVER, NEVER
        names = ("analysis", "endpoint", "variable", "level", "group", "statistic")
        window = self._window(**dict(zip(names, key, strict=True)))
        if window is None:
            raise ValueError(f"{', '.join(filter(None, key))}: no such number is printed")
        per_unit = self.study.time.per(self.study.endpoints[key[1]].unit)
        first, beyond = (math.ceil(round(limit * per_unit, PRECISION)) for limit in window)
        return first, beyond - 1

    def _tests(self, direction):
        """Windows of the log-rank difference, in the direction of the overall hazard ratio."""
        rows = [
            (name, level, self.variables.index(name), one)
            for name in self.study.subgroups
            for one, level in enumerate(self.levels[name])
        ]
        windows = np.zeros((2, len(rows), 3))
        for e, endpoint in enumerate(self.endpoints):
            for q, (name, level, _, _) in enumerate(rows):
                window = self._window(
                    analysis="subgroup",
                    endpoint=endpoint,
                    variable=name,
                    level=level,
                    group=BETWEEN_ARMS,
                    statistic="p",
                )
                if window is None:
                    raise ValueError(f"{endpoint}, {name} {level}: no p value is printed")
                low, high, per_half = _aim(*_z_window(*window))
                limits = sorted((direction[e] * low, direction[e] * high))
                windows[e, q] = *limits, per_half
        return {
            "test_covariate": np.array([place for _, _, place, _ in rows]),
            "test_level": np.array([one for *_, one in rows]),
            "test": windows.round(PRECISION),
        }

    def _clauses(self):
        covariates, levels, start = [], [], [0]
        for criterion in self.study.eligibility:
            known = [c for c in criterion.any_of if c.variable in self.variables]
            always = {c.level for c in known} >= {*self.levels[known[0].variable]} if known else 1
            if always and len({c.variable for c in known}) <= 1:
                continue
            covariates += [self.variables.index(c.variable) for c in known]
            levels += [self.levels[c.variable].index(c.level) for c in known]
            start.append(len(covariates))
        return {
            "clause_covariate": np.array(covariates, np.int64),
            "clause_level": np.array(levels, np.int64),
            "clause_start": np.array(start),
        }


def _z_window(low, high):
    return stats.norm.isf(high / 2), stats.norm.isf(low / 2) if low > 0 else BOUNDLESS


def _aim(low, high):
    """A window narrowed to its inner part, and 1 over its half width."""
    if high == BOUNDLESS:
        return low + (1 - INSIDE) * FALLS_SHORT, high, 1 / FALLS_SHORT
    half = (high - low) / 2
    return low + (1 - INSIDE) * half, high - (1 - INSIDE) * half, 1 / half


def _least_information(windows):
    """Of the widest printed interval."""
    return ((windows[8] - windows[4]) / (2 * stats.norm.ppf(0.975))) ** -2


def _information_table(beta, n):
    """Share of the hazard, its variance and its third moment by numbers at risk, times 2^40."""
    exposed, others = np.meshgrid(np.arange(n + 1.0), np.arange(n + 1.0), indexing="ij")
    hazard = np.exp(beta).round(PRECISION)[:, :, None, None] * exposed
    total = hazard + others
    share = np.divide(hazard, total, out=np.zeros_like(total), where=total > 0)
    moments = (share, share * (1 - share), share * (1 - share) * (1 - 2 * share))
    return np.rint(np.stack(moments, axis=-1) * ONE).astype(np.int64)
