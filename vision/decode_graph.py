"""Decoding as a part of the network, in parts of its side: `[1, 4 + classes, N]`.

Built for 8-bit arithmetic and for the operators that XIAO's firmware and an Ethos-U55 have.
Softmax, expectation and the step from distances to a box are one convolution over the bins, so
no tensor of distances needs a range of its own; all that is joined lies in 0..1, so one scale
fits all of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.decode import SIDES, anchors

if TYPE_CHECKING:
    from vision.decode import Floats
    from vision.head_cut import Branch, Head
    from vision.onnx_builder import Builder

LEFT, TOP, RIGHT, BOTTOM = range(SIDES)
SIZE_SHIFT, CENTRE_SHIFT = 0.875, 0.5
"""Added to the bins' values, and taken off again, so that int8 weights are exact: with 16 bins
the largest weight is then 127/8 strides, hence one step 1/8, of which all others are multiples."""


def normalised(build: Builder, head: Head, output: str) -> str:
    """Appends the decoding of a detection network's six branches; gives the output's name."""
    levels = [
        _level(build, head, box, classes)
        for box, classes in zip(head.of("box"), head.of("class"), strict=True)
    ]
    cells = build.node("Concat", levels, "cells", axis=1)
    return build.node("Transpose", [cells], output, perm=[0, 2, 1])


def _level(build: Builder, head: Head, box: Branch, classes: Branch) -> str:
    """`[1, side * side, 4 + classes]` of one stride."""
    import numpy as np

    stride, side = head.stride(box), box.side
    bins = box.channels // SIDES
    raw = build.node("Transpose", [box.tensor], f"box_{stride}_nhwc", perm=[0, 2, 3, 1])
    raw = build.reshape(raw, [1, side * side * SIDES, bins], f"bins_{stride}")
    parts = build.node("Softmax", [raw], f"parts_{stride}", axis=-1)
    parts = build.reshape(parts, [1, side, side, box.channels], f"grid_{stride}")
    parts = build.node("Transpose", [parts], f"parts_{stride}_nchw", perm=[0, 3, 1, 2])
    unit = stride / head.imgsz
    centre = _expected(build, parts, f"shift_{stride}", _centre_weights(bins) * unit, 0.0)
    middles = (anchors(side) * unit).T.reshape(1, 2, side, side).astype(np.float32)
    at = build.constant(f"anchors_{stride}", middles)
    centre = build.node("Add", [centre, at], f"centre_{stride}")
    offset = -2 * SIZE_SHIFT * unit
    size = _expected(build, parts, f"size_{stride}", _size_weights(bins) * unit, offset)
    scores = build.node("Sigmoid", [classes.tensor], f"scores_{stride}")
    level = build.node("Concat", [centre, size, scores], f"level_{stride}", axis=1)
    rows = build.node("Transpose", [level], f"level_{stride}_nhwc", perm=[0, 2, 3, 1])
    return build.reshape(rows, [1, side * side, SIDES + head.classes], f"rows_{stride}")


def _expected(build: Builder, parts: str, output: str, weights: Floats, offset: float) -> str:
    """A 1x1 convolution `[1, 4 * bins, h, w]` -> `[1, 2, h, w]`."""
    import numpy as np

    kernel = build.constant(f"{output}_weights", weights[..., None, None].astype(np.float32))
    bias = build.constant(f"{output}_bias", np.full(len(weights), offset, dtype=np.float32))
    return build.node("Conv", [parts, kernel, bias], output, kernel_shape=[1, 1])


def _centre_weights(bins: int) -> Floats:
    """`[2, 4 * bins]`: half of right - left, half of bottom - top, in strides.

    The shift cancels: each side's parts add up to one.
    """
    import numpy as np

    weights = np.zeros((2, SIDES, bins))
    half = (np.arange(bins) / 2) + CENTRE_SHIFT
    weights[0, LEFT], weights[0, RIGHT] = -half, half
    weights[1, TOP], weights[1, BOTTOM] = -half, half
    return weights.reshape(2, -1)


def _size_weights(bins: int) -> Floats:
    """`[2, 4 * bins]`: left + right, top + bottom, in strides, with the shift in both."""
    import numpy as np

    weights = np.zeros((2, SIDES, bins))
    weights[0, [LEFT, RIGHT]] = weights[1, [TOP, BOTTOM]] = np.arange(bins) + SIZE_SHIFT
    return weights.reshape(2, -1)
