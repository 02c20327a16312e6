"""Ctrl-C and SIGTERM: everything ends within two seconds, nothing is orphaned or lost."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from lab import Lab

SLEEP = "sleep.choose=30"


@pytest.mark.parametrize(
    ("how", "workers"),
    [
        ("Ctrl-C", ()),
        ("SIGTERM", ()),
        ("SIGHUP", ()),
        ("SIGKILL", ()),
        ("Ctrl-C twice", ("-n", "2")),
        ("SIGTERM", ("-n", "2")),
        ("SIGKILL", ("-n", "2")),
    ],
)
def test_everything_ends(fresh: Lab, how: str, workers: tuple[str, ...]) -> None:
    lab = fresh
    process = lab.start(*workers, SLEEP, "more=[9]")
    lab.wait_for("choose", process)
    began = time.monotonic()
    if how.startswith("Ctrl-C"):  # a terminal signals the whole foreground group
        os.killpg(process.pid, signal.SIGINT)
        if how.endswith("twice"):
            time.sleep(0.05)
            os.killpg(process.pid, signal.SIGINT)
    else:
        os.kill(process.pid, signal.Signals[how])
    text, _ = process.communicate(timeout=10)
    assert not lab.wait_until_alone(max(0.0, began + 2 - time.monotonic()))
    number = signal.SIGINT if how.startswith("Ctrl-C") else signal.Signals[how]
    assert process.returncode == (-9 if how == "SIGKILL" else 128 + number), text
    assert "Traceback" not in text
    if how != "SIGKILL":
        assert "every finished step is kept" in text
    lab.check_sound()
    assert [line["stage"] for line in lab.executions()] == ["source"]
    assert lab.build() == ["choose", "pack"]


def test_a_stage_that_ignores_signals_and_its_children_end_too(fresh: Lab) -> None:
    lab = fresh
    lab.behave(
        "choose",
        "import os, signal",
        "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGTERM, signal.SIGINT)]",
        "os.fork()",
    )
    process = lab.start(SLEEP)
    lab.wait_for("choose", process)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate(timeout=10)
    assert not lab.wait_until_alone(2)


def test_a_killed_runner_takes_its_stage_with_it(fresh: Lab) -> None:
    lab = fresh
    process = lab.start(SLEEP)
    lab.wait_for("choose", process)
    (stage,) = [pid for pid in lab.processes() if "edgemake.stage_process" in lab.command(pid)]
    runner = int(Path(f"/proc/{stage}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(runner, signal.SIGKILL)
    text, _ = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "FAILED choose: its runner ended" in text
    assert not lab.wait_until_alone(2)
    assert lab.build() == ["choose", "pack"]


def test_a_killed_resumable_step_goes_on_where_it_was(fresh: Lab) -> None:
    lab = fresh
    process = lab.start("sleep.choose=1.5", "count=30")
    lab.wait_for("choose", process)
    time.sleep(0.5)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    began = time.monotonic()
    assert lab.build("sleep.choose=1.5", "count=30") == ["choose", "pack"]
    assert time.monotonic() - began < 2.2
    (record,) = lab.records("choose")
    assert record["resumed"] is True
    log = (lab.artifacts("choose")[0] / "log.txt").read_text()
    assert "starts at 0\nstarts at " in log, "the log tells both runs"
    lab.check_sound()
    whole = (lab.artifacts("choose")[0] / "chosen.txt").read_text()
    assert lab.build("sleep.choose=0.0", "count=30") == ["choose"], "equal words without a kill"
    assert len(whole.split()) == 30


def test_a_step_that_is_not_resumable_starts_afresh(fresh: Lab) -> None:
    lab = fresh
    lab.edit("dodo.py", "resumable=True", "resumable=False")
    process = lab.start("sleep.choose=1")
    lab.wait_for("choose", process)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGTERM)
    process.communicate()
    assert lab.build("sleep.choose=1") == ["choose", "pack"]
    (record,) = lab.records("choose")
    assert record["resumed"] is False
    assert (lab.artifacts("choose")[0] / "log.txt").read_text() == "starts at 0\n"
