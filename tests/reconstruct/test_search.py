"""The survival search: its estimates, its bookkeeping, its bytes."""

import hashlib
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_book import ROOT

from helpers.errors import InputError
from helpers.estimators.cox import fit_cox
from helpers.estimators.logrank import logrank
from helpers.reconstruct import combinations, moves, search
from helpers.reconstruct.aims import (
    aim_at_labels,
    aim_at_order,
    free_blocks,
    freeze,
    joint_covariates,
)
from helpers.reconstruct.cohort import reconstruct_cohort, trace_path
from helpers.reconstruct.combinations import combine_moves
from helpers.reconstruct.kernel import (
    NEVER,
    Z,
    anneal,
    anneal_part,
    estimate_joint,
    estimate_row,
    evaluate,
    logrank_z,
)
from helpers.reconstruct.moves import (
    apply_move,
    footprints,
    is_legal,
    list_exchanges,
    list_moves,
)
from helpers.reconstruct.numbers import compute_numbers, distance
from helpers.reconstruct.search import Plan, search_survival
from helpers.reconstruct.stiffness import THIN, measure_reach, stiffen
from helpers.reconstruct.survival_state import blank_copy, make_state, to_patients
from helpers.reconstruct.survival_targets import (
    _aim,
    _information_table,
    _z_window,
)
from helpers.reconstruct.walks import settle

SHORT = Plan(n_steps=30_000, n_rounds=2, n_sum=1000)
DIGEST = "8fb965b14f3a320c9e87476217fd08f4a756625505777772a4841cfcd48d443a"


def arrays(state, e):
    """Times, events and covariates as an estimator takes them."""
    patient = state.now.patient[e]
    return state.now.day[e], state.now.event[e], state.x[patient]


def test_windows_are_those_that_round_to_the_print(targets):
    row = targets.problem.row[0, targets.variables.index("pvtt")]
    low, high = math.log(2.8805), math.log(2.8815)  # printed 2.881
    assert row[1] == pytest.approx(low + 0.02 * (high - low), abs=1e-11)
    assert row[2] == pytest.approx(high - 0.02 * (high - low), abs=1e-11)
    arm = targets.problem.row[0, 0]  # printed for the control arm against the other: 2.056
    assert arm[1] < -math.log(2.056) < arm[2]
    # 27.1 months, of 30.4375 days, in patients with microvascular invasion
    problem = targets.problem
    mvi = targets.variables.index("mvi")
    chosen = (problem.curve_covariate == mvi) & (problem.curve_level == 1) & problem.curve_arm == 1
    (place,) = np.flatnonzero(chosen)
    assert targets.problem.curve_low[0, place, 1] == 824  # 27.05 months are 823.3 days
    assert targets.problem.curve_high[0, place, 1] == 826  # 27.15 months are 826.4 days


def test_a_p_value_below_a_number_asks_for_a_large_z_only():
    low, high, per_half = _aim(*_z_window(0.0, 0.001))
    assert low == pytest.approx(3.2905 + 0.04 * 0.05, abs=1e-4)  # p = 0.001 at z = 3.2905
    assert high > 50
    assert per_half == 20


def test_fewest_events_follow_from_the_standard_error(targets):
    # thrombus: 2.881 (1.389 to 5.975), information 7.22; d - d²/58 is 6.90 for 8 and 7.60 for 9
    assert targets.problem.row[0, targets.variables.index("pvtt"), 13] == 9


def test_estimates_equal_the_cox_model(targets, annealed):
    problem = targets.problem
    for e in range(2):
        time, event, x = arrays(annealed, e)
        fits = [fit_cox(time, event, x[:, [r]], ties="efron") for r in range(x.shape[1])]
        beta = np.array([[fit.coef[0] for fit in fits]])
        exact = problem._replace(table=np.repeat(_information_table(beta, problem.n), 2, axis=0))
        state = make_state(exact, annealed.x, *annealed.now[:3], annealed.rng)
        for r, fit in enumerate(fits):
            windows = np.append(beta[0, r], np.zeros(15))
            found = estimate_row(windows, state.sums[e, r])
            assert found == pytest.approx((fit.coef[0], fit.std_error[0]), abs=1e-9)


