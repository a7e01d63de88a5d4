"""One virtual environment per pipeline, built from its hash-locked requirements and used again until they change.

An environment cannot be built elsewhere and renamed, because its scripts hold its path. So a stamp is written last:
where it is missing or tells of other inputs, the environment is removed and built anew. What could not be built is
removed at once, so that it takes no room on a disk that is perhaps full.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import IO

from supervisor.config.errors import ConfigError, InstallError
from supervisor.environments.fingerprint import STAMP, fingerprint, is_current, stamped
from supervisor.environments.places import environment_of, is_release, known_environments, wire_of
from supervisor.process.child import Child, SpawnError
from supervisor.process.stopping import StopRequest

_LINES_SHOWN = 8
_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 2.0
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")
_UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProtocolError|ProxyError|SSLError"
    r"|Connection (?:refused|reset|aborted|broken)|Network is unreachable|IncompleteRead"
)
"""What pip says of a network that is not there. That no version was found, which it says last, comes of that."""
_NO_SPACE = re.compile("|".join(map(os.strerror, (errno.ENOSPC, errno.EDQUOT))))


def install(
    root: Path,
    names: Sequence[str] = (),
    *,
    on_line: Callable[[str], None] = lambda _: None,
    stop: StopRequest | None = None,
) -> None:
    """Build the environments of `names`, or of all, side by side; what is current is left alone.

    `on_line` gets a line for each thing that happens, one at a time; `stop` ends what is being built. Raises
    ConfigError for an unknown name before anything is built, and InstallError that names every environment that could
    not be built; the others are usable.
    """
    root = root.resolve()
    known = known_environments(root)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ConfigError(
            f"platform {name!r} has no {root / 'pipelines' / name / 'requirements.txt'}; known are {', '.join(known)}"
            for name in unknown
        )
    wanted = list(dict.fromkeys(names or known))
    if not wanted:
        raise ConfigError(f"there are no pipelines under {root / 'pipelines'}")
    turn, stop = threading.Lock(), StopRequest() if stop is None else stop  # an unset one is false

    def say(line: str) -> None:
        with turn:
            on_line(line)

    with _readable_by_all(), ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        installing = [pool.submit(_install_one, root, name, say, stop) for name in wanted]
        # The system may hand a signal to any thread, and this one acts on it only when it wakes.
        while wait(installing, _LOOK_SECONDS).not_done:
            pass
        findings = [finding for each in installing if (finding := each.result())]
    if findings:
        raise InstallError("\n".join(findings))


@contextlib.contextmanager
def _readable_by_all() -> Iterator[None]:
    """Whoever installs with a strict umask, root say, builds for others: there is no secret in an environment."""
    before = os.umask(0o022)
    os.umask(before & 0o022)
    try:
        yield
    finally:
        os.umask(before)


def _install_one(root: Path, name: str, on_line: Callable[[str], None], stop: StopRequest) -> str | None:
    """Build one environment if need be; what went wrong, as a sentence, or None."""
    begun = time.monotonic()
    environment = environment_of(root, name)
    lock = environment.parent / f".{name}.lock"
    try:
        if is_current(root, name):
            on_line(f"{name}: the environment is up to date")
            return None
        with _locked(lock, stop, lambda: on_line(f"{name}: waiting for another install")):
            if is_current(root, name):
                on_line(f"{name}: the environment was built meanwhile")
                return None
            on_line(f"{name}: building the environment in {environment}")
            try:
                _build(root, name, stop)
            except BaseException:
                shutil.rmtree(environment, ignore_errors=True)
                raise
    except (OSError, InstallError) as cause:
        reason = _full(environment) if _NO_SPACE.search(str(cause)) else cause
        return f"platform {name!r}: its environment could not be built: {reason}"
    on_line(f"{name}: the environment was built in {time.monotonic() - begun:.1f} s, {_size(environment)}")
    return None


def _build(root: Path, name: str, stop: StopRequest) -> None:
    """Build what has changed: the code alone where the lock file is still the one that was installed."""
    wanted = fingerprint(root, name)
    environment = environment_of(root, name)
    before = stamped(environment)
    (environment / STAMP).unlink(missing_ok=True)
    pip = (*_PIP, "--python", str(environment / "bin" / "python"), "install")
    if before is None or before.locked != wanted.locked:
        if environment.exists():
            shutil.rmtree(environment)
        _call(stop, environment, "-m", "venv", "--without-pip", str(environment))
        _call(stop, environment, *pip, "--require-hashes", "-r", str(root / "pipelines" / name / "requirements.txt"))
    # The locked requirements hold the build backend, so nothing unlocked is downloaded for these two. setuptools writes
    # into the source directory while it builds, and all environments share that of the wire.
    for package in (wire_of(root), root / "pipelines" / name):
        with _locked(environment.parent / f".{package.name}.source.lock", stop):
            _call(stop, environment, *pip, "--no-deps", "--no-build-isolation", *_source(package, environment))
    (environment / STAMP).write_text(str(wanted), encoding="utf-8")


def _source(package: Path, environment: Path) -> tuple[str, ...]:
    """What pip installs a package from: in place, or from a copy where the release's files must stay as they are."""
    if not is_release(package):
        return "-e", str(package)
    copy = environment / "source" / package.name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(package, copy)
    return "--force-reinstall", str(copy)


def _size(environment: Path) -> str:
    """What the files of an environment take on the disk."""
    blocks = sum(path.lstat().st_blocks for path in environment.rglob("*"))
    return f"{blocks * 512 / 2**20:,.0f} MiB"


def _call(stop: StopRequest, environment: Path, *arguments: str) -> None:
    """Run this interpreter, which dies with us. Raises InstallError: the cause, or the last lines of what it said."""
    try:
        child = Child.spawn((sys.executable, *arguments), directory=Path.cwd(), environment=os.environ)
    except SpawnError as error:
        raise InstallError(str(error)) from error
    said: list[bytes] = []
    with ThreadPoolExecutor(2) as readers:
        for descriptor in (child.stdout, child.stderr):
            readers.submit(lambda descriptor=descriptor: said.extend(_lines(descriptor)))  # type: ignore[misc]  # mypy cannot infer a lambda's default
        while not stop and not child.wait(_LOOK_SECONDS):
            pass
        child.stop(_GRACE_SECONDS, hurry=lambda: stop.hurry)
    status = child.reap()
    if stop:
        raise InstallError(stop.reason)
    if status != 0:
        text = b"".join(said).decode(errors="replace")
        if _NO_SPACE.search(text):
            raise InstallError(_full(environment))
        if _UNREACHABLE.search(text):
            raise InstallError("the package index cannot be reached, or stopped answering; install again when it can")
        what = "venv" if arguments[1] == "venv" else "pip install"
        lines = [line for line in text.splitlines() if line.strip()]
        raise InstallError("\n  ".join((f"{what} ended with {status}:", *lines[-_LINES_SHOWN:])))


def _full(environment: Path) -> str:
    """The temporary directory may be the one that is full: pip unpacks there what it downloads."""
    return (
        f"the disk of {environment.parent} is full, or that of {tempfile.gettempdir()}; make room there (or set "
        "TMPDIR) and install again"
    )


def _lines(descriptor: int) -> list[bytes]:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.readlines()


@contextlib.contextmanager
def _locked(path: Path, stop: StopRequest, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock that dies with its holder; the file stays, because removing it would let two hold it."""
    waits = False
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        while not _try_lock(file):
            if not waits:
                on_wait()
            waits = True
            if stop.event.wait(_LOOK_SECONDS):
                raise InstallError(stop.reason)
        yield


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
