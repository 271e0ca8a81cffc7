"""How near a cohort comes to its print, and which are near enough."""

from __future__ import annotations

import math
from dataclasses import dataclass

FARTHEST = 5.0  # units of the last printed place, root mean square, of a cohort that holds it


@dataclass(frozen=True)
class Nearness:
    """How near a cohort comes to the printed survival.

    Attributes
    ----------
    n_hit, n_printed : int
        Printed numbers that come back, and all that there are.
    n_curve_hit, n_curve : int
        Those of them that are read off a Kaplan-Meier curve.
    energy : float
        Sum of the squared distances of all numbers from their windows, in half-windows, by the
        weights of the study file.
    """

    n_hit: int
    n_printed: int
    n_curve_hit: int
    n_curve: int
    energy: float

    @property
    def units_off(self) -> float:
        """Distance of the numbers that no curve gives, in units of the last printed place.

        The root mean square; half a window is half a unit.
        """
        return math.sqrt(self.energy / (self.n_printed - self.n_curve)) / 2

    @property
    def holds_curves(self) -> bool:
        """Whether all numbers of curves come back."""
        return self.n_curve_hit == self.n_curve

    @property
    def holds_print(self) -> bool:
        """Whether all numbers of curves come back and the others are at most `FARTHEST` off."""
        return self.holds_curves and self.units_off <= FARTHEST
