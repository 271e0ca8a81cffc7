import xml.etree.ElementTree as ElementTree

import pytest
from drawn import HOSTILE, at_risk, curves, published_study, small_study, survival_rows
from PIL import Image

from helpers.figures import plot_kaplan_meier, show_figure
from helpers.figures.style import ARM_COLORS, DARK, to_svg


def draw(study=None):
    times = [0, 12, 24]
    return plot_kaplan_meier(
        curves(), at_risk(times), survival_rows(), study or small_study(HOSTILE), "os"
    )


def test_svg_is_the_same_each_time_and_names_no_date_or_program():
    first, second = to_svg(draw()), to_svg(draw())
    assert first == second
    assert "dc:date" not in first
    assert "Matplotlib" not in first
    ElementTree.fromstring(first)


def test_every_colour_has_its_counterpart_in_the_dark():
    svg = to_svg(draw())
    before = svg[: svg.index("@media (prefers-color-scheme:dark)")]
    used = {part[:7] for part in before.replace("fill: ", "stroke: ").split("stroke: ")[1:]}
    assert {color for color in used if color.startswith("#")} <= set(DARK)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", ARM_COLORS)
def test_labels_in_the_colour_of_an_arm_are_legible_on_both_papers(color):
    assert 1.05 / (luminance(color) + 0.05) >= 4.5
    assert (luminance(DARK[color]) + 0.05) / (luminance(DARK["#ffffff"]) + 0.05) >= 4.5


def test_a_figure_leaves_its_files_and_tells_the_page_what_it_needs(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.figures.show.display_view", lambda *view: shown.append(view))
    show_figure(draw(), "fig-os", "A caption", "What is seen", tmp_path)
    ((mime_type, content, text, view),) = shown
    assert mime_type == "image/svg+xml"
    assert view == {"name": "fig-os", "caption": "A caption", "alt": "What is seen", "width": 672}
    assert (tmp_path / "figures" / "fig-os.svg").read_text("utf-8") == content
    with Image.open(tmp_path / "figures" / "fig-os.png") as image:
        assert image.size[0] == 2100


def test_a_synthetic_cohort_is_called_so_on_the_figure():
    study = small_study()
    assert "synthetic cohort" not in [text.get_text() for text in draw(study).texts]
    made = study.model_copy(update={"synthetic": True})
    assert "synthetic cohort" in [text.get_text() for text in draw(made).texts]
    assert published_study().synthetic
