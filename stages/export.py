"""Checkpoint to ONNX: exported, simplified, stripped of dates and paths, compared with PyTorch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.compare_outputs import Difference

SAMPLES = 4
"""Images on which ONNX and PyTorch are compared."""


@dataclass(frozen=True)
class Params:
    """What the ONNX file depends on beside the checkpoint."""

    task: str
    architecture: str
    activation: str
    imgsz: int
    """Side of the square input, pixels."""
    opset: int
    simplify: bool
    tolerance: float
    """Largest difference allowed, as part of the range: corners over imgsz, scores over 1."""


def plan(config: Config, checkpoint: Input) -> Step:
    """`checkpoint`: what training left, or the user's weights when there is no training."""
    model, export = config.model, config.export
    return Step(
        stage="export",
        params=Params(
            task=model.task,
            architecture=model.architecture,
            activation=model.activation,
            imgsz=model.imgsz,
            opset=export.opset,
            simplify=export.simplify,
            tolerance=export.tolerance,
        ),
        inputs={"checkpoint.pt": checkpoint},
        outputs=("model.onnx", "export.json"),
        toolchain=config.lock("torch"),
        label=f"{model.name} {model.imgsz}",
    )


def run(params: Params, work: Work) -> None:
    """Writes model.onnx and export.json.

    The network takes `images` [1,3,S,S] float32 RGB 0..1 and gives `output0` [1,4+nc,N], for pose
    [1,4+nc+K*values,N].

    Raises StageError for a checkpoint of something else, and for an ONNX file that computes
    something else than PyTorch.
    """
    from vision.checkpoint import class_names, prepare_ultralytics
    from vision.onnx_form import canonicalise, metadata

    prepare_ultralytics(work.scratch, work.cores)
    work.progress(0, 4, "reading the checkpoint")
    model = _load(params, work.inputs["checkpoint.pt"])
    work.progress(1, 4, "exporting to ONNX")
    graph = _export(model, params, work)
    if params.simplify:
        work.progress(2, 4, "simplifying")
        graph = _simplify(graph)
    names, stride = class_names(model), int(max(model.stride))
    shape = [int(size) for size in model.model[-1].kpt_shape] if params.task == "pose" else None
    canonicalise(graph, metadata(names, stride, params.task, params.imgsz, shape))
    target = work.out / "model.onnx"
    target.write_bytes(graph.SerializeToString(deterministic=True))
    work.progress(3, 4, "comparing ONNX with PyTorch")
    found = _compare(model, target, params, shape)
    report = {
        "schema": 1,
        "names": [names[index] for index in sorted(names)],
        "stride": stride,
        "imgsz": params.imgsz,
        "task": params.task,
        "kpt_shape": shape,
        "opset": params.opset,
        "simplified": params.simplify,
        "max_difference": _rounded(found.largest),
        "box_difference_px": _rounded(_rounded(found.corner) * params.imgsz),
        "score_difference": _rounded(found.score),
        "keypoint_difference_px": shape and _rounded(_rounded(found.point) * params.imgsz),
        "compared_images": SAMPLES,
    }
    (work.out / "export.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def _load(params: Params, file: Path) -> Any:
    """The network of the checkpoint. Raises StageError for another one than the config says."""
    from vision.checkpoint import CheckpointError, check_architecture, load

    try:
        check_architecture(params.architecture, params.task)
    except CheckpointError as fault:
        raise StageError(str(fault)) from fault
    try:
        return load(file, params.task, params.architecture, params.activation)
    except CheckpointError as fault:
        remedy = fault.remedy or (
            f"Give an ultralytics checkpoint of {params.architecture} for task {params.task}, or "
            "set model.architecture to what it holds."
        )
        raise StageError(f"model.weights: {fault}. {remedy[0].upper()}{remedy[1:]}") from fault


def _export(model: Any, params: Params, work: Work) -> Any:
    """ultralytics' own export, which lays the decoding of the boxes into the graph."""
    import onnx
    from ultralytics.engine.exporter import Exporter

    model.pt_path = str(work.scratch / "model.pt")  # the exporter writes beside this name
    exporter = Exporter(
        overrides={
            "format": "onnx",
            "imgsz": params.imgsz,
            "opset": params.opset,
            "simplify": False,
            "dynamic": False,
            "batch": 1,
            "device": "cpu",
            "mode": "export",
            "task": params.task,
        }
    )
    return onnx.load(exporter(model=model))


def _simplify(graph: Any) -> Any:
    import onnxsim

    simplified, same = onnxsim.simplify(graph)
    if not same:
        raise StageError(
            "onnxsim's own check found another result after simplifying; set export.simplify=false"
        )
    return simplified


def _compare(model: Any, file: Path, params: Params, shape: list[int] | None) -> Difference:
    """Largest differences of the ONNX file's outputs from PyTorch's.

    Raises StageError beyond the tolerance.
    """
    import torch

    from vision.compare_outputs import NONE, difference
    from vision.run_onnx import run_onnx
    from vision.samples import samples

    network = model.fuse().eval().float()
    images = samples(SAMPLES, params.imgsz)
    found, classes = NONE, len(model.names)
    for image, (output,) in zip(images, run_onnx(file, images), strict=True):
        with torch.no_grad():
            predicted = network(torch.from_numpy(image.transpose(2, 0, 1).copy()[None]))
        truth = predicted[0] if isinstance(predicted, (tuple, list)) else predicted
        found |= difference(output, truth.numpy(), params.imgsz, classes, shape)
    if not found.largest <= params.tolerance:  # also if it is no number
        px = params.imgsz
        raise StageError(
            f"the ONNX file differs from PyTorch: corners by {found.corner * px:.3g} px "
            f"({found.corner:.3g} of the image), scores by {found.score:.3g}, keypoints by "
            f"{found.point * px:.3g} px, their visibility by {found.visibility:.3g}; "
            f"export.tolerance={params.tolerance} is allowed. Try export.simplify=false or another "
            "export.opset."
        )
    return found


def _rounded(value: float) -> float:
    """Two digits: what lies below is noise of the processor, and would spoil equal bytes."""
    return float(f"{value:.1e}")
