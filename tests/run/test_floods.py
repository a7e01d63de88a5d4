"""What a pipeline sends too much of costs its own attempt a sentence, and the supervisor no memory."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

MOST_MEMORY = 300 * 2**20
ALL = (
    "def flood(text, times):\n    with os.fdopen(1, 'wb') as out:\n        for n in range(times): out.write(text(n))\n"
)
SCHEMA = 'b\'{"type":"SCHEMA","stream":"s%d","schema":{"properties":{"id":{"type":"string"}}},"key_properties":["id"]}\\n\' % n'
ERROR = 'b\'{"type":"ERROR","kind":"data","message":"%s","account_id":"%d"}\\n\' % (b\'x\' * SIZE, n)'
FLOODS = {
    "streams": (f"flood(lambda n: {SCHEMA}, 20_000)", "more than 2,000 streams"),
    "errors": (f"flood(lambda n: {ERROR}, 150)".replace("SIZE", "4_000_000"), "an ERROR is longer than 65,536 bytes"),
    "small errors": (f"flood(lambda n: {ERROR}, 200_000)".replace("SIZE", "40"), "more than 10,000 ERROR lines"),
    "columns": ("schema(**{f'c{n}': 'integer' for n in range(100_000)}, id='string')", "a SCHEMA is longer than"),
    "deep": ("os.write(1, b'[' * 60_000 + b']' * 60_000 + b'\\n')", "not a message"),
    "digits": ("os.write(1, b'{\"type\":\"STATE\",\"value\":{\"n\":' + b'9' * 5_000 + b'}}\\n')", "4,300 digits"),
    "a loud log": (
        "for n in range(30): os.write(2, b'y\\n' * 30_000 + b'METRIC: {\"metric\": \"http_request_count\", \"value\": 1}\\n' * 10)\n"
        "os.write(2, b'why it ends\\n'); sys.exit(78)",
        "its last line was: why it ends",
    ),
}  # fmt: skip


def test_what_is_too_much_ends_its_attempt_with_a_sentence_and_takes_no_memory(house: Any) -> None:
    house.orchestrator = {"max_parallel": 2}
    for name, (body, _) in FLOODS.items():
        house.tap(name.replace(" ", "_"), ALL + body, timeout=300)
    house.tap("calm", "schema(); row(id='1', n=1); state({'a': 1})")
    house.write(parallel_groups=[[each["name"] for each in house.platforms]])
    run = house.start("run", STORAGE_TYPE="none")
    peaks = [0]

    def watch() -> None:
        while run.returncode is None:
            peaks.append(peak_memory(run.pid))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, log = run.communicate(timeout=300)
    watcher.join()
    peak = max(peaks)
    assert "Traceback" not in log.replace("| Traceback", "")  # a pipeline's own
    report = json.loads((house.directory / "execution_report.json").read_text())
    found = {each["platform_name"]: each for each in report["platforms"]}
    assert found["calm"]["status"] == "completed"
    for name, (_, sentence) in FLOODS.items():
        assert sentence in found[name.replace(" ", "_")]["error_message"], name
    assert 0 < peak < MOST_MEMORY, f"{peak / 2**20:.0f} MiB"
    assert (house.directory / "execution_report.json").stat().st_size < 20_000_000
    assert log.count(" y\n") == 10_000 + 19, "and the last words"
    assert found["a_loud_log"]["attempts"][0]["api_calls"] == 300


def peak_memory(pid: int) -> int:
    """The most that a process has had resident so far, in bytes; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
