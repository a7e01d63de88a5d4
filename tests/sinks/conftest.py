"""Every test here that asks for `storage` runs once per sink."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from storage import Storage  # noqa: E402 - it lies beside this file

from supervisor.sinks import Sink  # noqa: E402 - as above

STORAGES = {
    "duckdb": ("duckdb_file", "DuckDBFile"),
    "vertica": ("vertica_double", "VerticaDatabase"),
    "azure_table": ("azurite", "AzureTables"),
    "singer": ("singer_target", "SingerTarget"),
    "none": ("nowhere", "Nowhere"),
}


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    module, name = STORAGES[request.param]
    directory = tmp_path / "storage"
    directory.mkdir()
    made: Storage = getattr(import_module(module), name)(directory)
    yield made
    made.close()


@pytest.fixture
def sink(storage: Storage) -> Iterator[Sink]:
    opened = storage.open()
    yield opened
    opened.close()
