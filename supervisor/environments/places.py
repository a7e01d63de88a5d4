"""Where pipelines lie and where their environments are built.

Three kinds of root directories hold a `pipelines/` with one directory per platform: that of a configuration (one's own
pipelines), a checkout of this project, and the release data inside an installed supervisor. Environments stand beside
the first two in `.venvs/`, and those of a release inside the supervisor's own environment, so that one directory holds
everything and is removed as one.
"""

from __future__ import annotations

import sys
from pathlib import Path

RELEASE = Path(__file__).resolve().parent / "release"
"""Written by setup.py into the wheel; a checkout has none."""

CHECKOUT = Path(__file__).resolve().parents[2]


def built_in() -> Path:
    """The root of the four built-in pipelines: the release data, or the checkout."""
    return RELEASE if RELEASE.is_dir() else CHECKOUT


def is_release(path: Path) -> bool:
    """Whether this came with an installed supervisor: such sources stay as they are, so they are copied."""
    path = path.resolve()
    return path == RELEASE or RELEASE in path.parents


def known_environments(root: Path) -> list[str]:
    """The pipelines under `root` that an environment can be built for, sorted."""
    return sorted(path.parent.name for path in root.glob("pipelines/*/requirements.txt"))


def environment_of(root: Path, name: str) -> Path:
    """Where the environment of a pipeline is."""
    return (Path(sys.prefix) / "pipelines" if is_release(root) else root / ".venvs") / name


def program_of(root: Path, name: str) -> Path:
    """The pipeline's entry point."""
    return environment_of(root, name) / "bin" / f"pipeline-{name}"


def wire_of(root: Path) -> Path:
    """The source of the wire for these pipelines: beside them, or the supervisor's own."""
    beside = root / "wire"
    return beside if (beside / "pyproject.toml").is_file() else built_in() / "wire"
