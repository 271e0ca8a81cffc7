"""The whole book as one PDF, printed from its pages by a browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bs4 import BeautifulSoup

from helpers.pipeline.environment import SOURCE_DATE
from helpers.pipeline.project import BuildError

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LINKS = {"a": "href", "img": "src", "source": "srcset"}
ELSEWHERE = re.compile(r"[a-z]+:|//|$")
MADE_ON = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")
WAIT = 120_000  # ms of the page's own clock, for mathematics to be set
LONGEST = 1800  # seconds, on a machine that is busy
NAME = "whole-book.html"
PDF = "book.pdf"  # at the top of the site that offers it


def find_browser() -> str:
    """The browser that prints.

    Raises
    ------
    BuildError
        None is installed.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise BuildError(f"a PDF needs one of the browsers {', '.join(BROWSERS)}")
    return found


def print_book(site, documents, target) -> None:
    """Print the pages of a site in their order to one PDF.

    Parameters
    ----------
    site : Path
        The folder of the built pages, which is left as it is.
    documents : list of str
        In reading order, without suffix.
    target : Path

    Raises
    ------
    BuildError
        No browser is installed, or it failed.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "site"
        shutil.copytree(site, copy)
        (copy / NAME).write_text(join_pages(copy, documents), "utf-8")
        made = Path(folder) / PDF
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
        command += [f"--user-data-dir={folder}/profile", "--allow-file-access-from-files"]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
        command += [f"--virtual-time-budget={WAIT}"]
        command += [f"--print-to-pdf={made}", (copy / NAME).as_uri()]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=LONGEST)
        except (OSError, subprocess.SubprocessError) as error:
            raise BuildError(f"the browser could not print: {error}") from None
        if not made.is_file():
            raise BuildError("the browser printed nothing")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(dated(made.read_bytes()))


def dated(pdf) -> bytes:
    """Give a PDF the date of the sources, so that the same book has the same bytes."""
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", SOURCE_DATE))
    day = datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H%M%S")
    return MADE_ON.sub(lambda found: found[1] + day.encode(), pdf)


def join_pages(site, documents) -> str:
    """Join the articles of pages into one page, in which their links lead to each other.

    Parameters
    ----------
    site : Path
    documents : list of str

    Returns
    -------
    str
        HTML to stand at the top of `site`.
    """
    book = _read(site, documents[0])
    book.html["data-theme"] = "light"
    for tag in book.head.find_all("script", string=re.compile("dataset.theme")):
        tag.decompose()  # it asks the reader's machine, and a script of the body would answer
    for tag in book.head.find_all(["link", "script"]):
        for name in ("href", "src"):
            if tag.get(name):
                tag[name] = _resolve(tag[name], documents[0])
    main = book.new_tag("main", attrs={"class": "bd-main whole-book"})
    contents = book.new_tag("ol", attrs={"class": "whole-book-contents"})
    for document in documents:
        article = _read(site, document).select_one("article.bd-article")
        title = article.h1.get_text().removesuffix("#").strip()
        _point_into_book(article, document, set(documents))
        article["id"] = _anchor(document)
        entry = book.new_tag("a", attrs={"href": f"#{article['id']}"}, string=title)
        contents.append(book.new_tag("li"))
        contents.contents[-1].append(entry)
        main.append(article)
    main.contents[0].append(contents)
    book.body.clear()
    book.body.append(main)
    return str(book)


def _read(site, document):
    return BeautifulSoup((site / f"{document}.html").read_text("utf-8"), "lxml")


def _point_into_book(article, document, documents):
    """Give ids and links of one page the names that they have in the joined one.

    A file that is not a page is not in the printed book, so nothing links to it.
    """
    for tag in article.find_all(id=True):
        if tag.find_parent("svg") is None:
            tag["id"] = _anchor(document, tag["id"])
    for tag in article.find_all(LINKS):
        name = LINKS[tag.name]
        if name in tag.attrs:
            tag[name] = _resolve(tag[name], document, documents)
            if tag.name == "a" and not (ELSEWHERE.match(tag[name]) or tag[name].startswith("#")):
                del tag[name]


def _resolve(link, document, documents=frozenset()):
    if link.startswith("#"):
        return f"#{_anchor(document, link[1:])}"
    if ELSEWHERE.match(link):
        return link
    path, _, fragment = link.partition("#")
    parts = [*document.split("/")[:-1], *path.split("/")]
    resolved = []
    for part in parts:
        if part == "..":
            resolved.pop()
        elif part != ".":
            resolved.append(part)
    path = "/".join(resolved)
    if path.removesuffix(".html") in documents:
        return f"#{_anchor(path.removesuffix('.html'), fragment)}"
    return path


def _anchor(document, fragment=""):
    return "--".join(filter(None, [document.replace("/", "-"), fragment]))
