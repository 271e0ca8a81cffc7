"""Quizzes, figures with a slider, and slides: as pages, and by keyboard in a browser."""

import io
import json
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from helpers.cohort import load_cohort
from helpers.study import load_study
from helpers.teaching import explorer

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CONF = """
extensions = ["myst_parser", "helpers.teaching.quiz"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
source_suffix = {".md": "markdown"}
html_theme = "sphinx_book_theme"
html_static_path = ["_static"]
"""
PAGE = """\
# A lesson

:::{{admonition}} In this chapter
:class: note lesson
Words.
:::

## First

First words.

Second words.

:::{{quiz}} Which number is *even*?
- [ ] One → It is odd.
- [x] Two → Half of it is
  whole.
- [ ] Three
:::

## Second

```{{raw}} html
{figure}
```

:::{{admonition}} Take-away
:class: tip
To take home.
:::
"""


@pytest.fixture(scope="module")
def ten():
    data = ROOT / "data"
    return load_cohort(data / "ten_patients.csv", load_study(data / "ten_patients.yml"))


def draw(monkeypatch, positions, **options):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda html: shown.append(html.data))
    explorer.show_explorer(
        "explore-x",
        positions,
        ["Control", "Treated <b>"],
        slider="Month",
        caption="Survival",
        alt="Two curves",
        x_label="Months",
        x_limit=24,
        x_ticks=[0, 12, 24],
        **options,
    )
    return shown[0]


def build(folder, text, said=None):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    source = folder / "source"
    source.mkdir()
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text(text)
    static = source / "_static"
    static.mkdir()
    for name in ("teaching.css", "teaching.js"):
        shutil.copyfile(ROOT / "book" / "_assets" / name, static / name)
    folders = (source, source, folder / "html", folder / "doctrees")
    with docutils_namespace():
        app = Sphinx(*folders, "html", status=None, warning=said)
        app.build()
    return folder / "html" / "index.html"


@pytest.fixture(scope="module")
def page(ten, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        figure = draw(patch, explorer.positions_over_cutoffs(ten, "os", [6, 12, 24]), start=2)
    return build(tmp_path_factory.mktemp("page"), PAGE.format(figure=figure))


# as pages


def test_a_position_reads_the_curves(ten):
    month = explorer.positions_over_time(ten, "os", [0, 9, 15])
    assert month[0].readout == {
        "Control": "100.0%, at risk 5, events 0",
        "Treated": "100.0%, at risk 5, events 0",
    }
    assert month[1].readout == {
        "Control": "40.0%, at risk 3, events 3",
        "Treated": "75.0%, at risk 4, events 1",
    }
    assert month[2].readout["Control"] == "0.0%, at risk 0, events 4"
    (late,) = explorer.positions_over_time(ten, "os", [23])
    assert late.readout["Treated"] == "nobody followed so long, at risk 0, events 3"


def test_a_shorter_follow_up_has_fewer_events_and_another_ratio(ten):
    short, whole = explorer.positions_over_cutoffs(ten, "os", [9, 24])
    assert (short.readout["Events"], whole.readout["Events"]) == ("4", "7")
    assert whole.readout["Hazard ratio, Treated against Control"] == "0.32 (0.06 to 1.77)"
    assert max(short.curves[0][0]) == 9
    assert short.curves[0][1][-1] == pytest.approx(0.4)


def test_a_treatment_that_starts_late_seems_to_work(ten):
    at_once, late = explorer.positions_over_delays(ten, "os", [0, 8], n_draw=200, seed=1)
    ratio = "Hazard ratio, though nothing works"
    assert 0.8 < float(at_once.readout[ratio]) < 1.25
    assert float(late.readout[ratio]) < 0.75
    never, treated = late.curves
    assert treated[1][treated[0].index(5)] == 1
    assert never[1][never[0].index(5)] < 0.8


def test_a_figure_shows_one_position_and_lists_all_without_scripts(page):
    html = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    figure = html.select_one(".explorer")
    assert figure.select_one("input[type=range]").has_attr("hidden")
    assert figure.select_one("label").text.endswith(": 24")
    assert figure.select_one(".explorer-readout dd").text == "0.32 (0.06 to 1.77)"
    rows = [row.text for row in figure.select("tbody th")]
    assert rows == ["6", "12", "24"]
    assert figure.select_one("svg[role=img]")["aria-label"] == "Two curves"
    assert [item.text for item in figure.select(".explorer-key li")] == ["Control", "Treated <b>"]
    data = json.loads(figure.select_one("script").text)
    assert data["paths"][2] == [path["d"] for path in figure.select("svg[role=img] .curve")]


def test_a_step_curve_is_drawn_to_scale():
    path = explorer._Scale(10).path([0, 5, 10], [1, 0.5, 0.5])
    right, middle = explorer.WIDTH - explorer.RIGHT, (explorer.HEIGHT - explorer.BOTTOM + 14) / 2
    half = (explorer.LEFT + right) / 2
    assert path == f"M48.0 14.0H{half:.1f}V{middle:.1f}H{right:.1f}"


def test_a_quiz_has_one_right_option_and_reasons(page):
    html = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    form = html.select_one("form.quiz")
    assert form.legend.text == "Which number is even?"
    assert form.legend.em.text == "even"
    options = form.select("input[type=radio]")
    assert [option["data-right"] for option in options] == ["false", "true", "false"]
    assert len({option["name"] for option in options}) == 1
    assert [label["for"] for label in form.select("label")] == [o["id"] for o in options]
    reasons = [reason.p.text for reason in form.select(".quiz-said")]
    assert reasons == ["It is odd.", "Half of it is whole.", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("- [ ] One\n- [ ] Two", "at least two options, and one of them is ticked"),
        ("- [x] One", "at least two options, and one of them is ticked"),
        ("- [x] One\n- Two", "not an option of a quiz: '- Two'"),
    ],
)
def test_a_quiz_that_is_none_is_an_error(tmp_path, options, message):
    said = io.StringIO()
    page = build(tmp_path, f"# A\n\n:::{{quiz}} Which?\n{options}\n:::\n", said)
    assert 'form class="quiz' not in page.read_text("utf-8")
    assert message in said.getvalue()


