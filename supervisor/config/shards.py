"""Which shard a run is: as SHARD says, or with `auto` the engine that started it; and its name in paths.

Sources of the engines' variables: kubernetes.io/docs/tasks/job/indexed-parallel-processing-static, which has no count;
slurm.schedmd.com/job_array.html, cloud.google.com/run/docs/container-contract#jobs-env-vars and
docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from supervisor.config.errors import ConfigError
from wire.shards import Shard, parse_shard

VARIABLE = "SHARD"
AUTO = "auto"
COUNT = "SHARD_COUNT"
PLACE = "{shard}"
"""What stands in a path for `Shard.label`."""


@frozen
class Engine:
    """What starts N copies of a program, and the variables in which it tells them apart.

    `first` holds the first index, where that need not be 0; an engine without `count` leaves that to SHARD_COUNT.
    """

    name: str
    index: str
    count: str = ""
    first: str = ""


ENGINES = (
    Engine("a Kubernetes Indexed Job", "JOB_COMPLETION_INDEX"),
    Engine("a Slurm job array", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN"),
    Engine("a Cloud Run job", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
    Engine("an AWS Batch array job", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
)


def of_shard(environ: Mapping[str, str], shard: object) -> Mapping[str, str]:
    """The variables of a run that was told its shard (I/N or `auto`) otherwise than by them; None leaves them be."""
    return environ if shard is None else {**environ, VARIABLE: str(shard)}


def found_by_engine(environ: Mapping[str, str]) -> tuple[Shard, Engine]:
    """The shard that the engine's variables tell; raises ConfigError where there is none, or too little is told."""
    engine = next((each for each in ENGINES if environ.get(each.index)), None)
    if engine is None:
        names = ", ".join(each.index for each in ENGINES)
        raise ConfigError([f"SHARD: auto finds no engine that says which shard this is; none of {names} is set"])
    source = engine.count or COUNT
    count = environ.get(source) or environ.get(COUNT)
    if not count:
        said = f"{engine.name} tells the index {environ[engine.index]} and no count"
        raise ConfigError([f"SHARD: {said}; set {source}"])
    try:
        index = int(environ[engine.index]) - int(environ.get(engine.first) or 0)
        return parse_shard(f"{index}/{count}"), engine
    except ValueError as cause:
        said = f"{engine.index}={environ[engine.index]} and {source}={count} are no shard"
        raise ConfigError([f"SHARD: {said}; {cause}"]) from cause


def told(environ: Mapping[str, str], findings: list[str]) -> tuple[Mapping[str, str], str]:
    """The variables with the engine's shard in place of `auto`, and which engine that was; "" where none was asked."""
    if (environ.get(VARIABLE) or "").strip().lower() != AUTO:
        return environ, ""
    try:
        shard, engine = found_by_engine(environ)
    except ConfigError as error:
        findings.extend(error.findings)
        return {name: value for name, value in environ.items() if name != VARIABLE}, ""
    return of_shard(environ, shard), f"{engine.name} ({engine.index})"


def in_path(path: Path, shard: Shard | None, variable: str) -> Path:
    """The path with the shard's label in its place; raises ConfigError where there is a place and no shard."""
    text = str(path)
    if PLACE not in text:
        return path
    if shard is None:
        raise ConfigError([f"{variable}: {PLACE} stands for a shard, and SHARD is not set"])
    return Path(text.replace(PLACE, shard.label))
