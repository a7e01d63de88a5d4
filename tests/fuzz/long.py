"""`python tests/fuzz/long.py SECONDS [READER ...]`: mutate the seeds of each reader, led by what of the code they reach.

The engine is atheris (libFuzzer). An input at which a reader fails is kept among its seeds, where the tests find it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def main(seconds: int, names: list[str]) -> int:
    if not names:
        from readers import READERS

        names = list(READERS)
    failed = [name for name in names if not _fuzzed(name, max(1, seconds // len(names)))]
    print(f"failed: {', '.join(failed)}" if failed else "no reader failed")
    return 1 if failed else 0


def _fuzzed(name: str, seconds: int) -> bool:
    """Fuzz one reader in a process of its own, and say how often it was called; whether it held."""
    with tempfile.TemporaryDirectory() as corpus:
        done = subprocess.run(
            [
                *(sys.executable, __file__, "--child", name, corpus, str(HERE / "seeds" / name)),
                *(f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=2000", "-print_final_stats=1"),
                *("-max_len=20000", f"-artifact_prefix={HERE / 'seeds' / name}/"),
            ],
            capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    count = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    reached = re.findall(r"cov: (\d+)", done.stderr)
    print(f"{name}: {int(count.group(1)) if count else 0:,} inputs in {seconds} s, {reached[-1] if reached else '?'} places of the code", flush=True)  # fmt: skip
    if done.returncode:
        print("\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
    return done.returncode == 0


def _child(name: str, arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["wire", "supervisor"]):
        from readers import READERS

    atheris.Setup([sys.argv[0], *arguments], READERS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    if sys.argv[1] == "--child":
        _child(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
