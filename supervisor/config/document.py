"""One YAML file as plain values, without the guesses of YAML 1.1 that change what its author wrote.

Dates stay the text that was written, because settings travel on as JSON. A key given twice, and a number that YAML
would read in base 8 or 60, are findings instead of surprises.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from supervisor.config.errors import ConfigError

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, ScalarNode

_DEEPEST = 64
_MOST_NODES = 100_000
_OTHER_BASE = re.compile(r"[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII)


def read_document(path: Path) -> Any:
    """The content of one YAML file; raises ConfigError with `file:line: reason` for each thing that is wrong."""
    import yaml  # noqa: PLC0415 - `supervisor --help` must not pay for it

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except IsADirectoryError:
        inside = path / "orchestrator_config.yml"
        raise ConfigError(f"{path} cannot be read: Is a directory; name the file in it, {inside} say") from None
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}") from cause
    loader = _loader_class(path)(text)
    try:
        _check_depth(text)
        node = loader.get_single_node()
        _check_size(node)
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise ConfigError(f"{path}{line}: {cause.problem or cause.context}") from cause
    except (yaml.YAMLError, ValueError, RecursionError) as cause:
        raise ConfigError(f"{path}: {' '.join(str(cause).split())}") from cause
    finally:
        loader.dispose()
    if loader.findings:
        raise ConfigError(loader.findings)
    return content


def _check_depth(text: str) -> None:
    """Raise ValueError for what nests so deeply that the composer, which calls itself, would end the process."""
    import yaml  # noqa: PLC0415 - see above

    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _DEEPEST:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise ValueError(f"line {line} is nested more than {_DEEPEST} deep")


def _check_size(root: Any) -> None:
    """Raise ValueError where aliases (`*name`) make the document far larger than it is written."""
    sizes: dict[int, int] = {}
    under_way: set[int] = set()

    def size(node: Any) -> int:
        if id(node) in under_way:
            return 0  # what contains itself is refused where it stands: no setting can
        if id(node) not in sizes:
            under_way.add(id(node))
            inner = [each for pair in node.value for each in pair] if node.id == "mapping" else node.value
            sizes[id(node)] = 1 + (sum(map(size, inner)) if node.id != "scalar" else 0)
            under_way.discard(id(node))
        return sizes[id(node)]

    if root is not None and size(root) > _MOST_NODES:
        raise ValueError(f"its aliases make more than {_MOST_NODES:,} values of it")


def _loader_class(path: Path) -> Any:
    import yaml  # noqa: PLC0415 - see above

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # the class is chosen at run time: libyaml's where it is built in
        def __init__(self, text: str) -> None:
            super().__init__(text)
            self.findings: list[str] = []

        def found(self, node: Any, sentence: str) -> None:
            self.findings.append(f"{path}:{node.start_mark.line + 1}: {sentence}")

    def mapping(loader: Any, node: MappingNode) -> Any:
        lines: dict[Hashable, int] = {}
        for key, _ in node.value:
            name = getattr(key, "value", None)
            if isinstance(name, str) and name != "<<":
                if name in lines:
                    loader.found(key, f"the key {name!r} is given twice; the first is in line {lines[name]}")
                lines.setdefault(name, key.start_mark.line + 1)
        return base.construct_yaml_map(loader, node)

    def number(loader: Any, node: ScalarNode) -> Any:
        if _OTHER_BASE.fullmatch(node.value):
            value = base.construct_yaml_int(loader, node)
            loader.found(node, f"YAML reads {node.value} as the number {value}; put it in quotes if it is a text")
        return base.construct_yaml_int(loader, node)

    Loader.add_constructor("tag:yaml.org,2002:map", mapping)
    Loader.add_constructor("tag:yaml.org,2002:int", number)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", base.construct_yaml_str)
    return Loader
