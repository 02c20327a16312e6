"""What each output of a model file is, told by its shape as the firmware tells it.

Raw outputs are `[1, cells, channels]`, one box and one class tensor for each stride; the keypoints
of all strides lie in one tensor. Decoded outputs are one tensor `[1, 4 + classes, cells]`, or a
pair: boxes `[1, 4, cells]` and scores `[1, cells, classes]`.
"""

from __future__ import annotations

from dataclasses import dataclass

from vision.contract import Rules
from vision.tflite_file import ModelFile, Tensor

BOX, CLASS, KEYPOINTS = "box", "class", "keypoints"
SCORE, DECODED = "score", "decoded"
CORNERS = 4
"""Values of a decoded box: centre x and y, width, height."""


@dataclass(frozen=True)
class Role:
    """What an output is for."""

    kind: str
    stride: int | None
    """Pixels a cell; None for a tensor of all strides."""

    @property
    def name(self) -> str:
        """As `target.outputs.….order` spells it, for instance box_8."""
        return self.kind if self.stride is None else f"{self.kind}_{self.stride}"


def side(model: ModelFile) -> int:
    """Side of the square input `[1, S, S, 3]`, pixels; 0 when it is no image."""
    shape = model.inputs[0].shape if model.inputs else ()
    return shape[1] if len(shape) == 4 else 0


def grids(rules: Rules, imgsz: int) -> list[int]:
    """Cells of each stride's grid, in the order of the strides."""
    return [(imgsz // stride) ** 2 for stride in rules.strides]


def roles(rules: Rules, model: ModelFile) -> list[Role]:
    """The role of each output, in the file's order."""
    return [_role(rules, side(model), tensor) for tensor in model.outputs]


def _role(rules: Rules, imgsz: int, tensor: Tensor) -> Role:
    if rules.form == "decoded_normalised":
        return Role(DECODED, None)
    cells = tensor.shape[1] if len(tensor.shape) == 3 else 0
    if rules.form == "decoded_pair":
        return Role(BOX if cells == CORNERS else SCORE, None)
    if rules.form == "seven_raw" and cells == sum(grids(rules, imgsz)):
        return Role(KEYPOINTS, None)
    kind = BOX if tensor.shape[-1:] == (rules.box_channels,) else CLASS
    return Role(kind, round(imgsz / cells**0.5) if cells else None)
