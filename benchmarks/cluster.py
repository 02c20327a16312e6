"""What a step costs as a job of SLURM, beside a job that submitit runs on the same SLURM."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks import toy
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
from benchmarks.workplace import DOIT, ROOT, Workplace

LIMIT_SECONDS = 0.3
"""Median, per step, beyond submitit's own."""
STEPS = 8
ROUNDS = 3
TEXT = """\
(time of a run that executes {steps} steps, one at a time, each a job of a real SLURM on this host,
− time of a run with nothing to do) / {steps}. submitit: {steps} jobs that do nothing, one after the
other, each waited for by a look every 20 ms, the program's own start aside. The job that edgemake
sends ahead, to see whether the nodes reach the folder, is counted with the steps."""
PEER = """\
import sys, time
import submitit
executor = submitit.SlurmExecutor(sys.argv[1])
executor.update_parameters(time=5, cpus_per_task=1, additional_parameters={"mem": "500M"})
for number in range(int(sys.argv[2])):
    job = executor.submit(abs, -number)
    while not job.done():
        time.sleep(0.02)
    assert job.result() == number
"""


def measure(work: Workplace) -> Result:
    """Time both in turns on a SLURM that is started for it. Raises BenchmarkError."""
    sys.path.insert(0, str(ROOT / "tests"))
    from slurm.cluster import ClusterError, running

    folder = work.folder / "cluster"
    shutil.rmtree(folder, ignore_errors=True)
    ours = _edgemake(folder / "toy")
    with tempfile.TemporaryDirectory() as place:
        try:
            with running(Path(place) / "slurm") as cluster:
                series = _series(folder, ours, cluster.environment)
        except ClusterError as error:
            raise BenchmarkError(str(error)) from None
    more = [mine - theirs for mine, theirs in zip(*(one.seconds for one in series), strict=True)]
    beyond = Series("edgemake beyond submitit", more)
    figure = Figure("a step on SLURM, beyond submitit's job", beyond.median, LIMIT_SECONDS, "s")
    return Result("A step as a job of SLURM", TEXT.format(steps=STEPS), series, [figure])


def _series(folder: Path, ours: Contender, slurm: dict[str, str]) -> list[Series]:
    ours = Contender(ours.name, ours.command, ours.folder, {**ours.environment, **slurm})
    peer = folder / "peer.py"
    peer.write_text(PEER)
    jobs, none = (
        Contender(
            "submitit", [sys.executable, str(peer), str(folder / "jobs"), count], folder, slurm
        )
        for count in (str(STEPS), "0")
    )
    series = [Series("edgemake", []), Series("submitit", [])]
    _touch(ours, -1)
    run(ours)
    for number in range(ROUNDS):
        say(f"{STEPS} steps as jobs of SLURM, run {number + 1} of {ROUNDS}")
        _touch(ours, number)
        busy = timed(ours)
        series[0].seconds.append((busy - timed(ours)) / STEPS)
        busy = timed(jobs)
        series[1].seconds.append((busy - timed(none)) / STEPS)
    executed = (ours.folder / "artifacts/executions.jsonl").read_text().splitlines()
    if len(executed) != (ROUNDS + 1) * STEPS:
        raise BenchmarkError(f"{len(executed)} executions, expected {(ROUNDS + 1) * STEPS}")
    return series


def _edgemake(folder: Path) -> Contender:
    toy.write(folder, STEPS, ROOT / "pyproject.toml")
    paths = os.pathsep.join(map(str, (folder, ROOT)))
    words = ["executor=slurm", "executor.cores=1", "executor.memory_gib=0.5"]
    words += ["~executor.stages.train"]  # the toy has no such stage
    return Contender("edgemake", [str(DOIT), *words, "nothing"], folder, {"PYTHONPATH": paths})


def _touch(contender: Contender, number: int) -> None:
    (contender.folder / toy.INPUT).write_text(f"input of round {number}\n")
