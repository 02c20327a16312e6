"""Who gets what of the machine: arithmetic on what steps hold and wait for.

First come, first served, by cores, memory and GPUs alike; but a step that waits for a GPU which
another holds keeps nothing from those that need none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgemake.resources import Machine, Needs


@dataclass(frozen=True)
class Claim:
    """What a step holds or, if it `waits`, wants."""

    who: str
    """For people: project and stage."""
    build: str
    """Equal for the steps of one build."""
    since: int
    """When it began to ask, by the machine's monotonic clock, in ns."""
    waits: bool
    cores: int
    memory: int
    """Bytes."""
    gpus: tuple[str, ...]
    """Those that it holds; of a waiting step those of which it wants one."""


@dataclass(frozen=True)
class Ask:
    """What a step needs, as far as this machine can give it."""

    who: str
    build: str
    since: int
    least: int
    most: int
    memory: int
    gpus: tuple[str, ...]
    brief: bool

    @classmethod
    def of(
        cls, who: str, build: str, since: int, needs: Needs, workers: int, machine: Machine
    ) -> Ask:
        """`workers`: how many steps its build runs side by side."""
        gpus = machine.gpus_for(needs.gpu)
        most = machine.most_cores(needs, workers, gpu=bool(gpus))
        least, memory = min(needs.least, most), min(needs.memory, machine.memory)
        return cls(who, build, since, least, most, memory, gpus, needs.brief)

    def waiting(self, cores: int) -> Claim:
        """The claim of a step that has to wait for so many cores."""
        return Claim(self.who, self.build, self.since, True, cores, self.memory, self.gpus)

    def holding(self, cores: int, gpus: tuple[str, ...]) -> Claim:
        """The claim of a step that runs."""
        return Claim(self.who, self.build, self.since, False, cores, self.memory, gpus[:1])


@dataclass(frozen=True)
class Free:
    """What nobody holds. Below zero where builds do not agree on the machine's size."""

    cores: int
    memory: int
    gpus: tuple[str, ...]

    def without(self, claim: Claim) -> Free:
        """What is left beside a claim; one GPU less for one that waits for it."""
        taken = tuple(gpu for gpu in self.gpus if gpu in claim.gpus)[: 1 if claim.waits else None]
        gpus = tuple(gpu for gpu in self.gpus if gpu not in taken)
        return Free(self.cores - claim.cores, self.memory - claim.memory, gpus)

    def lacks_gpu(self, wanted: Sequence[str]) -> bool:
        """Whether one is wanted, and none of those is free."""
        return bool(wanted) and not any(gpu in self.gpus for gpu in wanted)


def left_for(ask: Ask, claims: Sequence[Claim], machine: Machine) -> Free:
    """What `ask` may take of: all that is free, less what those who came earlier wait for.

    An earlier one that waits for a GPU keeps no core until that GPU is free: it would lie idle.
    """
    free = Free(machine.cores, machine.memory, machine.gpus)
    for claim in claims:
        if not claim.waits:
            free = free.without(claim)
    for claim in sorted((c for c in claims if c.waits), key=lambda claim: claim.since):
        if claim.since < ask.since and not free.lacks_gpu(claim.gpus):
            free = free.without(claim)
    return free


def grant(ask: Ask, claims: Sequence[Claim], machine: Machine, least: int) -> Claim | None:
    """What `ask` gets now: all that it needs, with at least so many cores, or None.

    A brief step goes ahead without a core where its build holds none: each build may be one such
    step over the machine's cores, for a moment.
    """
    free = left_for(ask, claims, machine)
    if free.lacks_gpu(ask.gpus) or ask.memory > free.memory:
        return None
    cores = min(ask.most, free.cores)
    if cores < least:
        busy = any(claim.build == ask.build and claim.cores for claim in claims if not claim.waits)
        if busy or not ask.brief:
            return None
    return ask.holding(max(0, cores), tuple(gpu for gpu in ask.gpus if gpu in free.gpus))


def missing(
    ask: Ask, claims: Sequence[Claim], machine: Machine, least: int
) -> tuple[str, list[Claim]]:
    """What a step that was granted nothing waits for, for people, and who has it."""
    free = left_for(ask, claims, machine)
    if free.lacks_gpu(ask.gpus):
        what = "1 GPU" if len(ask.gpus) == len(machine.gpus) else f"GPU {ask.gpus[0]}"
        those = [claim for claim in claims if set(claim.gpus) & set(ask.gpus)]
    elif ask.memory > free.memory:
        what = f"{ask.memory / 2**30:.1f} GiB of memory"
        those = [claim for claim in claims if claim.memory]
    else:
        what = f"{least} cores" if least > 1 else "1 core"
        those = [claim for claim in claims if claim.cores]
    holders = [claim for claim in those if not claim.waits]
    earlier = [claim for claim in those if claim.waits and claim.since < ask.since]
    if holders:
        return f"waiting for {what} held by {_listed(holders)}", holders
    return f"waiting for {what} after {_listed(earlier)}", earlier


def _listed(claims: Sequence[Claim]) -> str:
    names = list(dict.fromkeys(claim.who for claim in claims))
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more
