"""One virtual environment per pipeline, built from its hash-locked requirements and used again until they change.

An environment cannot be built elsewhere and renamed, because its scripts hold its path. So a stamp is written last:
where it is missing or tells of other inputs, the environment is removed and built anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

from supervisor.config.errors import ConfigError, InstallError
from supervisor.process.child import Child, SpawnError
from supervisor.process.stopping import StopRequest

STAMP = ".complete"
_LINES_SHOWN = 8
_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 2.0
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")


def known_environments(root: Path) -> list[str]:
    """The pipelines under `root` that an environment can be built for, sorted."""
    return sorted(path.parent.name for path in root.glob("pipelines/*/requirements.txt"))


def is_current(root: Path, name: str) -> bool:
    """Whether the environment is complete, and built from the inputs as they are now."""
    try:
        return (environment_of(root, name) / STAMP).read_text(encoding="utf-8") == _fingerprint(root, name)
    except OSError:
        return False


def environment_of(root: Path, name: str) -> Path:
    """Where the environment of a pipeline is."""
    return root / ".venvs" / name


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
    turn, stop = threading.Lock(), stop or StopRequest()

    def say(line: str) -> None:
        with turn:
            on_line(line)

    with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
        findings = [
            finding for finding in pool.map(lambda name: _install_one(root, name, say, stop), wanted) if finding
        ]
    if findings:
        raise InstallError("\n".join(findings))


def _install_one(root: Path, name: str, on_line: Callable[[str], None], stop: StopRequest) -> str | None:
    """Build one environment if need be; what went wrong, as a sentence, or None."""
    begun = time.monotonic()
    try:
        if is_current(root, name):
            on_line(f"{name}: the environment is up to date")
            return None
        with _locked(root / ".venvs" / f".{name}.lock", stop, lambda: on_line(f"{name}: waiting for another install")):
            if is_current(root, name):
                on_line(f"{name}: the environment was built meanwhile")
                return None
            on_line(f"{name}: building the environment in {environment_of(root, name)}")
            _build(root, name, stop)
    except (OSError, InstallError) as cause:
        return f"platform {name!r}: its environment could not be built: {cause}"
    on_line(f"{name}: the environment was built in {time.monotonic() - begun:.1f} s")
    return None


def _build(root: Path, name: str, stop: StopRequest) -> None:
    fingerprint = _fingerprint(root, name)
    environment = environment_of(root, name)
    pipeline = root / "pipelines" / name
    if environment.exists():
        (environment / STAMP).unlink(missing_ok=True)
        shutil.rmtree(environment)
    _call(stop, "-m", "venv", "--without-pip", str(environment))
    pip = (*_PIP, "--python", str(environment / "bin" / "python"), "install")
    _call(stop, *pip, "--require-hashes", "-r", str(pipeline / "requirements.txt"))
    # The locked requirements hold the build backend, so nothing unlocked is downloaded for these two. setuptools writes
    # into the source directory while it builds, and all environments share that of the wire.
    with _locked(root / ".venvs" / ".wire.lock", stop):
        _call(stop, *pip, "--no-deps", "--no-build-isolation", "-e", str(root / "wire"))
    _call(stop, *pip, "--no-deps", "--no-build-isolation", "-e", str(pipeline))
    (environment / STAMP).write_text(fingerprint, encoding="utf-8")


def _call(stop: StopRequest, *arguments: str) -> None:
    """Run this interpreter; raises InstallError with the last lines of what it said. It dies with us."""
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
        lines = [line for line in b"".join(said).decode(errors="replace").splitlines() if line.strip()]
        what = " ".join(arguments[1:3]) if arguments[1] == "venv" else "pip install"
        raise InstallError("\n  ".join((f"{what} ended with {status}:", *lines[-_LINES_SHOWN:])))


def _lines(descriptor: int) -> list[bytes]:
    with os.fdopen(descriptor, "rb") as stream:
        return stream.readlines()


def _fingerprint(root: Path, name: str) -> str:
    """What the environment is made from: the interpreter, its own path, and every file that says what to install."""
    digest = hashlib.sha256(f"{sys.version}\n{environment_of(root.resolve(), name)}\n".encode())
    for package in (root / "pipelines" / name, root / "wire"):
        for file in ("requirements.txt", "setup.cfg", "pyproject.toml"):
            path = package / file
            digest.update(path.read_bytes() if path.is_file() else b"")
            digest.update(b"\0")
    return digest.hexdigest()


@contextlib.contextmanager
def _locked(path: Path, stop: StopRequest, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock that dies with its holder; the file stays, because removing it would let two hold it."""
    waits = False
    path.parent.mkdir(exist_ok=True)
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
