"""What a run ends with, and a group of runs; docs/configuration.md and README tell users. 1 is what must be mended."""

from __future__ import annotations

EXIT_SUCCESS = 0
EXIT_PARTIAL = 2
EXIT_ALL_FAILED = 3
EXIT_STOPPED = 4
