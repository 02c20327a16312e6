"""Guarantee 2: a write that was killed never stands in for the older result after a revert."""

from __future__ import annotations

import os
import signal

from lab import Lab

SLEEP = "sleep.choose=0.4"


def test_kill_and_revert_gives_the_first_bytes(fresh_as: Lab) -> None:
    lab = fresh_as
    assert lab.build("count=64", SLEEP) == ["source", "choose", "pack"]
    first = lab.delivered()
    process = lab.start("count=32", SLEEP)
    lab.wait_for("choose", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not lab.wait_until_alone(2)
    assert lab.build("count=64", SLEEP) == []
    assert lab.delivered() == first
    lab.check_sound()
