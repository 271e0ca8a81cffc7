"""What the tables share: columns of arms, notes, and the names of tests."""

from helpers.formats import format_p, format_whole
from helpers.results import OVERALL, contrast
from helpers.tables.table import Column

TESTS = {
    "pearson": "χ²",
    "yates": "χ² with Yates’s correction",
    "fisher": "Fisher",
    "student_t": "Student t",
    "welch_t": "Welch t",
    "mann_whitney": "Mann-Whitney",
    "mann_whitney_continuity": "Mann-Whitney",
    "kruskal_wallis": "Kruskal-Wallis",
    "anova": "analysis of variance",
    "anova_welch": "Welch’s analysis of variance",
}


def name_test(method) -> str:
    """The name of a test as a reader knows it."""
    return TESTS.get(method, "" if method.startswith("none") else method.replace("_", " "))


def group_columns(lookup, study, overall=True) -> dict[str, Column]:
    """A column for the whole cohort and for each arm, with the number of patients."""
    labels = {OVERALL: "Overall"} if overall else {}
    labels |= {arm: level.label for arm, level in study.arm.levels.items()}
    columns = {}
    for group, label in labels.items():
        n = lookup.value(analysis="cohort", group=group, statistic="n")
        columns[group] = Column(label if n != n else f"{label} (n = {format_whole(n)})")
    return columns


def contrasts(study) -> dict[str, str]:
    """The comparisons with the reference arm, by group, with their labels."""
    reference = study.arm.reference
    labels = {arm: level.label for arm, level in study.arm.levels.items()}
    return {
        contrast(arm, reference): f"{label} against {labels[reference]}"
        for arm, label in labels.items()
        if arm != reference
    }


def below_arms(study, show) -> list[str]:
    """What `show` says of each comparison, for the column of its arm; blank for the reference."""
    cells = {contrast(arm, study.arm.reference): "" for arm in study.arm.levels}
    return list((cells | {group: show(group) for group in contrasts(study)}).values())


def against_reference(study) -> str:
    """What the arms are compared with, in words."""
    return f"against {study.arm.levels[study.arm.reference].label}"


def interval_name(study) -> str:
    """The name of an interval, for instance ``95% CI``."""
    return study.conventions.interval_name


def with_unit(label, unit) -> str:
    """A label with its unit."""
    return f"{label}, {unit}" if unit else label


def notes_of(study, *sentences) -> list[str]:
    """Notes below a table; they say that a cohort is synthetic, and that counts are hidden."""
    below = study.suppress_below
    hidden = [f"Counts from 1 to {below - 1}, and what would reveal them, are not shown (–)."]
    synthetic = ["Synthetic cohort."] if study.synthetic else []
    return [*filter(None, sentences), *(hidden if below > 1 else []), *synthetic]


def why_no_ratio(lookup, places) -> list[str]:
    """A sentence for each reason for which hazard ratios do not exist.

    Parameters
    ----------
    lookup : Lookup
    places : iterable of (str, dict)
        What is compared, in words, and the keys of its hazard ratio. A covariate that was
        screened out needs no sentence.
    """
    named = {}
    for words, keys in places:
        reason = lookup.method(statistic="hazard_ratio", **keys).removeprefix("none: ")
        ratio = lookup.value(statistic="hazard_ratio", **keys)
        if ratio != ratio and reason and not reason.startswith(("screened out", "hidden")):
            named.setdefault(reason, {})[words] = None
    return [
        f"No hazard ratio (–) of {'; '.join(names)}: {reason}." for reason, names in named.items()
    ]


def format_p_or_blank(p) -> str:
    """Format a p value; blank where the row has none."""
    return "" if p != p else format_p(p)
