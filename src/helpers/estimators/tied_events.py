"""Sums over the steps in which events that are tied at a time follow each other."""

import functools

import numpy as np

N_NODE = 12  # steps of a time, beyond which their sum is taken over as many nodes
SMOOTH = 0.5  # share of the hazard at risk that is tied, up to which nodes give the exact sum


class TiedEvents:
    """Events tied at each time, in as many steps.

    With Efron's ties the tied patients are ever less at risk: from step to step a share of
    their hazard is gone, from zero on, by one over the number of events. With Breslow's all
    steps are as the first.

    A sum over many steps is taken over the nodes of a Gauss quadrature of the same steps. It is
    exact for polynomials of the share up to degree ``2 * N_NODE - 1``, and to machine precision
    for what is summed here, where at most half of the hazard at risk is tied; elsewhere all
    steps are added.

    Parameters
    ----------
    at_risk, tied : ndarray of shape (n_time,)
        Hazard of those at risk and of those with the event.
    n_event : ndarray of shape (n_time,)
        At least one.
    efron : bool

    References
    ----------
    Golub GH, Welsch JH. Calculation of Gauss quadrature rules. Math Comp 1969;23:221-230.
    """

    def __init__(self, at_risk, tied, n_event, *, efron):
        if efron:
            by_node = (n_event > N_NODE) & (tied <= SMOOTH * at_risk)
            n_step = np.where(by_node, N_NODE, n_event)
            self._first = np.cumsum(n_step) - n_step
            step = np.arange(n_step.sum()) - np.repeat(self._first, n_step)
            self._gone = step / np.repeat(n_event, n_step)
            self._number = np.ones(len(step))
            if by_node.any():
                own = np.repeat(by_node, n_step)
                distinct, place = np.unique(n_event[by_node], return_inverse=True)
                rules = np.array([_quadrature(int(n)) for n in distinct])[place]
                self._gone[own], self._number[own] = (part.ravel() for part in rules.swapaxes(0, 1))
        else:
            n_step = np.ones(len(n_event), int)
            self._first = np.arange(len(n_event))
            self._gone, self._number = np.zeros(len(n_event)), n_event
        self._total = np.repeat(at_risk, n_step) - self._gone * np.repeat(tied, n_step)

    @property
    def logs(self) -> np.ndarray:
        """Of each time, the sum of the logarithms of the hazard at risk."""
        return self._add_up(np.log(self._total))

    def moment(self, power, degree) -> np.ndarray:
        """Of each time, the sum of the share gone to `degree` over the hazard to `power`."""
        return self._add_up(self._gone**degree / self._total**power)

    def _add_up(self, values):
        return np.add.reduceat(self._number * values, self._first)


@functools.cache
def _quadrature(n):
    """Nodes and weights that stand for the shares 0, 1/n ... (n - 1)/n."""
    k = np.arange(1, N_NODE)
    beside = np.sqrt((1 - (k / n) ** 2) / (4 - 1 / k**2)) / 2
    recurrence = np.diag(np.full(N_NODE, (1 - 1 / n) / 2))
    recurrence += np.diag(beside, 1) + np.diag(beside, -1)
    nodes, vectors = np.linalg.eigh(recurrence)
    return nodes, n * vectors[0] ** 2
