"""Other calibration images: what edgemake rebuilds, against the tutorials' two commands."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import (
    BenchmarkError,
    Contender,
    Figure,
    Result,
    Series,
    ratio,
    run,
    say,
    timed,
)
from benchmarks.workplace import Workplace

LIMIT = 1 / 4
"""Of the peer's time."""
ROUNDS = 2
COUNT = 64
FIRST_SEED = 7001
REBUILT = ["calibration", "quantize", "compile", "check", "package"]
"""All that may be executed after a change of the calibration images."""
TEXT = """\
`doit deliver {overrides} quant.calibration.count={count} quant.calibration.seed=N`, N new in each
run, in a built chain. It executes {rebuilt} and delivers; nothing is measured. The peer is
`onnx2tf -oiqt -qt per-tensor -cind` with the same {count} images as an npy file, and then `vela`
with the same arguments: the same head.onnx, the same installed onnx2tf, TensorFlow and vela."""
PREPARE = """\
import sys
import numpy as np
images = np.load(sys.argv[1])
np.save(sys.argv[2], images.astype(np.float32) / 255)
# onnx2tf looks for this file, and downloads it where it is missing
np.save(sys.argv[3], np.full((20, 128, 128, 3), 0.5, np.float32))
"""
SAMPLE = "calibration_image_sample_data_20x128x128x3_float32.npy"


def measure(work: Workplace) -> Result:
    """Time both in turns. Raises BenchmarkError, also when more than REBUILT was executed."""
    ours, theirs = Series("edgemake", []), Series("onnx2tf and vela", [])
    for number in range(ROUNDS):
        say(f"edgemake with other calibration images, run {number + 1} of {ROUNDS}")
        ours.seconds.append(_rebuild(work, FIRST_SEED + number))
        say(f"onnx2tf and vela, run {number + 1} of {ROUNDS}")
        theirs.seconds.append(_peer(work))
    text = TEXT.format(overrides=" ".join(work.overrides), count=COUNT, rebuilt=", ".join(REBUILT))
    figure = Figure("other calibration images, of the peer's time", ratio(ours, theirs), LIMIT)
    return Result("Other calibration images", text, [ours, theirs], [figure])


def _rebuild(work: Workplace, seed: int) -> float:
    before = len(work.executed())
    seconds = timed(
        work.doit(f"quant.calibration.count={COUNT}", f"quant.calibration.seed={seed}", "deliver")
    )
    executed = work.executed()[before:]
    if sorted(executed) != sorted(REBUILT):
        raise BenchmarkError(f"executed {executed}, expected {REBUILT}")
    return seconds


def _peer(work: Workplace) -> float:
    folder = work.folder / "tutorial"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    onnx2tf, vela = work.programs["convert"], work.programs["compile"]
    shutil.copyfile(work.artifact("head").path / "head.onnx", folder / "head.onnx")
    shutil.copyfile(work.artifact("compile").path / "vela.ini", folder / "vela.ini")
    images = max(
        (work.project / "artifacts/store/calibration").glob("*/calibration.npy"),
        key=lambda path: path.parent.stat().st_mtime_ns,
    )
    prepare = ["-c", PREPARE, str(images), "images.npy", SAMPLE]
    run(Contender("prepare", [str(onnx2tf / "python"), *prepare], folder))
    paths = {"PATH": f"{onnx2tf}:{os.environ['PATH']}"}  # it starts onnxsim
    seconds = timed(Contender("onnx2tf", _onnx2tf(onnx2tf), folder, paths))
    [model] = folder.glob("made/*_full_integer_quant.tflite")
    seconds += timed(Contender("vela", _vela(work, vela, model), folder))
    if not list(folder.glob("vela/*_vela.tflite")):
        raise BenchmarkError(f"vela left no model in {folder / 'vela'}")
    return seconds


def _onnx2tf(tools: Path) -> Sequence[str]:
    mean, deviation = "[[[[0,0,0]]]]", "[[[[1,1,1]]]]"
    command = [str(tools / "onnx2tf"), "-i", "head.onnx", "-o", "made", "-oiqt"]
    return [*command, "-qt", "per-tensor", "-cind", "images", "images.npy", mean, deviation]


def _vela(work: Workplace, tools: Path, model: Path) -> Sequence[str]:
    params = work.params("compile")
    return [
        str(tools / "vela"),
        str(model),
        f"--accelerator-config={params['accelerator']}",
        f"--config={model.parent.parent / 'vela.ini'}",
        f"--system-config={params['system_config']}",
        f"--memory-mode={params['memory_mode']}",
        f"--optimise={params['optimise']}",
        "--output-dir=vela",
    ]
