"""The whole book as a reader gets it: as files, and in a browser where there is one."""

import gzip
import json
import re
import shutil
import sys
import threading
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup
from small_book import ROOT

from helpers.pipeline import build_book
from helpers.pipeline.project import Project

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
HEAVIEST = 1.5e6  # bytes of a page with all that it loads, as a server that compresses sends it
COMPRESSED = {".html", ".js", ".css", ".svg"}
AXE = {"preload": False, "resultTypes": ["violations"]}
VIEWS = {
    "desktop": (1280, "light", {}),
    "phone": (390, "light", {}),
    "dark": (1280, "dark", {"runOnly": ["color-contrast"]}),  # the other rules see no colour
}
FOUND = {  # a word, and a page on which a reader who looks for it should land
    "camrelizumab": "notebooks/00_summary",
    "lymphocytes": "notebooks/01_demographics",
    "milestones": "notebooks/02_survival",
    "mRECIST": "book/glossary",
    "concordance": "notebooks/04_prognostic_factors",
    "interaction": "notebooks/05_subgroups",
    "hypertension": "notebooks/06_safety",
    "verdict": "book/verdicts",
    "breslow": "book/how_to_read",
    "papermill": "book/your_cohort",
}

pytestmark = pytest.mark.xdist_group("site")  # one process builds the book, once
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    data = ROOT / "data"
    front = build_book(
        data / "cohort.csv",
        data / "study.yml",
        tmp_path_factory.mktemp("site"),
        ledger=data / "published.csv",
        whole=True,
        root=ROOT,
        report=lambda line: None,
    )
    return front.parent


@pytest.fixture(scope="session")
def pages(site):
    return {
        str(path.relative_to(site)): BeautifulSoup(path.read_text("utf-8"), "lxml")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }


@pytest.fixture(scope="session")
def chapters(pages):
    """The pages with text of the book, in reading order."""
    return {document: pages[f"{document}.html"] for document in Project(ROOT).documents}


def test_the_site_has_every_document_of_its_contents(pages, chapters):
    assert {"search.html", "index.html"} <= set(pages)
    assert len(chapters) > 15


def test_every_internal_link_and_anchor_resolves(site, pages):
    checked = 0
    anchors = {name: {tag["id"] for tag in page.select("[id]")} for name, page in pages.items()}
    for name, page in pages.items():
        for link in page.select("a[href]"):
            target = urlsplit(urljoin(f"http://book/{name}", link["href"]))
            if target.netloc != "book":
                continue
            path = unquote(target.path).lstrip("/") or "index.html"
            assert (site / path).is_file(), f"{name}: {link['href']}"
            if target.fragment and path in pages:
                assert unquote(target.fragment) in anchors[path], f"{name}: {link['href']}"
            checked += 1
    assert checked > 500


def test_external_links_are_complete_addresses(pages):
    for name, page in pages.items():
        for link in page.select("a[href*=':']"):
            address = urlsplit(link["href"])
            assert address.scheme in ("http", "https", "mailto"), f"{name}: {link['href']}"
            if address.scheme != "mailto":
                assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", address.netloc), link["href"]


def test_no_page_loads_anything_from_another_host(site, pages):
    for name, page in pages.items():
        for tag in page.select("script[src], link[href], img[src], iframe, source, object"):
            address = tag.get("src") or tag.get("href") or tag.get("data") or ""
            rel = tag.get("rel") or []
            if "canonical" not in rel:
                assert not re.match(r"(https?:)?//", address), f"{name}: {address}"
    for path in site.rglob("*.css"):
        text = path.read_text("utf-8")
        assert not re.search(r"url\(\s*['\"]?(https?:)?//", text), path.name
        assert not re.search(r"@import\s+['\"]?(url\()?(https?:)?//", text), path.name


def test_every_asset_that_a_page_loads_is_there(site, pages):
    for name, page in pages.items():
        for tag in page.select("script[src], link[href], img[src]"):
            address = urlsplit(tag.get("src") or tag["href"])
            if address.path and not address.scheme:
                path = (site / name).parent / unquote(address.path)
                assert path.is_file(), f"{name}: {address.path}"


