"""What the engine costs beside a step's own work: steps that do nothing, one after the other."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from benchmarks import peers, toy
from benchmarks.measure import (
    BenchmarkError,
    Contender,
    Figure,
    Result,
    Series,
    run,
    say,
    timed,
)
from benchmarks.peers import Node
from benchmarks.workplace import DOIT, ROOT, Workplace

LIMIT_MS = 60.0
"""Median, per executed step."""
STEPS = 20
ROUNDS = 5
TEXT = """\
(time of a run that executes {steps} steps after their input changed − time of a run with nothing
to do) / {steps}, one step at a time, {executed} executions of each. edgemake's step is a stage that
leaves an empty file, with all that every step gets: its own processes, the sandbox, digests before
and after, record and log. The others start `python -c pass` and check nothing."""


def measure(work: Workplace) -> Result:
    """Time runs with and without something to do, in turns. Raises BenchmarkError."""
    contenders = [_edgemake(work), *_others(work)]
    for contender in contenders:
        _touch(contender, -1)
        run(contender)
    costs = [Series(contender.name, []) for contender in contenders]
    for number in range(ROUNDS):
        for contender, series in zip(contenders, costs, strict=True):
            say(f"overhead of {contender.name}, run {number + 1} of {ROUNDS}")
            _touch(contender, number)
            busy = timed(contender)
            series.seconds.append((busy - timed(contender)) / STEPS)
    _check(work, contenders[0])
    text = TEXT.format(steps=STEPS, executed=ROUNDS * STEPS)
    figure = Figure("engine's time per executed step", costs[0].median * 1000, LIMIT_MS, "ms")
    return Result("Overhead of a step", text, costs, [figure], unit="ms")


def _edgemake(work: Workplace) -> Contender:
    folder = work.folder / "toy"
    toy.write(folder, STEPS, ROOT / "pyproject.toml")
    paths = os.pathsep.join(map(str, (work.project, ROOT)))
    return Contender("edgemake", [str(DOIT), "nothing"], folder, {"PYTHONPATH": paths})


def _others(work: Workplace) -> list[Contender]:
    contenders = []
    for write in (peers.plain_doit, peers.dvc):
        folder = work.folder / f"toy-{write.__name__}"
        folder.mkdir()
        (folder / toy.INPUT).touch()
        contenders.append(write([_node(i) for i in range(STEPS)], folder))
    return contenders


def _node(number: int) -> Node:
    command = f"{sys.executable} -c pass && echo {number} >> {peers.RAN}"
    return Node(f"step{number}", command, [toy.INPUT], [], [])


def _touch(contender: Contender, number: int) -> None:
    (contender.folder / toy.INPUT).write_text(f"input of round {number}\n")


def _check(work: Workplace, ours: Contender) -> None:
    """Raises BenchmarkError unless every contender executed its steps once a round."""
    wanted = (ROUNDS + 1) * STEPS
    logs = [ours.folder / "artifacts/executions.jsonl"]
    logs += [_log(work, name) for name in ("plain_doit", "dvc")]
    for log in logs:
        found = len(log.read_text().splitlines())
        if found != wanted:
            raise BenchmarkError(f"{log}: {found} executions, expected {wanted}")


def _log(work: Workplace, name: str) -> Path:
    return work.folder / f"toy-{name}" / peers.RAN
