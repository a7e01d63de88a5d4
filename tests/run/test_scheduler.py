"""Any graph of dependencies gives a valid order, or every circle in it is named."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from supervisor.config.errors import ConfigError
from supervisor.config.schema import PlatformConfig
from supervisor.run.scheduler import PlatformScheduler

NAMES = [f"p{number}" for number in range(8)]


def platform(name: str, *needs: str, priority: int = 100, enabled: bool = True) -> PlatformConfig:
    return PlatformConfig(name=name, dependencies=needs, priority=priority, enabled=enabled)


def names(groups: list[list[PlatformConfig]]) -> list[list[str]]:
    return [[each.name for each in group] for group in groups]


def refusals(scheduler: PlatformScheduler, *platforms: PlatformConfig) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        scheduler.schedule_platforms(platforms)
    return caught.value.findings


@st.composite
def graphs(draw: st.DrawFn, *, circles: bool) -> list[PlatformConfig]:
    """Up to eight platforms in any order of the file; without circles each needs only earlier ones of `NAMES`."""
    count = draw(st.integers(1, len(NAMES)))
    made = []
    for number in range(count):
        candidates = NAMES[:count] if circles else NAMES[:number]
        needs = draw(st.lists(st.sampled_from(candidates), unique=True, max_size=4)) if candidates else []
        made.append(platform(NAMES[number], *needs, priority=draw(st.integers(-2, 2))))
    return draw(st.permutations(made))


@given(graphs(circles=False), st.booleans())
def test_a_graph_without_circles_gives_each_platform_once_and_after_what_it_needs(
    platforms: list[PlatformConfig], parallel: bool
) -> None:
    groups = PlatformScheduler(parallel_execution=parallel).schedule_platforms(platforms)
    assert sorted(name for group in names(groups) for name in group) == sorted(each.name for each in platforms)
    done: set[str] = set()
    for group in groups:
        assert all(set(each.dependencies) <= done for each in group)
        done |= {each.name for each in group}
        assert parallel or len(group) == 1


@given(graphs(circles=False))
def test_a_level_holds_whatever_could_run_by_then_in_order_of_priority(platforms: list[PlatformConfig]) -> None:
    position = {each.name: index for index, each in enumerate(platforms)}
    done: set[str] = set()
    for group in PlatformScheduler().schedule_platforms(platforms):
        ready = {each.name for each in platforms if each.name not in done and set(each.dependencies) <= done}
        assert {each.name for each in group} == ready
        keys = [(each.priority, position[each.name]) for each in group]
        assert keys == sorted(keys)
        done |= ready


@given(graphs(circles=False))
def test_one_by_one_the_next_is_the_most_urgent_that_could_run(platforms: list[PlatformConfig]) -> None:
    position = {each.name: index for index, each in enumerate(platforms)}
    done: set[str] = set()
    for (chosen,) in PlatformScheduler(parallel_execution=False).schedule_platforms(platforms):
        ready = [each for each in platforms if each.name not in done and set(each.dependencies) <= done]
        assert chosen == min(ready, key=lambda each: (each.priority, position[each.name]))
        done.add(chosen.name)


@given(graphs(circles=True))
def test_every_circle_that_is_named_is_one_and_none_is_left(platforms: list[PlatformConfig]) -> None:
    needs = {each.name: set(each.dependencies) for each in platforms}
    try:
        PlatformScheduler().schedule_platforms(platforms)
    except ConfigError as error:
        for finding in error.findings:
            walk = finding.removeprefix("the dependencies form a circle: ").split(" -> ")
            assert walk[0] == walk[-1] and len(set(walk)) == len(walk) - 1
            assert all(after in needs[before] for before, after in pairwise(walk))
            for name in walk:
                needs.pop(name, None)
    left = {name: {need for need in own if need in needs} for name, own in needs.items()}
    while ready := [name for name, own in left.items() if not own & left.keys()]:
        for name in ready:
            del left[name]
    assert not left


@given(graphs(circles=False), st.data())
def test_parallel_groups_keep_their_order_or_the_dependency_against_it_is_named(
    platforms: list[PlatformConfig], data: st.DataObject
) -> None:
    number = {each.name: data.draw(st.integers(0, 3)) for each in platforms}
    groups = [[name for name in number if number[name] == wanted] for wanted in range(3)]
    scheduler = PlatformScheduler(parallel_groups=groups)
    try:
        planned = names(scheduler.schedule_platforms(platforms))
    except ConfigError as error:
        against = [
            (each.name, need)
            for each in platforms
            for need in each.dependencies
            if number[each.name] < 3 and number[need] >= number[each.name]
        ]
        assert len(error.findings) == len(against) > 0
        return
    kept = [group for group in groups if group]
    assert [set(group) for group in planned[: len(kept)]] == [set(group) for group in kept]


def test_groups_run_in_their_order_and_the_rest_follows_in_levels() -> None:
    scheduler = PlatformScheduler(parallel_groups=[["b"], ["a"]])
    planned = scheduler.schedule_platforms(
        [platform("a", "b"), platform("b"), platform("report", "last"), platform("last", "a"), platform("free")]
    )
    assert names(planned) == [["b"], ["a"], ["last", "free"], ["report"]]


def test_the_lower_number_goes_first_and_then_the_order_of_the_file() -> None:
    platforms = [platform("slow", priority=3), platform("x"), platform("first", priority=-1), platform("y")]
    assert names(PlatformScheduler().schedule_platforms(platforms)) == [["first", "slow", "x", "y"]]
    assert names(PlatformScheduler(parallel_groups=[["y", "x", "slow", "first"]]).schedule_platforms(platforms)) == [
        ["first", "slow", "x", "y"]
    ]


def test_sequential_execution_ignores_the_groups() -> None:
    scheduler = PlatformScheduler(parallel_execution=False, parallel_groups=[["b", "a"]])
    assert names(scheduler.schedule_platforms([platform("a"), platform("b", "a", priority=1)])) == [["a"], ["b"]]


def test_a_circle_is_named_in_full() -> None:
    assert refusals(PlatformScheduler(), platform("a", "b"), platform("b", "c"), platform("c", "a"), platform("d")) == (
        "the dependencies form a circle: a -> b -> c -> a",
    )
    assert refusals(PlatformScheduler(), platform("a", "a")) == ("the dependencies form a circle: a -> a",)


def test_two_circles_are_both_named() -> None:
    found = refusals(
        PlatformScheduler(), platform("a", "b"), platform("b", "a"), platform("x", "y"), platform("y", "x")
    )
    assert found == (
        "the dependencies form a circle: a -> b -> a",
        "the dependencies form a circle: x -> y -> x",
    )


def test_a_long_chain_needs_no_recursion() -> None:
    chain = [platform("p0"), *(platform(f"p{n}", f"p{n - 1}") for n in range(1, 1200))]
    assert len(PlatformScheduler().schedule_platforms(chain)) == 1200


def test_a_dependency_in_the_same_group_or_a_later_one_is_refused() -> None:
    platforms = [platform("a", "b"), platform("b"), platform("c", "d"), platform("d"), platform("e", "free")]
    assert refusals(
        PlatformScheduler(parallel_groups=[["a", "b"], ["c", "e"], ["d"]]), *platforms, platform("free")
    ) == (
        "platform 'a' depends on 'b', but both are in the same parallel group; put 'b' into an earlier one",
        "platform 'c' depends on 'd', which is in a later parallel group; put 'd' into an earlier group",
        "platform 'e' depends on 'free', which is in no parallel group and runs after them; "
        "put 'free' into an earlier group",
    )


def test_a_dependency_on_what_does_not_run_is_refused() -> None:
    assert refusals(PlatformScheduler(), platform("a", "off", "nowhere"), platform("off", enabled=False)) == (
        "platform 'a' depends on 'off', which is disabled",
        "platform 'a' depends on 'nowhere', which is not among the platforms to run",
    )


def test_a_name_given_twice_is_refused() -> None:
    assert refusals(PlatformScheduler(), platform("a"), platform("a")) == ("platform 'a' is given 2 times",)


def test_what_only_left_out_counts_as_done_and_is_told() -> None:
    scheduler = PlatformScheduler(parallel_groups=[["rates"], ["google"]])
    planned = scheduler.schedule_platforms([platform("google", "rates")], assume_done={"rates", "facebook"})
    assert names(planned) == [["google"]]
    assert scheduler.assumed == (("google", "rates"),)
    assert scheduler.can_execute("google", completed=set())


def test_disabled_platforms_and_empty_groups_are_left_out() -> None:
    scheduler = PlatformScheduler(parallel_groups=[["off"], ["on"]])
    assert names(scheduler.schedule_platforms([platform("off", enabled=False), platform("on")])) == [["on"]]
    assert PlatformScheduler().schedule_platforms([]) == []


def test_a_platform_can_execute_once_everything_it_needs_is_complete() -> None:
    scheduler = PlatformScheduler()
    scheduler.schedule_platforms([platform("a"), platform("b"), platform("linkedin", "a", "b")])
    assert scheduler.can_execute("a", [])
    assert not scheduler.can_execute("linkedin", ["a"])
    assert scheduler.can_execute("linkedin", {"a", "b"})
    with pytest.raises(ConfigError, match="platform 'tiktok' is not scheduled"):
        scheduler.can_execute("tiktok", [])


def test_what_is_no_platform_is_refused_with_a_sentence() -> None:
    with pytest.raises(ConfigError, match="schedule_platforms takes PlatformConfig objects, .* and not 'google'"):
        PlatformScheduler().schedule_platforms(["google", "microsoft"])  # type: ignore[list-item]


def test_named_groups_are_barriers_and_the_rest_is_one_stage_in_order_of_priority() -> None:
    scheduler = PlatformScheduler(parallel_groups=[["b"], ["a"]])
    platforms = [platform("a", "b"), platform("b"), platform("report", "last", priority=1), platform("last", "a")]
    groups = scheduler.schedule_platforms(platforms)
    assert names(groups) == [["b"], ["a"], ["last"], ["report"]]
    assert names(scheduler.stages(groups)) == [["b"], ["a"], ["report", "last"]]


@given(graphs(circles=False), st.data())
def test_running_what_can_execute_ends_with_everything(platforms: list[PlatformConfig], data: st.DataObject) -> None:
    assume(platforms)
    scheduler = PlatformScheduler()
    scheduler.schedule_platforms(platforms)
    done: list[str] = []
    while len(done) < len(platforms):
        ready = [each.name for each in platforms if each.name not in done and scheduler.can_execute(each.name, done)]
        done.append(data.draw(st.sampled_from(ready)))
