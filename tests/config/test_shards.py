"""Which shard a run is, from SHARD or from the engine that started it; and that no two shards write one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.config.environment import read_environment
from supervisor.config.errors import ConfigError

SLURM = {"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "3"}


@pytest.mark.parametrize(
    ("engine", "shard", "name"),
    [
        ({"JOB_COMPLETION_INDEX": "2", "SHARD_COUNT": "4"}, "2/4", "a Kubernetes Indexed Job (JOB_COMPLETION_INDEX)"),
        (SLURM, "2/4", "a Slurm job array (SLURM_ARRAY_TASK_ID)"),
        (
            {"CLOUD_RUN_TASK_INDEX": "0", "CLOUD_RUN_TASK_COUNT": "3"},
            "0/3",
            "a Cloud Run job (CLOUD_RUN_TASK_INDEX)",
        ),
        (
            {"AWS_BATCH_JOB_ARRAY_INDEX": "1", "AWS_BATCH_JOB_ARRAY_SIZE": "2"},
            "1/2",
            "an AWS Batch array job (AWS_BATCH_JOB_ARRAY_INDEX)",
        ),
    ],
)
def test_auto_asks_the_engine(engine: dict[str, str], shard: str, name: str) -> None:
    found = read_environment({"SHARD": "auto", "STORAGE_TYPE": "none", **engine})
    assert (str(found.shard), found.engine) == (shard, name)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"SHARD": "auto"}, "SHARD: auto finds no engine that says which shard this is; none of JOB_COMPLETION_INDEX"),
        ({"SHARD": "auto", "JOB_COMPLETION_INDEX": "2"}, "tells the index 2 and no count; set SHARD_COUNT"),
        ({"SHARD": "auto", **SLURM, "SLURM_ARRAY_TASK_COUNT": "2"}, "SLURM_ARRAY_TASK_COUNT=2 are no shard; shards"),
        ({"SHARD": "4/4"}, "SHARD: shards count from 0: of 4 the last is 3/4, and '4/4' is none"),
        ({"SHARD": "1/0"}, "SHARD: expected at least 1"),
        ({"SHARD": "two"}, "SHARD: expected I/N, as 0/4 for the first of four, got 'two'"),
        ({"HISTORY_PATH": "{shard}.jsonl"}, "HISTORY_PATH: {shard} stands for a shard, and SHARD is not set"),
        ({"RUN_GROUP": "a b"}, 'RUN_GROUP: expected letters, digits, "-" and "_", at most 100, got "a b"'),
        (
            {"SHARD": "0/2", "STORAGE_TYPE": "duckdb"},
            "DUCKDB_PATH: a DuckDB file has one writer, so each shard needs its own; put {shard} into the path",
        ),
        (
            {"SHARD": "0/2", "STORAGE_TYPE": "singer", "SINGER_TARGET_COMMAND": "target"},
            "SINGER_STATE_PATH: each shard keeps the states of its own accounts; put {shard} into the path",
        ),
    ],
)
def test_what_is_wrong_is_told(variables: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError) as told:
        read_environment({"STORAGE_TYPE": "none", **variables})
    assert [finding for finding in told.value.findings if says in finding]


def test_each_shard_has_files_of_its_own() -> None:
    found = read_environment({"SHARD": "1/4", "DUCKDB_PATH": "/data/ads.{shard}.duckdb"})
    assert found.duckdb_path == Path("/data/ads.1-of-4.duckdb")
    assert found.duckdb_snapshot_path == Path("/data/ads.1-of-4.snapshot.duckdb")
    assert found.report_path == Path("execution_report.1-of-4.json")
