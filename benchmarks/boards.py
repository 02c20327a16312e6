"""Every kind of board from an own checkpoint: nothing built but the toolchains."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from benchmarks.measure import BenchmarkError, Contender, Figure, Result, Series, say, timed
from benchmarks.workplace import DOIT, Workplace, copy_sources

TARGETS = ("grove_v2", "xiao_esp32s3", "spacemit_k1")
LIMIT = 180.0
"""Seconds for one board."""
QUANTIZE_LIMIT = 20.0
"""Seconds for SpacemiT's quantizer at 320 pixels with 64 images."""
SIDE, COUNT = 320, 64
TEXT = """\
`doit target=… train=none model.weights=best.pt quant.calibration.source=FOLDER` with the main
job's checkpoint and images, in a project whose store is empty and whose toolchains are there. The
last line is the step quantize_onnx of target=spacemit_k1 at {side} pixels with {count} images,
built twice: its bytes must be the same."""


def measure(work: Workplace) -> Result:
    """One build of each. Raises BenchmarkError, also when the quantizer gives other bytes."""
    series, figures = [], []
    for target in TARGETS:
        say(f"{target} from an own checkpoint")
        project = _empty(work, target)
        seconds = timed(_doit(work, project, target))
        series.append(Series(target, [seconds]))
        figures.append(Figure(f"{target} from an own checkpoint", seconds, LIMIT, "s"))
    say("SpacemiT's quantizer, twice")
    sizes = [f"model.imgsz={SIDE}", f"quant.calibration.count={COUNT}"]
    runs = [_quantized(work, f"again{number}", sizes) for number in range(2)]
    if len({content for _, content in runs}) != 1:
        raise BenchmarkError("quantize_onnx gave other bytes the second time")
    quantizer = Series("quantize_onnx, the slower", [max(seconds for seconds, _ in runs)])
    series.append(quantizer)
    figures.append(
        Figure(f"quantize_onnx, {SIDE} px, {COUNT} images", quantizer.median, QUANTIZE_LIMIT, "s")
    )
    return Result("Every board", TEXT.format(side=SIDE, count=COUNT), series, figures)


def _empty(work: Workplace, name: str) -> Path:
    project = work.folder / "boards" / name
    shutil.rmtree(project, ignore_errors=True)
    copy_sources(work, project)
    return project


def _doit(work: Workplace, project: Path, target: str, *more: str) -> Contender:
    weights = work.artifact("train").path / "best.pt"
    images = work.artifact("dataset").path / "data/images/val"
    given = [f"model.weights='{weights}'", f"quant.calibration.source='{images}'"]
    command = [str(DOIT), f"target={target}", "train=none", *given, *more]
    return Contender(target, command, project, {"PYTHONPATH": str(project)})


def _quantized(work: Workplace, name: str, more: list[str]) -> tuple[float, str]:
    """Seconds of the step in a fresh project, and the digest of the file it left."""
    project = _empty(work, name)
    timed(_doit(work, project, "spacemit_k1", *more))
    [record] = (project / "artifacts/store/quantize_onnx").glob("*/step.json")
    told = json.loads(record.read_bytes())
    return float(told["seconds"]), str(told["outputs"]["model.q.onnx"])
