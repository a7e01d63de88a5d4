"""Platform name to how its pipeline is launched: a registered command, or a directory under `pipelines/`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
from attrs import frozen

from supervisor.config.credentials import BUILT_IN, visible_environment
from supervisor.config.errors import ConfigError
from supervisor.config.schema import OrchestratorConfig
from supervisor.environments.fingerprint import is_current
from supervisor.environments.places import built_in, environment_of, known_environments, program_of
from supervisor.run.given import check_tokens, check_variables

TokenProvider = Mapping[str, str] | Callable[[str], Mapping[str, str]]
"""Further variables: a mapping, of which each platform sees its own, or a function of the platform's name."""


@frozen(kw_only=True)
class Launch:
    """How one's own pipeline is started. `directory` is the working directory; None is the supervisor's own."""

    command: tuple[str, ...]
    directory: Path | None = None
    pass_environment: tuple[str, ...] = ()


@frozen(kw_only=True)
class Pipeline:
    """One pipeline, ready to be started: `environment` is all that its process will see."""

    name: str
    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = attrs.field(repr=False)
    data_sink: object | None = None


class PlatformRegistry:
    """Knows pipelines that were registered, and finds the others under `pipelines/` of its root directories."""

    def __init__(self, roots: Sequence[Path] = (), *, known: Sequence[str] = ()) -> None:
        self._roots = tuple(roots)
        self._known = tuple(known)
        self._launches: dict[str, Launch] = {}
        self._passed: dict[str, tuple[str, ...]] = {}

    def list_platforms(self) -> list[str]:
        """The names of all pipelines that could be launched, sorted."""
        found = (path.parent.name for root in self._roots for path in root.glob("pipelines/*/setup.cfg"))
        return sorted({*self._known, *self._launches, *found})

    def register(self, name: str, launch: Launch | Sequence[str]) -> None:
        """Make `name` known, or replace it; a bare command runs in the supervisor's working directory."""
        self._launches[name] = launch if isinstance(launch, Launch) else Launch(command=tuple(launch))

    def with_configured(self, config: OrchestratorConfig) -> PlatformRegistry:
        """This registry plus what the configuration says: its `command`s, and pipelines beside its file."""
        registry = PlatformRegistry((config.directory, *self._roots), known=self._known)
        registry._launches = dict(self._launches)
        for platform in config.platforms:
            registry._passed[platform.name] = platform.pass_environment
            if platform.command:
                registry.register(platform.name, Launch(command=platform.command, directory=config.directory))
        return registry

    def get_pipeline(
        self, name: str, token_provider: TokenProvider | None = None, data_sink: object | None = None
    ) -> Pipeline:
        """How to start `name`; raises ConfigError if it is unknown, not installed, or its secrets cannot be read.

        Without a `token_provider` the variables are those of this process.
        """
        launch = self._launches.get(name) or self._installed(name)
        passed = (*launch.pass_environment, *self._passed.get(name, ()))
        environment = _environment(name, passed, token_provider)
        directory = launch.directory or Path.cwd()
        _check_program(name, launch.command[0], directory, environment.get("PATH"))
        return Pipeline(
            name=name, command=launch.command, directory=directory, environment=environment, data_sink=data_sink
        )

    def root_of(self, name: str) -> Path:
        """The directory whose `pipelines/` holds `name`; raises ConfigError where none does."""
        for root in self._roots:
            if (root / "pipelines" / name).is_dir():
                return root
        known = ", ".join(self.list_platforms()) or "none"
        raise ConfigError(
            f"platform {name!r} has no pipeline: there is no `command:` for it and no directory pipelines/{name}; "
            f"known are {known}"
        )

    def _installed(self, name: str) -> Launch:
        root = self.root_of(name)
        program = program_of(root, name)
        if not os.access(program, os.X_OK):
            raise ConfigError(
                f"platform {name!r} has no environment at {environment_of(root, name)}; "
                f"run `supervisor install --only {name}`"
            )
        if name in known_environments(root) and not is_current(root, name):
            raise ConfigError(
                f"platform {name!r}: its environment at {environment_of(root, name)} is of another release, of another "
                f"Python, or half built; run `supervisor install --only {name}`"
            )
        return Launch(command=(str(program),))


def create_default_registry(root: Path | None = None) -> PlatformRegistry:
    """A registry of the four built-in platforms and all others under `root`/pipelines.

    `root` is by default the checkout that holds the supervisor package, or the release data inside an installed one.
    """
    return PlatformRegistry((root or built_in(),), known=tuple(BUILT_IN))


def _environment(name: str, passed: Sequence[str], tokens: TokenProvider | None) -> Mapping[str, str]:
    if callable(tokens):
        return {**visible_environment(name, passed), **check_variables(name, tokens(name))}
    check_tokens(tokens)
    return visible_environment(name, passed, {**os.environ, **check_variables(name, tokens or {})})


def _check_program(name: str, program: str, directory: Path, path: str | None) -> None:
    place = str(directory / program) if "/" in program else program
    if shutil.which(place, path=path) is None:
        raise ConfigError(f"platform {name!r}: the program {program!r} of its command is not found or not executable")
