"""The results as a Markdown table, the machine they are of, and the place in the documentation that keeps both."""

from __future__ import annotations

import datetime as dt
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.process import ROOT
from bench.result import Result

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
_LIBRARIES = ("duckdb", "msgspec", "psutil", "attrs")
_PEERS = {"bench-dlt": ("dlt", "pyarrow", "duckdb"), "bench-target-duckdb": ("target-duckdb", "duckdb")}
_ASK = "import sys, importlib.metadata as m; print(*(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"


def table(results: Sequence[Result]) -> str:
    lines = [
        "| measurement | what runs | figure | aim | peak memory | CPU | runs |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in results:
        cells = (each.name, each.what, each.figure, each.aim, f"{each.peak_bytes / 2**20:,.0f} MiB")
        lines.append(f"| {' | '.join(cells)} | {each.cpu_seconds:.2f} s | {each.note} |")
    return "\n".join([*lines, *_ratios(results)])


def _ratios(results: Sequence[Result]) -> list[str]:
    """How our load compares with each peer's, where one run measured both."""
    rates = {each.name: each.rows_per_second for each in results if each.rows_per_second}
    own = rates.get("load")
    peers = {name.removeprefix("peer: "): rate for name, rate in rates.items() if name.startswith("peer: ")}
    if own is None or not peers:
        return []
    ratios = "; ".join(f"{name}: {own / rate:.1f}" for name, rate in peers.items())
    return ["", f"Rows per second of `load` divided by those of each peer in the same run: {ratios}."]


def machine() -> str:
    processor = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    system = next((line.partition("=")[2].strip('"') for line in _lines("/etc/os-release") if "PRETTY" in line), "")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        f"{os.cpu_count()} × {processor}, {memory:.0f} GiB",
        f"{system}, kernel {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        *(f"`{name}`: {found}" for name, names in _PEERS.items() if (found := _installed(name, names))),
        f"measured on {dt.datetime.now(dt.UTC):%Y-%m-%d}, load average before it {_LOAD:.1f}",
    ]
    return "\n".join(f"* {part}" for part in parts)


def write(results: Sequence[Result]) -> None:
    """Put machine and table between the markers of docs/performance.md."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        sys.exit(f"{DOCUMENT} lacks the markers {BEGIN} and {END}")
    kept = f"{before}{BEGIN}\n{machine()}\n\n{table(results)}\n{END}{after}"
    DOCUMENT.write_text(kept, encoding="utf-8")


_LOAD = os.getloadavg()[0]


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _installed(name: str, packages: Sequence[str]) -> str:
    python = ROOT / ".venvs" / name / "bin" / "python"
    if not python.exists():
        return ""
    return subprocess.run([python, "-c", _ASK, *packages], capture_output=True, text=True, check=True).stdout.strip()
