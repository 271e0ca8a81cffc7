"""The compiled part of the survival search: a state, its energy, and annealing.

The state is an order of the patients' times for each of two endpoints, and their covariates.
At fixed printed coefficients the score and the information of a Cox model are sums over the
events, so a move costs only the positions between which it changes the order. Sums are kept in
whole numbers (of 2^-40), and nothing is reordered by the compiler: the same seed gives the same
bytes anywhere.

The energy of a printed number is the square of its distance from the window that rounds to it,
in half-windows. A number that is off by little then gives way to one that is off by much, and
the search does not freeze where many numbers share a move. The numbers of the Cox models can
instead be measured together, by a stiffness matrix (see `stiffness`): distances that small
changes of the order can still close then weigh little, those that they cannot weigh in full.
"""

import math
from collections import namedtuple

import numpy as np

from helpers.estimators.cholesky import factorize, solve
from helpers.jit import njit

ONE = 1 << 40
LOG_HALF = math.log(0.5)
Z = 1.959963984540054
LINEAR_FROM = 1000.0  # half-windows off, from which on the energy is no more squared
LEAST_INFORMATION = 1e-6  # that a covariate of a joint model adds
HOPELESS = 1e9  # of a model that cannot be fitted
MISSED_EVENT = 4e4  # energy of an event fewer than the standard error needs
CURVE_OFF = 25.0  # most energy of a curve
NEVER = 1 << 30
REFUSED = 1e300
JOINT_MOST = 8  # covariates of a joint model
ALL, NONE = -1, -2  # covariates that changed
WINDOWS = 16  # entries of a row: see `survival_targets`
PHASE = 1000  # steps at one temperature

Problem = namedtuple(
    "Problem",
    """n table row row_weight ratio_alone
    joint_size joint_index joint_hazard joint joint_weight
    curve_arm curve_covariate curve_level curve_low curve_high curve_weight
    test_covariate test_level test test_weight
    log_step greenwood minus_log day_low day_high clause_covariate clause_level clause_start
    stiffness""",
)
Sequence = namedtuple("Sequence", "patient event day n_at_risk hazard")
Energies = namedtuple("Energies", "row joint curve test")
State = namedtuple(
    "State", "x now trial place pattern in_curve in_test sums joint_sums energy new new_sums rng"
)


@njit
def next_random(rng):
    """The next 64 random bits (xorshift64*; Vigna, ACM Trans Math Softw 2016;42:30)."""
    bits = rng[0]
    bits ^= bits >> np.uint64(12)
    bits ^= bits << np.uint64(25)
    bits ^= bits >> np.uint64(27)
    rng[0] = bits
    return bits * np.uint64(2685821657736338717)


@njit
def random_below(rng, n):
    """A random whole number below n."""
    return np.int64((next_random(rng) >> np.uint64(33)) % np.uint64(n))


@njit
def _random_unit(rng):
    return np.float64(next_random(rng) >> np.uint64(11)) / 9007199254740992.0


@njit
def _energy(distance):
    if distance <= 0.0:
        return 0.0
    if distance < LINEAR_FROM:
        return distance * distance
    return LINEAR_FROM * (2.0 * distance - LINEAR_FROM)


@njit
def _off(value, low, high, per_half):
    return max(low - value, value - high) * per_half


@njit
def _estimate_energy(beta, std_error, windows):
    """Energy of a hazard ratio, its two limits and its p value, on the log and the z scale."""
    total = _energy(_off(beta, windows[1], windows[2], windows[3]))
    total += _energy(_off(beta - Z * std_error, windows[4], windows[5], windows[6]))
    total += _energy(_off(beta + Z * std_error, windows[7], windows[8], windows[9]))
    return total + _energy(_off(abs(beta) / std_error, windows[10], windows[11], windows[12]))


@njit
def estimate_row(windows, sums):
    """Coefficient and standard error of one covariate, by a third-order step from the print.

    Returns
    -------
    beta, std_error : float
        The standard error is 0 where there is no information.
    """
    score = sums[0] / ONE
    information = sums[1] / ONE
    third = sums[2] / ONE
    if information < 0.05:
        return windows[0], 0.0
    step = score / information
    if abs(step) < 0.3:
        step -= 0.5 * third * step * step / information
        information += third * step
        if information < 0.05:
            return windows[0], 0.0
    else:
        step = min(max(step, -3.0), 3.0)
    return windows[0] + step, 1.0 / math.sqrt(information)


@njit
def _row_energy(p, e, r, sums):
    """Energy of a covariate's events, and of its estimates unless these are measured together."""
    windows = p.row[e, r]
    missing = max(windows[13] - sums[3], sums[3] - windows[14])
    extra = MISSED_EVENT * missing * missing if missing > 0.0 else 0.0
    if p.stiffness.shape[1] > 0:
        return extra
    beta, std_error = estimate_row(windows, sums)
    if std_error == 0.0:
        return HOPELESS
    return extra + _estimate_energy(beta, std_error, windows)


