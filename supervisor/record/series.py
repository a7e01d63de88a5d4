"""What a process tree used over time, as a series that stays short however long the attempt lasts."""

from __future__ import annotations

from attrs import define, field

_LONGEST = 240


@define
class Series:
    """Points of (seconds since the start, memory in bytes, CPU seconds so far); about evenly spaced."""

    _points: list[tuple[float, int, float]] = field(factory=list)
    _apart: float = 0.0

    def add(self, seconds: float, memory_bytes: int, cpu_seconds: float) -> None:
        """Keep a look, unless the last one kept is too near; every other point goes when there are too many."""
        if self._points and seconds < self._points[-1][0] + self._apart:
            return
        self._points.append((round(seconds, 2), memory_bytes, round(cpu_seconds, 2)))
        if len(self._points) > _LONGEST:
            self._points = self._points[::2]
            self._apart = 0.9 * (self._points[-1][0] - self._points[0][0]) / (len(self._points) - 1)

    @property
    def points(self) -> tuple[tuple[float, int, float], ...]:
        return tuple(self._points)

    @property
    def cpu_seconds(self) -> float:
        return self._points[-1][2] if self._points else 0.0
