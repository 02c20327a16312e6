"""From what a network says of every cell to what is shown: threshold, suppression, the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats
    from vision.forms import Decoded
    from vision.preprocess import Placement


@dataclass(frozen=True)
class Detections:
    """What was found on one picture, the surest first."""

    boxes: Floats
    """`[n, 4]` x1, y1, x2, y2 in pixels."""
    scores: Floats
    """`[n]`, 0..1."""
    classes: NDArray[np.intp]
    """`[n]`, indices of class names."""
    keypoints: Floats | None
    """`[n, K, 3]` x, y in pixels, visibility 0..1; None: no pose."""

    def take(self, chosen: Any) -> Detections:
        """Those of the given indices or mask."""
        points = None if self.keypoints is None else self.keypoints[chosen]
        return Detections(self.boxes[chosen], self.scores[chosen], self.classes[chosen], points)


def select(decoded: Decoded, score: float, iou: float, most: int | None = None) -> Detections:
    """What the board would report: each cell's best class, if sure enough, without repetitions.

    The surest box of a class is kept and those of the same class that overlap it by more than
    `iou` are dropped, then the next surest, and so on, until there are `most`. Boxes of different
    classes do not suppress each other. So do Seeed's firmware (SSCMA-Micro 1.0.x: `el_nms` with
    `multi_target`, and `anchor_nms` for pose, which has one class) and SpacemiT's demos
    (examples/CV/yolov8, yolov11, yolov8-pose). The firmware rounds box sides to whole pixels and
    the IoU to a whole per cent first; here nothing is rounded.
    """
    classes = decoded.scores.argmax(axis=1)
    best = decoded.scores.max(axis=1)
    found = Detections(decoded.corners, best, classes, decoded.keypoints).take(best >= score)
    return _suppressed(found, iou, most)


def select_every(decoded: Decoded, score: float, iou: float, most: int | None = None) -> Detections:
    """The same, but every class of a cell that is surer than `score` is a candidate.

    So counts ultralytics' validation (`non_max_suppression` with `multi_label`, 8.4.190).
    """
    import numpy as np

    cells, classes = np.nonzero(decoded.scores > score)
    points = None if decoded.keypoints is None else decoded.keypoints[cells]
    scores = decoded.scores[cells, classes]
    return _suppressed(Detections(decoded.corners[cells], scores, classes, points), iou, most)


def _suppressed(found: Detections, iou: float, most: int | None) -> Detections:
    """The surest first, without those that overlap a surer one of their class."""
    import numpy as np

    order = np.argsort(-found.scores, kind="stable")
    left = kept(found.boxes[order], found.classes[order], iou, most)
    return found.take(order[left])


def kept(
    boxes: Floats, classes: NDArray[np.intp], limit: float, most: int | None = None
) -> list[int]:
    """Indices of the boxes that non-maximum suppression leaves; the surest must come first."""
    import numpy as np

    left: list[int] = []
    waiting = {int(c): np.flatnonzero(classes == c) for c in np.unique(classes)}
    for i, kind in enumerate(classes.tolist()):
        rivals = waiting[kind]  # not suppressed so far
        if len(left) == most:
            break
        if len(rivals) == 0 or rivals[0] != i:
            continue
        left.append(i)
        rivals = rivals[1:]
        waiting[kind] = rivals[overlaps(boxes[i], boxes[rivals]) <= limit]
    return left


def overlaps(box: Floats, others: Floats) -> Floats:
    """Intersection over union of one box `[4]` with each of `[n, 4]`; 0 where both are empty."""
    import numpy as np

    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.clip(sides, 0, None).prod(axis=1)
    areas = np.clip(others[:, 2:] - others[:, :2], 0, None).prod(axis=1)
    union = np.clip(box[2:] - box[:2], 0, None).prod() + areas - shared
    return shared / np.maximum(union, np.finfo(np.float64).tiny)


def off_input(found: Detections, place: Placement) -> Detections:
    """From pixels of the network's input to pixels of the picture, wherever they lie."""
    import numpy as np

    scale = np.array([place.scale_x, place.scale_y])
    offset = np.array([place.left, place.top])
    boxes = ((found.boxes.reshape(-1, 2, 2) - offset) / scale).reshape(-1, 4)
    points = found.keypoints
    if points is not None:
        places = (points[..., :2] - offset) / scale
        points = np.concatenate([places, points[..., 2:]], axis=-1)
    return Detections(boxes, found.scores, found.classes, points)


def on_picture(found: Detections, place: Placement, width: int, height: int) -> Detections:
    """The same, boxes clipped to the picture.

    Boxes that lie beside the picture (on a letterbox's bars) are dropped. Keypoints may lie
    outside: that is where the network thinks they are.
    """
    import numpy as np

    found = off_input(found, place)
    corners = found.boxes.reshape(-1, 2, 2)
    boxes = np.clip(corners, 0, (width, height)).reshape(-1, 4)
    inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Detections(boxes, found.scores, found.classes, found.keypoints).take(inside)


def plain(found: Detections, names: Sequence[str]) -> list[dict[str, Any]]:
    """As JSON has it: class name and index, score, box and keypoints in pixels of the picture."""
    listed = []
    for i, index in enumerate(found.classes):
        entry: dict[str, Any] = {
            "class": names[index],
            "index": int(index),
            "score": round(float(found.scores[i]), 4),
            "box": [round(float(value), 1) for value in found.boxes[i]],
        }
        if found.keypoints is not None:
            entry["keypoints"] = [
                [round(float(x), 1), round(float(y), 1), round(float(seen), 3)]
                for x, y, seen in found.keypoints[i]
            ]
        listed.append(entry)
    return listed
