"""The files that credentials may come from: google-ads.yaml, and the key file of a service account.

No sentence quotes what a file holds, because that may be a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wire import Kind, PipelineError

_KEY = ("type", "client_email", "private_key", "token_uri")


def read_yaml(path: Path) -> Mapping[str, Any]:
    """The keys of a google-ads.yaml; raises PipelineError (config) where it cannot be read."""
    import yaml  # noqa: PLC0415 - comes with the SDK, and only a configuration file needs it

    try:
        content = yaml.safe_load(_text(path, "GOOGLE_CONFIG_FILE"))
    except yaml.YAMLError as cause:
        raise _wrong("GOOGLE_CONFIG_FILE", path, "is not valid YAML") from cause
    if not isinstance(content, dict):
        raise _wrong("GOOGLE_CONFIG_FILE", path, "does not hold keys and values")
    return content


def read_key_file(path: Path) -> Mapping[str, Any]:
    """The key of a service account as the Cloud console gives it; raises PipelineError (config) where it is none."""
    try:
        content = json.loads(_text(path, "json_key_file_path"))
    except ValueError as cause:
        raise _wrong("json_key_file_path", path, "is not the key file of a service account: no JSON") from cause
    missing = [name for name in _KEY if not (content.get(name) if isinstance(content, dict) else None)]
    if missing:
        raise _wrong("json_key_file_path", path, f"is not the key file of a service account: no {', '.join(missing)}")
    if content["type"] != "service_account":
        raise _wrong("json_key_file_path", path, "is the key file of something else than a service account")
    return dict(content)


def _text(path: Path, source: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise _wrong(source, path, f"cannot be read: {reason}") from cause


def _wrong(source: str, path: Path, reason: str) -> PipelineError:
    return PipelineError(Kind.CONFIG, f"{source}: {path} {reason}")
