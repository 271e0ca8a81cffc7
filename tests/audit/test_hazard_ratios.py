import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ask, ledger, row, verdicts

from helpers.audit import CONSISTENT, IMPLAUSIBLE, INCONSISTENT, INFORMATION, UNDECIDED, Printed
from helpers.audit.hazard_ratios import (
    hazard_ratios,
    interaction_p,
    least_events,
    z_distance,
)
from helpers.audit.labels import event_chance
from helpers.audit.medians import most_events_not_reached
from helpers.audit.multiplicity import METHODS, adjust
from helpers.estimators.cox import fit_cox
from helpers.formats import format_number

REFERENCE = Path(__file__).parents[1] / "reference" / "audit.csv"
Z = 1.959963984540054


def reference(kind):
    with REFERENCE.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["kind"] == kind]


def cox(ratio, low, high, p=None, group="late_vs_early", analysis="cox_univariable", **keys):
    keys = {"endpoint": "os", "variable": "stage", "group": group} | keys
    names = ("hazard_ratio", "hazard_ratio_conf_low", "hazard_ratio_conf_high", "p_wald")
    values = [value for value in (ratio, low, high, p) if value is not None]
    return [row(analysis, s, v, **keys) for s, v in zip(names, values, strict=False)]


def levels(late, early):
    for group, n_late, n_early in (("new", *late), ("old", *early)):
        for level, n in (("late", n_late), ("early", n_early)):
            yield row("baseline", "n", n, variable="stage", level=level, group=group)
    for level, n in (("late", late[0] + early[0]), ("early", late[1] + early[1])):
        yield row("baseline", "n", n, variable="stage", level=level, group="overall")


def median(value, low=None, high=None, **keys):
    keys = {"endpoint": "os", "variable": "stage", "analysis": "subgroup"} | keys
    values = {"median": value, "median_conf_low": low, "median_conf_high": high}
    return [row(statistic=s, printed=v, **keys) for s, v in values.items() if v is not None]


@pytest.mark.parametrize(
    ("numbers", "verdict"),
    [
        (("2.056", "1.194", "3.540"), CONSISTENT),
        (("2.065", "1.194", "3.540"), INCONSISTENT),
        (("0.49", "0.28", "0.84"), CONSISTENT),
        (("0.49", "0.28", "0.94"), INCONSISTENT),
    ],
)
def test_a_hazard_ratio_is_centred_in_its_interval(numbers, verdict):
    assert verdicts("log_symmetry", *cox(*numbers)) == [verdict]


@pytest.mark.parametrize(("p", "verdict"), [("0.009", CONSISTENT), ("0.019", INCONSISTENT)])
def test_wald_p(p, verdict):
    """2.056 (1.194 to 3.540): z = 0.7208 / 0.2772 = 2.600, p = 0.0093."""
    (check,) = ask("wald_p", *cox("2.056", "1.194", "3.540", p))
    assert check.verdict == verdict
    assert check.low < 0.0093 < check.high


@pytest.mark.parametrize("row", reference("cox"), ids=lambda row: row["name"])
def test_error_and_p_from_print_hold_those_of_r(row):
    *numbers, with_event, without, n_level, n_reference = row["input"].split()
    error, p = map(float, row["value"].split())
    (found,) = hazard_ratios(Printed(ledger(*cox(*numbers))))
    assert found.std_error[0] <= error <= found.std_error[1]
    assert found.std_error[1] - found.std_error[0] < 0.01
    assert found.wald[0] <= p <= found.wald[1]
    events = least_events(1 / found.std_error[1] ** 2, int(n_level), int(n_reference))
    assert events.total <= int(with_event) + int(without)
    assert events.level <= int(with_event)
    assert events.reference <= int(without)


def test_reciprocals():
    arms = {"variable": "arm"}
    text = cox("0.49", "0.28", "0.84", "0.009", "new_vs_old", "survival", **arms)
    table = cox("2.056", "1.194", "3.540", "0.009", "old_vs_new", **arms)
    assert verdicts("reciprocal", *text, *table) == [CONSISTENT]
    table[0]["printed"] = "2.156"
    assert verdicts("reciprocal", *text, *table) == [INCONSISTENT]


