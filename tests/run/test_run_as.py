"""Two platforms as two users of the system: neither sees the other's environment or files. Needs root."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.config.errors import ConfigError
from supervisor.process.user import find_user

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a process as somebody else")

TAP = """#!/bin/sh
if [ "$3" = --check ]; then
    grep -q secret-of "$2" || exit 1
    echo "{\\"type\\": \\"CHECK\\", \\"errors\\": [], \\"warnings\\": [\\"asked as $(id -un)\\"]}"
    exit 0
fi
echo '{"type": "SCHEMA", "stream": "t", "schema": {"properties": {"id": {"type": "string"}}}, "key_properties": ["id"]}'
say() { echo "{\\"type\\": \\"RECORD\\", \\"stream\\": \\"t\\", \\"record\\": {\\"id\\": \\"$1\\"}}"; }
say "user $(id -un)"
say "config $(cat "$2" | tr -d '"')"
say "temporary $(touch "$TMPDIR/mine" && echo writable)"
echo "$PPID $$ $2 $TMPDIR" > "$SHARED/$NAME"
while [ ! -s "$SHARED/$OTHER" ]; do sleep 0.05; done
read keeper pid config temporary < "$SHARED/$OTHER"
for path in /proc/$keeper/environ /proc/$pid/environ /proc/$PPID/environ "$config" "$temporary" "$temporary/mine"; do
    if [ -n "$(cat "$path" 2>/dev/null)$(ls "$temporary" 2>/dev/null)" ]; then say "can read $path"; fi
done
kill -9 $pid 2>/dev/null && say "can kill"
echo x 2>/dev/null > "$(dirname "$2")/planted" && say "can write beside its settings"
touch "$SHARED/$NAME.done"
while [ ! -e "$SHARED/$OTHER.done" ]; do sleep 0.05; done
exit 0
"""


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that everybody may pass through and write to, which those of pytest are not."""
    place = Path(tempfile.mkdtemp(prefix="run-as-"))
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


def test_one_platform_cannot_look_into_another(house: Any, open_place: Path, configured: Any) -> None:
    (open_place / "temporary").mkdir(mode=0o755)
    house.environment |= {"TMPDIR": str(open_place / "temporary"), "SHARED": str(open_place), "STORAGE_TYPE": "duckdb"}
    house.orchestrator = {"max_parallel": 2}
    program = open_place / "tap.sh"
    program.write_text(TAP)
    program.chmod(0o755)
    for name, other, user in (("one", "two", "nobody"), ("two", "one", "daemon")):
        house.platforms.append({
            "name": name, "run_as": user, "settings": {"api_key": f"secret-of-{name}"}, "timeout": 30, "check": True,
            "command": ["/usr/bin/env", f"NAME={name}", f"OTHER={other}", str(program)],
            "pass_environment": ["SHARED"], "retry": {"max_attempts": 1},
        })  # fmt: skip
    done = configured()
    assert done.returncode == 0, done.stderr
    assert "asked as nobody" in done.stderr and "asked as daemon" in done.stderr
    for name, user in (("one", "nobody"), ("two", "daemon")):
        said = {row[0] for row in house.rows(f"SELECT id FROM {name}.t")}
        assert said == {f"user {user}", f"config {{api_key: secret-of-{name}}}", "temporary writable"}
    assert not list((open_place / "temporary").iterdir())


def test_a_user_that_does_not_exist_is_that_platforms_failure(house: Any, configured: Any) -> None:
    house.tap("good", "schema(); row(id='1', n=1); state({'a': 1})")
    house.tap("stranger", "", run_as="no-such-user")
    assert configured().returncode == 2
    report = json.loads((house.directory / "execution_report.json").read_text())
    (failed,) = (each for each in report["platforms"] if each["status"] == "failed")
    assert failed["error_message"] == "platform 'stranger': run_as: there is no user 'no-such-user' on this system"


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(ConfigError, match="only root can run a platform as 'nobody', and the supervisor is uid 12345"):
        find_user("nobody")


def test_a_tree_of_another_user_is_ended_too(house: Any, open_place: Path, configured: Any) -> None:
    (open_place / "temporary").mkdir(mode=0o755)
    house.environment["TMPDIR"] = str(open_place / "temporary")
    house.platforms.append({
        "name": "p", "run_as": "nobody", "timeout": 1, "kill_grace": 0.2, "retry": {"max_attempts": 1},
        "command": ["/bin/sh", "-c", "trap '' TERM; setsid sleep 60 & sleep 61"],
    })  # fmt: skip
    assert configured().returncode == 3
