"""What a model file from elsewhere is: the form of its outputs, told by their shapes alone.

That is how firmware tells models apart, too. From a form follow the task, the number of classes and
the keypoints; what is of no form is described as what it most likely is. Forms: docs/outputs.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

CORNERS = 4
STOCK_POSE = 4 + 1 + 17 * 3
"""Rows of ultralytics' own pose export of COCO: a box, a score, 17 keypoints."""
CHOSEN = 6
"""Values of a box that the network has chosen itself: corners, score, class."""
Shape: TypeAlias = tuple[int, ...]
Shapes: TypeAlias = Sequence[Shape]


@dataclass(frozen=True)
class Geometry:
    """What a board decodes."""

    strides: tuple[int, ...]
    box_channels: int
    keypoint_values: int

    def grids(self, side: int) -> list[int]:
        """Cells of each stride's grid, in the order of the strides, for `side` pixels."""
        return [(side // stride) ** 2 for stride in self.strides]


@dataclass(frozen=True)
class Form:
    """A form that a file's outputs fit."""

    name: str
    """As in target.outputs.….form."""
    task: str
    classes: int
    keypoints: tuple[int, int] | None = None
    """How many, and the values of each."""

    def words(self) -> str:
        """For people: six_raw, detect, 10 classes."""
        many = "1 class" if self.classes == 1 else f"{self.classes} classes"
        points = f", {self.keypoints[0]} keypoints" if self.keypoints else ""
        return f"{self.name} ({self.task}), {many}{points}"


@dataclass(frozen=True)
class Named:
    """What the metadata of an ONNX file says of its rows; TFLite files say nothing."""

    task: str = ""
    classes: int | None = None
    keypoints: tuple[int, int] | None = None


Reader: TypeAlias = Callable[[Shapes, int, Geometry, Named], Form | None]


def recognise(
    kind: str, shapes: Shapes, side: int, geometry: Geometry, named: Named | None = None
) -> Form | None:
    """The form of a file of this kind (`tflite` or `onnx`) with an input of `side` pixels."""
    for reader in READERS[kind]:
        if side and (found := reader(shapes, side, geometry, named or Named())):
            return found
    return None


def _raw(shapes: Shapes, side: int, geometry: Geometry, named: Named) -> Form | None:
    """six_raw, or with keypoints seven_raw: `[1, cells, box]` and `[1, cells, classes]`."""
    cells = geometry.grids(side)
    points = [shape for shape in shapes if shape[:2] == (1, sum(cells))]
    branches = sorted(shape for shape in shapes if shape not in points)
    per_stride = [[s[2] for s in branches if len(s) == 3 and s[:2] == (1, n)] for n in cells]
    if len(points) > 1 or len(branches) != 2 * len(cells):
        return None
    if any(len(pair) != 2 or geometry.box_channels not in pair for pair in per_stride):
        return None
    counts = {sum(pair) - geometry.box_channels for pair in per_stride}
    if len(counts) != 1:
        return None
    if not points:
        return Form("six_raw", "detect", counts.pop())
    values = geometry.keypoint_values
    if len(points[0]) != 3 or points[0][2] % values:
        return None
    return Form("seven_raw", "pose", counts.pop(), (points[0][2] // values, values))


def _decoded_normalised(shapes: Shapes, side: int, geometry: Geometry, named: Named) -> Form | None:
    cells = sum(geometry.grids(side))
    match [tuple(shape) for shape in shapes]:
        case [(1, rows, n)] if n == cells and rows > CORNERS:
            return Form("decoded_normalised", "detect", rows - CORNERS)
    return None


def _decoded_pair(shapes: Shapes, side: int, geometry: Geometry, named: Named) -> Form | None:
    cells = sum(geometry.grids(side))
    match sorted(shapes):
        case [(1, rows, n), (1, m, classes)] if n == m == cells and rows == CORNERS:
            return Form("decoded_pair", "detect", classes)
    return None


def _decoded(shapes: Shapes, side: int, geometry: Geometry, named: Named) -> Form | None:
    """ultralytics' own output; without metadata only COCO's pose is told from a detector."""
    found = _decoded_normalised(shapes, side, geometry, named)
    if found is None:
        return None
    points = named.keypoints
    if not named.task and shapes[0][1] == STOCK_POSE:
        points = (17, 3)
    count = found.classes - (math.prod(points) if points else 0)
    return Form("decoded", "pose" if points else "detect", count, points) if count > 0 else None


def _branch(shapes: Shapes, side: int, geometry: Geometry, named: Named) -> Form | None:
    """For each stride box `[1, box, h, w]`, class `[1, classes, h, w]` and sum `[1, 1, h, w]`."""
    counts = set()
    for stride in geometry.strides:
        grid = (side // stride,) * 2
        rows = [s[1] for s in shapes if len(s) == 4 and s[0] == 1 and s[2:] == grid]
        if len(rows) != 3 or geometry.box_channels not in rows or 1 not in rows:
            return None
        counts.add(sum(rows) - geometry.box_channels - 1)
    right = len(shapes) == 3 * len(geometry.strides) and len(counts) == 1
    return Form("branch", "detect", counts.pop()) if right else None


READERS: Mapping[str, tuple[Reader, ...]] = {
    "tflite": (_raw, _decoded_normalised, _decoded_pair),
    "onnx": (_decoded, _branch),
}
"""Kind of file -> who knows its forms."""


def looks_like(shapes: Shapes, side: int, geometry: Geometry) -> str:
    """In a few words what outputs of no form most likely are."""
    many = "1 output" if len(shapes) == 1 else f"{len(shapes)} outputs"
    listed = " ".join(str(list(shape)) for shape in shapes[:9])
    more = " …" if len(shapes) > 9 else ""
    other = next((f for kind in READERS if (f := recognise(kind, shapes, side, geometry))), None)
    words = other.words() if other else _guess(shapes, side, geometry)
    return f"{many} {listed}{more}: {words}"


def _guess(shapes: Shapes, side: int, geometry: Geometry) -> str:
    if not side:
        return "its input is no square picture, so nothing can be told of them"
    if len(shapes) == 1:
        return _one(shapes[0], side, geometry)
    if any(len(shape) == 4 for shape in shapes):
        return (
            "branches as grids of 4 axes, which were not reshaped to [1, cells, channels]; a "
            "decoder refuses them, or takes them for another kind of model"
        )
    if sum(shape[:1] == (1,) and len(shape) == 3 for shape in shapes) == 9:
        return "nine raw branches: keypoints of all strides must be joined to one tensor"
    return "no end of a YOLOv8 network of this input size"


def _one(shape: Shape, side: int, geometry: Geometry) -> str:
    cells = sum(geometry.grids(side))
    if len(shape) == 4:
        return "one grid of 4 axes; a decoder refuses it, or takes it for another kind of model"
    if len(shape) < 3:
        return "one row of values: a classifier"
    if shape[1] == cells:
        return "a cell after a cell; its last two axes must be swapped"
    if shape[1] == 3 * cells:
        return "three boxes a cell: a YOLOv5 export"
    if shape[2] == CHOSEN:
        return "boxes already chosen: an export with NMS (nms=True), or a network without it"
    strides = ", ".join(map(str, geometry.strides))
    return f"not the {cells} cells that strides of {strides} make of {side} pixels"


def trap(form: Form, scales: Sequence[float], max_scale: float | None) -> str:
    """What is wrong with a file that fits a form by chance; empty if nothing is.

    A detector of 52 classes may be one; but in pixels, of which no such form is, it is none.
    """
    wide = max_scale is not None and (not scales or max(scales) >= max_scale)
    if form.name == "decoded_normalised" and form.classes + CORNERS == STOCK_POSE and wide:
        return (
            "a stock pose export (box, 1 score, 17 keypoints of 3, in pixels), which would be "
            f"read as a detector of {form.classes} classes"
        )
    return ""