def test_events_by_hand():
    """Information 2 needs 8 events, four on each side; with three on one side, six."""
    events = least_events(2.0, 10, 10)
    assert (events.total, events.level, events.reference) == (8, 3, 3)
    assert least_events(5.1, 10, 10) is None


def test_an_error_that_no_number_of_events_gives():
    """9 and 9 patients: information is at most 4.5, the error at least 0.471."""
    numbers = [format_number(math.exp(x), 3) for x in (0.5, 0.5 - Z * 0.4, 0.5 + Z * 0.4)]
    rows = [*cox(*numbers), *levels((4, 5), (5, 4))]
    assert verdicts("events", *rows, sizes={"new": 9, "old": 9}) == [INCONSISTENT]
    numbers = [format_number(math.exp(x), 3) for x in (0.5, 0.5 - Z * 0.5, 0.5 + Z * 0.5)]
    rows = [*cox(*numbers), *levels((4, 5), (5, 4))]
    assert verdicts("events", *rows, sizes={"new": 9, "old": 9}) == [CONSISTENT]


def test_the_chance_of_events_by_hand():
    """One of two patients is drawn, with odds 3 for the first."""
    assert event_chance(0.0, 1, 1, 1, 3.0) == 1.0
    assert event_chance(0.1, 1, 1, 2, 3.0) == 1.0
    assert event_chance(0.45, 1, 9, 10, 0.5) == 1.0
    # 1 at the level, 2 at the reference, 2 events: information needs the level's event;
    # it is missed if both draws are of the others: 2/5 times 1/4 with odds 3.
    assert event_chance(0.4, 1, 2, 2, 3.0) == pytest.approx(1 - 2 / 5 * 1 / 4)


def test_a_label_that_its_error_contradicts():
    """Information 6.7 needs eight events among nine patients of 88."""
    turned = cox("0.446", "0.210", "0.951")
    right = cox("2.238", "1.052", "4.762")
    sizes = list(levels((5, 41), (4, 38)))
    # the arms' error and their open limits leave 55 to 66 events in all
    arms = cox("1.0", "0.59", "1.69", group="new_vs_old", variable="arm")
    halves = [
        row("baseline", "n", n, variable="half", level=level, group=group)
        for group, n in (("new", 23), ("old", 21), ("overall", 44))
        for level in ("left", "right")
    ]
    limits = [
        row("subgroup", "median_conf_high", "NA", endpoint="os", variable="half", **place)
        for place in ({"level": a, "group": b} for a in ("left", "right") for b in ("new", "old"))
    ]
    (check, _) = ask("label", *turned, *sizes, *arms, *halves, *limits)
    assert check.verdict == IMPLAUSIBLE
    assert "55 to 66 in all" in check.tested
    (check, _) = ask("label", *right, *sizes, *arms, *halves, *limits)
    assert check.verdict == CONSISTENT
    assert event_chance(6.71, 9, 79, 57, 0.446) < 0.01 < 0.5 < event_chance(6.71, 9, 79, 57, 2.242)


def test_a_label_against_the_medians():
    row_ = cox("0.473", "0.248", "0.900")
    medians = [
        *median("27.1", level="late", group="new"),
        *median("35.7", level="early", group="new"),
        *median("19.5", level="late", group="old"),
        *median("29.6", level="early", group="old"),
    ]
    assert verdicts("direction", *row_, *medians) == [IMPLAUSIBLE]
    assert verdicts("direction", *cox("2.114", "1.111", "4.032"), *medians) == [CONSISTENT]
    assert verdicts("direction", *cox("0.9", "0.5", "1.62"), *medians) == []
    medians[2]["printed"] = "39.5"
    assert verdicts("direction", *row_, *medians) == [CONSISTENT]


def test_interaction_by_hand():
    """z 1.058 and 2.807 with 36 events each: difference 0.583, error 0.471, z 1.237."""
    p = interaction_p([0.290, 0.005], [36, 36])
    assert p == pytest.approx(0.2162, abs=2e-4)
    rows = [
        row("subgroup", "p", p, endpoint="os", variable="stage", level=level, group="between_arms")
        for level, p in (("late", "0.290"), ("early", "0.005"))
    ]
    rows += [*levels((24, 22), (23, 19)), *cox("1.109", "0.658", "1.869")]
    assert verdicts("interaction", *rows) == [INFORMATION]


