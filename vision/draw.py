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


def enlargement(width: int, height: int) -> int:
    """How many times as large a picture is drawn."""
    return max(1, math.ceil(SMALLEST / max(width, height)))


def colour(index: int) -> Colour:
    """Of a class: bright, and unlike that of the classes before it."""
    red, green, blue = colorsys.hsv_to_rgb((0.33 + index * GOLDEN) % 1, 0.85, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def drawn(picture: Image, found: Detections, names: Sequence[str]) -> Image:
    """A copy of an RGB picture, `enlargement` times as large, with what was found on it."""
    from PIL import Image, ImageDraw

    times = enlargement(*picture.size)
    canvas = picture.resize(
        (picture.width * times, picture.height * times), Image.Resampling.BICUBIC
    )
    pen = _Pen(ImageDraw.Draw(canvas), canvas.size)
    for i in reversed(range(len(found.scores))):  # the surest comes last, and lies on top
        kind = int(found.classes[i])
        if found.keypoints is not None:
            pen.pose([(x * times, y * times, seen) for x, y, seen in found.keypoints[i]])
        box = [float(value) * times for value in found.boxes[i]]
        pen.box(box, colour(kind), names[kind], f"{found.scores[i]:.2f}", kind)
    return canvas


class _Pen:
    """Lines and letters of a size that suits the picture."""

    def __init__(self, draw: Any, size: tuple[int, int]) -> None:
        from PIL import ImageFont

        self._draw, self._size = draw, size
        longer = max(size)
        self._line = max(2, round(longer / 300))
        self._font = ImageFont.load_default(size=min(40, max(13, round(longer / 42))))

    def box(self, box: list[float], paint: Colour, name: str, score: str, kind: int) -> None:
        """A frame, and a label above it; inside where there is no room above."""
        self._draw.rectangle(box, outline=paint, width=self._line)
        text = f"{name if self._has(name) else f'class {kind}'} {score}"
        pad = self._line
        left, top, right, bottom = self._draw.textbbox((0, 0), text, font=self._font)
        width, height = right - left + 2 * pad, bottom - top + 2 * pad
        x = max(0.0, min(box[0], self._size[0] - width))
        y = box[1] - height if box[1] >= height else box[1]
        self._draw.rectangle((x, y, x + width, y + height), fill=paint)
        dark = 0.299 * paint[0] + 0.587 * paint[1] + 0.114 * paint[2] > 128
        ink = (0, 0, 0) if dark else (255, 255, 255)
        self._draw.text((x + pad - left, y + pad - top), text, fill=ink, font=self._font)

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