@njit
def add_event(sums, table, at_risk, others, is_exposed, sign):
    sums[0] += sign * (is_exposed * ONE - table[at_risk, others, 0])
    sums[1] += sign * table[at_risk, others, 1]
    sums[2] += sign * table[at_risk, others, 2]
    sums[3] += sign * is_exposed


@njit
def put_at_risk(hazard, k, pattern, weight, m):
    """Sums over those at risk at position k: of hazards, and of their products with covariates."""
    hazard[k, 0] = hazard[k + 1, 0] + weight
    q = 1 + m
    for a in range(m):
        has = (pattern >> a) & 1
        hazard[k, 1 + a] = hazard[k + 1, 1 + a] + (weight if has else 0.0)
        for b in range(a, m):
            both = has and (pattern >> b) & 1
            hazard[k, q] = hazard[k + 1, q] + (weight if both else 0.0)
            q += 1


@njit
def add_joint_event(sums, hazard, k, pattern, m, sign):
    """Score and information of the joint model from an event at position k."""
    per = 1.0 / hazard[k, 0]
    q = m
    for a in range(m):
        share = hazard[k, 1 + a] * per
        sums[a] += sign * (((pattern >> a) & 1) - share)
        for b in range(a, m):
            sums[q] += sign * (hazard[k, q + 1] - share * hazard[k, 1 + b]) * per
            q += 1


@njit
def estimate_joint(m, sums, windows, out):
    """Coefficients and standard errors of a joint model, by one Newton step from the print.

    Parameters
    ----------
    out : ndarray of shape (m, 2)

    Returns
    -------
    bool
        False where the information is singular.
    """
    information = np.zeros((m, m))
    q = m
    for a in range(m):
        for b in range(a, m):
            information[b, a] = sums[q]
            q += 1
    lower, found = factorize(information, LEAST_INFORMATION, 0.0)
    if not found:
        return False
    step = np.empty(m)
    solve(lower, sums, step)
    column = np.empty(m)
    for c in range(m):
        variance = 0.0
        for a in range(c, m):
            value = 1.0 if a == c else 0.0
            for b in range(c, a):
                value -= lower[a, b] * column[b]
            column[a] = value / lower[a, a]
            variance += column[a] * column[a]
        out[c, 0] = windows[c, 0] + min(max(step[c], -3.0), 3.0)
        out[c, 1] = math.sqrt(variance)
    return True


@njit
def _models_energy(p, s, e, changed, joint_sums):
    """Energy of the joint model; of all Cox models, where they are measured together.

    Parameters
    ----------
    changed : int
        The covariate whose new sums are taken; `ALL` or `NONE` of them.
    """
    m = p.joint_size[e]
    windows = p.joint[e]
    found = np.empty((m, 2))
    if not estimate_joint(m, joint_sums, windows, found):
        return HOPELESS
    if p.stiffness.shape[1] == 0:
        total = 0.0
        for a in range(m):
            total += _estimate_energy(found[a, 0], found[a, 1], windows[a])
        return total
    n_row = s.x.shape[1]
    off = np.empty(2 * (n_row + m))
    for r in range(n_row):
        sums = s.new_sums[e, r] if changed in (ALL, r) else s.sums[e, r]
        beta, std_error = estimate_row(p.row[e, r], sums)
        if std_error == 0.0:
            return HOPELESS
        _put_distances(p.row[e, r], beta, std_error, off, 2 * r)
    for a in range(m):
        _put_distances(windows[a], found[a, 0], found[a, 1], off, 2 * (n_row + a))
    total = 0.0
    for i in range(off.shape[0]):
        force = 0.5 * p.stiffness[e, i, i] * off[i]
        for j in range(i):
            force += p.stiffness[e, i, j] * off[j]
        total += 2.0 * force * off[i]
    return total


@njit
def _put_distances(windows, beta, std_error, out, at):
    """Distances of a coefficient and its upper limit from their region's centre, in halves."""
    out[at] = (beta - windows[0]) * windows[3]
    out[at + 1] = (beta + Z * std_error - windows[15]) * windows[9]


