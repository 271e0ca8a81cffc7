"""Draw the patients of a made-up registry: nine covariates, two endpoints, a seed.

    python benchmarks/registry.py 1000000 cohort.parquet

The columns are those of `registry.yml`; the file is Parquet, in pieces of a million rows.
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20240387
PIECE = 1_000_000
LAST_DAY = 1826  # five years
EFFECTS = {
    "active": -0.3,
    "male": 0.05,
    "older": 0.4,
    "two": 0.5,
    "three": 1.1,
    "cirrhosis": 0.3,
    "diabetes": 0.1,
    "thrombus": 0.7,
    "metastasis": 0.9,
    "high": 0.2,
}


def write_registry(n, path, seed=SEED) -> None:
    """Write `n` patients to a Parquet file."""
    rng = np.random.default_rng(seed)
    writer = None
    for first in range(0, n, PIECE):
        piece = pa.table(draw_patients(min(PIECE, n - first), rng, first))
        writer = writer or pq.ParquetWriter(path, piece.schema)
        writer.write_table(piece)
    writer.close()


def draw_patients(n, rng, first=0) -> dict:
    """Columns of `n` patients, numbered from `first`; a fiftieth of some values are missing."""
    has = {
        "active": rng.random(n) < 0.5,
        "male": rng.random(n) < 0.7,
        "cirrhosis": rng.random(n) < 0.4,
        "diabetes": rng.random(n) < 0.25,
        "thrombus": rng.random(n) < 0.2,
        "metastasis": rng.random(n) < 0.15,
    }
    stage = rng.choice(3, n, p=[0.4, 0.35, 0.25])
    age = np.clip(rng.normal(63, 11, n), 18, 95).round()
    marker = np.exp(rng.normal(4.5, 1.5, n)).round(1)
    has |= {"two": stage == 1, "three": stage == 2, "older": age >= 65, "high": marker >= 400}
    hazard = np.exp(sum(effect * has[name] for name, effect in EFFECTS.items())) / 1500
    progressed = rng.exponential(1 / (1.2 * hazard))
    died = rng.exponential(1 / hazard)
    left = rng.uniform(200, LAST_DAY, n)
    pfs = np.minimum(progressed, died)

    def grade():
        return rng.choice(5, n, p=[0.7, 0.15, 0.1, 0.04, 0.01])

    def yes(name):
        return _words(has[name], ["no", "yes"])

    return {
        "patient": np.arange(first + 1, first + n + 1),
        "arm": _words(has["active"], ["control", "active"]),
        "os_days": np.ceil(np.minimum(died, left)).astype(int),
        "os_event": (died <= left).astype(int),
        "pfs_days": np.ceil(np.minimum(pfs, left)).astype(int),
        "pfs_event": (pfs <= left).astype(int),
        "sex": _words(has["male"], ["female", "male"]),
        "age_years": age.astype(int),
        "stage": _words(stage, ["one", "two", "three"], rng.random(n) < 0.02),
        **{name: yes(name) for name in ("cirrhosis", "diabetes", "thrombus", "metastasis")},
        "marker_baseline": marker,
        "marker_followup": (marker * np.exp(rng.normal(-0.2, 0.8, n))).round(1),
        "albumin": pa.array(rng.normal(38, 5, n).round(1), mask=rng.random(n) < 0.02),
        "drug": _words(rng.random(n) < 0.4, ["a", "b"]),
        "drug_months": np.minimum(pfs, left).round() // 30,
        "response": _words(
            rng.choice(4, n, p=[0.1, 0.3, 0.35, 0.25]),
            ["cr", "pr", "sd", "pd"],
            rng.random(n) < 0.02,
        ),
        "ae_nausea": grade(),
        "ae_fatigue": grade(),
        "ae_rash": grade(),
        "interrupted": (rng.random(n) < 0.1).astype(int),
    }


def _words(codes, words, missing=None):
    codes = pa.array(np.asarray(codes).astype(np.int8), mask=missing)
    return pa.DictionaryArray.from_arrays(codes, words)


if __name__ == "__main__":
    write_registry(int(sys.argv[1]), sys.argv[2])