def test_z_of_all_from_its_halves_by_hand():
    """Halves with z 1 and 2, equal events: z of all is (1 + 2) / 1.4142 = 2.1213."""
    halves = [[(1.0, 1.0)], [(2.0, 2.0)]]
    assert z_distance([(2.1213, 2.1213)], halves, (0.5, 0.5)) == pytest.approx(0, abs=1e-4)
    assert z_distance([(0.0, 0.0)], halves, (0.5, 0.5)) == pytest.approx(2.1213, abs=1e-4)
    unknown = [[(1.0, 1.0), (-1.0, -1.0)], [(2.0, 2.0)]]
    assert z_distance([(0.0, 0.0)], unknown, (0.5, 0.5)) == pytest.approx(0.7071, abs=1e-4)
    # a share of 0.8 puts 0.8944 on the first: 0.8944 + 2 * 0.4472 = 1.7889
    assert z_distance([(0.0, 0.0)], halves, (0.5, 0.8)) == pytest.approx(1.7889, abs=1e-4)


@pytest.mark.parametrize(
    ("late", "early", "verdict"),
    [
        ("0.290", "0.005", CONSISTENT),
        ("0.290", "0.500", CONSISTENT),  # z of all is 2.6, of the halves at most 1.3: 1.35 apart
        ("0.790", "0.700", UNDECIDED),
        ("0.001", "0.001", CONSISTENT),  # 1.37 apart, if nearly all events are in one
        ("<0.0001", "<0.0001", UNDECIDED),
    ],
)
def test_p_values_of_subgroups_against_that_of_all(late, early, verdict):
    keys = {"endpoint": "os", "variable": "stage", "group": "between_arms"}
    rows = [
        *cox("0.49", "0.28", "0.84", "0.009", "new_vs_old", "survival", variable="arm"),
        row("subgroup", "p", late, level="late", **keys),
        row("subgroup", "p", early, level="early", **keys),
        *levels((24, 22), (23, 19)),
        *median("27.1", level="late", group="new"),
        *median("21.1", level="late", group="old"),
        *median("33.6", level="early", group="new"),
        *median("20.2", level="early", group="old"),
    ]
    assert verdicts("subgroup_p", *rows) == [verdict]


@pytest.mark.parametrize("row", reference("subgroup_z"), ids=lambda row: row["name"])
def test_the_z_of_r_is_near_that_of_its_subgroups(row):
    whole, first, second, n_first, n_second, total = map(float, row["input"].split())
    share = float(row["value"])
    assert n_first + n_second >= total
    gap = z_distance([(whole, whole)], [[(first, first)], [(second, second)]], (share, share))
    assert gap < 0.6


def test_limits_of_an_arm_within_those_of_its_subgroups():
    arm = median("31.1", "21.7", "36.0", analysis="survival", variable="arm", group="new")
    parts = [
        *median("27.1", "20.6", "34.0", level="late", group="new"),
        *median("33.6", "24.2", "NA", level="early", group="new"),
    ]
    assert verdicts("subgroup_limits", *arm, *parts) == [CONSISTENT, CONSISTENT]
    arm[1]["printed"] = "20.4"
    assert verdicts("subgroup_limits", *arm, *parts) == [IMPLAUSIBLE, CONSISTENT]
    parts[5]["printed"] = "35.8"
    assert verdicts("subgroup_limits", *arm, *parts) == [IMPLAUSIBLE, IMPLAUSIBLE]


def test_medians_inside_their_intervals():
    inside = median("20.2", "17.8", "29.6", level="late", group="new")
    assert verdicts("median_interval", *inside) == [CONSISTENT]
    inside[2]["printed"] = "NA"
    assert verdicts("median_interval", *inside) == [CONSISTENT]
    inside[1]["printed"] = "20.8"
    assert verdicts("median_interval", *inside) == [INCONSISTENT]
    inside[1]["printed"] = "NA"  # the band ends above one half: there is no lower limit
    assert verdicts("median_interval", *inside) == [CONSISTENT]


