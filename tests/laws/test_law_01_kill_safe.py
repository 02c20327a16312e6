"""Guarantee 1: a visible output is always complete and validated, whenever a build is killed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import pytest
from lab import Lab

SEED = 20240611
ROUNDS = 4


@pytest.mark.parametrize("whom", ["the build's process group", "every process at once"])
def test_killed_at_random_instants(fresh_as: Lab, whom: str) -> None:
    """Every round asks for new work and is killed at some instant of it."""
    lab, chance = fresh_as, random.Random(SEED + (whom[0] == "e"))
    print(f"kills drawn with seed {SEED}")
    longest = 0.9
    for round_number in range(ROUNDS):
        ask = (f"seed={round_number}", "sleep.choose=0.1", "sleep.source=0.05")
        instant = chance.uniform(0.05, longest)
        process = lab.start(*ask)
        time.sleep(instant)
        if whom.startswith("every"):
            lab.kill_all()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        assert not lab.wait_until_alone(2), f"orphans of a build killed after {instant:.3f} s"
        lab.check_sound()
    assert lab.doit("seed=1", "sleep.choose=0.1", "sleep.source=0.05").code == 0
    lab.check_sound()
    times = Counter(line["digest"] for line in lab.executions())
    assert set(times.values()) <= {1}, "a finished stage ran again"


@pytest.mark.parametrize("sign", [".scratch/source-*/out/log.txt", "store/source"])
def test_killed_while_it_publishes(fresh: Lab, sign: str) -> None:
    """The tightest spots: the record is being written (log.txt lies in `out`), or the name is being
    given (the stage's folder in the store is there). Many files make them wide enough to hit."""
    lab = fresh
    lab.edit("stages/source.py", "range(5)", "range(10_000)")
    process = lab.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        if any(lab.root.glob(f"artifacts/{sign}")):
            break
    lab.kill_all()
    process.communicate()
    lab.check_sound()
    assert lab.build("source") in (["source"], [])
    lab.check_sound()
