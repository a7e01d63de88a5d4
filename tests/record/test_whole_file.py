"""A file is the old one or the whole new one, and a writer that was killed leaves nothing for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from until import until

from supervisor.record.whole_file import replace_file

DYING = """
import os, signal, sys
from pathlib import Path
from supervisor.record.whole_file import replace_file
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
replace_file(Path(sys.argv[1]), b"half")
"""


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    replace_file(path, b"old")
    done = subprocess.run([sys.executable, "-c", DYING, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    (left,) = tmp_path.glob(".r.json.*")
    os.utime(left, (time.time() - 60,) * 2)
    (tmp_path / ".r.json.20261126").write_text("somebody's own")
    replace_file(path, b"new")
    assert {each.name for each in tmp_path.iterdir()} == {"r.json", ".r.json.20261126"}
    assert path.read_bytes() == b"new"


def test_what_another_writer_is_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    waiting = DYING.replace("os.kill(os.getpid(), signal.SIGKILL)", "__import__('time').sleep(60)")
    writer = subprocess.Popen([sys.executable, "-c", waiting, str(path)])
    try:
        found = until(lambda: [path for path in tmp_path.glob(".r.json.*") if path.stat().st_size])
        os.utime(found[0], (0, 0))
        replace_file(path, b"new")
        assert found[0].exists()
    finally:
        writer.kill()
        writer.wait()
