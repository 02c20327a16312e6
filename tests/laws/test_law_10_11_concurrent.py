"""Guarantees 10 and 11: each action runs once, also in two builds at a time, without unlocking."""

from __future__ import annotations

import os
import signal
from collections import Counter

from lab import Lab


def _times(lab: Lab) -> Counter[str]:
    return Counter(line["stage"] for line in lab.executions())


def test_a_sweep_shares_its_steps(fresh: Lab) -> None:
    said = fresh.doit("more=[9,10,8,9]").text
    assert said.count("3 run in ") == 3, "each delivery counts its own steps"
    assert said.count(" s, 0 reused") == 3
    assert _times(fresh) == {"source": 1, "choose": 3, "pack": 3}
    assert len(fresh.deliverables()) == 3
    fresh.check_sound()


def test_a_sweep_with_four_workers(fresh: Lab) -> None:
    fresh.build("-n", "4", "more=[9,10,11]", "sleep.choose=0.3")
    assert _times(fresh) == {"source": 1, "choose": 4, "pack": 4}
    fresh.check_sound()
    assert fresh.build("-n", "4", "more=[9,10,11]", "sleep.choose=0.3") == []


def test_two_builds_at_the_same_time(fresh: Lab) -> None:
    ask = ("-n", "2", "more=[9]", "sleep.choose=0.2", "sleep.source=0.2")
    both = [fresh.start(*ask) for _ in range(3)]
    for process in both:
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 0, text
    assert set(Counter(line["digest"] for line in fresh.executions()).values()) == {1}
    assert _times(fresh) == {"source": 1, "choose": 2, "pack": 2}
    fresh.check_sound()


def test_the_waiting_build_takes_over_from_a_killed_one(fresh: Lab) -> None:
    first = fresh.start("sleep.choose=2")
    fresh.wait_for("choose", first)
    second = fresh.start("sleep.choose=2")
    assert second.stdout is not None
    while second.poll() is None and ".. choose" not in (second.stdout.readline()):
        pass
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    text, _ = second.communicate(timeout=60)
    assert second.returncode == 0, text
    assert _times(fresh) == {"source": 1, "choose": 1, "pack": 1}
    fresh.check_sound()


def test_two_sweeps_started_together_and_one_killed(fresh: Lab) -> None:
    ask = ("-m", "-n", "2", "count=range(1,8)", "sleep.choose=0.4")
    killed, lives = fresh.start(*ask), fresh.start(*ask)
    fresh.wait_for("choose", killed)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    text, _ = lives.communicate(timeout=60)
    assert lives.returncode == 0, text
    # A step that was killed between its publication and its line in the log is not told there.
    assert set(Counter(line["digest"] for line in fresh.executions()).values()) == {1}
    assert [len(fresh.artifacts(stage)) for stage in ("source", "choose", "pack")] == [1, 7, 7]
    assert fresh.build(*ask) == []
    fresh.check_sound()


def test_sweeps_that_overlap(fresh: Lab) -> None:
    asks = [("count=1,2,3,4", "limit=900,1000"), ("count=3,4,5,6",), ("count=6,1", "limit=900")]
    together = [fresh.start("-m", "-n", "2", *ask, "sleep.choose=0.2") for ask in asks]
    for process in together:
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 0, text
    assert set(Counter(line["digest"] for line in fresh.executions()).values()) == {1}
    assert _times(fresh) == {"source": 1, "choose": 6, "pack": 4 * 2 + 2 + 1}
    fresh.check_sound()


def test_nothing_to_unlock_after_a_crash(fresh: Lab) -> None:
    process = fresh.start("sleep.choose=30")
    fresh.wait_for("choose", process)
    fresh.kill_all()
    process.communicate()
    assert fresh.build() == ["choose", "pack"]