@njit
def curve_energy(p, s, sequence, e, q):
    """Energy of a median and its two limits: how many events each crossing is off its window.

    A curve must cross one half between the days that round to the print: lower band, curve and
    upper band in this order; a limit that was not reached must not be crossed. The median of a
    curve that runs flat at exactly one half is the middle of that stretch.
    """
    member = s.in_curve[q]
    low, high = p.curve_low[e, q], p.curve_high[e, q]
    patient, event, day = sequence.patient[e], sequence.event[e], sequence.day[e]
    size = member.sum()
    at_risk = size
    log_survival = 0.0
    variance = 0.0
    crossed = (NEVER, NEVER, NEVER)
    before = (0.0, 0.0, 0.0)
    until = (0.0, 0.0, 0.0)
    half_at = NEVER
    twice_middle = -1
    for k in range(p.n):
        if not member[patient[k]]:
            continue
        if event[k]:
            when = day[k]
            if at_risk == 1:
                height = (-50.0, -50.0, -50.0)
            else:
                log_survival += p.log_step[at_risk]
                variance += p.greenwood[at_risk]
                spread = Z * math.sqrt(variance)
                height = (log_survival - spread, log_survival, log_survival + spread)
            half = abs(height[1] - LOG_HALF) < 1e-9
            if half:
                half_at = min(half_at, when)
            elif half_at < NEVER and twice_middle < 0:
                twice_middle = half_at + when
            crossed = (
                min(crossed[0], when) if height[0] <= LOG_HALF else crossed[0],
                min(crossed[1], when) if height[1] < LOG_HALF and not half else crossed[1],
                min(crossed[2], when) if height[2] <= LOG_HALF else crossed[2],
            )
            before = (
                height[0] if when < low[0] else before[0],
                height[1] if when < low[1] else before[1],
                height[2] if when < low[2] else before[2],
            )
            until = (
                height[0] if when <= high[0] else until[0],
                height[1] if when <= high[1] else until[1],
                height[2] if when <= high[2] else until[2],
            )
        at_risk -= 1
    total = 0.0
    per_event = 0.5 * size
    for q in range(3):
        if (
            q == 1
            and half_at < NEVER
            and half_at <= high[1]
            and (crossed[1] >= low[1] or crossed[1] == NEVER)
        ):
            if not 2 * low[1] <= twice_middle <= 2 * high[1]:
                total += 0.25
        elif crossed[q] < low[q]:
            total += (max(0.0, LOG_HALF - before[q]) * per_event + 0.5) ** 2
        elif crossed[q] > high[q]:
            total += (max(0.0, until[q] - LOG_HALF) * per_event + 0.5) ** 2
    return min(total, CURVE_OFF)


@njit
def logrank_z(member, x, patient, event):
    """Standardized log-rank difference of the arms among the members; NaN without variance."""
    n = patient.shape[0]
    exposed = 0
    others = 0
    for i in range(n):
        if member[i]:
            exposed += x[i, 0]
            others += 1 - x[i, 0]
    difference = 0.0
    variance = 0.0
    for k in range(n):
        i = patient[k]
        if not member[i]:
            continue
        if event[k]:
            share = exposed / (exposed + others)
            difference += x[i, 0] - share
            variance += share * (1.0 - share)
        exposed -= x[i, 0]
        others -= 1 - x[i, 0]
    return difference / math.sqrt(variance) if variance > 1e-9 else np.nan


@njit
def _test_energy(member, x, window, patient, event):
    z = logrank_z(member, x, patient, event)
    return HOPELESS if math.isnan(z) else _energy(_off(z, window[0], window[1], window[2]))


@njit
def total_curve_energy(p, s, e):
    """Energy of all curves of an endpoint."""
    total = 0.0
    for q in range(p.curve_arm.shape[0]):
        total += curve_energy(p, s, s.now, e, q)
    return total


@njit
def set_members(p, s):
    """Derive from the covariates who belongs to each curve, test and pattern."""
    for e in range(2):
        for i in range(p.n):
            for q in range(p.curve_arm.shape[0]):
                covariate = p.curve_covariate[q]
                in_level = covariate < 0 or s.x[i, covariate] == p.curve_level[q]
                s.in_curve[q, i] = in_level and s.x[i, 0] == p.curve_arm[q]
            for q in range(p.test_covariate.shape[0]):
                s.in_test[q, i] = s.x[i, p.test_covariate[q]] == p.test_level[q]
            pattern = 0
            for a in range(p.joint_size[e]):
                pattern |= s.x[i, p.joint_index[e, a]] << a
            s.pattern[e, i] = pattern


@njit
def sum_row(p, s, e, r, out):
    """Score, information, third moment and events of one covariate, over all events."""
    out[:] = 0
    at_risk = 0
    s.now.n_at_risk[e, r, p.n] = 0
    for k in range(p.n - 1, -1, -1):
        exposed = s.x[s.now.patient[e, k], r]
        at_risk += exposed
        s.now.n_at_risk[e, r, k] = at_risk
        if s.now.event[e, k]:
            add_event(out, p.table[e, r], at_risk, p.n - k - at_risk, exposed, 1)


