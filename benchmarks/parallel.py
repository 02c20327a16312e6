"""A sweep of twelve points, one step at a time and two."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import BenchmarkError, Contender, Figure, Result, Series, run, say, timed
from benchmarks.workplace import DOIT, Workplace, copy_sources
from edgemake.resources import CORES

AXES = ("target=grove_v2,xiao_esp32s3,spacemit_k1", "quant.calibration.count=16,32,64,128")
POINTS = 12
ALONE_LIMIT = 1.15
"""-n 1, as part of the sum of the distinct steps' own times."""
SIDE_BY_SIDE_LIMIT = 0.70
"""-n 2, as part of -n 1."""
TEXT = """\
`doit -m {axes} deliver` with the main job's checkpoint and images, in a project whose store is
empty and whose toolchains are there: {points} points, {steps} distinct steps. A step has one core
in either run: `-n 1` with EDGEMAKE_CORES=1, `-n 2` with EDGEMAKE_CORES=2. The steps' own time is
what their records say: the stage's process, from its start to its end."""


def measure(work: Workplace) -> Result:
    """Either once. Raises BenchmarkError, also when a step was executed twice."""
    weights = work.artifact("train").path / "best.pt"
    images = work.artifact("dataset").path / "data/images/val"
    projects = [work.folder / f"parallel/n{workers}" for workers in (1, 2)]
    for project in projects:
        shutil.rmtree(project, ignore_errors=True)
        copy_sources(work, project)
    return compared(projects, weights, images)


def compared(projects: Sequence[Path], weights: Path, images: Path) -> Result:
    """The sweep in two projects in which nothing is built, one step at a time and two."""
    series = []
    for workers, project in enumerate(projects, 1):
        say(f"{POINTS} points, -n {workers}")
        run(_doit(project, workers, weights, images, "toolchain"))
        seconds = timed(_doit(project, workers, weights, images, "deliver"))
        series.append(Series(f"-n {workers}", [seconds]))
    own = [_own_seconds(project) for project in projects]
    _check(projects)
    alone, beside = (taken.median for taken in series)
    total = sum(own[0])
    figures = [
        Figure("12 points, -n 1, of the steps' own time", alone / total, ALONE_LIMIT, "times"),
        Figure("12 points, -n 2, of -n 1", beside / alone, SIDE_BY_SIDE_LIMIT, "times"),
    ]
    series += [Series(f"the steps' own time, -n {n}", [sum(s)]) for n, s in enumerate(own, 1)]
    text = TEXT.format(axes=" ".join(AXES), points=POINTS, steps=len(own[0]))
    return Result("A sweep, side by side", text, series, figures)


def _doit(project: Path, workers: int, weights: Path, images: Path, task: str) -> Contender:
    given = ["train=none", f"model.weights='{weights}'", f"quant.calibration.source='{images}'"]
    command = [str(DOIT), "-m", "-n", str(workers), *AXES, *given, task]
    environment = {"PYTHONPATH": str(project), CORES: str(workers)}
    return Contender(f"-n {workers}", command, project, environment)


def _own_seconds(project: Path) -> list[float]:
    records = (project / "artifacts/store").glob("*/*/step.json")
    return [float(json.loads(record.read_bytes())["seconds"]) for record in records]


def _check(projects: Sequence[Path]) -> None:
    """Both built the same, all points, and no step twice."""
    built = []
    for project in projects:
        lines = (project / "artifacts/executions.jsonl").read_text().splitlines()
        found = [json.loads(line) for line in lines]
        # The step that draws the result is given how long the others took.
        found = [line for line in found if line["stage"] != "sweep"]
        digests = [f"{line['step']} {line['digest']}" for line in found]
        delivered = [path.parent for path in project.glob("artifacts/*/*/provenance.json")]
        if len(set(digests)) != len(digests) or len(delivered) != POINTS:
            raise BenchmarkError(f"{project}: {len(delivered)} deliverables, steps {digests}")
        built.append(set(digests))
    if built[0] != built[1]:
        other = "\n".join(sorted(built[0] ^ built[1]))
        raise BenchmarkError(f"-n 1 and -n 2 executed other steps:\n{other}")