# in a browser


@pytest.fixture(scope="module")
def view(page):
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page()
        tab.errors = []
        tab.on("pageerror", lambda error: tab.errors.append(str(error)))
        yield tab
        assert tab.errors == []
        browser.close()


@pytest.fixture
def opened(view, page):
    view.goto(page.as_uri())
    return view


def test_a_quiz_is_answered_by_keyboard(opened):
    result = opened.locator(".quiz-result")
    opened.locator(".quiz-check").press("Enter")
    assert result.text_content() == "Choose an option first."
    opened.locator(".quiz input").first.focus()
    opened.keyboard.press("Space")
    opened.keyboard.press("Enter")
    assert result.text_content() == "No. It is odd."
    opened.locator(".quiz input").first.focus()
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    assert result.text_content() == "Right. Half of it is whole."
    assert not opened.locator(".quiz-said").first.is_visible()


def test_a_slider_moves_by_keyboard_and_says_what_it_shows(opened):
    slider = opened.locator(".explorer input")
    curve = opened.locator("svg[role=img] .curve-0")
    before = curve.get_attribute("d")
    assert slider.get_attribute("aria-valuetext").startswith("24. Hazard ratio")
    slider.press("ArrowLeft")
    assert opened.locator(".explorer-value").text_content() == "12"
    assert opened.locator(".explorer-readout dd").nth(1).text_content() == "4"
    assert curve.get_attribute("d") != before
    slider.press("End")
    assert curve.get_attribute("d") == before


def test_a_lesson_is_shown_as_slides_and_left_by_keyboard(opened):
    def seen():
        titles = opened.locator("h1, h2").all()
        return [title.text_content().rstrip("¶#") for title in titles if title.is_visible()]

    opened.locator(".slides-start").press("Enter")
    assert seen() == ["A lesson"]
    opened.keyboard.press("ArrowRight")
    assert seen() == ["First"]
    assert opened.get_by_text("First words.").is_visible()
    assert not opened.get_by_text("Second words.").is_visible()
    assert opened.locator(".slides-bar [role=status]").text_content() == "2 of 4"
    opened.keyboard.press("ArrowRight")
    assert seen() == ["Second"]
    assert opened.locator(".explorer").is_visible()
    assert not opened.get_by_text("To take home").is_visible()
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowRight")
    assert seen() == ["Second"]
    assert opened.get_by_text("To take home").is_visible()
    assert not opened.locator(".explorer").is_visible()
    opened.keyboard.press("Escape")
    assert seen() == ["A lesson", "First", "Second"]
    assert opened.get_by_text("Second words.").is_visible()
    assert opened.locator(".explorer").is_visible()


def test_a_slide_fits_the_screen(opened):
    scale = "Number(getComputedStyle(document.querySelector('article h1').parentElement).zoom)"
    excess = "document.documentElement.scrollHeight - innerHeight"
    opened.add_style_tag(content=".explorer svg[role=img] { min-height: 650px; }")
    opened.locator(".slides-start").press("Enter")
    assert opened.evaluate(scale) == 1
    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("ArrowRight")
    assert 0.6 <= opened.evaluate(scale) < 1
    assert opened.evaluate(excess) <= 0
    opened.keyboard.press("Escape")
    assert opened.evaluate(scale) == 1
