"""Builds share one machine: no more cores than there are, nobody starves, nothing stays held."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest
from lab import Lab

NEEDS = """
from dataclasses import replace as _replace

from edgemake.resources import Needs

_plan = plan


def plan(overrides, *, keep=True):
    return _replace(_plan(overrides, keep=keep), needs={})
"""
SEEN = (
    "import os, time",
    "gpu = os.environ.get('CUDA_VISIBLE_DEVICES')",
    "print('ran', time.time(), time.time() + {}, work.cores, os.environ['OMP_NUM_THREADS'], gpu)",
)


def needing(lab: Lab, **needs: str) -> Lab:
    """Let stages of the toy need something, and tell when they ran with what."""
    text = ", ".join(f"'{stage}': Needs({what})" for stage, what in needs.items())
    lab.write("dodo.py", (lab.root / "dodo.py").read_text() + NEEDS.format(f"{{{text}}}"))
    for stage in ("source", "choose"):
        lab.behave(stage, *SEEN[:2], SEEN[2].format("params.sleep"))
    return lab


def ran(lab: Lab, stage: str = "choose") -> list[tuple[float, float, int, str]]:
    """(began, ended, cores, GPU that it saw) of every artifact of a stage."""
    found = []
    for path in lab.artifacts(stage):
        match = re.search(
            r"^ran (\S+) (\S+) (\d+) (\d+) ?(\S*)$", (path / "log.txt").read_text(), re.M
        )
        assert match is not None, path
        began, ended, cores, threads, gpu = match.groups()
        assert cores == threads
        found.append((float(began), float(ended), int(cores), gpu))
    return sorted(found)


def most_at_once(intervals: list[tuple[float, float, int, str]]) -> int:
    moments = [began for began, *_ in intervals]
    return max(sum(i[2] for i in intervals if i[0] <= m < i[1]) for m in moments)


def end(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 0, text
    return text


def heard(process: subprocess.Popen[str], line: str) -> None:
    """Wait until it says so."""
    assert process.stdout is not None
    lines = list(iter(process.stdout.readline, line))
    assert process.poll() is None, "".join(lines)


def stop(lab: Lab, process: subprocess.Popen[str]) -> None:
    lab.kill_all()
    process.communicate()


def test_two_builds_never_use_more_cores_than_there_are(fresh: Lab, tmp_path: Path) -> None:
    needing(fresh, choose="most=2")
    other = fresh.copy(tmp_path / "other")
    three = {"EDGEMAKE_CORES": "3"}
    ask = ("-n", "4", "more=[9,10,11,12]", "sleep.choose=0.6")
    for process in [lab.start(*ask, environment=three) for lab in (fresh, other)]:
        end(process)
    both = [*ran(fresh), *ran(other)]
    assert len(both) == 10
    assert most_at_once(both) == 3, "all cores are used, and no more"


def test_one_step_at_a_time_has_the_machine(fresh: Lab) -> None:
    needing(fresh, source="most=0", choose="most=3")
    fresh.build(environment={"EDGEMAKE_CORES": "8"})
    assert [step[2] for step in (*ran(fresh, "source"), *ran(fresh))] == [8, 3]
    (record,) = fresh.records("source")
    assert record["run"]["cores"] == 8
    (record,) = fresh.records("pack")
    assert record["run"]["cores"] == 1
    assert "gpu" not in record["run"]
    again = fresh.build("-n", "4", environment={"EDGEMAKE_CORES": "2"})
    assert again == [], "cores are in no key"
    fresh.build("-n", "4", "seed=1", environment={"EDGEMAKE_CORES": "8"})
    assert sorted(step[2] for step in (*ran(fresh, "source"), *ran(fresh))) == [2, 2, 3, 8]


def test_a_step_that_waits_for_a_gpu_does_not_starve_others(fresh: Lab, tmp_path: Path) -> None:
    """Neither those of another build, nor those of its own."""
    machine = {"CUDA_VISIBLE_DEVICES": "0", "EDGEMAKE_CORES": "4"}
    needing(fresh, choose="gpu='any'")
    waiting, plain = fresh.copy(tmp_path / "waiting"), fresh.copy(tmp_path / "plain")
    plain.write("dodo.py", (plain.root / "dodo.py").read_text().replace("gpu='any'", ""))
    first = fresh.start("sleep.choose=60", environment=machine)
    fresh.wait_for("choose", first)
    second = waiting.start("-n", "2", "more=[9,10]", "sleep.choose=0.4", environment=machine)
    heard(second, "   choose: waiting for 1 GPU held by toy: choose\n")
    assert len(plain.build("-n", "2", "more=[9,10]", environment=machine)) == 7
    assert not ran(waiting), "the GPU is still held"
    stop(fresh, first)
    end(second)
    assert {step[3] for step in ran(waiting)} == {"0"}
    assert {step[3] for step in (*ran(plain), *ran(waiting, "source"))} == {""}, "GPUs are hidden"
    assert all(a[1] <= b[0] for a, b in pairwise(ran(waiting))), "one at a time"
    (record, *_) = waiting.records("choose")
    assert record["run"]["gpu"] == "0"


def test_a_build_goes_on_beside_its_own_step_that_waits_for_a_gpu(
    fresh: Lab, tmp_path: Path
) -> None:
    machine = {"CUDA_VISIBLE_DEVICES": "0", "EDGEMAKE_CORES": "4"}
    needing(fresh, choose="gpu='any'")
    assert fresh.build("count=8", environment=machine) == ["source", "choose", "pack"]
    holder = fresh.copy(tmp_path / "holder")
    first = holder.start("count=5", "sleep.choose=60", environment=machine)
    holder.wait_for("choose", first)
    # two places and two steps for the GPU, which come first; n8 has only to be packed
    ask = ("-n", "2", "count=9", "more=[10,8]", "limit=900")
    second = fresh.start(*ask, environment=machine)
    deadline = time.monotonic() + 30
    while len(fresh.artifacts("pack")) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(fresh.artifacts("pack")) == 2
    assert len(fresh.artifacts("choose")) == 1, "the GPU is still held"
    stop(holder, first)
    end(second)
    assert len(fresh.deliverables()) == 4


def test_a_killed_build_frees_what_it_held(fresh: Lab, tmp_path: Path) -> None:
    needing(fresh, choose="least=2, most=2")
    machine = {"EDGEMAKE_CORES": "2"}
    first = fresh.start("sleep.choose=60", environment=machine)
    fresh.wait_for("choose", first)
    other = fresh.copy(tmp_path / "other", artifacts=False)
    second = other.start(environment=machine)
    heard(second, "   source: waiting for 1 core held by toy: choose\n")
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    end(second)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_step_that_waits_can_be_stopped(fresh: Lab, tmp_path: Path, number: int) -> None:
    needing(fresh, choose="most=0")
    machine = {"EDGEMAKE_CORES": "1"}
    first = fresh.start("sleep.choose=60", environment=machine)
    fresh.wait_for("choose", first)
    other = fresh.copy(tmp_path / "other", artifacts=False)
    second = other.start(environment=machine)
    heard(second, "   source: waiting for 1 core held by toy: choose\n")
    os.killpg(second.pid, number)
    began = time.monotonic()
    text, _ = second.communicate(timeout=10)
    assert second.returncode == 128 + number, text
    assert time.monotonic() - began < 2
    assert not other.executions()
    stop(fresh, first)
    assert other.build(environment=machine) == ["source", "choose", "pack"]


def test_a_step_of_a_moment_does_not_wait_for_hours(fresh: Lab, tmp_path: Path) -> None:
    needing(fresh, choose="most=0", source="brief=True", pack="brief=True")
    machine = {"EDGEMAKE_CORES": "1"}
    first = fresh.start("sleep.choose=60", environment=machine)
    fresh.wait_for("choose", first)
    other = fresh.copy(tmp_path / "other", artifacts=False)
    assert other.build("source", environment=machine) == ["source"]
    assert first.poll() is None
    stop(fresh, first)


def test_a_step_larger_than_the_machine_runs_alone_and_says_so(fresh: Lab) -> None:
    needing(fresh, choose="memory=2**60")
    said = fresh.doit(
        "-n", "2", "more=[9]", "sleep.choose=0.3", environment={"EDGEMAKE_CORES": "4"}
    )
    assert said.code == 0, said.text
    assert "needs 1073741824.0 GiB of memory, and the machine has" in said.text
    first, second = ran(fresh)
    assert first[1] <= second[0]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("EDGEMAKE_TOKENS", "here", "EDGEMAKE_TOKENS=here: give the folder's absolute path"),
        ("EDGEMAKE_TOKENS", "/nowhere/at/all", "/nowhere/at/all: No such file or directory"),
        ("EDGEMAKE_CORES", "many", "EDGEMAKE_CORES=many: give a whole number of cores"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_runs(
    fresh: Lab, name: str, value: str, message: str
) -> None:
    said = fresh.doit(environment={name: value})
    assert said.code == 3, said.text
    assert message in said.text
    assert "Traceback" not in said.text
    assert fresh.executions(None) == []


def test_without_tokens_nobody_waits(fresh: Lab, tmp_path: Path) -> None:
    machine = {"EDGEMAKE_CORES": "1"}
    first = fresh.start("sleep.choose=60", environment=machine)
    fresh.wait_for("choose", first)
    other = fresh.copy(tmp_path / "other", artifacts=False)
    assert other.build(environment={**machine, "EDGEMAKE_TOKENS": "none"})
    stop(fresh, first)
