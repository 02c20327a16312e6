"""Gives the network the end its board wants: raw branches, or decoded in one of several forms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.decode import Floats
    from vision.forms import Decoded
    from vision.head_cut import Head
    from vision.head_graph import Tensor

BOX_TOLERANCE = 0.5
"""Largest difference of a decoded corner from the uncut network's, pixels."""
SCORE_TOLERANCE = 1e-3
"""Largest difference of a decoded score from the uncut network's."""
SCORE_PART = 1e-2
"""The same, as part of the uncut network's largest score: samples may excite no class much."""
KEYPOINT_TOLERANCE = 0.5
"""Largest difference of a decoded keypoint from the uncut network's, pixels."""
SAMPLES = 3
"""Images on which cut and uncut network are compared."""


@dataclass(frozen=True)
class Params:
    """What the end depends on: the form, and the branches that the board's firmware decodes."""

    form: str
    strides: list[int]
    """Pixels a cell, finest first."""
    box_channels: int
    keypoint_values: int
    """Values of a keypoint: x, y and, if 3, visibility."""
    order: list[str]
    """Names of the outputs in their order; empty: the form's own."""


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
    """Writes head.onnx and head.json.

    Raises StageError for a network that is no detector, or none that the board can decode.
    """
    import onnx

    from vision.head_cut import find_head
    from vision.head_graph import cuts, end, reorder

    model = onnx.load(work.inputs["model.onnx"])
    try:
        head = find_head(model)
    except ValueError as fault:
        raise StageError(
            f"this network does not end like YOLOv8 for detection or pose: {fault}; give such a "
            "network, exported by ultralytics (model.weights or model.onnx)"
        ) from None
    _agrees(params, head)
    ended, outputs = end(params.form, model, head)
    outputs = _ordered(outputs, params.order)
    reorder(ended, outputs)
    target = work.out / "head.onnx"
    target.write_bytes(ended.SerializeToString(deterministic=True))
    report: dict[str, Any] = {
        "schema": 2,
        "form": params.form,
        "imgsz": head.imgsz,
        "task": "pose" if head.keypoints else "detect",
        "classes": head.classes,
        "keypoints": list(head.keypoints) if head.keypoints else None,
        "outputs": [tensor.described(head) for tensor in outputs],
        "cuts": cuts(params.form, head),
        "verified": _verify(work.inputs["model.onnx"], target, params.form, head, outputs),
    }
    (work.out / "head.json").write_text(json.dumps(report, indent=1) + "\n")


def _agrees(params: Params, head: Head) -> None:
    """Raises StageError unless the branches are those the board decodes."""
    from vision.head_graph import TASKS

    task = "pose" if head.keypoints else "detect"
    if task not in TASKS[params.form]:
        raise StageError(
            f"the network is for task {task}, and outputs of form {params.form} for "
            f"{' and '.join(TASKS[params.form])}: choose a model of task {task}, or other weights"
        )
    boxes = head.of("box")
    strides = [head.imgsz / branch.side for branch in boxes]
    if strides != params.strides:
        raise StageError(
            f"model.architecture: branches of strides {strides}; the board decodes "
            f"{params.strides} (target.contract.strides)"
        )
    if boxes[0].channels != params.box_channels:
        raise StageError(
            f"model.architecture: box branches of {boxes[0].channels} channels; the board "
            f"decodes {params.box_channels} (target.contract.box_channels)"
        )
    if head.keypoints and head.keypoints[1] != params.keypoint_values:
        raise StageError(
            f"keypoints of {head.keypoints[1]} values; the board decodes {params.keypoint_values} "
            "(target.contract.keypoint_values): train with a data set whose kpt_shape is "
            f"[{head.keypoints[0]}, {params.keypoint_values}]"
        )


def _ordered(outputs: list[Tensor], order: list[str]) -> list[Tensor]:
    """The outputs in the order asked for. Raises StageError when that names others."""
    by_name = {tensor.name: tensor for tensor in outputs}
    if order and sorted(order) != sorted(by_name):
        raise StageError(
            f"target.outputs: order {order} does not name each output once; they are "
            f"{list(by_name)}"
        )
    return [by_name[name] for name in order] if order else outputs