def test_no_page_is_heavy_by_its_files(site, pages):
    """An upper bound: every font that a style sheet names, and all those of mathematics."""

    @cache
    def weight(path):
        content = path.read_bytes()
        return len(gzip.compress(content) if path.suffix in COMPRESSED else content)

    @cache
    def fonts_of(path):
        named = re.findall(r"""url\(["']?([^"')?#]+\.woff2)""", path.read_text("utf-8"))
        return {(path.parent / name).resolve() for name in named}

    weights = {}
    for name, page in pages.items():
        own = site / name
        links = page.select("script[src], link[href]:not([rel=canonical]), img[src]")
        addresses = (urlsplit(tag.get("src") or tag["href"]).path for tag in links)
        loaded = {(own.parent / unquote(address)).resolve() for address in addresses}
        loaded = {own} | {path for path in loaded if path.is_file() and path.suffix != ".html"}
        for path in [path for path in loaded if path.suffix == ".css"]:
            loaded |= fonts_of(path)
        if page.select(".math"):
            loaded |= {*(site / "_static" / "mathjax" / "output").rglob("*.woff")}
        weights[name] = sum(map(weight, loaded))
    assert {name: size for name, size in weights.items() if size > HEAVIEST} == {}
    assert max(weights.values()) > 5e5


def test_mathematics_comes_from_the_site(site, chapters):
    with_formulas = [page for page in chapters.values() if page.select(".math")]
    assert with_formulas
    for page in with_formulas:
        scripts = [tag["src"].split("?")[0] for tag in page.select("script[src]")]
        assert any(source.endswith("_static/mathjax/tex-chtml.js") for source in scripts)
    fonts = [*(site / "_static" / "mathjax" / "output" / "chtml" / "fonts").rglob("*.woff")]
    assert len(fonts) > 15


def test_every_figure_says_what_is_seen(pages):
    images = [image for page in pages.values() for image in page.select("article img")]
    assert len(images) > 20
    for image in images:
        assert len(image.get("alt", "")) > 40, image


def test_figures_and_tables_are_numbered_in_reading_order(chapters):
    for kind, selector in (("Fig.", "figure.drawn figcaption"), ("Table", "table caption")):
        labels = [
            caption.select_one(".caption-number").text.strip()
            for page in chapters.values()
            for caption in page.select(selector)
        ]
        assert len(labels) > 20
        assert labels == [f"{kind} {number}" for number in range(1, len(labels) + 1)]


def test_tables_name_every_column_and_row(chapters):
    tables = [table for page in chapters.values() for table in page.select("table.results")]
    for table in tables:
        assert table.caption.text.strip()
        heads = table.select("thead th")
        assert heads
        assert all(head.text.strip() for head in heads), table.get("id")
        assert all(row.th and row.th.text.strip() for row in table.select("tbody tr"))


def test_every_page_with_patients_says_that_they_are_synthetic(chapters):
    for name, page in chapters.items():
        if re.match(r"notebooks/0[0-7]", name):
            assert page.select("figure.drawn, table.results"), name
            assert "synthetic" in page.article.text.lower(), name


def test_code_is_folded_but_where_it_is_the_answer(chapters):
    folded = [page for name, page in chapters.items() if not name.endswith("_solutions")]
    cells = [cell for page in folded for cell in page.select("div.cell_input")]
    assert len(cells) > 30
    assert all(cell.find_parent("details") for cell in cells)
    folds = chapters["notebooks/02_survival"].select("details.hide summary")
    said = [summary.p.text for summary in folds]
    assert said[:3] == ["Show parameters", "Show code", "Show code"]


def test_each_chapter_offers_its_notebook_without_outputs(site, chapters):
    for notebook in Project(ROOT).notebooks:
        name = str(notebook.relative_to(ROOT).with_suffix(""))
        link = chapters[name].select_one("p.notebook-download a[download]")
        offered = (site / name).parent / link["href"]
        assert offered.read_bytes() == notebook.read_bytes(), name
        cells = json.loads(offered.read_text("utf-8"))["cells"]
        assert not any(cell.get("outputs") for cell in cells), name


def test_pages_name_their_language_licence_and_version(chapters):
    for name, page in chapters.items():
        assert page.html["lang"] == "en", name
        assert "CC BY 4.0" in page.select_one(".bd-footer-content").text, name
        assert re.search(r"Version \d", page.select_one(".bd-footer-content").text), name


def test_no_title_is_said_twice(chapters):
    titles = [page.title.text.split(" — ") for page in chapters.values()]
    assert ["A clinical study, recomputed"] in titles
    assert all(len(set(parts)) == len(parts) for parts in titles)


