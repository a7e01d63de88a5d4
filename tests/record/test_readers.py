"""Who can read what: every file that a run makes has the mode that docs/operating.md says."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

TAP = """
schema(); row(id='1', n=1); state({'a': 1})
open('of-the-pipeline', 'w').close()
files = {}
for _ in range(200):
    files |= {name: oct(os.stat(name).st_mode & 0o777) for name in os.listdir('.') if name.endswith(('.wal', '.lock'))}
    if len(files) == 2: break
    time.sleep(0.05)
print('while it runs', sorted(files.items()), file=sys.stderr)
"""
OPENED = {
    "owner": {"file": 0o600, "snapshot": 0o400, "directory": 0o700},
    "group": {"file": 0o640, "snapshot": 0o440, "directory": 0o750},
    "all": {"file": 0o644, "snapshot": 0o444, "directory": 0o755},
}
GIVEN = {"orchestrator_config.yml", "p.py", "tmp", "of-the-pipeline"}


def modes(directory: Path) -> dict[str, int]:
    names = [str(path.relative_to(directory)) for path in directory.rglob("*")]
    return {
        name: stat.S_IMODE((directory / name).stat().st_mode) for name in names if name.partition("/")[0] not in GIVEN
    }


@pytest.mark.parametrize("readers", OPENED)
def test_every_file_of_a_run_and_of_an_export_has_its_mode(house: Any, readers: str) -> None:
    house.tap("p", TAP)
    house.write(metrics={"textfile": "run.prom"})
    wishes = {
        "DUCKDB_SNAPSHOT": "true",
        "LOG_TO_FILE": "true",
        "REPORT_HTML_PATH": "page.html",
        "REPORT_FORMAT": "csv",
        "READABLE_BY": readers,
    }
    before = os.umask(0)
    try:
        done = house.run("run", **wishes)
        assert done.returncode == 0, done.stderr
        assert house.run("export", "--to", "out", **wishes).returncode == 0
    finally:
        os.umask(before)
    opened = OPENED[readers]
    file, directory = opened["file"], opened["directory"]
    assert modes(house.directory) == {
        "social_ads.duckdb": file,
        "social_ads.duckdb.lock": file,
        "social_ads.snapshot.duckdb": opened["snapshot"],
        "execution_report.csv": file,
        "page.html": file,
        "run.prom": 0o644,
        "logs": directory,
        "logs/supervisor.log": file,
        "out": directory,
        "out/p": directory,
        "out/p/t": directory,
        "out/p/t/data_0.parquet": file,
    }
    assert f"[('social_ads.duckdb.lock', '{file:#o}'), ('social_ads.duckdb.wal', '{file:#o}')]" in done.stderr
    assert stat.S_IMODE((house.directory / "of-the-pipeline").stat().st_mode) == 0o666, "which is the umask of the run"
