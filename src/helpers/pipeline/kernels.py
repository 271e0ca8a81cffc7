"""Kernels that are forked from one process which has the libraries imported.

About half of a small notebook's time is the import of pandas, matplotlib, seaborn and
lifelines. A fork server imports them once; each kernel is a fork of it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import weakref
from multiprocessing import forkserver

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

_RUNNING: set[int] = set()
_LAUNCH = [sys.executable, "-m", "ipykernel_launcher"]
CAN_FORK = sys.platform == "linux"
CONTEXT = multiprocessing.get_context("forkserver" if CAN_FORK else "spawn")


class FreshKernelManager(AsyncKernelManager):
    """A kernel of the running interpreter, whatever kernels are registered on the machine."""

    _metadata: dict = {"kernel_provisioner": {"provisioner_name": "rhcc-fresh"}}

    def __init__(self, **settings):
        folder = tempfile.mkdtemp(prefix="rhcc-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        super().__init__(**settings, transport="ipc", ip=f"{folder}/kernel")

    @property
    def kernel_spec(self):
        return KernelSpec(
            argv=[*_LAUNCH, "-f", "{connection_file}", "--IPKernelApp.log_level=CRITICAL"],
            language="python",
            metadata=self._metadata,
        )


class ForkedKernelManager(FreshKernelManager):
    """The same kernel, forked with its libraries imported."""

    _metadata = {"kernel_provisioner": {"provisioner_name": "rhcc-forked"}}


class FreshProvisioner(LocalProvisioner):
    """Starts a kernel that `stop_all` knows of."""

    async def launch_kernel(self, cmd, **kwargs):
        connection = await super().launch_kernel(cmd, **kwargs)
        _RUNNING.add(self.pid)
        return connection

    async def cleanup(self, restart=False):
        _RUNNING.discard(self.pid)
        await super().cleanup(restart)


class ForkedProvisioner(FreshProvisioner):
    """Starts a kernel as a fork where `LocalProvisioner` starts a program."""

    async def launch_kernel(self, cmd, **kwargs):
        environment = dict(kwargs.get("env", os.environ))
        self.process = _ForkedKernel(cmd[len(_LAUNCH) :], kwargs.get("cwd"), environment)
        self.pid = self.pgid = self.process.pid
        _RUNNING.add(self.pid)
        return self.connection_info


class _ForkedKernel:
    """A forked process with the part of `subprocess.Popen` that a provisioner uses."""

    stdin = stdout = stderr = None

    def __init__(self, arguments, cwd, env):
        self._process = CONTEXT.Process(target=_run_kernel, args=(arguments, cwd, env))
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def wait(self):
        self._process.join()
        return self._process.exitcode

    def send_signal(self, signum):
        os.kill(self.pid, signum)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        self.send_signal(signal.SIGTERM)


def stop_all() -> None:
    """Stop every kernel that still runs."""
    for pid in list(_RUNNING):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def preload() -> None:
    """Start the fork server, which imports the libraries while this process goes on."""
    CONTEXT.set_forkserver_preload(["helpers.pipeline.preloaded"])
    forkserver.ensure_running()


def _run_kernel(arguments, cwd, env):
    os.setsid()
    os.environ.clear()
    os.environ.update(env)
    if cwd:
        os.chdir(cwd)
    from ipykernel.kernelapp import IPKernelApp

    # With a parent to watch, the kernel ends when the fork server does.
    app = IPKernelApp.instance()
    app.initialize([*arguments, f"--IPKernelApp.parent_handle={os.getppid()}"])
    # pyplot was imported where no shell was: only now can figures be shown in one.
    app.shell.enable_matplotlib("inline")
    app.start()
