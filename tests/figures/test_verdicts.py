import pandas as pd
from drawn import texts

from helpers.figures import (
    describe_verdicts,
    plot_verdicts,
)


def test_the_scorecard_draws_shares_and_writes_totals():
    summary = pd.DataFrame(
        {
            "reproduced": [3, 3],
            "within rounding": [0, 0],
            "differs": [1, 1],
            "not testable": 0,
            "total": 4,
        },
        index=["Safety", "All"],
    )
    figure = plot_verdicts(summary)
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [75, 75, 0, 0, 25, 25, 0, 0]
    assert texts(figure).count("4") == 2
    assert "Safety: 4 numbers, 3 reproduced, 1 differs." in describe_verdicts(summary)
