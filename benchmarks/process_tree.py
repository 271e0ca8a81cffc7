"""CPU time and peak memory of a command and of every process that it starts (Linux)."""

import ctypes
import os
import resource
import subprocess
import sys
import time

ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER
PAUSE = 0.1  # seconds between two looks at the memory


def measure_tree(command):
    """Run a command; return its status, the CPU seconds and the peak memory in MB of its tree.

    The peak is the largest sum, over the processes that are there at one moment, of their
    proportional set sizes: a page that a process shares with others is counted once in all.
    Orphans are adopted, so that their CPU time is counted too.
    """
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1, 0, 0, 0)
    before = _cpu_of_children()
    first = subprocess.Popen(list(map(str, command)), stdout=sys.stderr)
    status, peak = None, 0.0
    while processes := _descendants():
        peak = max(peak, sum(map(_proportional_set_size, processes)))
        while True:
            try:
                ended, code = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if ended == 0:
                break
            if ended == first.pid:
                status = os.waitstatus_to_exitcode(code)
        time.sleep(PAUSE)
    first.returncode = status
    return status, _cpu_of_children() - before, peak


def _cpu_of_children():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _descendants():
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                parents[int(name)] = int(file.read().rpartition(")")[2].split()[1])
        except OSError:
            continue
    tree, new = {os.getpid()}, {os.getpid()}
    while new:
        new = {process for process, parent in parents.items() if parent in new} - tree
        tree |= new
    return tree - {os.getpid()}


def _proportional_set_size(process):
    try:
        with open(f"/proc/{process}/smaps_rollup") as file:
            sizes = [line.split()[1] for line in file if line.startswith("Pss:")]
    except OSError:
        return 0.0
    return int(sizes[0]) / 1000 if sizes else 0.0