@njit
def sum_joint(p, s, e, out):
    """Score and information of the joint model, over all events."""
    out[:] = 0.0
    m = p.joint_size[e]
    for k in range(p.n - 1, -1, -1):
        pattern = s.pattern[e, s.now.patient[e, k]]
        put_at_risk(s.now.hazard[e], k, pattern, p.joint_hazard[e, pattern], m)
        if s.now.event[e, k]:
            add_joint_event(out, s.now.hazard[e], k, pattern, m, 1.0)


@njit
def _copy_positions(source, target, e, first, last):
    for k in range(first, last + 1):
        target.patient[e, k] = source.patient[e, k]
        target.event[e, k] = source.event[e, k]
        target.day[e, k] = source.day[e, k]
        for r in range(source.n_at_risk.shape[1]):
            target.n_at_risk[e, r, k] = source.n_at_risk[e, r, k]
        for q in range(source.hazard.shape[2]):
            target.hazard[e, k, q] = source.hazard[e, k, q]


@njit
def evaluate(p, s):
    """Compute everything that follows from the order, the events and the covariates.

    Returns
    -------
    float
        The weighted energy.
    """
    set_members(p, s)
    total = 0.0
    for e in range(2):
        for k in range(p.n):
            s.place[e, s.now.patient[e, k]] = k
        for r in range(s.x.shape[1]):
            sum_row(p, s, e, r, s.sums[e, r])
            s.energy.row[e, r] = _row_energy(p, e, r, s.sums[e, r])
            total += p.row_weight[e, r] * s.energy.row[e, r]
        sum_joint(p, s, e, s.joint_sums[e])
        s.energy.joint[e] = _models_energy(p, s, e, NONE, s.joint_sums[e])
        total += p.joint_weight[e] * s.energy.joint[e]
        for q in range(p.curve_arm.shape[0]):
            s.energy.curve[e, q] = curve_energy(p, s, s.now, e, q)
            total += p.curve_weight[e, q] * s.energy.curve[e, q]
        for q in range(p.test_covariate.shape[0]):
            s.energy.test[e, q] = _test_energy(
                s.in_test[q], s.x, p.test[e, q], s.now.patient[e], s.now.event[e]
            )
            total += p.test_weight[e, q] * s.energy.test[e, q]
        _copy_positions(s.now, s.trial, e, 0, p.n - 1)
        s.trial.n_at_risk[e, :, p.n] = 0
    return total


@njit
def _keep_energies(s, e):
    s.new.row[e, :] = s.energy.row[e]
    s.new.joint[e] = s.energy.joint[e]
    s.new.curve[e, :] = s.energy.curve[e]
    s.new.test[e, :] = s.energy.test[e]


@njit
def _time_move_energy(p, s, e, first, last, i, j, only_patients, energy, limit, joint_sums):
    """Energy after the trial order of one endpoint replaces that between two positions.

    Parts are added one after the other, the cheap ones first; beyond the limit the move is
    refused without the rest. `only_patients` says that i and j exchanged their positions and
    nothing else changed.
    """
    n_row = s.x.shape[1]
    m = p.joint_size[e]
    joint_changes = p.joint_weight[e] > 0.0 and not (
        only_patients and s.pattern[e, i] == s.pattern[e, j]
    )
    together = p.stiffness.shape[1] > 0
    models_change = joint_changes
    total = energy
    for r in range(n_row):
        if not (only_patients and s.x[i, r] == s.x[j, r]):
            total -= p.row_weight[e, r] * s.energy.row[e, r]
            models_change = models_change or together
    if models_change:
        total -= p.joint_weight[e] * s.energy.joint[e]
    for q in range(p.curve_arm.shape[0]):
        if _touches(s.in_curve[q], i, j, only_patients):
            total -= p.curve_weight[e, q] * s.energy.curve[e, q]
    for q in range(p.test_covariate.shape[0]):
        if _touches(s.in_test[q], i, j, only_patients and s.x[i, 0] == s.x[j, 0]):
            total -= p.test_weight[e, q] * s.energy.test[e, q]
    _keep_energies(s, e)
    for r in range(n_row):
        s.new_sums[e, r, :] = s.sums[e, r]
        if only_patients and s.x[i, r] == s.x[j, r]:
            continue
        at_risk = s.trial.n_at_risk[e, r, last + 1]
        for k in range(last, first - 1, -1):
            exposed = s.x[s.trial.patient[e, k], r]
            at_risk += exposed
            s.trial.n_at_risk[e, r, k] = at_risk
            if s.trial.event[e, k]:
                add_event(s.new_sums[e, r], p.table[e, r], at_risk, p.n - k - at_risk, exposed, 1)
            if s.now.event[e, k]:
                old = s.now.n_at_risk[e, r, k]
                exposed = s.x[s.now.patient[e, k], r]
                add_event(s.new_sums[e, r], p.table[e, r], old, p.n - k - old, exposed, -1)
        if p.row_weight[e, r] > 0.0:
            s.new.row[e, r] = _row_energy(p, e, r, s.new_sums[e, r])
            total += p.row_weight[e, r] * s.new.row[e, r]
            if total > limit:
                return REFUSED
    joint_sums[:] = s.joint_sums[e]
    if joint_changes:
        for k in range(last, first - 1, -1):
            pattern = s.pattern[e, s.trial.patient[e, k]]
            put_at_risk(s.trial.hazard[e], k, pattern, p.joint_hazard[e, pattern], m)
            if s.trial.event[e, k]:
                add_joint_event(joint_sums, s.trial.hazard[e], k, pattern, m, 1.0)
            if s.now.event[e, k]:
                pattern = s.pattern[e, s.now.patient[e, k]]
                add_joint_event(joint_sums, s.now.hazard[e], k, pattern, m, -1.0)
    if models_change:
        s.new.joint[e] = _models_energy(p, s, e, ALL, joint_sums)
        total += p.joint_weight[e] * s.new.joint[e]
        if total > limit:
            return REFUSED
    for q in range(p.curve_arm.shape[0]):
        if _touches(s.in_curve[q], i, j, only_patients):
            s.new.curve[e, q] = curve_energy(p, s, s.trial, e, q)
            total += p.curve_weight[e, q] * s.new.curve[e, q]
            if total > limit:
                return REFUSED
    for q in range(p.test_covariate.shape[0]):
        if _touches(s.in_test[q], i, j, only_patients and s.x[i, 0] == s.x[j, 0]):
            s.new.test[e, q] = _test_energy(
                s.in_test[q], s.x, p.test[e, q], s.trial.patient[e], s.trial.event[e]
            )
            total += p.test_weight[e, q] * s.new.test[e, q]
    return total


