import numpy as np
import pandas as pd
from drawn import curves, lines, rows_of, small_study

from helpers.figures import (
    describe_log_minus_log,
    describe_schoenfeld,
    plot_log_minus_log,
    plot_schoenfeld,
)

STUDY = small_study()


def test_proportional_hazards_show_their_frames():
    frame = curves().query("0 < survival < 1").assign(log_minus_log=[-1.2, -0.4, -1.5, -0.1, -0.1])
    figure = plot_log_minus_log(frame, STUDY, "os")
    assert [list(line.get_ydata()) for line in lines(figure, "curve")] == [
        [-1.2, -0.4],
        [-1.5, -0.1, -0.1],
    ]
    assert "Old drug rises from −1.2 at 5.0 to −0.4 at 10.0 months." in describe_log_minus_log(
        frame, STUDY, "os"
    )
    residuals = pd.DataFrame(
        {
            "group": "new_vs_old",
            "time": [2.0, 1.0],
            "n_event": 1,
            "residual": [0.5, -0.5],
            "trend": [0.1, 0.2],
        }
    )
    rows = rows_of({("survival", "os", "arm", "", "between_arms"): {"p_proportional_hazards": 0.2}})
    (line,) = lines(plot_schoenfeld(residuals, rows, STUDY, "os"), "residual")
    np.testing.assert_array_equal(line.get_xydata(), [[1, -0.5], [2, 0.5]])
    assert "p 0.200" in describe_schoenfeld(residuals, rows, STUDY, "os")
