"""The configuration that `supervisor init` writes: the one that is shipped, with the chosen platforms alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from supervisor.cli.options import CONFIG
from supervisor.config.credentials import missing_credentials
from supervisor.config.errors import ConfigError
from supervisor.config.spelling import meant
from supervisor.environments.places import built_in

PLATFORMS = ("google", "microsoft", "facebook", "linkedin")
_COMMENTED = re.compile(r"(?m)^ +(\w+):.*?(#.*)$")
_COLUMN = 29


def text_for(chosen: Sequence[str]) -> str:
    """The shipped configuration with `chosen` platforms, or all where none is chosen; raises ConfigError."""
    unknown = [name for name in chosen if name not in PLATFORMS]
    if unknown:
        raise ConfigError(f"there is no platform {name!r} to begin with; {meant(name, PLATFORMS)}" for name in unknown)
    shipped = (built_in() / CONFIG).read_text(encoding="utf-8")
    head, blocks, groups = _taken_apart(shipped)
    comments = dict(pair for block in reversed(blocks.values()) for pair in _COMMENTED.findall(block))
    first, *others = [name for name in blocks if name in (chosen or PLATFORMS)]
    kept = [_commented(blocks[first], comments), *(blocks[name] for name in others)]
    return head + "\n".join(kept) + "\n" + _groups_of([first, *others], groups)


def refuse_what_is_there(path: Path) -> None:
    """Raises ConfigError where the file is there already, before anybody is asked for what would not be written."""
    if path.exists():
        raise _there(path)


def write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet; raises ConfigError."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise _there(path) from None
    except OSError as cause:
        raise ConfigError(f"{path} cannot be written: {cause.strerror}") from cause


def _there(path: Path) -> ConfigError:
    return ConfigError(f"{path} is there already, and nothing is overwritten; --config names another")


def still_to_do(chosen: Sequence[str], config: Path) -> list[str]:
    """What is missing until the first run, a line each."""
    named = "" if config == CONFIG else f" --config {config}"
    findings = {name: missing_credentials(name) for name in chosen or PLATFORMS}
    authorized = "".join(f"supervisor authorize {name}{named} && " for name, finding in findings.items() if finding)
    return [
        *(finding for finding in findings.values() if finding),
        f"then: supervisor install{named} && {authorized}supervisor check{named} && supervisor run{named}",
    ]


def _taken_apart(shipped: str) -> tuple[str, dict[str, str], str]:
    """What stands before the platforms, each platform's lines, and the lines about groups."""
    head, begin, rest = shipped.partition("platforms:\n")
    platforms, comment, groups = rest.partition("# Groups")
    blocks = {block.split()[2]: f"{block.rstrip()}\n" for block in re.split(r"(?m)^(?=  - name:)", platforms) if block}
    return head + begin, blocks, comment + groups


def _commented(block: str, comments: dict[str, str]) -> str:
    """The first platform's lines explain themselves, whichever is the first."""
    lines = []
    for line in block.splitlines():
        comment = comments.get(line.strip().partition(":")[0])
        lines.append(f"{line:<{_COLUMN - 2}}  {comment}" if comment and "#" not in line else line)
    return "\n".join(lines) + "\n"


def _groups_of(names: Sequence[str], groups: str) -> str:
    """The groups without the platforms that were not chosen, and without groups that are empty then."""
    lines = []
    for line in groups.splitlines():
        members = re.fullmatch(r"  - \[(.*)\]", line)
        kept = [name for name in members[1].split(", ") if name in names] if members else []
        if members is None or kept:
            lines.append(f"  - [{', '.join(kept)}]" if members else line)
    return "\n".join(lines) + "\n"
