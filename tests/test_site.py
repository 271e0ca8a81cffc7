"""The pages as a reader gets them: as files, and in a browser where there is one."""

import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup
from small_book import ROOT, write_small_book

from helpers.pipeline import build_book
from helpers.pipeline.project import Project, takes_parameters

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    root = write_small_book(tmp_path_factory.mktemp("site") / "book")
    data = root / "data"
    front = build_book(
        data / "cohort.csv",
        data / "study.yml",
        root / "_build",
        ledger=data / "published.csv",
        whole=True,
        root=root,
        report=lambda line: None,
    )
    return front.parent


@pytest.fixture(scope="session")
def pages(site):
    return {
        str(path.relative_to(site)): BeautifulSoup(path.read_text("utf-8"), "html.parser")
        for path in sorted(site.rglob("*.html"))
        if "_static" not in path.parts
    }


def test_the_site_has_every_document_of_its_contents(pages):
    names = {"book/index.html", "book/sources.html", "notebooks/01_counts.html"}
    assert names | {"notebooks/02_curve.html", "search.html", "index.html"} <= set(pages)


def test_every_internal_link_and_anchor_resolves(site, pages):
    checked = 0
    for name, page in pages.items():
        for link in page.select("a[href]"):
            target = urlsplit(urljoin(f"http://book/{name}", link["href"]))
            if target.netloc != "book":
                continue
            path = unquote(target.path).lstrip("/") or "index.html"
            assert (site / path).is_file(), f"{name}: {link['href']}"
            if target.fragment and path in pages:
                found = pages[path].find(id=unquote(target.fragment))
                assert found, f"{name}: {link['href']}"
            checked += 1
    assert checked > 30


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


def test_mathematics_comes_from_the_site(site, pages):
    scripts = [tag.get("src", "") for tag in pages["book/index.html"].select("script")]
    assert any(source.split("?")[0].endswith("_static/mathjax/tex-chtml.js") for source in scripts)
    fonts = [*(site / "_static" / "mathjax" / "output" / "chtml" / "fonts").rglob("*.woff")]
    assert len(fonts) > 15


def test_every_figure_says_what_is_seen(pages):
    images = [image for page in pages.values() for image in page.select("article img")]
    assert images
    for image in images:
        assert len(image.get("alt", "")) > 15, image


def test_figures_are_numbered_and_referred_to(pages):
    assert "Fig. 1" in pages["notebooks/02_curve.html"].select_one("figcaption").text
    assert pages["book/index.html"].find("a", string=re.compile(r"Fig\.\s1"))


def test_code_is_folded(pages):
    cells = pages["notebooks/01_counts.html"].select("div.cell_input")
    assert cells
    assert all(cell.find_parent("details") for cell in cells)


def test_pages_name_their_language_and_licence(pages):
    for name, page in pages.items():
        if name == "index.html":
            continue
        assert page.html["lang"] == "en", name
        assert "CC BY 4.0" in page.select_one(".bd-footer-content").text, name


def test_no_page_offers_what_is_not_there(pages):
    for name, page in pages.items():
        assert not page.select("[class*=launch], [class*=thebe], .btn-source-edit-button"), name
        assert "mybinder.org" not in str(page), name


def test_no_file_names_this_machine(site):
    needles = [str(site.parents[1]), str(ROOT), sys.prefix]
    for path in site.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(needle.encode() in content for needle in needles), path.name


def test_the_search_index_knows_the_words_of_the_pages(site):
    text = (site / "searchindex.js").read_text("utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    assert {"patient", "curv", "hazard"} <= {*index["terms"], *index["titleterms"]}


# the sources of the real book


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_and_their_text_are_in_step(path):
    text = path.with_suffix(".md")
    assert text.is_file()
    command = [sys.executable, "-m", "jupytext", "--to", "md:myst", "--output", "-", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert without_header(done.stdout) == without_header(text.read_text("utf-8"))


def without_header(text):
    return text.split("\n---\n", 1)[1].strip() if text.startswith("---\n") else text.strip()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_stored_without_outputs_and_define_nothing(path):
    notebook = json.loads(path.read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    source = "\n".join("".join(cell["source"]) for cell in code)
    assert not re.search(r"^\s*(def|class) ", source, re.MULTILINE)
    assert takes_parameters(path)
    assert "read_parameters(globals())" in source


@pytest.mark.skipif(not NOTEBOOKS, reason="there are no notebooks yet")
@pytest.mark.parametrize("whole", [True, False])
def test_every_document_of_the_contents_exists(whole):
    documents = Project(ROOT, whole).documents
    for document in set(documents) - {"cohort"}:
        source = ROOT / document.removesuffix("_solutions")
        assert any(source.with_name(f"{source.name}{s}").is_file() for s in (".ipynb", ".md"))
    notebooks = [f"notebooks/{path.stem}" for path in NOTEBOOKS]
    sections = [name for name in documents if Path(name).parent == Path("notebooks")]
    assert sections == notebooks


def test_the_environment_file_names_the_versions_of_the_lock_file():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = re.findall(r"^(\S+==.*?)(?: \\)?$", lock, re.MULTILINE)
    dependencies = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))["dependencies"]
    assert dependencies[-1]["pip"] == [*locked, "--editable ."]
    assert len(locked) > 100


def test_the_lock_file_has_hashes_and_no_host():
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    for block in re.split(r"\n(?=\S)", lock.strip()):
        assert re.match(r"^[a-z0-9.-]+(\[[a-z,-]+\])?==", block)
        assert "--hash=sha256:" in block


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
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_pages_in_a_browser(browser, address, width, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    requests, missing, errors = [], [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda a: a.status < 400 or missing.append(a.url))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name in ("book/index", "notebooks/01_counts", "notebooks/02_curve", "book/sources"):
        page.goto(f"{address}/{name}.html")
        page.wait_for_load_state("networkidle")
        widths = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        scroll, client = page.evaluate(widths)
        assert scroll <= client, name
        violations = Axe().run(page, options={"preload": False}).response["violations"]
        found = [(v["id"], [n["html"] for n in v["nodes"]]) for v in violations]
        assert found == [], name
    assert missing == []
    assert errors == []
    outside = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
    assert outside == []
    page.close()


@needs_browser
def test_mathematics_is_set(browser, address):
    page = browser.new_page()
    page.goto(f"{address}/book/index.html")
    page.wait_for_selector("mjx-container")
    fonts = "[...document.fonts].filter(f => f.family.startsWith('MJX') && f.status == 'loaded')"
    page.wait_for_function(f"{fonts}.length > 0")
    page.close()


@needs_browser
@pytest.mark.parametrize(
    ("term", "expected"), [("patients", "notebooks/01_counts"), ("hazard", "book/index")]
)
def test_search_finds_the_page(browser, address, term, expected):
    page = browser.new_page()
    page.goto(f"{address}/search.html?q={term}")
    page.wait_for_selector("#search-results li a")
    links = page.eval_on_selector_all("#search-results li a", "all => all.map(a => a.href)")
    assert any(expected in link for link in links)
    page.close()
