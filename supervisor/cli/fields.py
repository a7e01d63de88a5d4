"""`supervisor fields`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from supervisor.cli import options
from supervisor.cli.printing import print_lines
from supervisor.cli.syntax import Command

if TYPE_CHECKING:
    from wire.listing import FieldsLine, ListedField


@click.command("fields", cls=Command)
@click.argument("platform", metavar="PLATFORM", shell_complete=options.platform_names)
@options.config
@click.option("--of", metavar="NAME", help="only what can be asked of this resource, level, report or entity")
@click.option("--like", metavar="WORD", help="only fields with this in their name or description")
@click.option("--json", "as_json", is_flag=True, help="all that is known, as one JSON object")
def command(platform: str, config: Path, of: str | None, like: str | None, as_json: bool) -> None:
    from supervisor.config.errors import ConfigError  # noqa: PLC0415 - as in `supervisor run`
    from supervisor.config.schema import load_orchestrator_config  # noqa: PLC0415 - as above
    from supervisor.run.field_list import field_list  # noqa: PLC0415 - as above
    from supervisor.run.registry import create_default_registry  # noqa: PLC0415 - as above

    registry, run_as = create_default_registry(), None
    if config.exists() or config != options.CONFIG:
        loaded = load_orchestrator_config(config)
        registry, run_as = registry.with_configured(loaded), loaded.get_platform(platform).run_as
    found = field_list(registry.get_pipeline(platform), run_as=run_as)
    if of is not None and of not in found.of:
        from wire.definitions import did_you_mean  # noqa: PLC0415 - as above

        raise ConfigError(f"{platform} has no reports of {of!r}; {did_you_mean(of, found.of)}")
    print_lines(_json(found, of, like) if as_json else _lines(found, of, like))


def _chosen(found: FieldsLine, of: str | None, like: str | None) -> list[ListedField]:
    return [
        field
        for field in found.fields
        if (of is None or not field.of or of in field.of)
        and (like is None or like.lower() in f"{field.name} {field.note}".lower())
    ]


def _json(found: FieldsLine, of: str | None, like: str | None) -> Iterator[str]:
    import msgspec  # noqa: PLC0415 - as in `supervisor run`

    chosen = msgspec.structs.replace(found, fields=_chosen(found, of, like), of=[of] if of else found.of)
    yield msgspec.json.encode(chosen).decode()


def _lines(found: FieldsLine, of: str | None, like: str | None) -> Iterator[str]:
    from supervisor.report.display import counted, printable, table  # noqa: PLC0415 - as in `supervisor run`

    chosen = _chosen(found, of, like)
    if of is None and like is None:
        yield f"of: {', '.join(map(printable, found.of))}"
        yield ""
    several = Counter(field.name for field in chosen if of is None)
    rows = [
        (printable(field.name), field.role, field.type, printable(_about(field, tells_of=several[field.name] > 1)))
        for field in sorted(chosen, key=lambda field: field.role)
    ]
    yield from table([("field", "under", "type", "meaning"), *rows]) if rows else ()
    yield f"{counted(len(chosen), 'field')}, from {printable(found.source)}"


def _about(field: ListedField, *, tells_of: bool) -> str:
    """What is to be known of a field, with what it can be asked of where a namesake can be asked of something else."""
    of, excludes = _some(field.of, 3) if tells_of else "", _some(field.excludes, 6)
    return "; ".join(filter(None, (of and f"in {of}", field.note, excludes and f"not beside {excludes}")))


def _some(names: Sequence[str], most: int) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
