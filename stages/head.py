"""Cuts the decoding off the network: the raw outputs that the board's firmware decodes itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.head_cut import Branch

BOX_TOLERANCE = 0.5
"""Largest difference of a decoded corner from the uncut network's, pixels."""
SCORE_TOLERANCE = 1e-3
"""Largest difference of a decoded score from the uncut network's."""
SAMPLES = 3
"""Images on which cut and uncut network are compared."""


@dataclass(frozen=True)
class Params:
    """What the cut depends on: the firmware's branches."""

    form: str
    strides: list[int]
    """Pixels a cell, finest first."""
    box_channels: int
    keypoint_values: int
    """Values of a keypoint: x, y and, if 3, visibility."""
    order: list[str]
    """Names of the outputs in their order; empty: boxes before classes, fine before coarse."""


def plan(config: Config, onnx: Input) -> Step:
    """`onnx`: the exported network with its decoding, NCHW float input, one output."""
    contract = config.target.contract
    return Step(
        stage="head",
        params=Params(
            form=config.output.form,
            strides=list(contract.strides),
            box_channels=contract.box_channels,
            keypoint_values=contract.keypoint_values,
            order=list(config.output.order),
        ),
        inputs={"model.onnx": onnx},
        outputs=("head.onnx", "head.json"),
        toolchain=config.lock("images"),
        label=f"{config.output.form} {config.model.imgsz}",
    )


def run(params: Params, work: Work) -> None:
    """Writes head.onnx and head.json. Raises StageError for a network that is no detector."""
    import onnx

    from vision.head_cut import cut, find_branches

    model = onnx.load(work.inputs["model.onnx"])
    imgsz = model.graph.input[0].type.tensor_type.shape.dim[-1].dim_value
    try:
        branches = find_branches(model)
    except ValueError as fault:
        raise StageError(
            f"model.weights: this network does not end like a YOLOv8 detection head ({fault}); "
            "give a detection model"
        ) from None
    _agrees(params, branches, imgsz)
    head = cut(model, branches, imgsz)
    target = work.out / "head.onnx"
    target.write_bytes(head.SerializeToString(deterministic=True))
    difference = _verify(work.inputs["model.onnx"], target, params, imgsz)
    report: dict[str, Any] = {
        "schema": 1,
        "form": params.form,
        "imgsz": imgsz,
        "classes": branches[-1].channels,
        "outputs": [_describe(branch, imgsz) for branch in branches],
        "verified": {
            "images": SAMPLES,
            "box_difference_px": difference[0],
            "box_tolerance_px": BOX_TOLERANCE,
            "score_difference": difference[1],
            "score_tolerance": SCORE_TOLERANCE,
        },
    }
    (work.out / "head.json").write_text(json.dumps(report, indent=1) + "\n")


def _describe(branch: Branch, imgsz: int) -> dict[str, Any]:
    return {
        "name": branch.name(imgsz),
        "role": branch.role,
        "stride": imgsz // branch.side,
        "shape": [1, branch.side * branch.side, branch.channels],
    }


def _agrees(params: Params, branches: list[Branch], imgsz: int) -> None:
    """Raises StageError unless the branches are those the firmware decodes."""
    boxes = [branch for branch in branches if branch.role == "box"]
    strides = [imgsz / branch.side for branch in boxes]
    if strides != params.strides:
        raise StageError(
            f"model.architecture: branches of strides {strides}; the board decodes "
            f"{params.strides} (target.contract.strides)"
        )
    for branch in boxes:
        if branch.channels != params.box_channels:
            raise StageError(
                f"model.architecture: box branches of {branch.channels} channels; the board "
                f"decodes {params.box_channels} (target.contract.box_channels)"
            )


def _verify(whole: Path, head: Path, params: Params, imgsz: int) -> tuple[float, float]:
    """Largest differences (corner in pixels, score) of the decoded head from the whole network.

    Raises StageError when they are beyond the tolerances: the cut is then in the wrong place.
    """
    from vision.decode import decode
    from vision.run_onnx import corners_and_scores, run_onnx
    from vision.samples import samples

    images = samples(SAMPLES, imgsz)
    box_difference = score_difference = 0.0
    for one, many in zip(run_onnx(whole, images), run_onnx(head, images), strict=True):
        half = len(many) // 2
        corners, scores = decode(many[:half], many[half:], params.strides)
        true_corners, true_scores = corners_and_scores(one[0])
        box_difference = max(box_difference, float(abs(corners - true_corners).max()))
        score_difference = max(score_difference, float(abs(scores - true_scores).max()))
    if not (box_difference <= BOX_TOLERANCE and score_difference <= SCORE_TOLERANCE):
        raise StageError(
            f"the cut network decodes to other boxes than the whole one: corners off by "
            f"{box_difference:.3g} px (allowed {BOX_TOLERANCE}), scores by "
            f"{score_difference:.3g} (allowed {SCORE_TOLERANCE}); model.architecture is not a "
            "YOLOv8 detection network"
        )
    return round(box_difference, 3), round(score_difference, 5)
