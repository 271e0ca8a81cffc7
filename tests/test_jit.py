import shutil
import subprocess
import sys
from pathlib import Path

import helpers.jit

OUTER = """
from helpers.jit import njit
from helpers.estimators.inner import inner


@njit
def outer(number):
    return inner(number) + 1


print(outer(1), sum(outer.stats.cache_hits.values()))
"""
INNER = """
from helpers.jit import njit


@njit
def inner(number):
    return {factor} * number
"""


def test_a_function_is_compiled_anew_when_one_of_another_file_that_it_calls_has_changed(tmp_path):
    package = tmp_path / "helpers"
    for folder in ["estimators", "reconstruct"]:
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").touch()
    shutil.copy(Path(helpers.jit.__file__), package)
    (package / "reconstruct" / "outer.py").write_text(OUTER)

    def run(factor):
        (package / "estimators" / "inner.py").write_text(INNER.format(factor=factor))
        command = [sys.executable, "-m", "helpers.reconstruct.outer"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert run(10) == ["11", "0"]
    assert run(10) == ["11", "1"]
    assert run(20) == ["21", "0"]


def test_what_is_compiled_lies_where_its_sources_are_digested():
    package = Path(helpers.jit.__file__).parent
    compiled = [path for path in package.rglob("*.py") if "njit" in path.read_text("utf-8")]
    assert {path.relative_to(package).parts[0] for path in compiled} == {
        "jit.py",
        "estimators",
        "reconstruct",
    }
    direct = [path.name for path in compiled if "import numba" in path.read_text("utf-8")]
    assert direct == ["jit.py"]
    assert not [path.name for path in compiled if "from numba" in path.read_text("utf-8")]
