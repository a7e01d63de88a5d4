"""A Singer target that only counts: `python counting_target.py FILE`. What it costs is the reading of lines."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    records = 0
    for line in sys.stdin.buffer:
        head = line[:40]
        if b'"RECORD"' in head:
            records += 1
        elif b'"STATE"' in head:
            print(json.dumps(json.loads(line)["value"]), flush=True)
    Path(sys.argv[1]).write_text(str(records))


if __name__ == "__main__":
    main()
