"""Builds the one wheel that holds everything: setup.cfg describes the distribution, this adds what lies beside it.

The wire becomes a package of the wheel, and the sources and lock files of the four pipelines become release data of
supervisor/environments, from which `supervisor install` builds their environments without a checkout.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
PIPELINES = ("google", "microsoft", "facebook", "linkedin")
PACKAGED = ("setup.cfg", "pyproject.toml", "requirements.txt", "src")
IGNORED = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.pyc")


class BuildWithRelease(build_py):
    """Copies the release data, except for an installation in place, which finds it in the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        into = Path(self.build_lib)
        _copy(HERE / "wire" / "src" / "wire", into / "wire")
        release = into / "supervisor" / "environments" / "release"
        for source in (HERE / "wire", *(HERE / "pipelines" / name for name in PIPELINES)):
            for name in PACKAGED:
                if (source / name).exists():
                    _copy(source / name, release / source.relative_to(HERE) / name)
        _copy(HERE / "orchestrator_config.yml", release / "orchestrator_config.yml")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, ignore=IGNORED)
    else:
        shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithRelease})
