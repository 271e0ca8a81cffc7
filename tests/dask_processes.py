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


def wait_for(port, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on {port}")


def _start(*arguments):
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