@njit
def _touches(member, i, j, only_patients):
    if j < 0:
        return member[i] == 1
    if only_patients:
        return member[i] != member[j]
    return member[i] == 1 or member[j] == 1


@njit
def _accept_times(p, s, e, first, last, joint_sums):
    m = p.joint_size[e]
    for k in range(last, first - 1, -1):
        pattern = s.pattern[e, s.trial.patient[e, k]]
        put_at_risk(s.trial.hazard[e], k, pattern, p.joint_hazard[e, pattern], m)
    for r in range(s.x.shape[1]):
        at_risk = s.trial.n_at_risk[e, r, last + 1]
        for k in range(last, first - 1, -1):
            at_risk += s.x[s.trial.patient[e, k], r]
            s.trial.n_at_risk[e, r, k] = at_risk
    _copy_positions(s.trial, s.now, e, first, last)
    for k in range(first, last + 1):
        s.place[e, s.now.patient[e, k]] = k
    s.sums[e] = s.new_sums[e]
    if p.joint_weight[e] > 0.0:
        s.joint_sums[e] = joint_sums
    s.energy.row[e, :] = s.new.row[e]
    s.energy.joint[e] = s.new.joint[e]
    s.energy.curve[e, :] = s.new.curve[e]
    s.energy.test[e, :] = s.new.test[e]


@njit
def shift(sequence, e, k, target, day):
    """Move the patient at position k, with the event, to a target position and day."""
    patient = sequence.patient[e, k]
    event = sequence.event[e, k]
    step = 1 if target > k else -1
    while k != target:
        sequence.patient[e, k] = sequence.patient[e, k + step]
        sequence.event[e, k] = sequence.event[e, k + step]
        sequence.day[e, k] = sequence.day[e, k + step]
        k += step
    sequence.patient[e, k] = patient
    sequence.event[e, k] = event
    sequence.day[e, k] = day


@njit
def is_eligible(p, x, i):
    """Whether a patient meets at least one condition of each criterion."""
    for q in range(p.clause_start.shape[0] - 1):
        met = False
        for t in range(p.clause_start[q], p.clause_start[q + 1]):
            met = met or x[i, p.clause_covariate[t]] == p.clause_level[t]
        if not met:
            return False
    return True


@njit
def is_nested(s, e, i, day, event):
    """Whether the second endpoint stays within the first: not later, and an event of both."""
    k = s.place[1 - e, i]
    other_day = s.now.day[1 - e, k]
    other_event = s.now.event[1 - e, k]
    if e == 0:
        return other_day <= day and other_event >= event
    return day <= other_day and event >= other_event


