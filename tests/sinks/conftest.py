"""Hands out the storages; each is made anew for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from storage import Storage

from supervisor.sinks import Sink

STORAGES = {
    "duckdb": ("duckdb_file", "DuckDBFile"),
    "vertica": ("vertica_double", "VerticaDatabase"),
    "azure_table": ("azurite", "AzureTables"),
    "singer": ("singer_target", "SingerTarget"),
    "none": ("nowhere", "Nowhere"),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `storage` runs once per sink that keeps the promises which it needs."""
    if "storage" in metafunc.fixturenames:
        needed = [name for mark in metafunc.definition.iter_markers("needs") for name in mark.args]
        kinds = [kind for kind in STORAGES if all(getattr(_class_of(kind), name) for name in needed)]
        metafunc.parametrize("storage", kinds, indirect=True)


def _class_of(kind: str) -> type[Storage]:
    module, name = STORAGES[kind]
    found: type[Storage] = getattr(import_module(module), name)
    return found


@pytest.fixture
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    directory = tmp_path / "storage"
    directory.mkdir()
    made = _class_of(request.param)(directory)
    yield made
    made.close()


@pytest.fixture
def sink(storage: Storage) -> Iterator[Sink]:
    opened = storage.open()
    yield opened
    opened.close()
