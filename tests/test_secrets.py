"""No credential leaves its place: log, report, arguments, other platforms' processes, temporary files and database."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from until import until

from supervisor.config.credentials import BUILT_IN, SINK_SECRETS

LEAK = """
values = [os.environ[name] for name in NAMES]
schema(); row(id="1", n=1); state({"a": 1})
for value in values:
    print("plain", value, file=sys.stderr)
    print(json.dumps({"Authorization": "Bearer " + value}), file=sys.stderr)
    print("https://example.com/?access_token=" + __import__("urllib.parse").parse.quote(value, safe=""), file=sys.stderr)
    for edge in (8192, 65536): os.write(2, ("x" * (edge - 15) + value + chr(10)).encode())
own = subprocess.Popen(["sleep", "600"])
open("leaked-" + sys.argv[0], "w").close()
while not os.path.exists("seen"): time.sleep(0.02)
own.kill(); own.wait()
for value in values: error("data", "refused " + value, account_id="1")
error("transient", "the server said: " + " ".join(values))
if HOW == "exception": raise RuntimeError("Bearer " + " ".join(values))
if HOW == "output": print("not json " + " ".join(values)); sys.stdout.flush()
sys.exit(75)
"""
HOWS = ("exception", "status", "output", "status")


def planted() -> dict[str, dict[str, str]]:
    """A distinct credential for every secret variable of every platform and of the sink."""
    places = {name: own.secret for name, own in BUILT_IN.items()} | {"sink": SINK_SECRETS}
    return {place: {name: f"{name.lower()}-s3cr3t/+={place}" for name in names} for place, names in places.items()}


class Watch:
    """What could be seen of the processes in a house while they ran."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.arguments: set[str] = set()
        self.environments: dict[str, set[str]] = {name: set() for name in BUILT_IN}
        self.files: dict[str, str] = {}

    def look(self, supervisor: int) -> None:
        for process in psutil.Process(supervisor).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
                self.arguments.add(line)
                inherited = "".join(process.environ().values())
            except psutil.Error:
                continue
            for name in BUILT_IN:
                if f"{name}.py" in line:
                    self.environments[name].add(inherited)
        self.arguments.add(" ".join(psutil.Process(supervisor).cmdline()))
        for path in self.directory.rglob("*"):
            try:
                self.files[str(path)] = path.read_bytes().decode("utf-8", "replace")
                if "social-ads-" in str(path):
                    assert path.stat().st_mode & 0o077 == 0, path
            except OSError:
                continue


def test_no_credential_is_found_anywhere_but_in_its_own_process(house: Any) -> None:
    secrets = planted()
    for values in secrets.values():
        house.environment |= values
    house.environment["LOG_TO_FILE"] = "true"
    house.orchestrator = {"max_parallel": 4}
    for name, how in zip(BUILT_IN, HOWS, strict=True):
        body = LEAK.replace("NAMES", repr(list(secrets[name]))).replace("HOW", repr(how))
        house.tap(name, body, settings={"start_date": "2026-01-01"}, timeout=120)
    house.write(parallel_groups=[list(BUILT_IN)])
    process = house.start("run", LOG_LEVEL="DEBUG")
    watch = Watch(house.directory)

    def all_were_seen() -> bool:
        running = len(list(house.directory.glob("leaked-*"))) == len(BUILT_IN)
        watch.look(process.pid)
        return running

    until(all_were_seen)
    (house.directory / "seen").touch()
    _, log = process.communicate(timeout=60)
    assert process.returncode == 3, log
    watch.files |= {
        str(p): p.read_bytes().decode("utf-8", "replace") for p in house.directory.rglob("*") if p.is_file()
    }

    assert all(watch.environments.values()), "every platform was seen running"
    assert any("config.json" in path for path in watch.files)
    assert log.count("[redacted]") > 4 * 8
    for place, values in secrets.items():
        for name, value in values.items():
            for spelling in (value, quote(value, safe="")):
                assert spelling not in log, name
                assert spelling[:15] not in log.replace("x" * 15, ""), name
                assert not [line for line in watch.arguments if spelling in line], name
                assert not [path for path, text in watch.files.items() if spelling in text], name
            for other, seen in watch.environments.items():
                assert (other == place) == any(value in each for each in seen), f"{name} and {other}"