def test_no_page_offers_what_is_not_there(pages):
    for name, page in pages.items():
        assert not page.select(".book-pdf"), name
        assert not page.select("[class*=launch], [class*=thebe], .btn-source-edit-button"), name
        assert "mybinder.org" not in str(page), name


def test_no_file_names_this_machine(site):
    needles = [str(site), str(ROOT), sys.prefix, "/site-packages"]
    for path in site.parent.rglob("*"):
        if path.is_file() and ".rhcc" not in path.relative_to(site.parent).parts:
            content = path.read_bytes()
            assert not any(needle.encode() in content for needle in needles), path.name


def test_the_search_index_knows_the_words_of_the_pages(site):
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    assert {"patient", "curv", "hazard"} <= {*index["terms"], *index["titleterms"]}


# in a browser


@pytest.fixture(scope="module")
def address(site):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync"],
        )
        yield browser
        browser.close()


@needs_browser
@pytest.mark.parametrize("view", VIEWS)
def test_every_page_in_a_browser(browser, address, chapters, view):
    from axe_playwright_python.sync_playwright import Axe

    width, scheme, runs = VIEWS[view]
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    requests, wrong = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda a: a.status < 400 or wrong.append(a.url))
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for name in [*chapters, "search"]:
        page.goto(f"{address}/{name}.html")
        if view == "phone":  # where a table that is folded away has least room
            page.evaluate("for (const fold of document.querySelectorAll('.fold')) fold.open = true")
        widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        scroll, client = page.evaluate(widths)
        if scroll > client:
            wrong.append(f"{name} scrolls sideways")
        violations = Axe().run(page, options=AXE | runs).response["violations"]
        wrong += [(name, v["id"], v["nodes"][0]["html"]) for v in violations]
    assert wrong == []
    outside = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
    assert outside == []
    page.close()


@needs_browser
def test_a_page_opened_from_a_file_has_no_error(browser, site):
    page, wrong = browser.new_page(), []
    page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    for name in ("index", "notebooks/primer/2_kaplan_meier"):
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("networkidle")
    assert page.evaluate("document.fonts.check('900 1em \"Font Awesome 6 Free\"')")
    assert wrong == []
    page.close()


@needs_browser
def test_no_page_is_heavy(browser, address, chapters):
    sizes = {}

    def weigh(response):
        if response.status == 200 and response.url not in sizes:
            body = response.body()
            is_text = response.headers.get("content-type", "").startswith(("text", "image/svg"))
            sizes[response.url] = len(gzip.compress(body) if is_text else body)

    loaded = []
    page = browser.new_page()
    page.on("response", lambda response: loaded.append(response))
    for name in chapters:
        loaded.clear()
        page.goto(f"{address}/{name}.html")
        page.wait_for_load_state("networkidle")
        for response in loaded:
            weigh(response)
        total = sum(sizes.get(response.url, 0) for response in loaded)
        assert total < HEAVIEST, (name, total)
    page.close()


@needs_browser
def test_mathematics_is_set(browser, address, chapters):
    name = next(name for name, page in chapters.items() if page.select(".math"))
    page = browser.new_page()
    page.goto(f"{address}/{name}.html")
    page.wait_for_selector("mjx-container")
    fonts = "[...document.fonts].filter(f => f.family.startsWith('MJX') && f.status == 'loaded')"
    page.wait_for_function(f"{fonts}.length > 0")
    page.close()


@needs_browser
def test_search_finds_the_pages(browser, address):
    page = browser.new_page()
    for term, expected in FOUND.items():
        page.goto(f"{address}/search.html?q={term}")
        page.wait_for_selector(f"#search-results li a[href*='{expected}']", state="attached")
        links = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
        assert any(expected in link for link in links), (term, links)
    page.close()


@needs_browser
def test_the_sign_of_the_search_does_not_lie_on_what_is_typed(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/search.html")
    form = page.locator("form.bd-search:visible").first
    field, sign = form.locator("input").first, form.locator("i").first.bounding_box()
    start = field.evaluate("input => parseFloat(getComputedStyle(input).paddingLeft)")
    assert field.bounding_box()["x"] + start > sign["x"] + sign["width"]
    page.close()


@needs_browser
def test_figures_follow_the_mode_that_the_reader_chooses(browser, address):
    page = browser.new_page(color_scheme="light")
    page.goto(f"{address}/notebooks/02_survival.html")
    image = page.locator("figure.drawn img").first
    before = image.screenshot()
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_timeout(300)
    assert image.screenshot() != before
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_timeout(300)
    assert image.screenshot() == before
    page.close()
