"""Planning large sweeps: time and memory of `doit plan -m`, from a hundred points to a thousand."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time

from benchmarks.measure import BenchmarkError, Contender, Figure, Result, Series, run, say
from benchmarks.workplace import Workplace

POINTS = (100, 250, 500, 1000)
ROUNDS = 3
SECONDS_LIMIT, MEGABYTES_LIMIT = 5.0, 500.0
"""Of the largest."""
GROWTH_LIMIT = 1.25
"""Time of the largest, as part of what it would be if time grew as the points do."""
TEXT = """\
`doit plan -m {overrides} quant.calibration.seed=range(0,N)`: the whole command, from its start to
its end, in a project in which one point is built. It composes and checks the points, merges their
steps, looks each up in the store, says why it would run, and prints the plan. In brackets: distinct
steps, and the most memory that the process had."""


def measure(work: Workplace) -> Result:
    """All sizes once a round. Raises BenchmarkError."""
    seconds: dict[int, list[float]] = {count: [] for count in POINTS}
    memory: dict[int, float] = dict.fromkeys(POINTS, 0.0)
    steps = {count: _steps(run(_plan(work, count))) for count in POINTS}
    for number in range(ROUNDS):
        for count in POINTS:
            say(f"planning {count} points, run {number + 1} of {ROUNDS}")
            took, peak = _used(_plan(work, count))
            seconds[count].append(took)
            memory[count] = max(memory[count], peak)
    series = [
        Series(f"{count} points ({steps[count]} steps, {memory[count]:.0f} MB)", seconds[count])
        for count in POINTS
    ]
    first, last = POINTS[0], POINTS[-1]
    growth = statistics.median(seconds[last]) / statistics.median(seconds[first]) * first / last
    figures = [
        Figure(f"planning {last:,} points", series[-1].median, SECONDS_LIMIT, "s"),
        Figure(f"memory for {last:,} points", memory[last], MEGABYTES_LIMIT, "MB"),
        Figure(f"{first} to {last:,} points, of linear growth", growth, GROWTH_LIMIT, "times"),
    ]
    return Result(
        "Planning a sweep", TEXT.format(overrides=" ".join(work.overrides)), series, figures
    )


def _plan(work: Workplace, count: int) -> Contender:
    plain = work.doit("-m", f"quant.calibration.seed=range(0,{count})")
    doit, *words = plain.command
    return Contender(f"{count} points", [doit, "plan", *words], plain.folder, plain.environment)


def _steps(plan: str) -> int:
    """How many distinct steps a plan has, by its last line."""
    sums = plan.splitlines()[-1].partition(";")[0].split(", ")
    return sum(int(part.split()[0].replace(",", "")) for part in sums)


def _used(contender: Contender) -> tuple[float, float]:
    """Seconds and peak megabytes of one run. Raises BenchmarkError."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    with tempfile.TemporaryFile() as printed:
        began = time.perf_counter()
        process = subprocess.Popen(
            contender.command,
            cwd=contender.folder,
            env={**clean, **contender.environment},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
        )
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            printed.seek(0)
            raise BenchmarkError(f"{contender.command}:\n{printed.read().decode()[-2000:]}")
    return took, usage.ru_maxrss * 1024 / 1e6
