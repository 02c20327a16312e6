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

SAMPLES = 4
"""Images on which ONNX and PyTorch are compared."""


@dataclass(frozen=True)
class Params:
    """What the ONNX file depends on beside the checkpoint."""

    task: str
    architecture: str
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

    The network takes `images` [1,3,S,S] float32 RGB 0..1 and gives `output0` [1,4+nc,N].

    Raises StageError for a checkpoint of something else, and for an ONNX file that computes
    something else than PyTorch.
    """
    from vision.checkpoint import CheckpointError, check_architecture, load, prepare_ultralytics

    prepare_ultralytics(work.scratch, work.cores)
    work.progress(0, 4, "reading the checkpoint")
    try:
        check_architecture(params.architecture, params.task)
    except CheckpointError as fault:
        raise StageError(str(fault)) from fault
    try:
        model = load(work.inputs["checkpoint.pt"], params.task, params.architecture)
    except CheckpointError as fault:
        raise StageError(
            f"model.weights: {fault}. Give an ultralytics checkpoint of {params.architecture} for "
            f"task {params.task}, or set model.architecture to what it holds."
        ) from fault
    work.progress(1, 4, "exporting to ONNX")
    graph = _export(model, params, work)
    if params.simplify:
        work.progress(2, 4, "simplifying")
        graph = _simplify(graph)
    names = {int(index): str(name) for index, name in model.names.items()}
    stride = int(max(model.stride))
    _canonicalise(
        graph, {"names": names, "stride": stride, "task": params.task, "imgsz": params.imgsz}
    )
    target = work.out / "model.onnx"
    target.write_bytes(graph.SerializeToString(deterministic=True))
    work.progress(3, 4, "comparing ONNX with PyTorch")
    difference = _compare(model, target, params)
    report = {
        "schema": 1,
        "names": [names[index] for index in sorted(names)],
        "stride": stride,
        "imgsz": params.imgsz,
        "task": params.task,
        "opset": params.opset,
        "simplified": params.simplify,
        "max_difference": max(difference),
        "box_difference_px": _rounded(difference[0] * params.imgsz),
        "score_difference": difference[1],
        "compared_images": SAMPLES,
    }
    (work.out / "export.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")


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


def _canonicalise(graph: Any, metadata: dict[str, Any]) -> None:
    """Leaves only `metadata` (as ultralytics spells it): equal weights then give equal bytes."""
    import onnx

    del graph.metadata_props[:]
    for key, value in metadata.items():
        graph.metadata_props.add(key=key, value=str(value))
    graph.doc_string = graph.graph.doc_string = ""
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    onnx.checker.check_model(graph)


def _compare(model: Any, file: Path, params: Params) -> tuple[float, float]:
    """Largest differences of a corner (over imgsz) and of a score from PyTorch's.

    Raises StageError beyond the tolerance.
    """
    import torch

    from vision.run_onnx import corners_and_scores, run_onnx
    from vision.samples import samples

    network = model.fuse().eval().float()
    images = samples(SAMPLES, params.imgsz)
    box = score = 0.0
    for image, (output,) in zip(images, run_onnx(file, images), strict=True):
        with torch.no_grad():
            predicted = network(torch.from_numpy(image.transpose(2, 0, 1).copy()[None]))
        truth = predicted[0] if isinstance(predicted, (tuple, list)) else predicted
        corners, scores = corners_and_scores(output)
        true_corners, true_scores = corners_and_scores(truth.numpy())
        box = max(box, _largest(corners, true_corners) / params.imgsz)
        score = max(score, _largest(scores, true_scores))
    if not (box <= params.tolerance and score <= params.tolerance):
        raise StageError(
            f"the ONNX file differs from PyTorch: corners by {box * params.imgsz:.3g} px "
            f"({box:.3g} of the image), scores by {score:.3g}; export.tolerance={params.tolerance} "
            "is allowed. Try export.simplify=false or another export.opset."
        )
    return _rounded(box), _rounded(score)


def _largest(one: Any, other: Any) -> float:
    return float(abs(one - other).max())


def _rounded(value: float) -> float:
    """Two digits: what lies below is noise of the processor, and would spoil equal bytes."""
    return float(f"{value:.1e}")
