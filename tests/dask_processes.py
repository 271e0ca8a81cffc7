"""A Dask scheduler and its workers as processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import time


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def start_scheduler(port):
    return _start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")


def start_worker(port):
    options = ["--nthreads", "1", "--no-dashboard", "--no-nanny"]
    return _start("worker", f"tcp://127.0.0.1:{port}", *options)


def kill(process):
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(port):
    def listens():
        with socket.socket() as trial:
            return trial.connect_ex(("127.0.0.1", port)) == 0

    wait_until(listens, 60)


def wait_until(find, seconds=300):
    """What `find` finds, as soon as it finds something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := find():
            return found
        time.sleep(0.02)
    raise TimeoutError(f"nothing was found in {seconds} seconds")


def _start(*arguments):
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
