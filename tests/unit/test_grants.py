"""Who gets what of a machine, by arithmetic and in simulated days of many steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemake.grants import Ask, Claim, grant, missing
from edgemake.resources import Machine, Needs

GIB = 2**30
MACHINE = Machine(4, 8 * GIB, ("0",))


def asks(since: int, machine: Machine = MACHINE, workers: int = 1, **needs: Any) -> Ask:
    return Ask.of("p: s", f"b{since}", since, Needs(**needs), workers, machine)


def held(ask: Ask, claims: list[Claim] = [], machine: Machine = MACHINE) -> Claim:  # noqa: B006
    found = grant(ask, claims, machine, ask.least)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("needs", "workers", "cores"),
    [
        ({}, 1, 1),
        ({"most": 3}, 1, 3),
        ({"most": 0}, 1, 4),
        ({"most": 9}, 1, 4),
        ({"most": 0}, 2, 2),
        ({"most": 0}, 9, 1),
        ({"least": 3, "most": 0}, 9, 3),
        ({"least": 9, "most": 0}, 1, 4),
        ({"most": 0, "patience": 1.0}, 9, 4),
        ({"most": 0, "patience": 1.0, "gpu": "any", "beside_gpu": 3}, 9, 3),
        ({"most": 2, "patience": 1.0, "gpu": "any", "beside_gpu": 3}, 9, 2),
        ({"most": 0, "patience": 1.0, "gpu": "7", "beside_gpu": 3}, 9, 4),
    ],
)
def test_cores_of_a_step_that_is_alone(needs: dict[str, Any], workers: int, cores: int) -> None:
    assert held(asks(1, workers=workers, **needs)).cores == cores


def test_as_few_as_its_minimum_where_others_run() -> None:
    first = held(asks(1, most=3))
    second = asks(2, most=0)
    assert held(second, [first]).cores == 1
    assert grant(second, [first], MACHINE, second.most) is None, "a patient one waits for all"
    assert grant(asks(3, least=2, most=2), [first], MACHINE, 2) is None


def test_memory_is_shared_and_never_refused() -> None:
    first = held(asks(1, memory=5 * GIB))
    large = asks(2, memory=100 * GIB)
    assert grant(large, [first], MACHINE, 1) is None
    assert missing(large, [first], MACHINE, 1)[0] == "waiting for 8.0 GiB of memory held by p: s"
    assert held(large).memory == 8 * GIB, "alone it runs"
    assert grant(asks(3, memory=4 * GIB), [first], MACHINE, 1) is None
    assert held(asks(3, memory=3 * GIB), [first])


def test_a_gpu_is_one_steps() -> None:
    first = held(asks(1, gpu="any"))
    assert first.gpus == ("0",)
    second = asks(2, gpu="any")
    assert grant(second, [first], MACHINE, 1) is None
    assert missing(second, [first], MACHINE, 1) == ("waiting for 1 GPU held by p: s", [first])
    two = replace(MACHINE, gpus=("3", "5"))
    second = asks(2, two, gpu="any")
    both = [held(asks(1, two, gpu="any"), [], two), held(asks(1, two, gpu="1"), [], two)]
    assert [claim.gpus for claim in both] == [("3",), ("5",)]
    assert held(second, both[:1], two).gpus == ("5",)
    assert held(second, both[1:], two).gpus == ("3",)
    assert "GPU 5 held" in missing(asks(4, two, gpu="1"), both, two, 1)[0]


@pytest.mark.parametrize("wanted", ["any", "0"])
def test_where_there_is_no_gpu_none_is_needed(wanted: str) -> None:
    bare = replace(MACHINE, gpus=())
    assert held(asks(1, bare, gpu=wanted), [], bare).gpus == ()


def test_who_waits_for_many_cores_is_not_overtaken() -> None:
    """The steps that run end one by one; later ones that would fit must not take their cores."""
    running = [held(asks(i, most=1)) for i in range(4)]
    large = asks(10, least=4, most=4)
    waiting = large.waiting(4)
    for ended in range(1, 4):
        left = running[ended:]
        assert grant(large, left, MACHINE, 4) is None
        small = asks(20)
        assert grant(small, [*left, waiting], MACHINE, 1) is None
        assert missing(small, [waiting], MACHINE, 1)[0] == "waiting for 1 core after p: s"
        assert grant(asks(5), [*left, waiting], MACHINE, 1), "an earlier one goes first"
    assert held(large).cores == 4


def test_who_waits_for_a_gpu_holds_nobody_up() -> None:
    """But when the GPU is free, cores are kept for it."""
    training = held(asks(1, gpu="any", most=1))
    waiting = asks(2, gpu="any", least=3, most=3)
    small = asks(3, most=0)
    claims = [training, waiting.waiting(3)]
    assert held(small, claims).cores == 3
    assert grant(small, claims[1:], MACHINE, 2) is None
    assert held(small, claims[1:]).cores == 1
    assert held(waiting, [held(small, claims[1:])]).cores == 3


def test_a_brief_step_needs_no_core_where_its_build_holds_none() -> None:
    everything = held(asks(1, most=0))
    brief = asks(2, brief=True)
    assert held(brief, [everything]).cores == 0
    same = replace(brief, build=everything.build)
    assert grant(same, [everything], MACHINE, 1) is None
    assert grant(asks(2, brief=True, memory=8 * GIB), [everything], MACHINE, 1) is None
    assert held(brief).cores == 1


# --- days ---------------------------------------------------------------------------------


@dataclass
class Simulated:
    """One step of a simulated day."""

    arrives: int
    lasts: int
    needs: Needs
    began: int | None = None
    ask: Ask = field(init=False)

    @property
    def ends(self) -> int:
        assert self.began is not None
        return self.began + self.lasts


MACHINES = st.builds(
    Machine,
    cores=st.integers(1, 6),
    memory=st.integers(1, 8),
    gpus=st.sampled_from([(), ("0",), ("0", "1")]),
)
NEEDS = st.builds(
    Needs,
    least=st.integers(1, 4),
    most=st.integers(0, 4),
    memory=st.integers(0, 8),
    gpu=st.sampled_from(["", "", "any", "0", "1"]),
)
STEPS = st.lists(
    st.builds(Simulated, st.integers(0, 30), st.integers(1, 9), NEEDS), min_size=1, max_size=25
)


def waiting(steps: list[Simulated], now: int) -> list[Simulated]:
    return [step for step in steps if step.began is None and step.arrives <= now]


@settings(deadline=None, max_examples=300)
@given(MACHINES, STEPS)
def test_nothing_is_held_twice_and_everybody_gets_his_turn(
    machine: Machine, steps: list[Simulated]
) -> None:
    steps.sort(key=lambda step: step.arrives)
    for number, step in enumerate(steps):
        step.ask = Ask.of(str(number), str(number), number, step.needs, 1, machine)
    now, running = 0, dict[int, Claim]()
    while any(step.began is None for step in steps):
        running = {n: claim for n, claim in running.items() if steps[n].ends > now}
        for step in waiting(steps, now):
            claims = [s.ask.waiting(s.ask.least) for s in waiting(steps, now) if s is not step]
            granted = grant(step.ask, [*running.values(), *claims], machine, step.ask.least)
            if granted is not None:
                running[step.ask.since], step.began = granted, now
        _check_shared(machine, list(running.values()))
        _check_overtaken(machine, waiting(steps, now), list(running.values()))
        now += 1
        assert now < 31 + sum(step.lasts for step in steps), "somebody never gets his turn"


def _check_shared(machine: Machine, running: list[Claim]) -> None:
    gpus = [gpu for claim in running for gpu in claim.gpus]
    assert len(gpus) == len(set(gpus))
    assert set(gpus) <= set(machine.gpus)
    assert sum(claim.cores for claim in running) <= machine.cores
    assert sum(claim.memory for claim in running) <= machine.memory


def _check_overtaken(machine: Machine, left: list[Simulated], running: list[Claim]) -> None:
    """Who waits, and not for a GPU, would have to wait also if no later one had ever begun."""
    for step in left:
        if not step.ask.gpus:
            earlier = [claim for claim in running if claim.since < step.ask.since]
            promised = [s.ask.waiting(s.ask.least) for s in left if s is not step]
            assert grant(step.ask, [*earlier, *promised], machine, step.ask.least) is None
