"""Draws detections on a picture: boxes, labels, and the limbs of a pose."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

Colour = tuple[int, int, int]
Rectangle = tuple[float, float, float, float]


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
    from PIL import Image, ImageDraw

    times = enlargement(*picture.size)
    canvas = picture.resize(
        (picture.width * times, picture.height * times), Image.Resampling.BICUBIC
    )
    pen = _Pen(ImageDraw.Draw(canvas), canvas.size)
    boxes = [[float(value) * times for value in box] for box in found.boxes]
    for i in reversed(range(len(boxes))):  # the surest comes last, and lies on top
        if found.keypoints is not None:
            pen.pose([(x * times, y * times, seen) for x, y, seen in found.keypoints[i]])
        pen.frame(boxes[i], colour(int(found.classes[i])))
    for i, box in enumerate(boxes):
        kind = int(found.classes[i])
        pen.label(box, names[kind], f"class {kind}", float(found.scores[i]), colour(kind))
    return canvas


class _Pen:
    """Lines and letters of a size that suits the picture."""

    def __init__(self, draw: Any, size: tuple[int, int]) -> None:
        from PIL import ImageFont

        self._draw, self._size = draw, size
        self._labels: list[Rectangle] = []
        longer = max(size)
        self._line = max(2, round(longer / 300))
        self._font = ImageFont.load_default(size=min(40, max(13, round(longer / 42))))

    def frame(self, box: list[float], paint: Colour) -> None:
        """A box without its label."""
        self._draw.rectangle(box, outline=paint, width=self._line)

    def label(
        self, box: list[float], name: str, otherwise: str, score: float, paint: Colour
    ) -> None:
        """Name and score: above the box, or where else no label lies yet."""
        text = f"{name if self._has(name) else otherwise}  {score:.2f}"
        pad = self._line
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=self._font)
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x = max(0.0, min(box[0], self._size[0] - width))
        tries = [(x, y, x + width, y + height) for y in self._rows(box, height)]
        place = next((one for one in tries if not self._taken(one)), tries[0])
        self._labels.append(place)
        self._draw.rectangle(place, fill=paint)
        dark = 0.299 * paint[0] + 0.587 * paint[1] + 0.114 * paint[2] > 128
        ink = (0, 0, 0) if dark else (255, 255, 255)
        at = place[0] + pad - left, place[1] + pad - top
        self._draw.text(at, text, fill=ink, font=self._font)

    def _rows(self, box: list[float], height: float) -> list[float]:
        """Where a label may begin, from the best place on: above, inside, at the foot, below."""
        rows = [box[1] - height, box[1], box[3] - height, box[3]]
        inside = [y for y in rows if 0 <= y <= self._size[1] - height]
        return inside or [max(0.0, self._size[1] - height)]

    def _taken(self, place: Rectangle) -> bool:
        return any(
            place[0] < other[2] and other[0] < place[2]
            and place[1] < other[3] and other[1] < place[3]
            for other in self._labels
        )  # fmt: skip

    def pose(self, points: Sequence[tuple[float, float, float]]) -> None:
        """Dots, and COCO's limbs between them where there are COCO's 17."""
        if len(points) == COCO_POINTS:
            for number, (one, other) in enumerate(LIMBS):
                ends = points[one], points[other]
                if min(ends[0][2], ends[1][2]) >= VISIBLE:
                    line = [(x, y) for x, y, _ in ends]
                    self._draw.line(line, fill=(20, 20, 20), width=self._line + 2)
                    self._draw.line(line, fill=colour(number), width=self._line)
        radius = self._line + 1
        for x, y, seen in points:
            if seen >= VISIBLE:
                place = (x - radius, y - radius, x + radius, y + radius)
                self._draw.ellipse(place, fill=(255, 255, 255), outline=(20, 20, 20))

    def _has(self, name: str) -> bool:
        """Whether Pillow's own font has every letter; what it lacks it draws as empty boxes."""
        lacking = bytes(self._font.getmask("\uffff"))
        return all(
            letter.isspace() or bytes(self._font.getmask(letter)) != lacking for letter in name
        )