def test_subgroup_medians():
    arm = median("31.1", analysis="survival", variable="arm", group="new")
    parts = [
        *median("27.1", "20", "30", level="late", group="new"),
        *median("33.6", "24.2", "NA", level="early", group="new"),
    ]
    assert verdicts("subgroup_medians", *arm, *parts) == [CONSISTENT]
    arm[0]["printed"] = "21.1"
    assert verdicts("subgroup_medians", *arm, *parts) == ["undecided"]
    arm[0]["printed"] = "11.1"
    assert verdicts("subgroup_medians", *arm, *parts) == [IMPLAUSIBLE]


@pytest.mark.parametrize("row", reference("open_limit"), ids=lambda row: row["name"])
def test_the_events_that_leave_a_limit_open_agree_with_r(row):
    kind = row["name"].split()[1].replace("-", "_")
    assert most_events_not_reached(int(row["input"]), kind) == int(row["value"])


def test_open_limits_that_the_models_forbid():
    """20 and 20 patients with 39 events at least; an open limit needs more without one."""
    sizes = {"new": 20, "old": 20, "overall": 40}
    error = 1 / math.sqrt(9.74)
    numbers = [format_number(math.exp(x * error), 3) for x in (0, -Z, Z)]
    rows = [*cox(*numbers), *levels((10, 10), (10, 10))]
    limits = [
        median("10.0", "5.0", "NA", level=level, group=group)[2]
        for level in ("late", "early")
        for group in ("new", "old")
    ]
    (check,) = ask("limits", *rows, *limits, sizes=sizes)
    assert check.found.startswith("log 0, log-log")
    bigger = {"new": 60, "old": 60, "overall": 120}
    error = 1 / math.sqrt(29.7)
    numbers = [format_number(math.exp(x * error), 3) for x in (0, -Z, Z)]
    rows = [*cox(*numbers), *levels((30, 30), (30, 30))]
    assert verdicts("limits", *rows, *limits, sizes=bigger) == [INCONSISTENT]


@pytest.mark.parametrize("row", reference("adjust"), ids=lambda row: row["name"])
def test_adjusted_p_values_agree_with_r(row):
    name = {"BH": "fdr_bh"}.get(row["name"], row["name"])
    assert name in METHODS
    values = [float(text) for text in row["input"].split()]
    assert adjust(values)[name] == pytest.approx([float(t) for t in row["value"].split()])


# properties


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-3, 3),
    st.floats(0.05, 1.5),
    st.integers(2, 3),
)
def test_true_intervals_printed_correctly_raise_no_alarm(coef, error, decimals):
    from scipy.stats import norm

    numbers = [format_number(math.exp(coef + x * error), decimals) for x in (0, -Z, Z)]
    p = format_number(2 * norm.sf(abs(coef / error)), 3)
    rows = cox(*numbers, p)
    assert verdicts("log_symmetry", *rows) == [CONSISTENT]
    assert verdicts("wald_p", *rows) in ([CONSISTENT], [])


@settings(max_examples=60, deadline=None)
@given(st.floats(-1, 1), st.floats(0.1, 0.6), st.integers(0, 2), st.integers(1, 9))
def test_a_wrong_first_digit_of_a_hazard_ratio_or_limit_is_found(coef, error, place, change):
    numbers = [format_number(math.exp(coef + x * error), 3) for x in (0, -Z, Z)]
    text = numbers[place]
    numbers[place] = str((int(text[0]) + change) % 10) + text[1:]
    if float(numbers[place]) > 0.05:
        assert verdicts("log_symmetry", *cox(*numbers)) == [INCONSISTENT]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_no_data_has_more_information_than_the_bound(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 40))
    level = rng.random(n) < rng.uniform(0.2, 0.8)
    time = rng.integers(1, rng.integers(3, 60), n)
    event = rng.random(n) < rng.uniform(0.3, 1)
    fit = fit_cox(time, event, level[:, None], ties="efron", engine="newton")
    if fit.problem:
        return
    events = least_events(1 / fit.std_error[0] ** 2, int(level.sum()), int((~level).sum()))
    assert events.total <= event.sum()
    assert events.level <= event[level].sum()
    assert events.reference <= event[~level].sum()
