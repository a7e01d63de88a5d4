"""The live view on a real pseudo-terminal, and that everything else gets the plain log."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from until import until

SLOW = """
schema(day="date", key=("account_id", "date"), account_id="string", n="integer")
for n in range(1, 9):
    day = f"2026-11-{n:02d}"
    row(account_id="123", n=n, date=day)
    state({"n": n}, stream="t", where={"account_id": "123"}, **{"from": day, "to": day}, rows=1)
    print("INFO | half [bold]way[/bold] \\x1b[2J day", day, file=sys.stderr, flush=True)
    time.sleep(0.2)
"""
SUMMARY = "Execution Summary"
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
IN_ITS_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """`supervisor run` as the foreground job of a terminal of its own."""

    def __init__(self, house: Any, columns: int, lines: int, **environment: str) -> None:
        house.write()
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        variables = house.environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | environment
        program = str(Path(sys.executable).with_name("supervisor"))
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_ITS_OWN_TERMINAL, program, "run"],
            cwd=house.directory, env=variables, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.output = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # Linux says so when the last process has closed the other end
            while block := os.read(self._master, 65536):
                self.output += block.decode(errors="replace")

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def wait_for(self, text: str) -> None:
        until(lambda: text in self.output or self.process.poll() is not None)
        assert text in self.output

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        self.process.send_signal(signal.SIGSTOP)  # so that the reading thread's read ends before the close
        os.close(self._master)
        self._master = -1
        self.process.send_signal(signal.SIGCONT)

    def end(self) -> str:
        """Wait for the end; all that was written, without control sequences."""
        self.process.wait(timeout=60)
        self._reader.join(timeout=60)
        return CONTROLS.sub("", self.output).replace("\r\n", "\n").replace("\r", "\n")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self._master >= 0:
            os.close(self._master)


@pytest.fixture
def terminal(house: Any) -> Iterator[Any]:
    opened: list[Terminal] = []

    def start(columns: int = 120, lines: int = 30, **environment: str) -> Terminal:
        opened.append(Terminal(house, columns, lines, **environment))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


def test_a_wide_terminal_shows_each_platform_in_a_line_under_the_log(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW, memory_limit="300MiB", timeout=90)
    house.tap("later", SLOW.replace("0.2", "0"), dependencies=["slow"])
    shown = terminal()
    text = shown.end()
    assert shown.process.returncode == 0, text
    line = re.search(
        r"^▶ slow +running +(\d+) rows +\d+ rows/s +\ds/1m30s +[\d.]+ MiB/300\.0 MiB +123 t 2026-11-(\d\d)$", text, re.M
    )
    assert line, text
    assert int(line[1]) == int(line[2]) > 0
    assert "· later        pending" in text
    assert re.search(r"^✓ slow +completed +8 rows +\ds$", text, re.M)
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| INFO     \| Executing Group 1/2: slow$", text, re.M)
    assert re.search(r"\| SUCCESS  \| Platform 'slow' completed: 8 rows$", text, re.M)
    assert "Total Platforms:    2" in text.split(SUMMARY)[1]
    assert shown.output.rstrip().endswith("Report: execution_report.json")
    assert shown.output.count("\x1b[?25l") == shown.output.count("\x1b[?25h") == 1, "the cursor comes back"


def test_what_a_pipeline_says_neither_marks_up_nor_moves_the_cursor(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW.replace("0.2", "0.05"))
    shown = terminal()
    text = shown.end()
    assert r"slow | half [bold]way[/bold] \x1b[2J day 2026-11-01" in text
    assert "\x1b[2J" not in shown.output


def test_forty_columns_hold_every_line_of_the_view(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW, memory_limit="300MiB")
    house.tap("bad", "sys.exit('no such thing, and that takes a long sentence')")
    shown = terminal(columns=40)
    text = shown.end()
    assert shown.process.returncode == 2
    frame = text[: text.index(SUMMARY)].splitlines()
    lines = [line for line in frame if re.match(r"[▶✓✗·] |  \S", line)]
    assert any(line.startswith("▶ slow  running") for line in lines)
    assert any(re.match(r"  \d rows  \d+ rows/s  \ds/30s$", line) for line in lines)
    assert any(re.match(r"  .*123 t 2026-11-0\d$", line) for line in lines)
    assert "  ended with exit status 1; its last l…" in lines
    assert max(map(len, lines)) < 40


def test_a_low_terminal_keeps_what_runs_and_counts_the_rest(house: Any, terminal: Any) -> None:
    for number in range(6):
        house.tap(f"p{number}", SLOW, priority=number)
    house.orchestrator = {"max_parallel": 1}
    shown = terminal(lines=5)
    shown.wait_for("p0           running")
    shown.type(b"\x03")
    text = shown.end()
    assert "  and 4 pending" in text


def test_ctrl_c_stops_the_run_and_gives_the_cursor_back(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW + "time.sleep(60)")
    shown = terminal()
    shown.wait_for("2026-11-02")
    shown.type(b"\x03")
    text = shown.end()
    assert shown.process.returncode == 130, text
    assert re.search(r"^✗ slow +failed +\d rows +\ds +the run was stopped by SIGINT$", text, re.M)
    assert shown.output.count("\x1b[?25h") == 1
    assert SUMMARY in text
    assert "Traceback" not in text


def test_a_terminal_that_goes_away_leaves_a_report(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW)
    shown = terminal()
    shown.wait_for("2026-11-01")
    shown.hang_up()
    shown.process.wait(timeout=60)
    report = json.loads((house.directory / "execution_report.json").read_text())
    assert shown.process.returncode == report["exit_code"]
    assert report["platforms"][0]["rows_processed"] > 0


def test_no_color_has_no_colours_but_is_live(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW.replace("0.2", "0.05"))
    coloured, plain = terminal(), None
    coloured.end()
    plain = terminal(NO_COLOR="1")
    plain.end()
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert colour.search(coloured.output)
    assert not colour.search(plain.output)
    assert "slow         running" in plain.output


def test_a_view_that_cannot_be_shown_is_a_warning(house: Any, terminal: Any) -> None:
    (house.directory / "rich.py").write_text("raise RuntimeError('broken')")
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    shown = terminal(PYTHONPATH=str(house.directory))
    text = shown.end()
    assert shown.process.returncode == 0
    assert "WARNING  | The live view cannot be shown: RuntimeError: broken" in text
    assert "Platform 'one' completed: 1 rows" in text


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"LOG_FORMAT": "json"}])
def test_a_dumb_terminal_and_a_json_log_get_lines_only(house: Any, terminal: Any, environment: dict[str, str]) -> None:
    house.tap("slow", "schema(); row(id='1', n=1); state({'a': 1})")
    shown = terminal(**environment)
    shown.end()
    assert shown.process.returncode == 0
    assert "\x1b" not in shown.output


def test_a_terminal_without_unicode_gets_ascii(house: Any, terminal: Any) -> None:
    house.tap("slow", SLOW.replace("0.2", "0.05"))
    shown = terminal(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    text = shown.end()
    assert "> slow         running" in text
    assert text.isascii()


def test_no_terminal_gets_the_log_lines_and_nothing_else(house: Any, configured: Any) -> None:
    house.tap("one", "schema(); row(id='1', n=1); state({'a': 1})")
    done = configured()
    log = done.stderr.split("=" * 60)[0].splitlines()
    assert [line.split(" | ", 1)[1] for line in log if "Run " not in line] == [
        "INFO     | Starting Social Ads Orchestrator",
        "INFO     | Executing Group 1/1: one",
        "INFO     | Platform 'one' started",
        "SUCCESS  | Platform 'one' completed: 1 rows",
    ]
    assert "\x1b" not in done.stderr