def _verify(
    whole: Path, ended: Path, form: str, head: Head, outputs: Sequence[Tensor]
) -> dict[str, Any]:
    """Largest differences of what the end decodes to from what the whole network says.

    Raises StageError when they are beyond the tolerances: the cut is then in the wrong place.
    """
    from vision.forms import decode_outputs
    from vision.head_graph import CLIPPED, whole_output
    from vision.run_onnx import run_onnx
    from vision.samples import samples

    images = samples(SAMPLES, head.imgsz)
    described = [tensor.described(head) for tensor in outputs]
    uncut = [whole_output(head).described(head)]
    found = _Difference(pose=head.keypoints is not None)
    for one, many in zip(run_onnx(whole, images), run_onnx(ended, images), strict=True):
        truth = decode_outputs("decoded", one, uncut, head.imgsz)
        if form in CLIPPED:
            truth = replace(truth, corners=_clip(truth.corners, head))
        found.add(decode_outputs(form, many, described, head.imgsz), truth)
    found.demand()
    return {"images": SAMPLES, **found.report()}


def _clip(corners: Floats, head: Head) -> Floats:
    """Boxes as the forms of CLIPPED state them.

    Sizes are clipped to the image's side, the way from the cell to the centre to half of it (no
    box of a size that fits reaches farther, for it holds its cell), and centres to the image.
    """
    import numpy as np

    from vision.decode import corners_of, grid

    side = head.imgsz
    cells, strides = grid(side, [head.stride(box) for box in head.of("box")])
    low, high, anchors = corners[:, :2], corners[:, 2:], cells * strides
    way = ((low + high) / 2 - anchors).clip(-side / 2, side / 2)
    centre, size = (anchors + way).clip(0, side), (high - low).clip(0, side)
    return corners_of(np.concatenate([centre, size], axis=-1))


class _Difference:
    """Largest differences between two decodings, over images."""

    def __init__(self, pose: bool) -> None:
        self.box = self.score = self.part = 0.0
        self.keypoint: float | None = 0.0 if pose else None

    def add(self, found: Decoded, truth: Decoded) -> None:
        score = float(abs(found.scores - truth.scores).max())
        self.box = max(self.box, float(abs(found.corners - truth.corners).max()))
        self.score = max(self.score, score)
        self.part = max(self.part, score / max(float(truth.scores.max()), 1e-30))
        if self.keypoint is not None:
            assert found.keypoints is not None and truth.keypoints is not None
            off = abs(found.keypoints - truth.keypoints)
            self.keypoint = max(self.keypoint, float(off[..., :2].max()))
            self.score = max(self.score, float(off[..., 2].max()))

    def demand(self) -> None:
        near = self.box <= BOX_TOLERANCE and (self.keypoint or 0.0) <= KEYPOINT_TOLERANCE
        if not (near and self.score <= SCORE_TOLERANCE and self.part <= SCORE_PART):
            raise StageError(
                f"the cut network decodes to something else than the whole one: corners off by "
                f"{self.box:.3g} px (allowed {BOX_TOLERANCE}), scores by {self.score:.3g} (allowed "
                f"{SCORE_TOLERANCE}), {self.part:.2g} of the largest (allowed {SCORE_PART}), "
                f"keypoints by {self.keypoint or 0:.3g} px (allowed {KEYPOINT_TOLERANCE}); "
                "model.architecture is not a YOLOv8 network"
            )

    def report(self) -> dict[str, Any]:
        """Rounded: what lies below is noise of the processor."""
        pose = (
            {}
            if self.keypoint is None
            else {
                "keypoint_difference_px": round(self.keypoint, 3),
                "keypoint_tolerance_px": KEYPOINT_TOLERANCE,
            }
        )
        return {
            "box_difference_px": round(self.box, 3),
            "box_tolerance_px": BOX_TOLERANCE,
            "score_difference": round(self.score, 5),
            "score_tolerance": SCORE_TOLERANCE,
            **pose,
        }
