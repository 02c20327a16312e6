"""How far the decoded outputs of two forms of one network lie apart."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision.decode import Floats


@dataclass(frozen=True)
class Difference:
    """The largest of each kind."""

    corner: float
    """Of a box, part of the image's side."""
    score: float
    """Of a class, 0..1."""
    point: float
    """Of a keypoint's place, part of the image's side; 0 without keypoints."""
    visibility: float
    """Of a keypoint, 0..1; 0 where there is none."""

    def __or__(self, other: Difference) -> Difference:
        """The larger of both, kind by kind."""
        return Difference(
            _larger(self.corner, other.corner),
            _larger(self.score, other.score),
            _larger(self.point, other.point),
            _larger(self.visibility, other.visibility),
        )

    @property
    def largest(self) -> float:
        """Of all kinds."""
        boxes, keypoints = _larger(self.corner, self.score), _larger(self.point, self.visibility)
        return _larger(boxes, keypoints)


def _larger(one: float, other: float) -> float:
    """NaN if either is: an output that is no number must not pass for none at all."""
    return one if isnan(one) or one > other else other


NONE = Difference(0.0, 0.0, 0.0, 0.0)


def difference(
    one: Floats, other: Floats, imgsz: int, classes: int, kpt_shape: list[int] | None
) -> Difference:
    """Of two outputs `[1, 4 + classes + keypoints * values, N]` of ultralytics' decoding.

    Boxes are centre and size in pixels; a keypoint is x, y in pixels and, of three values, its
    visibility 0..1.
    """
    import numpy as np

    from vision.decode import corners_of

    apart = np.abs(corners_of(one[0, :4].T) - corners_of(other[0, :4].T))
    scores = np.abs(one[0, 4 : 4 + classes] - other[0, 4 : 4 + classes])
    points = visible = np.zeros(1)
    if kpt_shape is not None:
        count, values = kpt_shape
        rows = np.abs(one[0, 4 + classes :] - other[0, 4 + classes :]).reshape(count, values, -1)
        points, visible = rows[:, :2], rows[:, 2:] if values == 3 else visible
    return Difference(
        corner=float(apart.max()) / imgsz,
        score=float(scores.max()),
        point=float(points.max()) / imgsz,
        visibility=float(visible.max()),
    )
