"""What every chapter of the primer opens with: the study's cohort, and ten patients."""

from dataclasses import dataclass, field

import pandas as pd

from helpers.chapter import introduce
from helpers.cohort import Cohort, load_cohort
from helpers.parameters import resolve
from helpers.pipeline.project import find_project
from helpers.published import load_ledger
from helpers.results import select
from helpers.sections import SECTIONS
from helpers.study import Study, load_study

TEN = "data/ten_patients"
ANALYSES = {
    "cohort": "01_demographics",
    "baseline": "01_demographics",
    "exposure": "01_demographics",
    "survival": "02_survival",
    "response": "03_response",
    "measurement": "03_response",
    "cox_univariable": "04_prognostic_factors",
    "cox_multivariable": "04_prognostic_factors",
    "cox_full": "04_prognostic_factors",
    "subgroup": "05_subgroups",
    "adverse_event": "06_safety",
    "interruption": "06_safety",
}


@dataclass(frozen=True)
class Lesson:
    """A chapter of the primer.

    Attributes
    ----------
    study : Study
    cohort : Cohort
    ten : Cohort
        Ten invented patients for calculations by hand.
    r : dict
        What R's survival package makes of the ten patients, by the name of the quantity.
    ledger : DataFrame
        The printed numbers.
    name : str
        Empty: a chapter of the primer is no section of the study.
    """

    study: Study
    cohort: Cohort
    ten: Cohort
    r: dict
    ledger: pd.DataFrame
    name: str = ""
    _sections: dict = field(default_factory=dict, repr=False)

    def results(self, analysis) -> pd.DataFrame:
        """Results of an analysis of the study's cohort; a section is computed when asked for.

        Raises
        ------
        KeyError
            There is no such analysis.
        """
        section = ANALYSES[analysis]
        if section not in self._sections:
            self._sections[section] = SECTIONS[section](self.cohort)
        return select(self._sections[section], analysis=analysis)

    def printed(self, **keys) -> str:
        """What the article prints for a result of the cohort.

        Raises
        ------
        ValueError
            It prints nothing, or several things.
        """
        own = self.ledger[self.ledger["class"] == "cohort"]
        found = select(own, **keys)["printed"]
        if len(found) != 1:
            raise ValueError(f"{len(found)} printed numbers have the keys {keys}")
        return found.iloc[0]


def open_lesson(
    cohort="data/cohort.csv", study="data/study.yml", ledger="data/published.csv"
) -> Lesson:
    """Load a cohort and the ten patients, and say whether the patients are synthetic.

    Parameters
    ----------
    cohort, study, ledger : path-like
        Looked for in the working directory and the folders above it, then in the book that
        this package was installed from: a notebook works wherever it was downloaded to.

    Raises
    ------
    InputError
        The study file or a cohort is not fit.
    """
    study = load_study(_find(study))
    lesson = Lesson(
        study,
        load_cohort(_find(cohort), study),
        load_cohort(_find(f"{TEN}.csv"), load_study(_find(f"{TEN}.yml"))),
        _read_r(_find(f"{TEN}_r.csv")),
        load_ledger(_find(ledger)),
    )
    introduce(lesson)
    return lesson


def _find(path):
    here, in_book = resolve(path), find_project() / path
    return in_book if in_book.exists() and not here.exists() else here


def _read_r(path):
    values = pd.read_csv(path, float_precision="round_trip")
    return dict(zip(values["quantity"], values["value"], strict=True))
