"""Guarantee 3: a finished stage never runs again because a later one was stopped."""

from __future__ import annotations

import os
import signal

import pytest
from lab import Lab


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_finished_stages_stay(fresh_as: Lab, number: signal.Signals) -> None:
    lab = fresh_as
    process = lab.start("sleep.choose=30")
    lab.wait_for("choose", process)
    os.kill(process.pid, number)
    process.communicate(timeout=10)
    assert not lab.wait_until_alone(2)
    assert [line["stage"] for line in lab.executions()] == ["source"]
    assert lab.build() == ["choose", "pack"]
