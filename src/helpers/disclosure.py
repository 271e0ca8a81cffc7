"""Small counts hidden, with every number from which they could be computed.

A count is *small* from 1 to one less than the limit; zero is about no patient and is shown.
Counts obey sums that a reader knows: the arms add up to all patients, the levels and the missing
values to the patients of an arm, those with an event and those without likewise. With them goes
that a hidden count is one at least, as a zero would be shown. A small count that these would give
back, or bound to fewer values than there are small counts, takes others with it, the smallest
first, until it is protected: secondary suppression to an interval (Fischetti M, Salazar JJ. Manage
Sci 2001;47:1008-1027), here one count at a time by linear programs.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components

from helpers.estimators.estimate import Estimate
from helpers.results import BETWEEN_ARMS, KEYS, OVERALL, select
from helpers.safety import ANY_EVENT

COUNTS = ("n", "n_event", "n_missing", "duration_n")
SHARES = ("eligibility", "adverse_event", "interruption")
MODELS = ("cox_multivariable", "cox_full", "cox_firth", "cox_imputed")
TOLERANCE = 1e-9
TOLERANCE_OF_COUNT = 1e-6
UNBOUNDED = 3  # status of a linear program


def hiding_below(study, limit):
    """The same study, in which counts below `limit` are hidden at least."""
    return study.model_copy(update={"suppress_below": max(study.suppress_below, limit)})


def suppress(results, study) -> pd.DataFrame:
    """Hide small counts and what would reveal them.

    Parameters
    ----------
    results : DataFrame
        Every result of a cohort, in the schema of `helpers.results`.
    study : Study
        Its `suppress_below` is the limit; below 2, nothing is hidden.

    Returns
    -------
    DataFrame
        The same rows; a hidden value is NaN and its method says so.
    """
    if study.suppress_below < 2:
        return results
    counts = _Counts(results, study)
    hidden = counts.hide(study.suppress_below)
    left_out = {key for key in hidden if counts.only_tells_left_out(key, study.suppress_below)}
    places = defaultdict(set)
    for analysis, endpoint, variable, level, group, _ in hidden - left_out:
        places[analysis, endpoint, variable].add((level, group))
    keys = results[KEYS].itertuples(index=False, name=None)
    gone = [
        key in hidden or _depends(key, places, study) or _is_share_of(key, left_out) for key in keys
    ]
    results = results.copy()
    results.loc[gone, "value"] = math.nan
    results.loc[gone, "method"] = hidden_estimate(study.suppress_below).method
    return results


def hidden_estimate(below) -> Estimate:
    """The estimate that is not shown."""
    return Estimate(math.nan, math.nan, math.nan, f"hidden: a count below {below}")


def shown_at(curve, milestones, below, told=()) -> list[bool]:
    """At which times a curve can be read off: where its last fall is one that is shown.

    Parameters
    ----------
    curve : DataFrame or helpers.estimators.kaplan_meier.Curve
        ``time, n_risk, n_event, n_censored``, a row at each time; censored is who leaves
        without the event.
    milestones : sequence of float
        In ascending order.
    below : int
        Below 2, at every time.
    told : sequence of float
        Times that tell about how many have had the event: a median, the limits of its interval.
    """
    shown = _shown_falls(curve, milestones, below, told)
    last = [_last_fall(curve, when) for when in milestones]
    return [place is None or bool(shown[place]) for place in last]


def shown_of_all(shown) -> dict[str, list[bool]]:
    """Where the groups' curves are read off; that of all patients only where those of all arms are.

    Parameters
    ----------
    shown : dict of str to list of bool
        By group, all patients and the arms, at each time.
    """
    return shown | {OVERALL: [all(at) for at in zip(*shown.values(), strict=True)]}


def hide_steps(curve, milestones, below, told=()) -> pd.DataFrame:
    """Let a curve fall only where it tells of no small number of patients.

    From one fall that is shown to the next `below` patients or more have the event, and none or
    as many leave without it; none or as many are at risk after it. As many have the event between
    a fall and a time in `told`. Falls that a milestone is read off at go before others.

    Parameters
    ----------
    curve : DataFrame
        ``time, n_risk, n_event, n_censored`` and an estimate, by `helpers.survival` or
        `helpers.competing`, from time zero.
    milestones, below, told
        See `shown_at`.
    """
    if below < 2:
        return curve
    shown = _shown_falls(curve, milestones, below, told)
    start = curve[:1].copy()
    if not shown[0]:
        estimates = [name for name in ("survival", "incidence") if name in curve]
        start[[*estimates, "conf_low", "conf_high"]] = float("survival" in curve)
        start["n_event"] = 0.0
    return pd.concat([start, curve[1:][shown[1:]]]).assign(n_censored=0.0)


def _shown_falls(curve, milestones, below, told):
    """At which rows of a curve a fall is shown."""
    time, n_risk, n_event, n_censored = (
        np.asarray(getattr(curve, name), float)
        for name in ("time", "n_risk", "n_event", "n_censored")
    )
    if below < 2:
        return n_event > 0
    left = n_risk - n_event
    possible = (n_event > 0) & (n_risk >= below) & ((left == 0) | (left >= below))
    gone = np.column_stack([n_event.cumsum(), n_censored.cumsum() - n_censored])
    for when in told:
        n_between = np.abs(gone[:, 0] - n_event[time <= when].sum())
        possible &= (n_between == 0) | (n_between >= below)

    def are_apart(earlier, later):
        n_between, n_left = later - earlier
        return n_between >= below and not 0 < n_left < below

    read_off = [_last_fall(curve, when) for when in milestones]
    shown = []
    for row in [*(row for row in read_off if row is not None), *np.flatnonzero(possible)]:
        place = bisect.bisect(shown, row)
        before = gone[shown[place - 1]] if place else np.zeros(2)
        after = gone[shown[place]] if place < len(shown) else None
        if (
            possible[row]
            and are_apart(before, gone[row])
            and (after is None or are_apart(gone[row], after))
        ):
            shown.insert(place, row)
    return np.isin(np.arange(len(gone)), shown)


def _last_fall(curve, when):
    """The row of the last event up to a time; None before the first."""
    falls = np.flatnonzero((np.asarray(curve.n_event) > 0) & (np.asarray(curve.time) <= when))
    return int(falls[-1]) if len(falls) else None


def tells_of_few(curve, estimate, below) -> bool:
    """Whether times that were read off a curve have few events before, between or few left after.

    Parameters
    ----------
    curve : helpers.estimators.kaplan_meier.Curve
    estimate : Estimate
        A median and the limits of its interval.
    below : int
    """
    times = times_of(estimate)
    n_event = np.array([0, *(curve.n_event[curve.time <= when].sum() for when in times)])
    n_left = np.array([curve.n_risk[curve.time > when][:1].sum() for when in times])
    few = [(numbers > 0) & (numbers < below) for numbers in (np.diff(n_event), n_left)]
    return bool(np.concatenate(few).any())


def times_of(estimate) -> list[float]:
    """A median and the limits of its interval in ascending order, those that are reached."""
    times = (estimate.conf_low, estimate.value, estimate.conf_high)
    return [when for when in times if math.isfinite(when)]


def round_at_risk(n_risk, n_event, n_patient, below):
    """Let patients leave the numbers at risk, and have events, by `below` at a time.

    Parameters
    ----------
    n_risk, n_event : ndarray
        At some times.
    n_patient : int
        Of the arm.
    below : int
        Below 2, the numbers are returned as they are.

    Returns
    -------
    n_risk, n_event : ndarray
        A number at risk below `below` is zero.
    """
    if below < 2:
        return n_risk, n_event
    rounded = n_patient - (n_patient - n_risk) // below * below
    return np.where(n_risk < below, 0, rounded), n_event // below * below


def without_hidden(estimates, results, endpoint, *, variable="arm", level="") -> pd.DataFrame:
    """Of curves, those of groups whose patients and events are shown, and that fall if any had one.

    Parameters
    ----------
    estimates : DataFrame
        ``group, n_event`` and, of competing events, ``cause``; or points of falls alone.
    results : DataFrame
        As `suppress` leaves them.
    endpoint : str
    variable, level : str
        The subgroup that the estimates are of; all patients by default.
    """
    analysis = "survival" if variable == "arm" else "subgroup"
    place = {"analysis": analysis, "variable": variable, "level": level}
    counts = select(results, endpoint=endpoint, statistic=["n", "n_event"], **place)
    if "cause" in estimates:
        causes = {"analysis": "cumulative_incidence", "statistic": "n_event"}
        counts = pd.concat([counts, select(results, endpoint=endpoint, **causes)])
    hidden = counts.loc[counts["value"].isna(), "group"]
    kept = ~estimates["group"].isin(hidden)
    if "n_event" in estimates:
        names = ["group", "cause"] if "cause" in estimates else ["group"]
        had = counts[(counts["statistic"] == "n_event") & (counts["value"] > 0)]
        had = had.rename(columns={"variable": "cause"}).set_index(names).index
        falls = estimates.groupby(names)["n_event"].transform("sum") > 0
        kept &= falls | ~estimates.set_index(names).index.isin(had)
    return estimates[kept].reset_index(drop=True)


class _Counts:
    """The counts of a results data set and the sums that they obey.

    A sum is a list of (coefficient, key) that adds up to zero. Keys that no row has stand for
    counts that follow from others, such as patients without an event.
    """

    def __init__(self, results, study):
        rows = results[results["statistic"].isin(COUNTS)].dropna(subset="value")
        keys = rows[KEYS].itertuples(index=False, name=None)
        self.value = dict(zip(keys, rows["value"], strict=True))
        self.study = study
        self.shown = set(self.value)
        self._found = [dict(zip(KEYS, key, strict=True)) for key in self.value]
        self.sums = []
        self._over_groups()
        self._over_levels()
        self._with_and_without()
        self._any_event()
        self._over_categories()
        self._events()
        self._same_patients()
        self._models()
        self._durations()

    def hide(self, below) -> set:
        """The counts to hide: the small ones, then others until each of these is protected.

        The patients and events of the arms come first; in the other sums they stay as they are.
        """
        small = {key for key, value in self.value.items() if 0 < value < below}
        hidden = set(small)
        totals = {key for key in self.value if key[0] in ("cohort", "survival")}
        first = [terms for terms in self.sums if {key for _, key in terms} <= totals]
        self._hide_in(first, set(), small, hidden, below)
        hidden |= {key for key in self.shown if self._stands_for(key) in hidden}
        self._hide_in(self.sums, totals, small, hidden, below)
        return hidden & self.shown

    def _stands_for(self, key):
        """The patients or events of an endpoint whose number a Cox model gives again."""
        analysis, endpoint, variable, level, group, statistic = key
        if statistic not in ("n", "n_event") or not analysis.startswith("cox_"):
            return None
        if variable == "arm" and level:
            return _survival_key(endpoint, level, statistic)
        return None if level or group else _survival_key(endpoint, OVERALL, statistic)

    def only_tells_left_out(self, key, below) -> bool:
        """Whether a hidden count would tell nothing but how many have no time or event."""
        analysis, *_, statistic = key
        return analysis == "survival" and (
            statistic == "n_missing" or statistic == "n" and self.value[key] >= below
        )

    def _hide_in(self, sums, totals, small, hidden, below):
        """Add to `hidden` what leaves each small count as many values as there are small ones."""
        known = totals & self.shown - hidden
        for keys, matrix in _systems(sums, known, totals):
            value = np.array([self.value[key] for key in keys])
            least = np.array([float(key in self.shown) for key in keys])
            open_places = [n for n, key in enumerate(keys) if key in small]
            while open_places:
                is_hidden = np.array([k in hidden or k not in self.shown for k in keys])
                proofs = {
                    place: proof
                    for place in open_places
                    if (proof := _proof(matrix, value, least, is_hidden, place, below)) is not None
                }
                open_places = list(proofs)  # what is protected stays so when more is hidden
                beside = (matrix[(matrix[:, open_places] != 0).any(axis=1)] != 0).any(axis=0)
                near = {keys[n] for n in np.flatnonzero(beside)}
                telling = {keys[n] for proof in proofs.values() for n in np.flatnonzero(proof)}
                candidates = [
                    key
                    for key in keys
                    if key in self.shown - hidden - totals and self.value[key] > 0
                ]
                if not (open_places and candidates):
                    break
                hidden.add(min(candidates, key=lambda k: (*self._loss(k, telling, near), k)))

    def _loss(self, key, telling, near):
        """What is hidden last: the cohort, what tells nothing, whole arms, the far, the large."""
        analysis, *_, group, statistic = key
        whole_arm = analysis == "survival" and statistic == "n"
        place = analysis == "cohort", key not in telling, whole_arm, key not in near
        return *place, group == OVERALL, self.value[key]

    def _add(self, total, parts, rest=None):
        """State that `parts`, and a rest that no row has, add up to `total`."""
        parts = [part for part in parts if part in self.value]
        if total not in self.value or (not parts and rest is None):
            return
        terms = [(1.0, total), *((-1.0, part) for part in parts)]
        if rest is not None:
            self.value.setdefault(rest, self.value[total] - sum(self.value[part] for part in parts))
            terms.append((-1.0, rest))
        self.sums.append(terms)

    def _keys(self, **wanted):
        return [
            found
            for found in self._found
            if all(found[name] == value for name, value in wanted.items())
        ]

    def _groups(self):
        return [OVERALL, *self.study.arm.levels]

    def _total(self, group):
        return _key(analysis="cohort", group=group, statistic="n")

    def _over_groups(self):
        for found in self._keys(group=OVERALL):
            arms = [_key(**{**found, "group": arm}) for arm in self.study.arm.levels]
            if all(arm in self.value for arm in arms):
                self._add(_key(**found), arms)

    def _over_levels(self):
        """Levels and missing values of a characteristic or a treatment."""
        described = {"baseline": self.study.covariates, "exposure": self.study.exposures}
        for analysis, variables in described.items():
            for variable, entry in variables.items():
                for group in self._groups():
                    here = {"analysis": analysis, "variable": variable, "group": group}
                    parts = [_key(**here, level=level, statistic="n") for level in entry.levels]
                    parts += [_key(**here, statistic=name) for name in ("n_missing", "n")]
                    if any(part in self.value for part in parts):
                        self._add(self._total(group), parts)

    def _with_and_without(self):
        """A yes or no: those with it, those without, those not known."""
        for analysis in SHARES:
            for found in self._keys(analysis=analysis, statistic="n"):
                missing = _key(**{**found, "statistic": "n_missing"})
                without = _key(**{**found, "statistic": "n_without"})
                self._add(self._total(found["group"]), [_key(**found), missing], without)
                if found["level"] == "any_grade":
                    severe = _key(**{**found, "level": "severe"})
                    mild = _key(**{**found, "level": "mild"})
                    self._add(_key(**found), [severe], mild)
        for found in self._keys(analysis="measurement", statistic="n"):
            without = _key(**{**found, "statistic": "n_without"})
            self._add(self._total(found["group"]), [_key(**found)], without)

    def _any_event(self):
        """Who has any event has one of them at least; who has several is counted in each."""
        if self.study.adverse_events is None:
            return
        for found in self._keys(analysis="adverse_event", variable=ANY_EVENT, statistic="n"):
            whole = _key(**found)
            events = [_key(**{**found, "variable": e}) for e in self.study.adverse_events.events]
            again = _key(**{**found, "statistic": "n_counted_again"})
            self.value[again] = sum(self.value[event] for event in events) - self.value[whole]
            self.sums.append([(1.0, whole), (1.0, again), *((-1.0, event) for event in events)])
            for event in events:
                self._add(whole, [event], (*event[:-1], "n_with_others_only"))

    def _over_categories(self):
        response = self.study.response
        if response is None:
            return
        for group in self._groups():
            here = {"analysis": "response", "group": group}
            known, missing = (_key(**here, statistic=name) for name in ("n", "n_missing"))
            self._add(self._total(group), [known, missing])

            def of(name, here=here):
                return _key(**here, variable=name, statistic="n")

            self._add(known, [of(category) for category in response.categories])
            for key, rate in response.rates.items():
                self._add(of(key), [of(category) for category in rate.categories])
                self._add(known, [of(key)], _key(**here, variable=key, statistic="n_without"))

    def _events(self):
        """Those with the event and those censored, wherever both numbers are given."""
        for found in self._keys(statistic="n_event"):
            n = _key(**{**found, "statistic": "n"})
            self._add(n, [_key(**found)], _key(**{**found, "statistic": "n_censored"}))
        for endpoint in self.study.endpoints:
            for group, statistic in itertools.product(self._groups(), ("n", "n_event")):
                total = _survival_key(endpoint, group, statistic)
                for variable in {*self.study.subgroups, *self.study.prognostic}:
                    for analysis in ("subgroup", "cox_univariable"):
                        here = {"analysis": analysis, "endpoint": endpoint, "variable": variable}
                        here |= {"group": group, "statistic": statistic}
                        parts = [_key(**here, level=lv) for lv in self._levels(variable)]
                        if parts and all(part in self.value for part in parts):
                            rest = _key(**here, level="(missing)")
                            self._add(total, parts, rest if self._is_short(total, parts) else None)

    def _is_short(self, total, parts):
        """Whether patients are left of a total; of nobody, there is no event either."""
        number = [self.value.get((*key[:-1], "n"), math.nan) for key in (total, *parts)]
        return number[0] != sum(number[1:])

    def _levels(self, variable):
        return self.study.levels(variable) if self.study.reference(variable) is not None else []

    def _same_patients(self):
        """Counts that are given in several places, less those whose outcome is not known."""
        first = next(iter(self.study.endpoints))
        for endpoint in self.study.endpoints:
            for found in self._keys(analysis="survival", endpoint=endpoint, statistic="n"):
                missing = _key(**{**found, "statistic": "n_missing"})
                self._add(self._total(found["group"]), [_key(**found), missing])
            for analysis in ("subgroup", "cox_univariable"):
                for found in self._keys(analysis=analysis, endpoint=endpoint, statistic="n"):
                    place = {"variable": found["variable"], "level": found["level"]}
                    place |= {"group": found["group"], "statistic": "n"}
                    if found["variable"] == "arm":
                        self._add(_survival_key(endpoint, found["level"], "n"), [_key(**found)])
                        continue
                    left_out = None
                    if self._n_left_out(endpoint, found["group"]):
                        left_out = _key(**{**found, "statistic": "n_left_out"})
                    self._add(_key(analysis="baseline", **place), [_key(**found)], left_out)
                    if self._n_left_out(first, found["group"]) == 0:
                        for other in ("subgroup", "cox_univariable"):
                            whole = _key(analysis=other, endpoint=first, **place)
                            if whole != _key(**found):
                                self._add(whole, [_key(**found)], left_out)
            for arm in self.study.arm.levels:
                level = {"endpoint": endpoint, "variable": "arm", "level": arm, "group": OVERALL}
                level = _key(analysis="cox_univariable", statistic="n_event", **level)
                self._add(_survival_key(endpoint, arm, "n_event"), [level])

    def _n_left_out(self, endpoint, group):
        return self.value.get(_survival_key(endpoint, group, "n_missing"), 0)

    def _models(self):
        """The patients and events that a model leaves out."""
        for endpoint in self.study.endpoints:
            for name in ("n", "n_event"):
                total = _survival_key(endpoint, OVERALL, name)
                for analysis in ("cox_univariable", *MODELS):
                    for found in self._keys(analysis=analysis, endpoint=endpoint, statistic=name):
                        if not found["level"] and not found["group"]:
                            parts = [_key(**found)]
                            rest = _key(**{**found, "level": "(left out)"})
                            self._add(total, parts, rest if self._is_short(total, parts) else None)

    def _durations(self):
        for found in self._keys(analysis="exposure", statistic="duration_n"):
            if found["level"]:
                total = _key(**{**found, "statistic": "n"})
                without = _key(**{**found, "statistic": "n_without_duration"})
                self._add(total, [_key(**found)], without)
        for found in self._keys(analysis="exposure", statistic="duration_n", level=""):
            levels = self.study.exposures[found["variable"]].levels
            self._add(_key(**found), [_key(**{**found, "level": level}) for level in levels])


def _key(**keys):
    return tuple(keys.get(name, "") for name in KEYS)


def _survival_key(endpoint, group, statistic):
    where = {"analysis": "survival", "endpoint": endpoint, "variable": "arm"}
    return _key(**where, group=group, statistic=statistic)


def _systems(sums, known, totals):
    """Yield the keys and the matrix of each set of sums that share counts other than totals."""
    sums = [[(size, key) for size, key in terms if key not in known] for terms in sums]
    sums = [terms for terms in sums if any(key not in totals for _, key in terms)]
    keys = sorted({key for terms in sums for _, key in terms})
    place = {key: n for n, key in enumerate(keys)}
    matrix = sparse.lil_array((len(sums), len(keys)))
    for row, terms in enumerate(sums):
        for size, key in terms:
            matrix[row, place[key]] += size
    shared = np.array([key not in totals for key in keys], bool)
    linked = abs(matrix.tocsr())[:, shared]
    n_system, member = connected_components(linked @ linked.T, directed=False)
    for system in range(n_system):
        part = matrix[np.flatnonzero(member == system)].toarray()
        used = np.flatnonzero(part.any(axis=0))
        yield [keys[n] for n in used], part[:, used]


def _proof(matrix, value, least, is_hidden, place, below):
    """The columns that bound a hidden count too narrowly; None if it is protected.

    Parameters
    ----------
    matrix : ndarray of shape (n_sum, n_key)
        The sums: `matrix @ value` is known where it does not come from hidden counts.
    value, least : ndarray of shape (n_key,)
        True counts, and the least that a reader takes a hidden one for.
    is_hidden : ndarray of bool
    place : int
    below : int
        The possible values, whole numbers, are to be `below - 1` or more.

    Returns
    -------
    ndarray of bool or None
        Which columns the bounds follow from, by the dual solutions.
    """
    columns = matrix[:, is_hidden]
    wanted = np.zeros(matrix.shape[1])
    wanted[place] = 1.0
    limits = np.column_stack([least[is_hidden], np.full(columns.shape[1], np.inf)])
    low, told = value[place], np.zeros(matrix.shape[1], bool)
    for sign in (-1.0, 1.0):
        found = linprog(
            sign * wanted[is_hidden],
            A_eq=columns,
            b_eq=columns @ value[is_hidden],
            bounds=limits,
            method="highs",
        )
        if found.status == UNBOUNDED:
            return None
        if sign < 0:
            high = math.floor(-found.fun + TOLERANCE_OF_COUNT)
        else:
            low = math.ceil(found.fun - TOLERANCE_OF_COUNT)
        if high - low + 1 >= below - 1:
            return None
        told |= np.abs(found.eqlin.marginals @ matrix) > np.sqrt(TOLERANCE)
    return told


def _depends(key, places, study) -> bool:
    """Whether a number that is no count was computed from hidden counts."""
    analysis, endpoint, variable, level, group, statistic = key
    if statistic in COUNTS:
        return False
    groups = _groups_of(group, study)
    sources = [places.get((analysis, endpoint, variable), ())]
    if analysis == "response":
        sources.append(places.get((analysis, endpoint, ""), ()))
        if not variable:
            answers = study.response.categories
            sources += [places.get((analysis, endpoint, answer), ()) for answer in answers]
    if any(
        hidden_group in groups and (not level or hidden_level in (level, ""))
        for source in sources
        for hidden_level, hidden_group in source
    ):
        return True
    levels = places.get(("cox_univariable", endpoint, variable), ())
    return analysis.startswith("cox_") and bool(variable) and any(lv for lv, _ in levels)


def _is_share_of(key, counts) -> bool:
    """Whether a number can be a fraction whose denominator is one of the hidden counts."""
    _, endpoint, _, _, group, statistic = key
    if not statistic.startswith(("survival", "incidence")):
        return False
    return any((endpoint, group) == (count[1], count[4]) for count in counts)


def _groups_of(group, study):
    """The groups that a number was computed from: those of a contrast or a test are several."""
    arms = list(study.arm.levels)
    if group == BETWEEN_ARMS:
        return {OVERALL, *arms}
    if group in (OVERALL, *arms):
        return {group}
    compared = {arm for arm in arms if arm in group.split("_vs_")}
    return compared or {OVERALL, ""}
