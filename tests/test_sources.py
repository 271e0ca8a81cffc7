"""The sources of the book: notebooks, contents, environment."""

import json
import re
from pathlib import Path

import jupytext
import pytest
import yaml
from small_book import ROOT

from helpers.pipeline.project import Project, takes_parameters

NOTEBOOKS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "notebooks").rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)
SECTIONS = [path for path in NOTEBOOKS if path.parent == Path("notebooks")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=str)
def test_notebooks_and_their_text_are_in_step(path):
    text = (ROOT / path).with_suffix(".md").read_text("utf-8")
    written = jupytext.writes(jupytext.read(ROOT / path), "md:myst")
    assert without_header(written) == without_header(text)


def without_header(text):
    return text.split("\n---\n", 1)[1].strip() if text.startswith("---\n") else text.strip()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=str)
def test_notebooks_are_stored_without_outputs_and_define_nothing(path):
    code = code_of(path)
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)
    source = "\n".join("".join(cell["source"]) for cell in code)
    assert not re.search(r"^\s*(def|class) ", source, re.MULTILINE)


@pytest.mark.parametrize("path", SECTIONS, ids=str)
def test_the_notebooks_of_sections_take_parameters(path):
    assert takes_parameters(ROOT / path)
    assert any("read_parameters(globals())" in "".join(cell["source"]) for cell in code_of(path))


def code_of(path):
    cells = json.loads((ROOT / path).read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("whole", [True, False])
def test_every_document_of_the_contents_exists(whole):
    documents = Project(ROOT, whole).documents
    for document in documents:
        source = ROOT / document.removesuffix("_solutions")
        assert any(source.with_name(f"{source.name}{s}").is_file() for s in (".ipynb", ".md"))
    sections = [name for name in documents if Path(name).parent == Path("notebooks")]
    assert sections == [str(path.with_suffix("")) for path in SECTIONS]


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


def test_every_reference_is_used_and_has_a_doi_where_one_exists():
    without = {"mantel1966", "holm1979", "aalen1978", "efron1967", "greenwood1926"}
    text = (ROOT / "book" / "references.bib").read_text("utf-8")
    entries = {entry.split(",")[0]: entry for entry in re.split(r"^@\w+\{", text, flags=re.M)[1:]}
    found = {key: re.search(r"\bdoi *= *\{([^}]*)\}", entry) for key, entry in entries.items()}
    assert {key for key, doi in found.items() if doi is None} == without
    for key, doi in found.items():
        assert doi is None or re.fullmatch(r"10\.\d{4,9}/[^\s\"{}]+", doi[1]), key
    folders = (ROOT / "book", ROOT / "notebooks", ROOT / "src")
    sources = [p for f in folders for p in f.rglob("*") if p.suffix in (".md", ".py")]
    cited = " ".join(path.read_text("utf-8") for path in sources)
    assert [key for key in entries if not re.search(rf"\b{key}\b", cited)] == []
