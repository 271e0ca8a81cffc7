"""The output folder: what is in it is always one whole run."""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import InputError
from helpers.hold import hold
from helpers.pipeline.digest import digest, digest_tree

STATE = ".rhcc"


class Output:
    """A folder in which a run replaces the run before it, whole or not at all.

    Parameters
    ----------
    folder : Path
        What a reader opens, beside `.rhcc/`, which holds the executed notebooks by the digest
        of what they read, and a record of the run.
    """

    def __init__(self, folder):
        self.folder = Path(folder).absolute()
        self.state = self.folder / STATE
        self.lock = self.state / "lock"
        self._record = self.state / "record.json"

    def check(self, names=("html", "notebooks", "results.csv")) -> None:
        """Refuse a folder that holds files which a run would replace and has not made.

        Raises
        ------
        InputError
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(self.folder, ["is a file: give a folder"])
        foreign = [
            name
            for name in names
            if (self.folder / name).exists() and name not in self._published()
        ]
        if foreign:
            raise InputError(
                self.folder,
                [f"{name} is there already and was not made by rhcc" for name in foreign],
            )

    @property
    def key(self) -> str:
        """The key of the run that is published; empty if there is none."""
        return self._read_record().get("key", "")

    def is_current(self, key) -> bool:
        """Tell whether the folder holds the run with this key, untouched."""
        content = self._read_record().get("content")
        return self.key == key and content == self._content(self._published())

    @contextmanager
    def building(self, wait=False):
        """Hold the folder for one run and give it a temporary folder beside what is published.

        Parameters
        ----------
        wait : bool
            See `helpers.hold.hold`, also for what it raises.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        with hold(self.lock, self.folder, wait):
            for left in self.state.glob("building-*"):
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix="building-", dir=self.state) as work:
                yield Path(work)

    def cached(self, name, key) -> Path:
        """Return where an executed notebook is kept under the digest of what it read."""
        return self.state / "executed" / name / key

    def publish(self, staged, key, keep) -> None:
        """Replace what the run before left by what is staged.

        Parameters
        ----------
        staged : Path
            A folder on the same file system with all that is to be published.
        key : str
            The digest of all that the run read.
        keep : list of Path
            The executed notebooks to keep; older ones are removed.
        """
        names = sorted(path.name for path in staged.iterdir())
        self.check(names)
        affected = sorted({*self._published(), *names})
        replaced = staged.parent / "replaced"
        replaced.mkdir()
        self._write_record("", affected)
        moved, placed = [], []
        try:
            for name in affected:
                if (self.folder / name).exists():
                    (self.folder / name).rename(replaced / name)
                    moved.append(name)
                if name in names:
                    (staged / name).rename(self.folder / name)
                    placed.append(name)
        except BaseException:
            for name in placed:
                (self.folder / name).rename(staged / name)
            for name in moved:
                (replaced / name).rename(self.folder / name)
            raise
        self._write_record(key, names)
        for path in (self.state / "executed").glob("*/*"):
            if path not in keep:
                shutil.rmtree(path)

    def _published(self):
        return self._read_record().get("published", [])

    def _content(self, names):
        paths = {name: self.folder / name for name in names}
        if not all(path.exists() for path in paths.values()):
            return ""
        return digest(
            {name: digest_tree(path) if path.is_dir() else path for name, path in paths.items()}
        )

    def _read_record(self):
        try:
            return json.loads(self._record.read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def _write_record(self, key, names):
        record = {"key": key, "published": names, "content": self._content(names)}
        self._record.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
