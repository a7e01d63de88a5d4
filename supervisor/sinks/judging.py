"""Which regions of a transaction may be stored: the rules of every sink, held before anything is sent anywhere.

A region that breaks one is refused alone, with a sentence that names its account, table and days; the others of the
same transaction are stored. Rows that are merged by key belong to no region, so what is wrong with them raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Refusal
from supervisor.sinks.regions import Region, region_of
from supervisor.sinks.staging import Staging
from wire.messages import Replaces
from wire.schema import Table

REMEDY = (
    "they stay. If the platform really took them back, let it be emptied once with `supervisor run --allow-emptying`, "
    "or always with `allow_emptying: true` for this platform"
)


class RowError(SinkError):
    """A row is one that the storage cannot hold."""


@frozen(kw_only=True)
class Part:
    """What a transaction stores of one stream: `source` is what follows FROM, `regions` are cleared before.

    `regions` is None where rows are merged by key. `commits` are the places of the commits in the transaction, by the
    number that the staging gave to their rows, and `counts` how many rows of each number there are to store; `once`
    says that the same row may come twice.
    """

    stream: str
    source: str
    regions: tuple[Region, ...] | None
    commits: Mapping[int, int]
    counts: Mapping[int, int]
    once: bool = False

    @property
    def count(self) -> int:
        return sum(self.counts.values())


@frozen
class Verdict:
    """The parts to store, and the refused ones of the transaction's commits, by their places."""

    commits: Sequence[Commit]
    parts: tuple[Part, ...]
    refused: Mapping[int, str]

    @property
    def streams(self) -> tuple[str, ...]:
        return tuple(part.stream for part in self.parts)

    @property
    def has_state(self) -> bool:
        return any(c.state is not None for n, c in enumerate(self.commits) if n not in self.refused)

    def results(self, stored: Mapping[str, Mapping[int, int]] | None = None) -> tuple[Mapping[str, int] | Refusal, ...]:
        """Of each commit what was stored, or why not; `stored` are the rows of each stream by their number, where the
        storage has counted them itself."""
        counts: list[dict[str, int]] = [dict.fromkeys(commit.streams, 0) for commit in self.commits]
        for part in self.parts:
            of_numbers = part.counts if stored is None else stored[part.stream]
            for number, place in part.commits.items():
                counts[place][part.stream] = of_numbers.get(number, 0)
        return tuple(
            Refusal(self.refused[place]) if place in self.refused else count for place, count in enumerate(counts)
        )


def judge(
    staging: Staging,
    commits: Sequence[Commit],
    *,
    held: Callable[[Table, Region], int],
    fits: Callable[[str, str], object] = lambda _stream, _source: None,
) -> Verdict:
    """Hold staged rows against the rules; `held` counts what the storage has of a region.

    `fits` looks through rows, given a stream and what follows FROM, and raises RowError for one that the storage cannot
    hold. Raises SinkError, and RowError where rows are merged.
    """
    parts: list[Part] = []
    refused: dict[int, str] = {}
    by_stream: dict[str, list[int]] = {}
    for place, commit in enumerate(commits):
        for stream in commit.streams:
            by_stream.setdefault(stream, []).append(place)
    for stream, places in by_stream.items():
        replaces = [each for place in places if (each := commits[place].replaces) is not None]
        if not replaces:
            source = staging.merged(stream)
            fits(stream, source)
            counts = staging.counts(source)
            parts.append(Part(stream=stream, source=source, regions=None, commits={0: places[0]}, counts=counts))
            continue
        may_empty = [commits[place].may_empty or replaces[n].confirmed for n, place in enumerate(places)]
        bench = _Bench(staging, staging.table(stream), replaces, may_empty)
        sentences = bench.sentences(held, fits)
        refused |= {places[number]: sentence for number, sentence in sentences.items()}
        left = {number: place for number, place in enumerate(places) if number not in sentences}
        regions = tuple(bench.regions[number] for number in left)
        source, once = bench.source(left), bench.has_repeats
        counts = staging.counts(source) if once else {number: bench.counts.get(number, 0) for number in left}
        parts.append(Part(stream=stream, source=source, regions=regions, commits=left, counts=counts, once=once))
    return Verdict(commits, tuple(parts), refused)


class _Bench:
    """The regions of one stream in one transaction, by the numbers that their staged rows have."""

    def __init__(self, staging: Staging, table: Table, replaces: Sequence[Replaces], may_empty: Sequence[bool]) -> None:
        self._staging = staging
        self._table = table
        self._replaces = replaces
        self._may_empty = may_empty
        self.regions = [region_of(table, each) for each in replaces]
        self.counts: dict[int, int] = {}
        self.has_repeats = False

    def source(self, numbers: Mapping[int, object] | Sequence[int]) -> str:
        chosen = None if len(numbers) == len(self._replaces) else sorted(numbers)
        return self._staging.of_regions(self._table.name, chosen, once=self.has_repeats)

    def sentences(self, held: Callable[[Table, Region], int], fits: Callable[[str, str], object]) -> Mapping[int, str]:
        """Why each region that breaks a rule is refused."""
        name = self._table.name
        found: dict[int, str] = {}
        for number, (count, outside) in self._staging.looked_through(name, self.regions).items():
            self.counts[number] = count
            if outside:
                found[number] = (
                    f"{outside} rows of {self._where(number)} lie outside the region that they replace: "
                    f"{self.regions[number].values}"
                )
        self.has_repeats = self._staging.has_repeats(name)
        if self.has_repeats:
            for number, (key, column) in self._staging.contradictions(name).items():
                found.setdefault(
                    number,
                    f"{self._where(number)} was sent two rows with the key {key} that differ in {column!r}; "
                    "the key does not tell rows apart",
                )
        for number, region in enumerate(self.regions):
            if number in found or self.counts.get(number) or self._may_empty[number]:
                continue
            rows = held(self._table, region)
            if rows:
                found[number] = (
                    f"{self._where(number)} holds {rows:,} rows, and none came in their place, without a second answer "
                    f"that says so; {REMEDY}"
                )
        return found | self._misfits([n for n in range(len(self.regions)) if n not in found], fits)

    def _misfits(self, numbers: Sequence[int], fits: Callable[[str, str], object]) -> dict[int, str]:
        """All are looked at together, and one by one only if one of them does not fit."""
        try:
            fits(self._table.name, self.source(numbers))
        except RowError as error:
            if len(numbers) == 1:
                return {numbers[0]: f"{self._where(numbers[0])}: {error}"}
            return {n: sentence for each in numbers for n, sentence in self._misfits([each], fits).items()}
        return {}

    def _where(self, number: int) -> str:
        """A region as a sentence names it: table, whose, which days."""
        replaces = self._replaces[number]
        whose = ", ".join(f"{column} {value}" for column, value in replaces.where.items())
        days = "..".join(dict.fromkeys(day for day in (replaces.first, replaces.last) if day is not None))
        return " ".join(filter(None, (repr(self._table.name), whose and f"of {whose}", days and f"for {days}")))
