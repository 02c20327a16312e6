"""What every tier finds on the validation split, against ultralytics' own validation."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from benchmarks.measure import BenchmarkError, Contender, Figure, Result, Series, run, say, timed
from benchmarks.workplace import Workplace

LIMITS = {"litert": 8.0, "tflm": 60.0}
"""Tier -> seconds for 200 images of 192 pixels on two cores, everything included."""
FIRST = "pytorch"
"""The tier that runs what the peer runs."""
ROUNDS = 2
TEXT = """\
`doit {overrides} predict:TIER` with the tier's artifact removed: {images} images at {side} pixels,
from the start of doit to the artifact. The peer is one process that calls ultralytics'
`YOLO("best.pt").val(…)` with the same checkpoint, images, input size and thresholds; it also holds
what it finds against the labels, which is a step of its own here. The last column is in times of
the tier {first}, which runs the same network in the same PyTorch."""
PEER = """\
import sys
from ultralytics import YOLO
model, data, side, project = sys.argv[1:]
YOLO(model).val(data=data, imgsz=int(side), conf=0.001, iou=0.7, rect=False, device="cpu",
    plots=False, project=project)
"""
TASK = re.compile(r"^(predict:(\w+)-\w+) ", re.MULTILINE)


def measure(work: Workplace) -> Result:
    """Every tier and the peer in turns. Raises BenchmarkError."""
    tasks = {tier: task for task, tier in TASK.findall(run(work.doit("list", "--all")))}
    if not {FIRST, *LIMITS} <= tasks.keys():
        raise BenchmarkError(f"the chain has the tiers {list(tasks)}: leave evaluate.tiers alone")
    tiers = [FIRST, *sorted(tasks.keys() - {FIRST})]
    series = [Series(tier, []) for tier in tiers]
    peer = Series("ultralytics' val", [])
    theirs = _peer(work)
    for number in range(ROUNDS):
        for one in series:
            say(f"tier {one.name}, run {number + 1} of {ROUNDS}")
            one.seconds.append(_predicted(work, one.name, tasks[one.name]))
        say(f"{peer.name}, run {number + 1} of {ROUNDS}")
        peer.seconds.append(timed(theirs))
    images = len(list((work.artifact("dataset").path / "data/images/val").iterdir()))
    figures = [
        Figure(f"{images} images, tier {one.name}", one.median, LIMITS[one.name], "s")
        for one in series
        if one.name in LIMITS
    ]
    text = TEXT.format(
        overrides=" ".join(work.overrides), images=images, side=_side(work), first=FIRST
    )
    return Result("Evaluation", text, [*series, peer], figures)


def _predicted(work: Workplace, tier: str, task: str) -> float:
    """Seconds until the tier's artifact is there again."""
    digest = next(
        artifact.digest
        for step, artifact in work.chain
        if step.stage == "predict" and step.label == tier
    )
    shutil.rmtree(work.project / "artifacts/store/predict" / digest)
    before = len(work.executed())
    seconds = timed(work.doit(task))
    if (executed := work.executed()[before:]) != ["predict"]:
        raise BenchmarkError(f"{task}: executed {executed}, expected one step")
    return seconds


def _peer(work: Workplace) -> Contender:
    """ultralytics writes beside the images and the checkpoint, so both are copied."""
    folder = work.folder / "val"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(work.artifact("dataset").path / "data", folder / "data")
    shutil.copyfile(work.artifact("train").path / "best.pt", folder / "best.pt")
    data = folder / "data/data.yaml"
    data.write_text(f"path: {folder / 'data'}\n{data.read_text()}")
    python = work.programs["train"] / "python"
    arguments = ["best.pt", str(data), str(_side(work)), str(folder)]
    offline = {"YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(_settings(folder))}
    return Contender("val", [str(python), "-c", PEER, *arguments], folder, offline)


def _settings(folder: Path) -> Path:
    place = folder / "settings"
    place.mkdir()
    return place


def _side(work: Workplace) -> int:
    return int(work.params("export")["imgsz"])
