"""All four consents in a real browser, which clicks Allow, and a run with nothing but what was kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from starting import ForkedSandbox

from sandbox.world import World
from supervisor.config.vendors import VENDORS

ROOT = Path(__file__).resolve().parents[2]
SUPERVISOR = str(Path(sys.executable).with_name("supervisor"))
CHROMIUM = shutil.which("chromium")
PATIENCE = 120
NOW = "2026-11-20T12:00:00+00:00"
ENDS = {"google": "2026-11-27", "microsoft": "2027-02-18", "facebook": "2027-01-19", "linkedin": "2027-11-20"}


class Chromium:
    """A browser that is told what to do over a pair of pipes (`--remote-debugging-pipe`), a JSON object and a NUL each."""

    def __init__(self, directory: Path) -> None:
        orders, self._orders = os.pipe()
        self._answers, answers = os.pipe()
        program = shlex.join([
            CHROMIUM or "", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
            f"--user-data-dir={directory / 'profile'}", "about:blank",
        ])  # fmt: skip
        # The browser reads 3 and writes 4, whatever these pipes' numbers are here.
        shell = f"exec 8<&{orders} 9>&{answers} && exec {program} 3<&8 4>&9"
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(["bash", "-c", shell], pass_fds=(orders, answers), stdout=log, stderr=log)
        os.close(orders)
        os.close(answers)
        self._watch = threading.Timer(PATIENCE * 5, self._process.kill)
        self._watch.start()
        self._read = b""
        self._count = 0
        self._session: str | None = None
        target = self._told("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._told("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def go(self, address: str) -> None:
        self._told("Page.navigate", url=address)

    def until(self, expression: str) -> Any:
        """What an expression is on the page, once it is something."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = self._told("Runtime.evaluate", expression=expression, returnByValue=True)
            if value := found.get("result", {}).get("value"):
                return value
            time.sleep(0.05)
        raise AssertionError(f"{expression} on {self._told('Runtime.evaluate', expression='document.body.innerText')}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._watch.cancel()
        os.close(self._orders)
        os.close(self._answers)

    def _told(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._count += 1
        order = {"id": self._count, "method": method, "params": parameters}
        order |= {"sessionId": self._session} if self._session else {}
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        while True:
            while b"\0" not in self._read:
                more = os.read(self._answers, 65536)
                assert more, "the browser has ended"
                self._read += more
            line, _, self._read = self._read.partition(b"\0")
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                found: dict[str, Any] = answer["result"]
                return found


@pytest.fixture
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    browser = Chromium(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


def test_the_owner_clicks_allow_and_the_night_runs(house: Any, chromium: Chromium) -> None:
    """The files are their owner's alone, each end is told, each pipeline lists the world's accounts with its new token,
    and a run has rows, although no variable holds a token."""
    google = ROOT / ".venvs" / "google" / "bin" / "python"
    opened = house.directory / "opened"
    (house.directory / "browser").write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(opened))}\n')
    (house.directory / "browser").chmod(0o755)
    (house.directory / "orchestrator_config.yml").write_text(
        yaml.safe_dump({"platforms": [{"name": "microsoft", "settings": {"start_date": "2026-11-15"}}]})
    )
    secrets = house.directory / "secrets"
    with ForkedSandbox(options=("--size", "tiny", "--as-of", NOW), interpreters={"google": google}) as sandbox:
        tokens = [token.variable for vendor in VENDORS.values() for token in vendor.tokens]
        environment = {name: value for name, value in sandbox.environment.items() if name not in tokens}
        environment |= {"SECRETS_DIRECTORY": str(secrets), "PIPELINE_NOW": NOW}
        house.environment |= environment
        world = World.at(dt.datetime.fromisoformat(NOW), "tiny")
        for platform, vendor in VENDORS.items():
            opened.unlink(missing_ok=True)
            more = ("--port", "0") if vendor.port else ()
            process = house.start("authorize", platform, *more, BROWSER=str(house.directory / "browser"))
            deadline = time.monotonic() + PATIENCE
            while not opened.exists() or not opened.read_text().endswith("\n"):
                assert process.poll() is None and time.monotonic() < deadline, process.communicate()
                time.sleep(0.05)
            chromium.go(opened.read_text().strip())
            chromium.until(
                "document.readyState === 'complete' && document.getElementById('allow')?.click() === undefined"
            )
            said = chromium.until("document.body?.innerText.includes('window can be closed') && location.href")
            assert said.startswith(f"http://{vendor.host}:"), said
            out, err = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, err
            kept = secrets / vendor.tokens[0].variable
            token = kept.read_text().strip()
            assert token and kept.stat().st_mode & 0o777 == 0o600
            assert f"{kept} is written\n" in out and re.search(rf"{kept.name} .*ends .*{ENDS[platform]}", out)
            assert token not in out + err and not any(
                value in out + err for name, value in environment.items() if name.endswith("_SECRET")
            )
            accounts = world.accounts(platform)
            assert accounts and "warning" not in out
            for account in accounts:
                line = next(line for line in out.splitlines() if line.startswith(account.id))
                assert re.search(rf"  {account.currency}  +\w", line) and account.name.split()[0] in line, line
        assert not list((house.directory / "tmp").iterdir())
        done = house.run("run")
    assert done.returncode == 0, done.stderr
    assert house.rows("SELECT count(*) FROM microsoft.campaign_daily")[0][0] > 0
