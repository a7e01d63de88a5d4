"""Run by the interpreter that has azure-mgmt-appcontainers: which fields and words of a job its models do not know.

The models are generated from the schema of Azure's resource provider. Reads the job as JSON, prints one line a mistake.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from enum import Enum
from typing import Any

from azure.mgmt.appcontainers import models


def unknown(value: Any, model: type, path: str) -> Iterator[str]:
    fields = {
        field._rest_name: model.__annotations__.get(name, "") for name, field in model({})._attr_to_rest_field.items()
    }
    for key, inner in value.items():
        if key not in fields:
            yield f"{path}.{key}"
            continue
        for name in re.findall(r"models\.(\w+)", str(fields[key])):
            kind = getattr(models, name)
            for each in inner if isinstance(inner, list) else [inner]:
                if not issubclass(kind, Enum):
                    yield from unknown(each, kind, f"{path}.{key}")
                elif each not in {word.value for word in kind}:
                    yield f"{path}.{key}: {each}"


if __name__ == "__main__":
    for mistake in unknown(json.load(sys.stdin), models.Job, "job"):
        print(mistake)
