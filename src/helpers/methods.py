"""The statistical methods of a study in words, written from its conventions."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

from pybtex import PybtexEngine

from helpers.formats import escape_markdown
from helpers.pipeline.project import find_project

CITED = re.compile(r" ?\[@([a-z0-9,@]+)\]")
SOFTWARE = {
    "lifelines": "davidson2019",
    "scipy": "virtanen2020",
    "statsmodels": "seabold2010",
}
CATEGORICAL = {
    "fisher_if_observed_below_5": "Pearson’s chi-square test without continuity correction, or "
    "Fisher’s exact test where an observed count was below 5",
    "fisher_if_expected_below_5": "Pearson’s chi-square test without continuity correction, or "
    "Fisher’s exact test where an expected count was below 5",
    "chi_square": "Pearson’s chi-square test without continuity correction",
    "chi_square_yates": "the chi-square test with Yates’s continuity correction",
    "fisher": "Fisher’s exact test",
}
MEANS = {
    "student_t": ("Student’s t test", "analysis of variance"),
    "welch_t": ("Welch’s t test", "Welch’s analysis of variance"),
}
RANKS = {
    "mann_whitney": ("the Mann-Whitney test", "the Kruskal-Wallis test"),
    "mann_whitney_continuity": (
        "the Mann-Whitney test with continuity correction",
        "the Kruskal-Wallis test",
    ),
}
INTERVALS = {"log": "log", "log_log": "complementary log-log", "plain": "plain"}
AT_HALF = {"midpoint": "the middle of the stretch", "first": "the beginning of the stretch"}
TIES = {"efron": "Efron’s [@efron1977]", "breslow": "Breslow’s [@breslow1974]"}
TRANSFORMS = {
    "score_km": "the Kaplan-Meier estimate",
    "score_identity": "untransformed time",
    "score_log": "the logarithm of time",
    "score_rank": "the ranks of the times",
}


def describe_methods(study) -> list[str]:
    """Write the paragraphs on statistical methods: patients, survival, models, events, all.

    Parameters
    ----------
    study : Study

    Returns
    -------
    list of str
        Plain text, with citations such as ``[@cox1972]``, the keys of
        ``book/references.bib``. What the study does not do is not mentioned.
    """
    paragraphs = [
        [*_comparison(study), *_baseline(study)],
        [*_times(study), *_survival(study), *_competing(study)],
        [*_models(study), *_missing(study), *_subgroups(study)],
        [*_response(study), *_safety(study)],
        _general(study),
    ]
    return [text for sentences in paragraphs if (text := " ".join(sentences))]


def format_methods(paragraphs, bibliography) -> str:
    """Number the citations in their order and list the references below.

    Parameters
    ----------
    paragraphs : list of str
        By `describe_methods`.
    bibliography : path-like
        A BibTeX file with the keys.
    """
    numbers = {}

    def number(match):
        keys = [key.lstrip("@") for key in match[1].split(",")]
        found = [numbers.setdefault(key, len(numbers) + 1) for key in keys]
        return f" [{', '.join(map(str, found))}]"

    text = CITED.sub(number, "\n\n".join(paragraphs))
    references = _references(bibliography, list(numbers))
    lines = [f"{numbers[key]}. {references[key]}" for key in numbers]
    return "\n".join([text, "", *lines]) + "\n"


def write_methods(paragraphs, path) -> None:
    """Write the paragraphs with their references, by the bibliography of the book."""
    text = format_methods(paragraphs, find_project() / "book" / "references.bib")
    Path(path).write_text(text, "utf-8")


def cite_in_page(paragraphs) -> str:
    """Write the paragraphs as Markdown of a page, in which citations are links."""
    text = "\n\n".join(paragraphs)
    parts = CITED.split(text)
    cited = [f" {{cite}}`{keys.replace('@', '')}`" for keys in parts[1::2]]
    plain = [escape_markdown(part) for part in parts[::2]]
    return "".join(text for pair in zip(plain, [*cited, ""], strict=True) for text in pair)


def _references(path, keys):
    text = PybtexEngine().format_from_string(
        Path(path).read_text("utf-8"), style="unsrt", citations=keys, output_backend="plaintext"
    )
    entries = re.split(r"^\[\d+\] ", text, flags=re.MULTILINE)[1:]
    return dict(zip(keys, (" ".join(entry.split()) for entry in entries), strict=True))


def _comparison(study):
    labels = {key: level.label for key, level in study.arm.levels.items()}
    reference = labels.pop(study.arm.reference)
    yield (
        f"{_join(labels.values())} {'was' if len(labels) == 1 else 'were each'} compared with "
        f"{reference}."
    )


def _baseline(study):
    if not study.baseline:
        return
    conventions = study.conventions
    chosen = [study.covariates[key] for key in study.baseline]
    several = len(study.arm.levels) > 2
    if any(covariate.kind == "categorical" for covariate in chosen):
        yield (
            "Categorical characteristics are given as counts and percentages of the patients with "
            f"a value and were compared by {CATEGORICAL[conventions.categorical_test]}."
        )
    summaries = {covariate.summary for covariate in chosen if covariate.kind == "continuous"}
    if "mean_sd" in summaries:
        yield (
            "Means are given with standard deviations and were compared by "
            f"{MEANS[conventions.mean_test][several]}."
        )
    if "median_iqr" in summaries:
        yield (
            f"Medians are given with quartiles (type {conventions.baseline_quantile} "
            f"[@hyndman1996]) and were compared by {RANKS[conventions.rank_test][several]}."
        )
    yield "Balance is described by standardized mean differences [@austin2009]."


def _times(study):
    for endpoint in study.endpoints.values():
        origin = f" from {endpoint.origin}" if endpoint.origin else ""
        yield f"{endpoint.label} was counted{origin} to {endpoint.event_label}."
        if endpoint.entry:
            yield (
                f"Patients were at risk for {endpoint.label.lower()} only from the time at which "
                "they came under observation (left truncation)."
            )
    if any(e.counted_from_dates or e.unit != study.time.unit for e in study.endpoints.values()):
        yield f"A month was taken as {study.time.days_per_month:g} days."


def _survival(study):
    conventions = study.conventions
    stratified = f", stratified by {_strata(study)}" if study.strata else ""
    yield (
        "Survival was estimated by the Kaplan-Meier method [@kaplan1958], with intervals on the "
        f"{INTERVALS[conventions.median_conf_type]} scale, and compared by the log-rank test "
        f"[@mantel1966]{stratified}."
    )
    yield (
        "Medians have the intervals of Brookmeyer and Crowley [@brookmeyer1982]; where the "
        f"estimate was flat at one half, {AT_HALF[conventions.median_at_half]} was taken."
    )
    yield (
        f"Hazard ratios are from Cox models [@cox1972] with {TIES[conventions.ties]} handling of "
        f"ties{stratified}; proportional hazards were tested by scaled Schoenfeld residuals "
        f"[@grambsch1994] against {TRANSFORMS[conventions.proportional_hazards]}."
    )
    yield (
        "Median follow-up is from the reverse Kaplan-Meier estimate [@schemper1996]; restricted "
        "mean survival times were compared up to the earliest of the arms’ last observations "
        "[@royston2013]."
    )


def _competing(study):
    for endpoint in study.endpoints.values():
        if endpoint.competing:
            others = _join(level.label for level in endpoint.competing.values())
            yield (
                f"For {endpoint.label.lower()}, {others} counted as competing: cumulative "
                "incidences are Aalen-Johansen estimates [@aalen1978], and hazard ratios are of "
                "the cause-specific hazard."
            )


def _models(study):
    if not study.prognostic:
        return
    threshold = study.conventions.screening_threshold
    yield (
        f"Covariates with a joint Wald p below {threshold:g} in a model of their own entered the "
        "multivariable model; the model with all covariates and one with Firth’s penalty "
        "[@heinze2001] are given beside it."
    )


def _missing(study):
    if not (study.prognostic or study.baseline):
        return
    yield (
        "Missing values are counted by variable and arm; each model was fitted to the patients "
        "in whom its covariates, the time and the event are known, and states their number."
    )
    if study.conventions.missing == "mice" and study.prognostic:
        yield (
            "The model with all covariates was also fitted after multiple imputation by chained "
            f"equations with predictive mean matching ({study.conventions.imputations} "
            "imputations; the event and the Nelson-Aalen cumulative hazard among the predictors "
            "[@white2009]), pooled by Rubin’s rules [@rubin1987]."
        )


def _subgroups(study):
    if study.subgroups:
        yield (
            "Whether the effect differed between subgroups was tested by likelihood-ratio tests "
            "of interaction; p values were adjusted by the procedures of Holm [@holm1979] and of "
            "Benjamini and Hochberg [@benjamini1995]."
        )


def _response(study):
    if study.response:
        criteria = f" by {study.response.criteria}" if study.response.criteria else ""
        yield (
            f"Response{criteria} is given with exact intervals [@clopper1934]; differences of "
            "rates have Newcombe’s intervals [@newcombe1998]."
        )


def _safety(study):
    if study.adverse_events:
        criteria = study.adverse_events.criteria
        graded = f", graded by {criteria}," if criteria else ""
        yield (
            f"Adverse events{graded} count once for each patient, at the highest grade; grade "
            f"{study.adverse_events.severe_from} or above is called severe."
        )


def _general(study):
    conventions = study.conventions
    if study.suppress_below > 1:
        yield (
            f"Counts from 1 to {study.suppress_below - 1}, and those from which they would "
            "follow, are not shown."
        )
    names = [f"{name} {version(name)} [@{key}]" for name, key in SOFTWARE.items()]
    yield (
        f"Tests are two-sided; p below {conventions.significance_level:g} is called significant, "
        f"and intervals are at {100 * conventions.confidence_level:g}%."
    )
    yield f"The analysis was done with rhcc {version('rhcc')} on {_join(names)}."


def _strata(study):
    return _join(study.covariates[key].label for key in study.strata)


def _join(items):
    *rest, last = items
    if len(rest) > 1 and any(" and " in item for item in [*rest, last]):
        return f"{', '.join(rest)}, and {last}"
    return f"{', '.join(rest)} and {last}" if rest else last