def test_joint_estimates_equal_the_cox_model(targets, annealed):
    for e in range(2):
        m = int(targets.problem.joint_size[e])
        time, event, x = arrays(annealed, e)
        fit = fit_cox(time, event, x[:, targets.problem.joint_index[e, :m]], ties="efron")
        joint, hazard = targets.problem.joint.copy(), targets.problem.joint_hazard.copy()
        joint[e, :m, 0] = fit.coef
        for pattern in range(1 << m):
            beta = sum(b for a, b in enumerate(fit.coef) if pattern >> a & 1)
            hazard[e, pattern] = math.exp(beta)
        problem = targets.problem._replace(joint=joint, joint_hazard=hazard)
        state = make_state(problem, annealed.x, *annealed.now[:3], annealed.rng)
        found = np.zeros((m, 2))
        assert estimate_joint(m, state.joint_sums[e], joint[e], found)
        np.testing.assert_allclose(found[:, 0], fit.coef, atol=1e-9)
        np.testing.assert_allclose(found[:, 1], fit.std_error, atol=1e-9)


@pytest.fixture(scope="module")
def stiff(targets, annealed):
    """The problem, measured against what small changes reach."""
    state = make_state(targets.problem, *blank_copy(annealed), annealed.rng)
    return stiffen(targets.problem, measure_reach(targets.problem, state, rng(1)), 0.5)


def rng(seed):
    return np.random.default_rng(seed)


def test_without_reach_the_stiffness_is_that_of_the_region(targets):
    # of the thin region that prints as Child-Pugh in Table 2, half-windows from its centre
    problem = targets.problem
    sizes = 2 * (len(targets.variables) + problem.joint_size)
    no_reach = [np.zeros((size, size)) for size in sizes]
    found = stiffen(problem, no_reach, 0.0).stiffness[0]
    r = targets.variables.index("child_pugh")
    low, high, per_half = problem.row[0, r, 1:13].reshape(4, 3).T
    inside = rng(5).uniform(low[[0, 2]], high[[0, 2]], (1_000_000, 2))
    beta, upper = inside.T
    lower, z = 2 * beta - upper, beta * Z / (upper - beta)
    inside = inside[(lower > low[1]) & (lower < high[1]) & (z > low[3]) & (z < high[3])]
    expected = np.cov((inside * per_half[[0, 2]]).T) + THIN * np.eye(2)
    block = found[2 * r : 2 * r + 2, 2 * r : 2 * r + 2]
    np.testing.assert_allclose(np.linalg.inv(block), expected, rtol=0.05)
    assert problem.row[0, r, [0, 15]] == pytest.approx(inside.mean(axis=0), abs=1e-5)


def test_stiffness_is_the_inverse_of_the_reach_and_the_windows(targets, stiff, annealed):
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    reach = measure_reach(problem, state, rng(1))
    for e in range(2):
        d = len(reach[e])
        alone = stiffen(problem, [0 * part for part in reach], 0.0).stiffness[e, :d, :d]
        expected = np.linalg.inv(0.5 * reach[e] + np.linalg.inv(alone))
        np.testing.assert_allclose(stiff.stiffness[e, :d, :d], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("share", "lighter"), [(20.0, 25), (1.0, 25), (0.1, 1.24), (0.0, 1)])
def test_tests_are_light_while_all_may_be_far_off(targets, share, lighter):
    problem = targets.problem
    no_reach = [np.zeros((size, size)) for size in 2 * (problem.row.shape[1] + problem.joint_size)]
    found = stiffen(problem, no_reach, share).test_weight
    np.testing.assert_allclose(problem.test_weight, lighter * found)


