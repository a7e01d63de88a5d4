"""Rows in Vertica: a schema per platform, loaded with COPY; rows, state and a ledger entry are one transaction."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from supervisor.config.errors import SinkError

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.environment import RunEnvironment, VerticaAccess
    from supervisor.sinks.reconciling import Ask, Columns
    from supervisor.sinks.vertica.history import VerticaHistory
    from supervisor.sinks.vertica.sink import VerticaSink

# What vertica-python warns of, from its first import on, is nothing for whoever reads the terminal.
warnings.filterwarnings("ignore", module=r"vertica_python\.")


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> VerticaSink:
    from supervisor.sinks.vertica.sink import VerticaSink  # noqa: PLC0415 - its libraries load only when it is used

    return VerticaSink(
        _access(environment),
        spools=spools,
        reporting_currency=environment.reporting_currency,
        shard=environment.shard,
        in_group=environment.run_group is not None,
    )


def open_history(environment: RunEnvironment) -> VerticaHistory:
    from supervisor.sinks.vertica.history import VerticaHistory  # noqa: PLC0415 - as above

    return VerticaHistory(_access(environment))


@contextmanager
def opened_for_reading(environment: RunEnvironment) -> Iterator[tuple[Ask, Columns]]:
    from supervisor.sinks.vertica.connection import Link, label  # noqa: PLC0415 - as above
    from supervisor.sinks.vertica.sink import columns_of  # noqa: PLC0415 - as above

    link = Link(_access(environment), label("reconcile"))
    try:
        link.open()
        yield lambda query: link.run(query, "compare the levels"), columns_of(link)
    finally:
        link.close()


def check(environment: RunEnvironment) -> str | None:
    from supervisor.sinks.vertica.connection import Link, label  # noqa: PLC0415 - as above

    link = Link(_access(environment), label("check"))
    try:
        link.open()
    except SinkError as error:
        return str(error)
    finally:
        link.close()
    return None


def _access(environment: RunEnvironment) -> VerticaAccess:
    if environment.vertica is None:
        raise SinkError("where Vertica is, was not said: STORAGE_TYPE=vertica needs VERTICA_HOST and its like")
    return environment.vertica
