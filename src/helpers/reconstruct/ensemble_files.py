"""An ensemble on disk: one file a draw, each there whole or not at all, and what they all share."""

from __future__ import annotations

import json
import os
import uuid
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from helpers.errors import InputError
from helpers.hold import hold

SHARED = "_ensemble.json"  # readers of Parquet pass over names that begin with _ or .
PARTIAL = ".partial-"


class EnsembleFolder:
    """A folder that is one Parquet data set: a row for each patient of each draw.

    Columns ``draw``, ``seed``, those of `helpers.reconstruct.nearness.Nearness`, and the
    patients'.

    Parameters
    ----------
    folder : path-like
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def open(self, shared, *, resume) -> None:
        """Make the folder, or go on in it.

        Parameters
        ----------
        shared : dict
            What every draw of the ensemble has in common: seed, walk, digests of what it is
            drawn from.
        resume : bool
            Whether draws may be there already.

        Raises
        ------
        InputError
            The folder holds other files, another ensemble, or draws that are not to be kept.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise InputError(self.folder, ["is a file; give a folder"])
        self.folder.mkdir(parents=True, exist_ok=True)
        names = [path.name for path in self.folder.iterdir()]
        there = [name for name in names if not name.startswith(PARTIAL)]
        if SHARED not in there:
            if there:
                problem = "holds files that are no ensemble; give an empty folder"
                raise InputError(self.folder, [problem])
            self._write(SHARED, json.dumps(shared, indent=1, sort_keys=True).encode() + b"\n")
            return
        found = self.read_shared()
        names = sorted(found.keys() | shared)
        different = [name for name in names if found.get(name) != shared.get(name)]
        if different:
            problem = f"holds an ensemble with another {', '.join(different)}; give another folder"
            raise InputError(self.folder, [problem])
        if self.numbers() and not resume:
            problem = "holds draws already; go on with --resume, or give another folder"
            raise InputError(self.folder, [problem])

    @contextmanager
    def writing(self):
        """Hold the folder for one run, and clear away what a killed one left.

        Raises
        ------
        InputError
            Another run is writing to it.
        """
        with hold(self.folder / SHARED, self.folder):
            for partial in self.folder.glob(f"{PARTIAL}*"):
                partial.unlink()
            yield

    def numbers(self) -> list[int]:
        """The draws that are there."""
        return sorted(int(path.stem.split("-")[1]) for path in self.folder.glob("draw-*.parquet"))

    def read_shared(self) -> dict:
        """What the draws have in common."""
        try:
            return json.loads((self.folder / SHARED).read_text("utf-8"))
        except (OSError, ValueError):
            raise InputError(self.folder, [f"holds no ensemble: no readable {SHARED}"]) from None

    def write(self, number, seed, patients, nearness) -> None:
        """Write a draw, and only then let it stand under its name."""
        shared = {"draw": number, "seed": seed, **asdict(nearness)}
        frame = pd.DataFrame(shared, index=patients.index).join(patients)
        sink = pa.BufferOutputStream()
        table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, sink, compression="zstd")
        self._write(f"draw-{number:06d}.parquet", sink.getvalue())

    def _write(self, name, content):
        partial = self.folder / f"{PARTIAL}{uuid.uuid4().hex}"
        try:
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, self.folder / name)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder)) from None
        finally:
            partial.unlink(missing_ok=True)

    def read(self) -> pd.DataFrame:
        """Every patient of every draw, by number of the draw."""
        draws = [
            pq.ParquetFile(self.folder / f"draw-{number:06d}.parquet").read(use_threads=False)
            for number in self.numbers()
        ]
        if not draws:
            raise InputError(self.folder, ["holds no draw"])
        return pa.concat_tables(draws).to_pandas()
