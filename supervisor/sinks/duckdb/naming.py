"""What a DuckDB file cannot be called: DuckDB names the database after it, and a schema of that name is ambiguous."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from supervisor.sinks.unified import SOURCES


def taken_name(path: Path, platforms: Iterable[str] = ()) -> str | None:
    """Why a file cannot have this name, or None. Each of the platforms has a schema, and so have the built-in ones.

    Asked for `google.campaign_daily`, DuckDB could not tell the database from the schema of that name.
    """
    name = path.name.lstrip(".").partition(".")[0].lower()
    if name not in {"ads", "_supervisor", *SOURCES, *map(str.lower, platforms)}:
        return None
    return f"DUCKDB_PATH: a file called {path.name} would have the name of the schema {name}; rename it"
