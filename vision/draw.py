"""Draws detections on a picture: boxes, labels, and the limbs of a pose."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from vision.detections import Detections

SMALLEST = 480
"""A picture whose longer side is shorter, pixels, is drawn enlarged: labels must be legible."""
VISIBLE = 0.5
"""Keypoints below this visibility are not drawn."""
GOLDEN = (math.sqrt(5) - 1) / 2
"""Turning the hue by it again and again never comes close to an earlier one."""
LIMBS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8),
    (7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
"""COCO's skeleton of 17 keypoints, counted from 0 (its annotations count from 1)."""
COCO_POINTS = 17
SHADE = (20, 20, 20)
"""Around limbs and points, to set them off from any background."""
WEIGHT = 500
"""Of the letters: 400 is regular, 700 bold."""

Colour = tuple[int, int, int]
Rectangle = tuple[int, int, int, int]


def enlargement(width: int, height: int) -> int:
    """How many times as large a picture is drawn."""
    return max(1, math.ceil(SMALLEST / max(width, height)))


def colour(index: int) -> Colour:
    """Of a class: bright, and unlike that of the classes before it; every eighth is paler."""
    pale = 0.35 * (index // 8 % 2)
    red, green, blue = colorsys.hsv_to_rgb((0.33 + index * GOLDEN) % 1, 0.85 - pale, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def drawn(picture: Image, found: Detections, names: Sequence[str]) -> Image:
    """A copy of an RGB picture, `enlargement` times as large, with what was found on it."""
    import numpy as np
    from PIL import Image

    times = enlargement(*picture.size)
    size = picture.width * times, picture.height * times
    pen = _Pen(np.array(picture.resize(size, Image.Resampling.BICUBIC)))
    boxes = [[round(float(value) * times) for value in box] for box in found.boxes]
    for i in reversed(range(len(boxes))):  # the surest comes last, and lies on top
        if found.keypoints is not None:
            pen.pose([(x * times, y * times, seen) for x, y, seen in found.keypoints[i]])
        pen.frame(boxes[i], colour(int(found.classes[i])))
    for i, box in enumerate(boxes):
        kind = int(found.classes[i])
        pen.label(box, f"{names[kind]}  {found.scores[i]:.2f}", colour(kind))
    return Image.fromarray(pen.canvas)


class _Pen:
    """Lines and letters of a size that suits the picture."""

    def __init__(self, canvas: NDArray[np.uint8]) -> None:
        import cv2

        self.canvas, self._cv = canvas, cv2
        self._labels: list[Rectangle] = []
        longer = max(canvas.shape[:2])
        self._line = max(2, round(longer / 300))
        self._letters = min(40, max(14, round(longer / 40)))
        self._font = cv2.FontFace("uni")  # OpenCV's own, with every alphabet

    def frame(self, box: list[int], paint: Colour) -> None:
        """A box without its label."""
        self._cv.rectangle(self.canvas, box[:2], box[2:], paint, self._line)

    def label(self, box: list[int], text: str, paint: Colour) -> None:
        """Name and score: above the box, or where else no label lies yet."""
        size, pad = (self.canvas.shape[1], self.canvas.shape[0]), self._line
        style = (self._font, self._letters, WEIGHT)
        left, top, width, height = self._cv.getTextSize(size, text, (0, 0), *style)
        width, height = width + 2 * pad, height + 2 * pad
        x = max(0, min(box[0], size[0] - width))
        tries = [(x, y, x + width, y + height) for y in self._rows(box, height)]
        place = next((one for one in tries if not self._taken(one)), tries[0])
        self._labels.append(place)
        self._cv.rectangle(self.canvas, place[:2], place[2:], paint, -1)
        dark = 0.299 * paint[0] + 0.587 * paint[1] + 0.114 * paint[2] > 128
        ink = (0, 0, 0) if dark else (255, 255, 255)
        at = place[0] + pad - left, place[1] + pad - top
        self._cv.putText(self.canvas, text, at, ink, *style)

    def _rows(self, box: list[int], height: int) -> list[int]:
        """Where a label may begin, from the best place on: above, inside, at the foot, below."""
        rows = [box[1] - height, box[1], box[3] - height, box[3]]
        room = self.canvas.shape[0] - height
        return [y for y in rows if 0 <= y <= room] or [max(0, room)]

    def _taken(self, place: Rectangle) -> bool:
        return any(
            place[0] < other[2] and other[0] < place[2]
            and place[1] < other[3] and other[1] < place[3]
            for other in self._labels
        )  # fmt: skip

    def pose(self, points: Sequence[tuple[float, float, float]]) -> None:
        """Dots, and COCO's limbs between them where there are COCO's 17."""
        places = [(round(float(x)), round(float(y))) for x, y, _ in points]
        seen = [sure >= VISIBLE for _, _, sure in points]
        for number, (one, other) in enumerate(LIMBS if len(points) == COCO_POINTS else ()):
            if seen[one] and seen[other]:
                for paint, width in ((SHADE, self._line + 2), (colour(number), self._line)):
                    smooth = self._cv.LINE_AA
                    self._cv.line(self.canvas, places[one], places[other], paint, width, smooth)
        for place in (place for place, there in zip(places, seen, strict=True) if there):
            self._cv.circle(self.canvas, place, self._line + 2, SHADE, -1, self._cv.LINE_AA)
            self._cv.circle(self.canvas, place, self._line, (255, 255, 255), -1, self._cv.LINE_AA)
