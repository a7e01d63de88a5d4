"""What the log says of a plan, and of each group when its turn comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from supervisor.record.log import log
from supervisor.run.plan import Plan


def announcer(plan: Plan) -> Callable[[str], None]:
    """Says of each group once that it is executed, when the first of its platforms is."""
    group_of = {platform.name: number for number, group in enumerate(plan.groups) for platform in group}
    told: set[int] = set()
    turn = threading.Lock()

    def announce(name: str) -> None:
        number = group_of[name]
        with turn:
            if number in told:
                return
            told.add(number)
            names = ", ".join(platform.name for platform in plan.groups[number])
            log.info("Executing Group %d/%d: %s", number + 1, len(plan.groups), names)

    return announce


def tell_plan(plan: Plan, only: Collection[str]) -> None:
    """What of the configuration does not run as it stands there."""
    if only and plan.left_out:
        log.info("Left out by --only: %s", ", ".join(plan.left_out))
    for name, dependency in plan.assumed:
        log.warning("Platform '%s' depends on '%s', which --only leaves out; taken for done", name, dependency)
    for name in plan.unknown:
        log.warning("parallel_groups names '%s', which is not among the platforms; its group runs without it", name)
