"""The accounts that a login can see, as the platform's own pipeline lists them: `--discover-accounts`, docs/wire.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from attrs import frozen

from supervisor.config.credentials import secret_values
from supervisor.config.errors import ConfigError
from supervisor.config.redaction import redact
from supervisor.process.child import SpawnError
from supervisor.report.display import printable
from supervisor.run.asking import Heard, ask
from supervisor.run.registry import Pipeline
from wire.listing import AccountsLine, ListedAccount
from wire.messages import ErrorLine

_SECONDS = 120.0
_MOST_BYTES = 16 * 1024 * 1024
_LINE = msgspec.json.Decoder(AccountsLine | ErrorLine)


@frozen(kw_only=True)
class AccountList:
    """What was listed, and what could not be, a sentence each; neither holds a secret."""

    accounts: tuple[ListedAccount, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        return [(each.id, each.name, each.currency, each.status) for each in self.accounts]


def account_list(pipeline: Pipeline, settings: Mapping[str, Any], *, run_as: str | None = None) -> AccountList:
    """Ask the pipeline, as the user of its runs; what goes wrong is among the problems."""
    try:
        heard = ask(pipeline, "--discover-accounts", settings, run_as=run_as, seconds=_SECONDS, most_bytes=_MOST_BYTES)
    except (ConfigError, SpawnError) as error:
        return AccountList(problems=(str(error),))
    secrets = secret_values(pipeline.environment, (), (settings,))
    lines = list(_lines(heard))
    accounts = tuple(
        ListedAccount(*(printable(redact(text, secrets)) for text in msgspec.structs.astuple(account)))
        for line in lines
        if isinstance(line, AccountsLine)
        for account in line.accounts
    )
    problems = [line.message for line in lines if isinstance(line, ErrorLine)]
    if not heard.ended:
        problems.append(f"the list of accounts was not there within {_SECONDS:g} s")
    elif heard.status and not problems:
        problems.append(f"the accounts could not be listed (exit status {heard.status}); {heard.last_words}")
    return AccountList(accounts=accounts, problems=tuple(printable(redact(each, secrets)) for each in problems))


def _lines(heard: Heard) -> Iterator[AccountsLine | ErrorLine]:
    for line in heard.stdout.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # somebody's print
            yield _LINE.decode(line)