@njit
def _propose_place(p, s, e, k):
    """A position and a day for the patient at position k; the day is 0 where none is free."""
    rng = s.rng
    days = s.now.day[e]
    how = random_below(rng, 10)
    if how < 6:
        target = min(max(k + random_below(rng, 9) - 4, 0), p.n - 1)
        before = days[target] if target > k else (days[target - 1] if target > 0 else 0)
        after = days[target] if target < k else NEVER
        if target >= k and target + 1 < p.n:
            after = days[target + 1]
        before = max(before, p.day_low[e] - 1)
        after = min(after, p.day_high[e] + 1)
        if after - before < 2:
            return k, 0
        return target, before + 1 + random_below(rng, after - before - 1)
    if how < 8:
        day = p.day_low[e] + random_below(rng, p.day_high[e] - p.day_low[e] + 1)
    else:
        q = random_below(rng, p.curve_arm.shape[0])
        w = random_below(rng, 3)
        if not s.in_curve[q, s.now.patient[e, k]] or p.curve_high[e, q, w] == NEVER:
            return k, 0
        width = p.curve_high[e, q, w] - p.curve_low[e, q, w] + 1
        day = p.curve_low[e, q, w] + random_below(rng, width)
    low, high = 0, p.n
    while low < high:
        middle = (low + high) // 2
        if days[middle] < day:
            low = middle + 1
        else:
            high = middle
    if low < p.n and days[low] == day:
        return k, 0
    return (low - 1 if low > k else low), day


@njit
def _try_times(p, s, e, energy, limit, joint_sums):
    """Propose a change of one endpoint's order and accept it within the limit."""
    rng = s.rng
    now, trial = s.now, s.trial
    kind = random_below(rng, 100)
    k = random_below(rng, p.n)
    i, j = now.patient[e, k], -1
    first, last = k, k
    only_patients = False
    if kind < 45:
        target, day = _propose_place(p, s, e, k)
        if day == 0 or not is_nested(s, e, i, day, now.event[e, k]):
            return energy, False
        first, last = min(k, target), max(k, target)
        shift(trial, e, k, target, day)
    else:
        exchange_patients = kind < 85
        if random_below(rng, 10) < 7:
            other = k + 1 + random_below(rng, 8 if exchange_patients else 12)
        else:
            other = random_below(rng, p.n)
        if other >= p.n or other == k:
            return energy, False
        j = now.patient[e, other]
        first, last = min(k, other), max(k, other)
        if exchange_patients:
            only_patients = random_below(rng, 2) == 0
            event_i = now.event[e, other] if only_patients else now.event[e, k]
            event_j = now.event[e, k] if only_patients else now.event[e, other]
            only_patients = only_patients or event_i == event_j
            if not (
                is_nested(s, e, i, now.day[e, other], event_i)
                and is_nested(s, e, j, now.day[e, k], event_j)
            ):
                return energy, False
            trial.patient[e, k], trial.patient[e, other] = j, i
            trial.event[e, k], trial.event[e, other] = event_j, event_i
        else:
            event_i, event_j = now.event[e, other], now.event[e, k]
            if event_i == event_j or not (
                is_nested(s, e, i, now.day[e, k], event_i)
                and is_nested(s, e, j, now.day[e, other], event_j)
            ):
                return energy, False
            trial.event[e, k], trial.event[e, other] = event_i, event_j
    found = _time_move_energy(p, s, e, first, last, i, j, only_patients, energy, limit, joint_sums)
    if found <= limit:
        _accept_times(p, s, e, first, last, joint_sums)
        return found, True
    _copy_positions(now, trial, e, first, last)
    return energy, False


@njit
def exchange_labels(p, s, r, i, j):
    """Exchange a covariate of two patients of one arm, with what follows from it but sums."""
    s.x[i, r], s.x[j, r] = s.x[j, r], s.x[i, r]
    for q in range(p.curve_arm.shape[0]):
        if p.curve_covariate[q] == r:
            s.in_curve[q, i], s.in_curve[q, j] = s.in_curve[q, j], s.in_curve[q, i]
    for q in range(p.test_covariate.shape[0]):
        if p.test_covariate[q] == r:
            s.in_test[q, i], s.in_test[q, j] = s.in_test[q, j], s.in_test[q, i]
    for e in range(2):
        a = _joint_place(p, e, r)
        if a >= 0:
            s.pattern[e, i] ^= 1 << a
            s.pattern[e, j] ^= 1 << a


@njit
def _joint_place(p, e, r):
    for a in range(p.joint_size[e]):
        if p.joint_index[e, a] == r:
            return a
    return -1


@njit
def _changes_models(p, e, r):
    """Whether labels of a covariate change what is kept as the energy of the joint model."""
    return p.stiffness.shape[1] > 0 or _joint_place(p, e, r) >= 0


