"""Results by their keys, for views that look up many."""

import math

from helpers.results import KEYS, select

SCREENED = ("cox_multivariable", "cox_firth")


class Lookup:
    """The values and methods of a results data set by their keys.

    Parameters
    ----------
    results : DataFrame
    """

    def __init__(self, results):
        keys = list(results[KEYS].itertuples(index=False, name=None))
        self._values = dict(zip(keys, results["value"], strict=True))
        self._methods = dict(zip(keys, results["method"], strict=True))

    def value(self, **keys) -> float:
        """The value with these keys, empty where not named; NaN if there is none."""
        return float(self._values.get(self._key(keys), math.nan))

    def values(self, *statistics, **keys) -> list[float]:
        """The values of several statistics with the same other keys."""
        return [self.value(statistic=statistic, **keys) for statistic in statistics]

    def interval(self, statistic, **keys) -> list[float]:
        """An estimate with the ends of its interval."""
        return self.values(statistic, f"{statistic}_conf_low", f"{statistic}_conf_high", **keys)

    def method(self, **keys) -> str:
        """The method of the value with these keys; empty if there is none."""
        return self._methods.get(self._key(keys), "")

    def has(self, **keys) -> bool:
        """Whether any row has these keys; keys that are not named do not matter."""
        places = {KEYS.index(name): value for name, value in keys.items()}
        return any(
            all(key[place] == value for place, value in places.items()) for key in self._values
        )

    @staticmethod
    def _key(keys):
        return tuple(keys.get(name, "") for name in KEYS)


def covariates_of_model(results, study, endpoint, analysis) -> list[str]:
    """The covariates of a Cox model in the study's order, less those that were screened out.

    One that was screened out has no hazard ratio in this model.

    Parameters
    ----------
    results : DataFrame
    study : Study
    endpoint : str
    analysis : {'cox_univariable', 'cox_multivariable', 'cox_full', 'cox_firth'}
    """
    rows = select(results, endpoint=endpoint)
    ratios = select(rows, analysis=analysis, statistic="hazard_ratio")
    found = set(ratios["variable"])
    if analysis in SCREENED:
        entered = select(rows, analysis="cox_univariable", statistic="entered")
        has_ratio = set(ratios.loc[ratios["value"].notna(), "variable"])
        found -= set(entered.loc[entered["value"] == 0, "variable"]) - has_ratio
    return [variable for variable in study.prognostic if variable in found]
