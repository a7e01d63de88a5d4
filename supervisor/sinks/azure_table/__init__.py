"""Azure Table Storage: a table per stream, a partition per account and day, and a marker on each whole partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.environment import AzureAccess, RunEnvironment
    from supervisor.sinks.azure_table.history import AzureHistory
    from supervisor.sinks.azure_table.sink import AzureSink


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> AzureSink:
    from supervisor.sinks.azure_table.sink import AzureSink  # noqa: PLC0415 - the SDK loads only when it is used

    return AzureSink(_access(environment), spools=spools, shard=environment.shard)


def open_history(environment: RunEnvironment) -> AzureHistory:
    from supervisor.sinks.azure_table.history import AzureHistory  # noqa: PLC0415 - as above

    return AzureHistory(_access(environment))


def check(environment: RunEnvironment) -> str | None:
    from supervisor.config.errors import SinkError  # noqa: PLC0415 - as above
    from supervisor.sinks.azure_table.access import IMPATIENT, Account  # noqa: PLC0415 - as above
    from supervisor.sinks.azure_table.catalog import exists, own_table  # noqa: PLC0415 - as above

    try:
        account = Account(_access(environment), IMPATIENT)
        with account.refusals():
            exists(account.table(own_table(account.prefix)))
        account.close()
    except SinkError as error:
        return str(error)
    return None


def _access(environment: RunEnvironment) -> AzureAccess:
    assert environment.azure is not None, "STORAGE_TYPE=azure_table has read it"
    return environment.azure
