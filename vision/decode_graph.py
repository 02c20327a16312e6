"""Decoding as a part of the network: boxes in parts of the input's side, and scores.

Built for 8-bit arithmetic and for the operators that XIAO's firmware and an Ethos-U55 have.
Softmax is followed at once by convolutions that take expectations and make of them what the
output holds: a box's size, and how far its centre lies from the cell's. Whatever is rounded to 8
bits is clipped first to what objects can be (centre and size in 0..1), by activations that TFLite
fuses into convolutions and additions: else one background cell's box of three times the image's
width, which no one will see, would coarsen all boxes and scores threefold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.decode import SIDES, anchors

if TYPE_CHECKING:
    from vision.decode import Floats
    from vision.head_cut import Branch, Head
    from vision.onnx_builder import Builder

AXES = 2
"""x and y. The sides of a box branch are left, top, right, bottom: first x, then y, twice."""
SIZE_SHIFT, CENTRE_SHIFT = 0.875, 0.4375
"""Added to the bins' values (0..15, or half of that), and taken off again: the largest weight is
then 127 steps of 1/8 (or 1/16), so that int8 weights of one scale a channel are exact."""


def normalised(build: Builder, head: Head, output: str) -> str:
    """Appends the decoding of a detection network's six branches; gives the output's name.

    It is `[1, 4 + classes, N]`: centre and size of a box, then its scores.
    """
    cells = build.node("Concat", _joined(build, head), "cells", axis=2)
    return build.node("Transpose", [cells], output, perm=[0, 2, 1])


def normalised_pair(build: Builder, head: Head, boxes: str, scores: str) -> tuple[str, str]:
    """The same in two outputs, `[1, 4, N]` and `[1, N, classes]`: each keeps its own 8 bits."""
    centre, size, score = _joined(build, head)
    rows = build.node("Concat", [centre, size], f"{boxes}_rows", axis=2)
    return build.node("Transpose", [rows], boxes, perm=[0, 2, 1]), build.rename(score, scores)


def _joined(build: Builder, head: Head) -> list[str]:
    """Centres, sizes and scores of all strides' cells, each `[1, N, …]`."""
    centres, sizes, scores = [], [], []
    for box, classes in zip(head.of("box"), head.of("class"), strict=True):
        stride = head.stride(box)
        parts = _parts(build, box, stride)
        centres.append(_centre(build, head, box, parts))
        sizes.append(_size(build, head, box, parts))
        alive = build.node("Sigmoid", [classes.tensor], f"score_{stride}_nchw")
        scores.append(build.rows(alive, classes.side, classes.channels, f"score_{stride}"))
    return [
        build.node("Concat", levels, name, axis=1)
        for name, levels in (("centre", centres), ("size", sizes), ("score", scores))
    ]


def _parts(build: Builder, box: Branch, stride: int) -> str:
    """How likely each bin is: `[1, 4 * bins, side, side]`, a softmax for each box side."""
    side, channels = box.side, box.channels
    raw = build.rows(box.tensor, side, channels, f"box_{stride}")
    raw = build.reshape(raw, [1, side * side * SIDES, channels // SIDES], f"bins_{stride}")
    parts = build.node("Softmax", [raw], f"parts_{stride}", axis=-1)
    parts = build.reshape(parts, [1, side, side, channels], f"parts_{stride}_nhwc")
    return build.node("Transpose", [parts], f"parts_{stride}_nchw", perm=[0, 3, 1, 2])


def _centre(build: Builder, head: Head, box: Branch, parts: str) -> str:
    """`[1, side * side, 2]`: centres of one stride's boxes, in 0..1.

    Counted from -1 to 1 across the image on the way, as the only activation that clips on both
    sides does; the last convolution halves that, which moves no 8-bit value.
    """
    import numpy as np

    stride, side, bins = head.stride(box), box.side, box.channels // SIDES
    unit = stride / head.imgsz
    half = np.arange(bins) / 2 + CENTRE_SHIFT
    weights = _by_axis(-half, half) * 2 * unit
    shift = _clipped(build, _conv(build, parts, weights, 0.0, f"shift_{stride}"))
    cells = (2 * unit * anchors(side) - 1).T.reshape(1, AXES, side, side).astype(np.float32)
    at = build.constant(f"anchors_{stride}", cells)
    centre = _clipped(build, build.node("Add", [shift, at], f"wide_{stride}"))
    centre = _conv(build, centre, np.eye(AXES) / 2, 0.5, f"centre_{stride}_nchw")
    return build.rows(centre, side, AXES, f"centre_{stride}")


def _size(build: Builder, head: Head, box: Branch, parts: str) -> str:
    """`[1, side * side, 2]`: width and height of one stride's boxes, in 0..1."""
    import numpy as np

    stride, bins = head.stride(box), box.channels // SIDES
    unit = stride / head.imgsz
    value = np.arange(bins) + SIZE_SHIFT
    weights, bias = _by_axis(value, value) * unit, -2 * SIZE_SHIFT * unit
    size = _clipped(build, _conv(build, parts, weights, bias, f"size_{stride}_nchw"))
    return build.rows(size, box.side, AXES, f"size_{stride}")


def _by_axis(low: Floats, high: Floats) -> Floats:
    """`[2, 4 * bins]`: for x and for y, the weights of the near side's bins and the far one's."""
    import numpy as np

    weights = np.zeros((AXES, SIDES, low.size))
    for axis in range(AXES):
        weights[axis, axis], weights[axis, axis + AXES] = low, high
    return weights.reshape(AXES, -1)


def _conv(build: Builder, tensor: str, weights: Floats, bias: float, output: str) -> str:
    """A 1x1 convolution of weights `[out, in]`."""
    import numpy as np

    kernel = build.constant(f"{output}_weights", weights[..., None, None].astype(np.float32))
    offset = build.constant(f"{output}_bias", np.full(len(weights), bias, dtype=np.float32))
    return build.node("Conv", [tensor, kernel, offset], output, kernel_shape=[1, 1])


def _clipped(build: Builder, tensor: str) -> str:
    """Clip to -1..1, which TFLite fuses into the operator before it."""
    import numpy as np

    limits = (
        build.constant(f"{tensor}_{end}", np.array(value, dtype=np.float32))
        for end, value in (("min", -1), ("max", 1))
    )
    return build.node("Clip", [tensor, *limits], f"{tensor}_clipped")
