"""Starting our own programs cheaply: each is forked from a process that has imported it, one per worker and program.

A program that is started a thousand times imports the same modules a thousand times, and that is most of what it does.
What `Forked` makes is what `subprocess.Popen` makes: a process of its own and a child of this one, with its arguments,
variables, directory, limits, standard streams, signals and exit status. Only its imports are done already, and its
command line is that of the process it came from. Tests of the start itself start the program itself.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.manager import Sandbox

ROOT = Path(__file__).resolve().parents[2]
SUPERVISOR = str(Path(sys.executable).with_name("supervisor"))
_SDK = "google.ads.googleads.v26"
LATE = {
    "supervisor": ("warmed",),
    "sandbox.google": (f"{_SDK}.errors.types.errors", f"{_SDK}.services.types.google_ads_service"),
}
"""What a program imports besides its own modules, and only when it needs it."""
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


class Program(NamedTuple):
    """`entry` is a module with a `main`; all modules of `package` are imported ahead."""

    interpreter: str
    entry: str
    package: str


class Forked(subprocess.Popen[Any]):
    """`subprocess.Popen` of `supervisor ...`, `pipeline-PLATFORM ...` or `python -m sandbox.serve PLATFORM ...`."""

    def _execute_child(self, args: Any, executable: Any, preexec_fn: Any, close_fds: bool, pass_fds: Any, cwd: Any, env: Any, startupinfo: Any, creationflags: int, shell: bool, p2cread: int, p2cwrite: int, c2pread: int, c2pwrite: int, errread: int, errwrite: int, restore_signals: bool, gid: Any, gids: Any, uid: Any, umask: int, start_new_session: bool, *others: Any) -> None:  # fmt: skip
        """What CPython calls to make the process; the parameters are those of 3.11 to 3.14."""
        assert executable is preexec_fn is gid is gids is uid is None and not (pass_fds or shell) and umask == -1
        env = dict(os.environ if env is None else env)
        if "PYTHONPATH" in env:  # which is read before anything of ours
            super()._execute_child(args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell, p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite, restore_signals, gid, gids, uid, umask, start_new_session, *others)  # fmt: skip
            return
        program, arguments = _understood([str(each) for each in args])
        order = {
            "arguments": arguments,
            "directory": str(cwd or Path.cwd()),
            "environment": env,
            "new_session": start_new_session,
            "umask": _umask(),
            "limits": {number: resource.getrlimit(number) for number in LIMITS},
            "ignored": [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_IGN],
        }
        streams = [given if given != -1 else own for own, given in enumerate((p2cread, c2pwrite, errwrite))]
        forks = _forks(program)
        # Its parent ends at once, and leaves it to the nearest process above that asks for such.
        _libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            socket.send_fds(forks, [json.dumps(order).encode()], streams)
            self.pid = int(forks.recv(32))
        finally:
            _libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)


class ForkedSandbox(Sandbox):
    """The sandbox whose servers are made like this."""

    program = Forked


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _understood(command: list[str]) -> tuple[Program, list[str]]:
    """Which program a command line means, and its `sys.argv`."""
    path = Path(command[0])
    if command[1:3] == ["-m", "sandbox.serve"]:
        return Program(command[0], "sandbox.serve", f"sandbox.{command[3]}"), command[2:]
    package = path.name if path.name == "supervisor" else f"{path.name.removeprefix('pipeline-')}_pipeline"
    entry = "supervisor.cli.main" if package == "supervisor" else f"{package}.main"
    return Program(str(path.with_name("python")), entry, package), command


@cache
def _forks(program: Program) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    modules = (program.entry, program.package, *LATE.get(program.package, ()))
    subprocess.Popen(
        [program.interpreter, Path(__file__).with_name("forks.py"), str(theirs.fileno()), *modules],
        # gRPC reads its variable when it is imported; the pipeline sets it before.
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{Path(__file__).parent}", "GRPC_VERBOSITY": "NONE"},
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
    )
    theirs.close()
    return ours
