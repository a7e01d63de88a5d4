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

_OTHER_BASE = re.compile(r"[-+]?0[0-7_]+|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?", re.ASCII)


def read_document(path: Path) -> Any:
    """The content of one YAML file; raises ConfigError with `file:line: reason` for each thing that is wrong."""
    import yaml  # noqa: PLC0415 - `supervisor --help` must not pay for it

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}") from cause
    loader = _loader_class(path)(text)
    try:
        content = loader.get_single_data()
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
