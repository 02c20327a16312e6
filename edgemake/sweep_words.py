"""What is said of a sweep: its points, those refused, what is to do, and how it ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from edgemake.build import Build
from edgemake.endings import DELIVERED, endings
from edgemake.plan import Refused

SHOWN = 6
"""Points listed for one message."""
NAMED = 4
"""Points of one step that are told by their numbers."""
EACH = 100
"""A sweep of more points or steps is told in sums."""


def refused_lines(refused: Sequence[Refused]) -> Iterator[str]:
    """Every distinct message once, with the points that it is about."""
    points: dict[str, list[str]] = {}
    for one in refused:
        points.setdefault(one.message, []).append(" ".join(one.point))
    for message, named in points.items():
        yield f"  {message}"
        yield from (f"      {point}" for point in named[:SHOWN] if point)
        if len(named) > SHOWN:
            yield f"      and {len(named) - SHOWN} more points"


def refusal(build: Build) -> str:
    """Why nothing is run: some points cannot be planned."""
    refused, sound = build.refused, len(build.deliveries)
    if not sound and len(refused) == 1:
        return refused[0].message
    head = f"{_of(len(refused), sound + len(refused))} cannot be built:"
    end = "Nothing was run."
    if sound:
        end += f" Correct the command, or add --continue to build the other {sound}."
    return "\n".join([head, *refused_lines(refused), end])


def left_out(build: Build) -> str:
    """What to say of refused points where the others are built or shown."""
    count = len(build.refused)
    head = f"{_of(count, count + len(build.deliveries))} cannot be built and left out:"
    return "\n".join([head, *refused_lines(build.refused)]) + "\n"


def too_many(points: int, limit: int, build: Build | None) -> str:
    """Asks for a yes; `build` is None where counting the steps would take too long."""
    told = f"this is a sweep of {points:,} points"
    if build is not None:
        missing = sum(verdict.artifact is None for _, verdict in build.verdicts())
        told += f": {len(build.steps()):,} distinct steps, {missing:,} of them not built yet"
    return (
        f"{told}. More than {limit} points are built only with --yes (-y); `doit plan -m …` shows "
        "them. Nothing was run."
    )


def begin_line(build: Build, repeated: int) -> str:
    """What a sweep comes to."""
    steps, points = build.verdicts(), len(build.deliveries)
    there = sum(v.artifact is not None and not build.forced(step) for step, v in steps)
    return (
        f"sweep of {counted(points, 'point')}{said_twice(repeated)}: "
        f"{counted(len(steps), 'distinct step')}, {there} of them reused"
    )


def said_twice(repeated: int) -> str:
    """Points that were merged, because they were said more than once."""
    return f" ({counted(repeated, 'repeated one')} merged)" if repeated else ""


def shares(build: Build) -> dict[str, list[int]]:
    """Request key -> the numbers of the points that have that step."""
    found: dict[str, list[int]] = {}
    for number, delivery in enumerate(build.deliveries, 1):
        for step in build.steps_of(delivery):
            found.setdefault(build.resolver.key(step), []).append(number)
    return found


def whose(numbers: Sequence[int], every: int) -> str:
    """Which points a step belongs to."""
    if every > 1 and len(numbers) == every:
        return f"for all {every} points"
    if len(numbers) > NAMED:
        return f"for {len(numbers)} points"
    return f"for point{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def end_lines(build: Build) -> Iterator[str]:
    """How each point ended, where nobody makes more of that."""
    ends = endings(build)
    counts = Counter(ending.word for ending in ends)
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    width = min(60, max((len(" ".join(ending.point)) for ending in ends), default=0))
    yield f"sweep of {counted(len(ends), 'point')}: {told}"
    for ending in ends:
        if ending.word != DELIVERED or ending.at or len(ends) <= EACH:
            where = f"{ending.path.relative_to(build.project.root)}/" if ending.path else ""
            fault = f"({ending.at})" if ending.at else ""
            said = " ".join(ending.point)
            yield f"  {ending.word:<11} {said:<{width}}  {where} {fault}".rstrip()


def _of(some: int, everything: int) -> str:
    return f"{some} of {counted(everything, 'point')}"


def counted(number: int, what: str) -> str:
    """A number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
