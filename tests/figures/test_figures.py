import pytest
from drawn import small_study, survival_rows

from helpers.figures import (
    describe_adverse_events,
    describe_balance,
    describe_response,
    plot_adverse_events,
    plot_balance,
    plot_paired,
    plot_response,
)


@pytest.mark.parametrize("arms", [2, 3])
def test_nothing_crashes_without_results(arms):
    nothing, study = survival_rows().iloc[:0], small_study(arms=arms)
    for plot, describe in (
        (plot_response, describe_response),
        (plot_adverse_events, describe_adverse_events),
        (plot_balance, describe_balance),
    ):
        plot(nothing, study).canvas.draw()
        assert describe(nothing, study)
    plot_paired(None, nothing, study, "afp").canvas.draw()
