"""The storages that rows are loaded into: each on this machine, empty, and asked afterwards what it holds."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import vertica_python  # type: ignore[import-untyped]  # it has no py.typed
from attrs import frozen
from azure.data.tables import TableClient

from bench import counting_target, rows
from bench.process import BenchError
from bench.supervised import check as check_file
from sandbox.azurite import Azurite
from sandbox.vertica.running import VerticaDouble

_USER, _PASSWORD, _DATABASE = "bench", "a-password", "bench"
_PREFIX = "bench"


@frozen(kw_only=True)
class Storage:
    """`variables` point `supervisor run` to it; `check` raises BenchError unless it holds exactly the rows sent.

    `waits` are how many locks sessions had after a wait for each other, and how long they waited in all, in seconds.
    """

    kind: str
    where: str
    variables: Mapping[str, str]
    check: Callable[[str, int, int], None]
    waits: Callable[[], tuple[int, float]] = lambda: (0, 0.0)


@contextmanager
def duckdb(directory: Path) -> Iterator[Storage]:
    path = directory / "x.duckdb"
    yield Storage(
        kind="duckdb", where="DuckDB file with its snapshot", variables={"DUCKDB_PATH": str(path)},
        check=lambda platform, count, window: check_file(path, f"{platform}.{rows.STREAM}", count, window),
    )  # fmt: skip


@contextmanager
def none(directory: Path) -> Iterator[Storage]:
    history = directory / "history.jsonl"
    yield Storage(
        kind="none", where="nowhere", variables={"STORAGE_TYPE": "none", "HISTORY_PATH": str(history)},
        check=_told_by_the_report,
    )  # fmt: skip


@contextmanager
def vertica(directory: Path) -> Iterator[Storage]:  # noqa: ARG001 - it keeps everything in memory
    with VerticaDouble(users={_USER: _PASSWORD}, database=_DATABASE) as server:

        def check(platform: str, count: int, window: int) -> None:
            with vertica_python.connect(
                host=server.host,
                port=server.port,
                user=_USER,
                password=_PASSWORD,
                database=_DATABASE,
                tlsmode="disable",
            ) as connection:
                cursor = connection.cursor()
                cursor.execute(
                    "SELECT count(*), sum(impressions), sum(clicks), sum(cost), sum(conversions) "
                    f'FROM "{platform}"."{rows.STREAM}"'
                )
                _compare("Vertica", tuple(cursor.fetchall()[0]), count, window)

        yield Storage(
            kind="vertica", where="the Vertica double (DuckDB behind Vertica's protocol)", check=check,
            waits=server.waits,
            variables={
                "STORAGE_TYPE": "vertica", "VERTICA_HOST": server.host, "VERTICA_PORT": str(server.port),
                "VERTICA_DATABASE": _DATABASE, "VERTICA_USER": _USER, "VERTICA_PASSWORD": _PASSWORD,
            },
        )  # fmt: skip


@contextmanager
def azure_table(directory: Path) -> Iterator[Storage]:  # noqa: ARG001 - as above
    with Azurite() as emulator:

        def check(platform: str, count: int, window: int) -> None:
            name = f"{_PREFIX}{platform}{rows.STREAM.replace('_', '')}"
            found = [0, 0, 0, Decimal(0), 0.0]
            with TableClient.from_connection_string(emulator.connection_string, name) as client:
                for entity in client.list_entities(results_per_page=1000):
                    if "campaign_id" in entity:
                        values: list[Any] = [
                            1, entity["impressions"].value, entity["clicks"].value, Decimal(entity["cost"]),
                            entity["conversions"],
                        ]  # fmt: skip
                        found = [a + b for a, b in zip(found, values, strict=True)]
            _compare("Azure", tuple(found), count, window)

        yield Storage(
            kind="azure_table", where="Azurite, Microsoft's emulator", check=check,
            variables={
                "STORAGE_TYPE": "azure_table", "AZURE_STORAGE_CONNECTION_STRING": emulator.connection_string,
                "AZURE_TABLE_NAME": _PREFIX,
            },
        )  # fmt: skip


@contextmanager
def singer(directory: Path) -> Iterator[Storage]:
    counted = directory / "counted"
    command = shlex.join([sys.executable, counting_target.__file__, str(counted)])

    def check(platform: str, count: int, window: int) -> None:  # noqa: ARG001 - only the rows are counted
        found = int(counted.read_text())
        if found != count:
            raise BenchError(f"the Singer target counted {found:,} of {count:,} rows of {platform}")

    yield Storage(
        kind="singer", where="a Singer target that only counts", check=check,
        variables={
            "STORAGE_TYPE": "singer", "SINGER_TARGET_COMMAND": command,
            "SINGER_STATE_PATH": str(directory / "state.json"), "HISTORY_PATH": str(directory / "history.jsonl"),
        },
    )  # fmt: skip


def _told_by_the_report(platform: str, count: int, window: int) -> None:
    """What is kept nowhere can only be counted, and the report has been looked at."""


def _compare(where: str, found: tuple[Any, ...], count: int, window: int) -> None:
    whole = rows.expected(count, window)
    wanted = (whole[0], *whole[3:7])
    if found != wanted:
        raise BenchError(f"{where} holds {found}, not {wanted}")
