"""Whether the pipelines can make sense of their settings and credentials: each is asked before anything is started.

A pipeline that offers it is called with `--check`, in its own environment and without the network, or with `--probe`,
which asks the platform too, and answers with one CHECK line (docs/wire.md). What it does not answer in time is not
known, which is no reason not to run it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
from attrs import evolve, frozen

from supervisor.config.credentials import secret_values
from supervisor.config.errors import ConfigError
from supervisor.config.redaction import redact
from supervisor.config.schema import PlatformConfig
from supervisor.process.child import SpawnError
from supervisor.report.display import printable
from supervisor.run.asking import Heard, ask
from supervisor.run.registry import Pipeline
from wire.checking import Api, CheckLine
from wire.exits import CONFIGURATION, OK
from wire.groups import OfferedTable

CHECK_SECONDS = 10.0
PROBE_SECONDS = 120.0
_MOST_BYTES = 256 * 1024
_MOST_FINDINGS = 50
_MOST_TABLES = 200
_LINE = msgspec.json.Decoder(CheckLine)


@frozen(kw_only=True)
class Answer:
    """What a pipeline said: `errors` keep it from working, `warnings` do not; `unknown` is why it said nothing.

    `tables` are those that it has anyway, whether the settings choose them or not.
    """

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    api: Api | None = None
    tables: tuple[OfferedTable, ...] = ()
    unknown: str | None = None


def ask_pipelines(
    platforms: Iterable[PlatformConfig],
    pipelines: Mapping[str, Pipeline],
    *,
    online: bool = False,
    seconds: float | None = None,
) -> dict[str, Answer]:
    """The answers of those of `platforms` that have a pipeline and offer the check, asked side by side.

    With `online` those that have reports of their own ask the platform about them.
    """
    asked = [platform for platform in platforms if platform.offers_check and platform.name in pipelines]
    if not asked:
        return {}
    over = threading.Event()
    with ThreadPoolExecutor(len(asked), thread_name_prefix="check") as pool:
        try:
            answers = pool.map(
                lambda platform: _ask(platform, pipelines[platform.name], online=online, seconds=seconds, over=over),
                asked,
            )
            return {platform.name: answer for platform, answer in zip(asked, answers, strict=True)}
        finally:
            over.set()


def _ask(
    platform: PlatformConfig, pipeline: Pipeline, *, online: bool, seconds: float | None, over: threading.Event
) -> Answer:
    probes = online and bool(platform.reports)
    question, seconds = ("--probe", seconds or PROBE_SECONDS) if probes else ("--check", seconds or CHECK_SECONDS)
    try:
        heard = ask(
            pipeline,
            question,
            platform.given,
            run_as=platform.run_as,
            seconds=seconds,
            most_bytes=_MOST_BYTES,
            over=over,
        )
    except (ConfigError, SpawnError) as error:
        return Answer(errors=(str(error),))
    if not heard.ended:
        return Answer(unknown=f"its {question} did not answer within {seconds:g} s")
    secrets = secret_values(pipeline.environment, platform.pass_environment, (platform.settings,))
    return _harmless(_understood(heard, question), secrets)


def _understood(heard: Heard, question: str) -> Answer:
    for line in heard.stdout.splitlines():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # a SCHEMA line, say, or somebody's print
            found = _LINE.decode(line)
            if heard.status not in (OK, CONFIGURATION):
                break
            errors = tuple(found.errors[:_MOST_FINDINGS])
            if heard.status == CONFIGURATION and not errors:
                errors = (f"its {question} found something wrong and does not say what",)
            warnings, tables = found.warnings[:_MOST_FINDINGS], found.tables[:_MOST_TABLES]
            return Answer(errors=errors, warnings=tuple(warnings), api=found.api, tables=tuple(tables))
    return Answer(unknown=f"its {question} ended with exit status {heard.status} and no answer; {heard.last_words}")


def _harmless(answer: Answer, secrets: frozenset[str]) -> Answer:
    """The answer without secrets, and without what a terminal would obey."""

    def clean(text: str) -> str:
        return printable(redact(text, secrets))

    api = answer.api
    return evolve(
        answer,
        errors=tuple(map(clean, answer.errors)),
        warnings=tuple(map(clean, answer.warnings)),
        api=api and Api(version=clean(api.version), ends=api.ends, source=clean(api.source)),
        tables=tuple(
            OfferedTable(clean(each.name), clean(each.group), each.is_loaded, clean(each.cost))
            for each in answer.tables
        ),
        unknown=answer.unknown and clean(answer.unknown),
    )
