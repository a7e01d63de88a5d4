"""The database of STORAGE_TYPE opened for a reader's questions, beside a run if need be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

from supervisor.config.environment import RunEnvironment, StorageType
from supervisor.config.errors import ConfigError
from supervisor.sinks.reconciling import Ask, Columns


@contextmanager
def opened_for_reading(environment: RunEnvironment) -> Iterator[tuple[Ask, Columns]]:
    """How to ask it, and the columns of its tables. Raises SinkError, and ConfigError for a storage without SQL."""
    if environment.storage_type is StorageType.DUCKDB:
        yield from _duckdb(environment)
    elif environment.storage_type is StorageType.VERTICA:
        yield from _vertica(environment)
    else:
        raise ConfigError(
            f"STORAGE_TYPE: levels are compared in DuckDB and Vertica, and rows go to {environment.storage_type} here"
        )


def _duckdb(environment: RunEnvironment) -> Iterator[tuple[Ask, Columns]]:
    from supervisor.sinks.duckdb.reading import open_for_reading  # noqa: PLC0415 - DuckDB loads only where it is used
    from supervisor.sinks.duckdb.sink import columns_of  # noqa: PLC0415 - as above

    _, connection = open_for_reading(environment.duckdb_path, environment.snapshot)
    with connection:
        yield lambda query: connection.execute(query).fetchall(), columns_of(connection)


def _vertica(environment: RunEnvironment) -> Iterator[tuple[Ask, Columns]]:
    from supervisor.sinks.vertica.connection import Link, label  # noqa: PLC0415 - as above
    from supervisor.sinks.vertica.sink import columns_of  # noqa: PLC0415 - as above

    assert environment.vertica is not None
    link = Link(environment.vertica, label("reconcile", dt.datetime.now(dt.UTC)))
    try:
        link.open()
        yield lambda query: link.run(query, "compare the levels"), columns_of(link)
    finally:
        link.close()
