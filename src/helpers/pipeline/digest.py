"""Digests of what a step reads: a step runs again when its digest changes."""

from __future__ import annotations

import hashlib
import sys
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def digest(*parts) -> str:
    """Digest text, bytes, the content of files (paths), and lists or mappings of them."""
    return _sha(*parts).hexdigest()[:32]


def digest_file(path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def digest_tree(folder) -> str:
    """Digest every file below a folder, with its place."""
    folder = Path(folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest({str(path.relative_to(folder)): path for path in files})


def digest_code(root) -> str:
    """Digest what runs: the helpers, the lock file, the interpreter, the installed packages."""
    code = [
        path
        for path in sorted(PACKAGE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    site = Path(sysconfig.get_paths()["purelib"])
    installed = sorted(path.name for path in site.glob("*.dist-info"))
    lock = [path for path in [root / "requirements.lock"] if path.is_file()]
    return digest(
        {str(path.relative_to(PACKAGE)): path for path in code}, lock, sys.version, installed
    )


def _sha(*parts):
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, dict):
            inner = _sha(*(item for pair in part.items() for item in pair)).digest()
        elif isinstance(part, list | tuple):
            inner = _sha(*part).digest()
        elif isinstance(part, Path):
            inner = hashlib.sha256(part.read_bytes()).digest()
        else:
            inner = hashlib.sha256(str(part).encode()).digest()
        total.update(inner)
    return total
