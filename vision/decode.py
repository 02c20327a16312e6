"""The arithmetic of decoding: what firmwares make of raw branches. vision/forms.py applies it.

Formulas of the Grove firmware's decoders (SSCMA-Micro 1.0.x), which are those of YOLOv8's head
(distribution focal loss, arXiv:2006.04388): box channel = side * bins + bin, sides left, top,
right, bottom; a side's distance is the expectation of the softmax over its bins, in cells;
anchors lie half a cell inside; scores are sigmoids of the class logits; a keypoint lies at
(2 * raw + anchor - 0.5) * stride, its visibility is a sigmoid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.floating]

SIDES = 4
"""Distances a box branch states: left, top, right, bottom."""
VALUES = 3
"""Values of a raw keypoint: x, y, visibility."""


def softmax(values: Floats) -> Floats:
    """Softmax over the last axis; the maximum is taken off first, so it never overflows."""
    import numpy as np

    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def sigmoid(values: Floats) -> Floats:
    """Logistic function, elementwise, without overflow."""
    import numpy as np

    return np.exp(-np.logaddexp(0, -values))


def distances(raw: Floats) -> Floats:
    """`[cells, 4 * bins]` raw box branch -> `[cells, 4]` distances to l, t, r, b, in cells."""
    import numpy as np

    cells, channels = raw.shape
    bins = channels // SIDES
    weights = np.arange(bins, dtype=raw.dtype)
    return softmax(raw.reshape(cells, SIDES, bins)) @ weights


def anchors(side: int) -> Floats:
    """Centres `[side * side, 2]` (x, y) of a square grid's cells, row by row, in cells."""
    import numpy as np

    axis = np.arange(side) + 0.5
    return np.stack([np.tile(axis, side), np.repeat(axis, side)], axis=-1)


def boxes(raw: Floats, stride: int) -> Floats:
    """One raw box branch `[cells, 4 * bins]` -> `[cells, 4]` corners x1, y1, x2, y2 in pixels.

    `cells` is a square number: the grid of an input side of `sqrt(cells) * stride` pixels.
    """
    import numpy as np

    centres = anchors(round(raw.shape[0] ** 0.5))
    reach = distances(raw)
    corners = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=-1)
    return corners * stride


def corners_of(boxes: Floats) -> Floats:
    """`[N, 4]` centre x, y, width, height -> `[N, 4]` corners x1, y1, x2, y2."""
    import numpy as np

    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=-1)


def grid(side: int, strides: Sequence[int]) -> tuple[Floats, Floats]:
    """Anchors `[N, 2]` in cells and strides `[N, 1]` in pixels, of all cells of an input side."""
    import numpy as np

    counts = [(side // stride) ** 2 for stride in strides]
    centres = np.concatenate([anchors(side // stride) for stride in strides])
    return centres, np.repeat(np.array(strides, dtype=np.float64), counts)[:, None]


def keypoints(raw: Floats, centres: Floats, strides: Floats) -> Floats:
    """Raw keypoints `[N, 3 * K]` -> `[N, K, 3]`: x, y in pixels and visibility 0..1.

    `centres` `[N, 2]` and `strides` `[N, 1]` are the cells', as `grid` gives them.
    """
    import numpy as np

    points = raw.reshape(len(raw), -1, VALUES)
    places = (points[..., :2] * 2 + (centres - 0.5)[:, None]) * strides[:, None]
    return np.concatenate([places, sigmoid(points[..., 2:])], axis=-1)
