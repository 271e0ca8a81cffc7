"""Time `rhcc book` against a plain `jupyter-book build` that runs the same notebooks.

Both run in turn on copies of this repository, or of the folder given, so that their ratio
does not depend on the machine. CPU time is that of all processes which a command starts.
"""

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ["_config.yml", "_toc.yml", "book", "data", "notebooks", "requirements.lock"]
BIN = Path(sys.executable).parent
PR_SET_CHILD_SUBREAPER = 36
WALL_LIMIT, CPU_LIMIT, SECOND_RUN_LIMIT = 0.6, 1.0, 3.0


def main(root=ROOT, rounds=3):
    # Processes whose parent ended become ours, and their CPU time with them.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    plain, ours, second = [], [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for name in SOURCES:
                copy = shutil.copytree if Path(root, name).is_dir() else shutil.copyfile
                copy(Path(root, name), Path(folder, name))
            plain.append(measure(["jupyter-book", "build", "--all", "--quiet", "."], folder))
            ours.append(measure(["rhcc", "book", "--out", "ours"], folder))
            second.append(measure(["rhcc", "book", "--out", "ours"], folder))
    (plain_wall, plain_cpu), (wall, cpu) = map(fastest, (plain, ours))
    again = fastest(second)[0]
    print(f"plain jupyter-book build  {plain_wall:6.1f} s wall  {plain_cpu:6.1f} s CPU")
    print(f"rhcc book                 {wall:6.1f} s wall  {cpu:6.1f} s CPU")
    print(f"rhcc book again           {again:6.2f} s wall")
    print(f"ratio of wall time        {wall / plain_wall:6.2f} (at most {WALL_LIMIT})")
    print(f"ratio of CPU time         {cpu / plain_cpu:6.2f} (at most {CPU_LIMIT})")
    within = (wall / plain_wall, cpu / plain_cpu, again)
    limits = (WALL_LIMIT, CPU_LIMIT, SECOND_RUN_LIMIT)
    return int(any(value > limit for value, limit in zip(within, limits, strict=True)))


def measure(command, folder):
    """Return the wall and CPU seconds of a command and all that it starts."""
    began = time.perf_counter()
    with open(Path(folder, "log"), "w") as log:
        process = subprocess.Popen(
            [BIN / command[0], *command[1:]], cwd=folder, stdout=log, stderr=log
        ).pid
    cpu, wall = 0.0, None
    while True:
        try:
            ended, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return wall, cpu
        cpu += usage.ru_utime + usage.ru_stime
        if ended == process:
            wall = time.perf_counter() - began
            if status:
                raise SystemExit(f"{command[0]} failed:\n{Path(folder, 'log').read_text()}")


def fastest(measured):
    return tuple(min(values) for values in zip(*measured, strict=True))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
