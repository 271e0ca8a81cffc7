"""Which column of a cohort file is what, guessed from its words and its values."""

from __future__ import annotations

from helpers.draft.columns import MOST_LEVELS, key_of
from helpers.draft.endpoints import EVENT, find_endpoints

MOST_ARMS = 6
ARM = ["trt01p", "trt01a", "arm", "arms", "armcd", "trt", "treatment", "treat", "rx", "regimen"]
ARM += ["therapy", "group", "randomization", "allocation", "cohort"]
IDENTIFIER = {"id", "pid", "pidnum", "patient", "patientid", "patid", "subject", "subjid"}
IDENTIFIER |= {"usubjid", "case", "mrn", "number", "no", "nr", "record", "recordid", "studyid"}
GRADED = {"ae", "grade", "ctcae", "toxicity", "tox", "adverse"}
MOMENTS = [("baseline", "followup"), ("pre", "post"), ("before", "after"), ("bl", "fu")]
RESPONSES = {
    "cr": "Complete response",
    "pr": "Partial response",
    "sd": "Stable disease",
    "pd": "Progressive disease",
    "ne": "Not evaluable",
}


class Roles:
    """Which column is what; a column has one role.

    Attributes
    ----------
    identifier, response, arm : Column or None
    arm_is_named : bool
        Whether the name of its column says that it is the arm.
    adverse_events, covariates, unused : list of Column
    measurements : dict of str to (Column, Column)
        What is measured, before and after.
    endpoints : list of Endpoint
    """

    def __init__(self, columns):
        self._columns = columns
        self._taken = set()
        dates = [column for column in columns if column.is_date]
        self._take(*dates)
        self.identifier = self._find_identifier()
        self._take(self.identifier)
        self.response = next((c for c in self._free() if _is_response(c)), None)
        self._take(self.response)
        self.adverse_events = [c for c in self._free() if _is_graded(c)]
        self._take(*self.adverse_events)
        self.arm, self.arm_is_named = self._find_arm()
        self._take(self.arm)
        self.measurements = self._find_measurements()
        self._take(*(after for _, after in self.measurements.values()))
        self.endpoints = find_endpoints(self._free(), dates)
        counted_from = [column for endpoint in self.endpoints for column in endpoint.columns]
        self._take(*counted_from)
        self.covariates = [c for c in self._free() if c.is_category or c.is_amount]
        self._take(*self.covariates)
        self.unused = [*self._free(), *(c for c in dates if c not in counted_from)]

    def _take(self, *columns):
        self._taken |= {column.name for column in columns if column is not None}

    def _free(self):
        return [column for column in self._columns if column.name not in self._taken]

    def _find_identifier(self):
        def fits(column):
            return len(column.cells) == column.n and column.cells.is_unique

        named = [c for c in self._free() if IDENTIFIER & set(c.words)]
        first = [c for c in self._free() if c.place == 0 and not c.is_numeric and c.n > MOST_LEVELS]
        return next(filter(fits, [*named, *first]), named[0] if named else None)

    def _find_arm(self):
        groups = [c for c in self._free() if c.is_category and 2 <= c.cells.nunique() <= MOST_ARMS]
        for word in ARM:
            for column in groups:
                if word in column.words:
                    return column, True
        for column in groups:
            if set(ARM) & set(column.all_words):
                return column, False
        others = [c for c in groups if not EVENT & set(c.words)]
        return (others[0] if others else None), False

    def _find_measurements(self):
        by_name = {key_of(c.name): c for c in self._free() if c.is_amount}
        found = {}
        for before, after in MOMENTS:
            for name, column in by_name.items():
                stem = name.removesuffix(f"_{before}")
                if stem != name and f"{stem}_{after}" in by_name:
                    found[stem] = (column, by_name[f"{stem}_{after}"])
        return found


def _is_response(column):
    codes = {column.described(code).lower() for code in column.cells.unique()}
    return len(codes & {"cr", "pr", "sd", "pd"}) >= 2 and codes <= set(RESPONSES)


def _is_graded(column):
    named = GRADED & set(column.all_words)
    if named == {"grade"} and "0" not in column.codes:  # of a tumour
        return False
    return bool(named) and set(column.cells) <= {"0", "1", "2", "3", "4", "5"}