@njit
def _label_sums(p, s, e, r, i, j):
    """Sums of a row after i and j have exchanged their labels; x is not yet changed."""
    sums = s.new_sums[e, r]
    sums[:] = s.sums[e, r]
    if s.place[e, i] > s.place[e, j]:
        i, j = j, i
    gained = np.int64(s.x[i, r]) - np.int64(s.x[j, r])
    for k in range(s.place[e, i], s.place[e, j] + 1):
        if s.now.event[e, k]:
            patient = s.now.patient[e, k]
            exposed = np.int64(s.x[patient, r])
            at_risk = s.now.n_at_risk[e, r, k]
            add_event(sums, p.table[e, r], at_risk, p.n - k - at_risk, exposed, -1)
            exposed -= gained if patient == i else (-gained if patient == j else 0)
            at_risk += gained if patient != i else 0
            add_event(sums, p.table[e, r], at_risk, p.n - k - at_risk, exposed, 1)


@njit
def _label_move_energy(p, s, r, i, j, energy, limit, joint_sums):
    """Energy after i and j exchange covariate r; the labels are exchanged where not refused."""
    arm = s.x[i, 0]
    total = energy
    for e in range(2):
        _keep_energies(s, e)
        total -= p.row_weight[e, r] * s.energy.row[e, r]
        if _changes_models(p, e, r):
            total -= p.joint_weight[e] * s.energy.joint[e]
        for q in range(p.curve_arm.shape[0]):
            if p.curve_covariate[q] == r and p.curve_arm[q] == arm:
                total -= p.curve_weight[e, q] * s.energy.curve[e, q]
        for q in range(p.test_covariate.shape[0]):
            if p.test_covariate[q] == r:
                total -= p.test_weight[e, q] * s.energy.test[e, q]
    for e in range(2):
        _label_sums(p, s, e, r, i, j)
        if p.row_weight[e, r] > 0.0:
            s.new.row[e, r] = _row_energy(p, e, r, s.new_sums[e, r])
            total += p.row_weight[e, r] * s.new.row[e, r]
            if total > limit:
                return REFUSED
    exchange_labels(p, s, r, i, j)
    for e in range(2):
        if p.joint_weight[e] > 0.0 and total <= limit and _changes_models(p, e, r):
            if _joint_place(p, e, r) >= 0:
                _joint_after_labels(p, s, e, r, i, j, joint_sums[e])
            else:
                joint_sums[e] = s.joint_sums[e]
            s.new.joint[e] = _models_energy(p, s, e, r, joint_sums[e])
            total += p.joint_weight[e] * s.new.joint[e]
    for e in range(2):
        for q in range(p.curve_arm.shape[0]):
            if p.curve_covariate[q] == r and p.curve_arm[q] == arm and total <= limit:
                s.new.curve[e, q] = curve_energy(p, s, s.now, e, q)
                total += p.curve_weight[e, q] * s.new.curve[e, q]
        for q in range(p.test_covariate.shape[0]):
            if p.test_covariate[q] == r and total <= limit:
                s.new.test[e, q] = _test_energy(
                    s.in_test[q], s.x, p.test[e, q], s.now.patient[e], s.now.event[e]
                )
                total += p.test_weight[e, q] * s.new.test[e, q]
    if total > limit:
        exchange_labels(p, s, r, i, j)
        return REFUSED
    return total


@njit
def _first_changed(p, s, e, r, i, j):
    """First position at which an exchange of labels changes the sums of the joint model.

    Where i and j differ in other covariates of the model too, the hazards of all those at
    risk together change, from the first position on.
    """
    if s.pattern[e, i] ^ s.pattern[e, j] == 1 << _joint_place(p, e, r):
        return min(s.place[e, i], s.place[e, j])
    return 0


@njit
def _joint_after_labels(p, s, e, r, i, j, sums):
    """Sums of the joint model after i and j have exchanged their labels."""
    m = p.joint_size[e]
    bit = 1 << _joint_place(p, e, r)
    sums[:] = s.joint_sums[e]
    now, trial = s.now.hazard[e], s.trial.hazard[e]
    last = max(s.place[e, i], s.place[e, j])
    for k in range(last, _first_changed(p, s, e, r, i, j) - 1, -1):
        patient = s.now.patient[e, k]
        pattern = s.pattern[e, patient]
        put_at_risk(trial, k, pattern, p.joint_hazard[e, pattern], m)
        if s.now.event[e, k]:
            old = pattern ^ bit if patient in (i, j) else pattern
            add_joint_event(sums, trial, k, pattern, m, 1.0)
            add_joint_event(sums, now, k, old, m, -1.0)