def test_models_are_measured_together_by_the_stiffness(targets, stiff, annealed):
    state = make_state(stiff, *blank_copy(annealed), annealed.rng)
    for e in range(2):
        m = int(stiff.joint_size[e])
        joint = np.zeros((m, 2))
        estimate_joint(m, state.joint_sums[e], stiff.joint[e], joint)
        rows = [estimate_row(w, s) for w, s in zip(stiff.row[e], state.sums[e], strict=True)]
        off = []
        windows = [*stiff.row[e], *stiff.joint[e, :m]]
        for w, (beta, se) in zip(windows, [*rows, *joint], strict=True):
            off += [(beta - w[0]) * w[3], (beta + Z * se - w[15]) * w[9]]
        expected = np.array(off) @ stiff.stiffness[e, : len(off), : len(off)] @ off
        assert state.energy.joint[e] == pytest.approx(expected, rel=1e-9)


def test_a_median_at_one_half_is_the_middle_of_the_flat_stretch(targets, annealed):
    # each of n members dies, so that the curve is at one half from one death to the next
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    q = next(q for q, member in enumerate(state.in_curve) if member.sum() % 2 == 0)
    state.now.event[0] = 1
    inside = np.flatnonzero(state.in_curve[q][state.now.patient[0]])
    first, second = state.now.day[0, inside[[len(inside) // 2 - 1, len(inside) // 2]]]
    middle = (first + second) // 2
    never_crossed = {"low": [0, middle - 1, 0], "high": [NEVER, middle + 1, NEVER]}

    def energy(shift):
        low, high = problem.curve_low.copy(), problem.curve_high.copy()
        low[0, q], high[0, q] = never_crossed["low"], never_crossed["high"]
        low[0, q, 1] += shift
        high[0, q, 1] += shift
        moved = problem._replace(curve_low=low, curve_high=high)
        evaluate(moved, state)
        return state.energy.curve[0, q]

    assert energy(0) == 0.0
    assert energy(3) > 0.0


def test_logrank_equals_the_estimator(targets, annealed):
    time, event, x = arrays(annealed, 0)
    for q, member in enumerate(annealed.in_test):
        inside = member[annealed.now.patient[0]] == 1
        z = logrank_z(member, annealed.x, annealed.now.patient[0], annealed.now.event[0])
        test = logrank(time[inside], event[inside], x[inside, 0])
        assert z**2 == pytest.approx(test.statistic, rel=1e-9), q


@pytest.mark.parametrize("together", [False, True])
def test_what_moves_update_is_what_evaluation_computes(targets, stiff, annealed, together):
    problem = stiff if together else targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    shares, labels = np.array([0.3, 0.6]), np.linspace(0, 1, len(targets.variables))
    anneal(problem, state, blank_copy(state), 20_000, 3e3, 1e3, shares, labels)
    energies = [part.copy() for part in state.energy]
    sums, joint = state.sums.copy(), state.joint_sums.copy()
    evaluate(problem, state)
    np.testing.assert_array_equal(state.sums, sums)
    np.testing.assert_allclose(state.joint_sums, joint, atol=1e-10)
    for kept, computed in zip(energies, state.energy, strict=True):
        np.testing.assert_allclose(kept, computed, rtol=1e-9, atol=1e-6)


def test_moves_keep_the_printed_counts_and_the_rules(targets, annealed, study):
    patients = to_patients(targets, annealed, study)
    for (name, arm), n in targets.exposed.items():
        of_arm = patients[patients["arm"] == arm]
        assert (of_arm[name] == targets.levels[name][1]).sum() == n
    assert (patients["pfs_days"] <= patients["os_days"]).all()
    assert (patients["pfs_event"] >= patients["os_event"]).all()
    assert (patients["os_event"].sum(), patients["pfs_event"].sum()) == (58, 83)
    burden = (
        (patients["pvtt"] == "yes")
        | (patients["extrahepatic"] == "yes")
        | (patients["tumor_diameter"] == "ge5")
    )
    assert burden.all()


@pytest.fixture
def nearer(monkeypatch):
    """Sums of few moves."""
    for name, value in {"N_SINGLE": 50, "N_PAIR": 100, "N_NEAR": 50, "CHECKED": 20}.items():
        monkeypatch.setattr(combinations, name, value)


def numbers_of(aim, problem, state):
    return compute_numbers(problem, state, aim.windows)


@pytest.mark.parametrize("e", [0, 1])
def test_an_order_alone_brings_its_numbers_nearer(targets, annealed, nearer, e):
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    aim = aim_at_order(problem, e)
    others = ~np.isfinite(aim.windows[:, 0])
    # five covariates alone, the same or three of them together, and two tests by interval
    assert (~others).sum() == (4 * (5 + 5) + 2, 4 * (5 + 3) + 2)[e]
    before = numbers_of(aim, problem, state)
    first = combine_moves(aim, state, rng(1), 8.0, width=10)
    assert first < distance(before, aim.windows, 8.0)
    assert first == pytest.approx(distance(numbers_of(aim, problem, state), aim.windows, 8.0))
    np.testing.assert_array_equal(state.x, annealed.x)
    np.testing.assert_array_equal(state.now.patient[1 - e], annealed.now.patient[1 - e])
    np.testing.assert_array_equal(state.now.day[1 - e], annealed.now.day[1 - e])
    assert is_legal(problem, state)


def test_labels_leave_the_joint_models_alone(targets, annealed, nearer):
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    aim = aim_at_labels(problem, (targets.variables.index("mvi"),))
    covariates = np.isin(np.arange(len(targets.variables)), joint_covariates(problem))
    tests = covariates[problem.test_covariate]
    others = np.concatenate(
        [[*np.repeat(covariates, 4), *[True] * int(4 * m), *tests] for m in problem.joint_size]
    )
    assert np.isfinite(aim.windows[:, 0]).sum() == 2 * (4 + 2)
    before = numbers_of(aim, problem, state)
    first = combine_moves(aim, state, rng(1), 8.0, width=10)
    after = numbers_of(aim, problem, state)
    assert first < distance(before, aim.windows, 8.0)
    np.testing.assert_allclose(after[others], before[others], atol=1e-9)
    settle(problem, aim, state, 2000)
    np.testing.assert_array_equal(state.x[:, covariates], annealed.x[:, covariates])
    assert is_legal(problem, state)


def test_covariates_bound_by_the_eligibility_are_settled_together(targets):
    names = np.array(targets.variables)
    assert [list(names[list(block)]) for block in free_blocks(targets.problem)] == [
        ["mvi"],
        ["tumor_diameter", "extrahepatic"],
        ["n_tumors"],
    ]


def test_a_row_can_be_aimed_at_by_its_hazard_ratio_alone(targets, annealed):
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    block = tuple(map(targets.variables.index, ("tumor_diameter", "extrahepatic")))
    given_up, kept = (0, block[1]), [(0, block[0]), (1, block[0]), (1, block[1])]
    assert np.argwhere(problem.ratio_alone).tolist() == [[*given_up]]
    aim = aim_at_labels(problem, block)
    assert np.isfinite(aim.windows[:, 0]).sum() == 3 * 4 + 1
    row = freeze(problem, aim, state).row
    assert np.isfinite(row[given_up][1:3]).all()
    assert np.isinf(row[given_up][[4, 5, 7, 8, 10, 11]]).all()
    for each in kept:
        np.testing.assert_array_equal(row[each], problem.row[each])


def test_annealing_in_parts_is_annealing_in_one(targets, annealed):
    problem, labels = targets.problem, np.linspace(0, 1, len(targets.variables))
    shares, heat = np.array([0.3, 0.6]), (1e4, 1e3)
    whole = make_state(problem, *blank_copy(annealed), annealed.rng.copy())
    best = blank_copy(whole)
    anneal(problem, whole, best, 9000, *heat, shares, labels)
    parts = make_state(problem, *blank_copy(annealed), annealed.rng.copy())
    kept, least = blank_copy(parts), evaluate(problem, parts)
    for first, last in ((0, 4000), (4000, 5000), (5000, 9000)):
        steps = (first, last, 9000)
        _, least = anneal_part(problem, parts, kept, least, steps, heat, shares, labels)
    for one, other in zip((*best, *blank_copy(whole)), (*kept, *blank_copy(parts)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_moves_without_a_place_in_common_can_be_made_in_either_order(targets, annealed):
    problem = targets.problem
    state = make_state(problem, *blank_copy(annealed), annealed.rng)
    made = np.concatenate(
        [list_moves(problem, state, rng(3)), list_exchanges(state, joint_covariates(problem))]
    )
    marks = footprints(state, made)
    chosen = rng(4).integers(len(made), size=(400, 2))
    apart = [(a, b) for a, b in chosen if not (marks[a] & marks[b]).any()]
    assert len(apart) > 100
    for pair in apart:
        ends = []
        for order in (pair, pair[::-1]):
            state = make_state(problem, *blank_copy(annealed), annealed.rng)
            for index in order:
                apply_move(problem, state, made[index])
            ends.append(blank_copy(state))
        for one, other in zip(*ends, strict=True):
            np.testing.assert_array_equal(one, other)


def test_distance_is_measured_in_half_windows():
    windows = np.array([[1.0, 3.0, 1.0], [1.0, 3.0, 2.0]])
    assert distance(np.array([2.0, 3.0]), windows, 8.0) == 0
    # 120 half-windows: the fourth root of 1 + 15 is 2, and 4 * 8 * (2 - 1)
    assert distance(np.array([123.0, 2.0]), windows, 8.0) == pytest.approx(32)
    assert distance(np.array([2.0, -59.0]), windows, 8.0) == pytest.approx(32)
    assert distance(np.array([3.001, 0.9995]), windows, 8.0) == pytest.approx(0.002, rel=1e-3)


@pytest.fixture
def brief(monkeypatch, nearer):
    """Parts of which each takes little."""
    lengths = {"TREATMENT_STEPS": 50_000, "N_TRY": 2, "N_SETTLE": 1000, "MENDS": 1}
    for name, value in lengths.items():
        monkeypatch.setattr(search, name, value)
    for name, value in {"REACH": 3, "SHIFT_REACH": 1}.items():
        monkeypatch.setattr(moves, name, value)


def test_a_seed_gives_the_same_bytes(targets, study, brief):
    state, _ = search_survival(targets, 7, SHORT)
    patients = to_patients(targets, state, study).to_csv(index=False, lineterminator="\n")
    assert hashlib.sha256(patients.encode()).hexdigest() == DIGEST


def test_an_interrupted_search_goes_on(targets, study, tmp_path, brief):
    checkpoint = tmp_path / "search"
    for last in (2, 7, 11):  # in annealing, between two orders, and in the labels
        search_survival(targets, 7, SHORT, checkpoint, lambda leg, hits, last=last: leg < last)
    resumed, trace = search_survival(targets, 7, SHORT, checkpoint)
    patients = to_patients(targets, resumed, study).to_csv(index=False, lineterminator="\n")
    assert hashlib.sha256(patients.encode()).hexdigest() == DIGEST
    assert trace["leg"].unique().tolist() == list(range(1, SHORT.n_legs(targets.problem) + 1))


def test_the_stored_trace_ends_at_the_stored_cohort(targets):
    trace = pd.read_csv(trace_path(ROOT / "data/cohort.csv"))
    last = trace[trace["leg"] == trace["leg"].max()]
    assert last["leg"].iloc[0] == Plan().n_legs(targets.problem)
    assert last["n_printed"].sum() == 172
    assert dict(zip(last["block"], last["n_hit"], strict=True)) == {
        "univariable": 66,
        "multivariable": 31,
        "log-rank": 7,
        "Kaplan-Meier": 60,
    }


def test_a_checkpoint_of_another_seed_is_refused(targets, tmp_path, brief):
    checkpoint = tmp_path / "search"
    short = replace(SHORT, n_steps=1, n_rounds=0)
    search_survival(targets, 7, short, checkpoint, lambda leg, hits: False)
    with pytest.raises(InputError, match="another seed"):
        search_survival(targets, 8, short, checkpoint)


def test_a_study_without_a_search_is_refused(tmp_path):
    with pytest.raises(InputError, match="two endpoints"):
        reconstruct_cohort(
            ROOT / "data/published.csv",
            ROOT / "data/hepatocellular.yml",
            tmp_path / "cohort.csv",
            1,
        )
    assert not list(tmp_path.iterdir())
