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


def test_killed_while_it_publishes(fresh: Lab) -> None:
    """The tightest spot: the stage has ended, its record is being written, the name is not given
    yet. Twenty thousand files make it wide enough to be hit."""
    lab = fresh
    lab.edit("stages/source.py", "range(5)", "range(20_000)")
    process = lab.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        # log.txt appears in `out` when publication begins
        if any(lab.root.glob("artifacts/.scratch/source-*/out/log.txt")):
            break
        time.sleep(0.001)
    lab.kill_all()
    process.communicate()
    assert lab.artifacts("source") == [], "killed too late to show anything"
    lab.check_sound()
    assert lab.build("source") == ["source"]
    lab.check_sound()