@njit
def _try_labels(p, s, r, i, j, energy, limit, joint_sums):
    """Exchange covariate r of two patients, within the limit and the eligibility."""
    s.x[i, r], s.x[j, r] = s.x[j, r], s.x[i, r]
    eligible = is_eligible(p, s.x, i) and is_eligible(p, s.x, j)
    s.x[i, r], s.x[j, r] = s.x[j, r], s.x[i, r]
    if not eligible:
        return energy, False
    found = _label_move_energy(p, s, r, i, j, energy, limit, joint_sums)
    accepted = found <= limit
    for e in range(2):
        last = max(s.place[e, i], s.place[e, j])
        if _joint_place(p, e, r) >= 0:
            for k in range(_first_changed(p, s, e, r, i, j), last + 1):
                for q in range(s.now.hazard.shape[2]):
                    if accepted:
                        s.now.hazard[e, k, q] = s.trial.hazard[e, k, q]
                    else:
                        s.trial.hazard[e, k, q] = s.now.hazard[e, k, q]
        if not accepted:
            continue
        if _joint_place(p, e, r) >= 0 and p.joint_weight[e] > 0.0:
            s.joint_sums[e] = joint_sums[e]
        first = min(s.place[e, i], s.place[e, j])
        gained = 2 * np.int64(s.x[s.now.patient[e, last], r]) - 1
        for k in range(first + 1, last + 1):
            s.now.n_at_risk[e, r, k] += gained
            s.trial.n_at_risk[e, r, k] += gained
        s.sums[e, r] = s.new_sums[e, r]
        s.energy.row[e, :] = s.new.row[e]
        s.energy.joint[e] = s.new.joint[e]
        s.energy.curve[e, :] = s.new.curve[e]
        s.energy.test[e, :] = s.new.test[e]
    return (found, True) if accepted else (energy, False)


@njit
def _propose_labels(s, r):
    """Two patients of one arm who differ in covariate r, often close in one of the orders."""
    n = s.x.shape[0]
    i = random_below(s.rng, n)
    if random_below(s.rng, 10) < 6:
        e = random_below(s.rng, 2)
        k = s.place[e, i] + 1 + random_below(s.rng, 12)
        if k >= n:
            return -1, -1
        j = s.now.patient[e, k]
    else:
        j = random_below(s.rng, n)
    if s.x[i, r] == s.x[j, r] or s.x[i, 0] != s.x[j, 0]:
        return -1, -1
    return i, j


@njit
def anneal(p, s, best, n_steps, hot, cold, shares, label_shares):
    """Metropolis steps at a falling temperature.

    Parameters
    ----------
    p : Problem
    s : State
        Changed in place.
    best : tuple of ndarray
        Covariates, and patients, events and days in order, of the state of least energy.
    n_steps : int
    hot, cold : float
        First and last temperature.
    shares : ndarray of shape (2,)
        Cumulative shares of moves in the order of the first endpoint, and of both; the other
        moves exchange covariates.
    label_shares : ndarray of shape (p,)
        Cumulative shares of the covariates.

    Returns
    -------
    energy, least : float

    References
    ----------
    Kirkpatrick S, Gelatt CD, Vecchi MP. Science 1983;220:671-680.
    """
    least = evaluate(p, s)
    _remember(s, best)
    steps = (0, n_steps, n_steps)
    return anneal_part(p, s, best, least, steps, (hot, cold), shares, label_shares)


@njit
def anneal_part(p, s, best, least, steps, heat, shares, label_shares):
    """A part of annealing, as of `anneal`.

    Parameters
    ----------
    least : float
        Energy of the best state so far.
    steps : (int, int, int)
        Steps done before, and after, and of the whole; all but the last multiples of `PHASE`.
    heat : (float, float)
        First and last temperature of the whole.
    """
    first, last, n_steps = steps
    joint_sums = np.zeros(s.joint_sums.shape)
    energy = evaluate(p, s)
    temperature, cold = heat
    cooling = (cold / temperature) ** (PHASE / max(PHASE, n_steps))
    for _ in range(PHASE, first, PHASE):
        temperature *= cooling
    for step in range(first, last):
        if step % PHASE == 0 and step > 0:
            temperature *= cooling
        limit = energy + temperature * p.minus_log[random_below(s.rng, p.minus_log.shape[0])]
        draw = _random_unit(s.rng)
        if draw < shares[1]:
            e = 0 if draw < shares[0] else 1
            energy, accepted = _try_times(p, s, e, energy, limit, joint_sums[0])
        else:
            draw = _random_unit(s.rng)
            r = 1
            while draw >= label_shares[r] and r < s.x.shape[1] - 1:
                r += 1
            i, j = _propose_labels(s, r)
            if i < 0:
                continue
            energy, accepted = _try_labels(p, s, r, i, j, energy, limit, joint_sums)
        if accepted and energy < least - 1e-9:
            least = energy
            _remember(s, best)
            if least <= 1e-9:
                break
    return energy, least


@njit
def _remember(s, best):
    best[0][:] = s.x
    best[1][:] = s.now.patient
    best[2][:] = s.now.event
    best[3][:] = s.now.day
