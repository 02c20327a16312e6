"""Composes detection images: real handwritten digits, drawn over real photographs.

Everything is made by integer arithmetic, tables and Pillow's fixed-point filters from a seeded
generator, so that the same seed gives the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.picture import background, camera

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

CLASSES = 10
INK = 96
"""A pixel belongs to a digit where its opacity (0..255) is above this; the box is around them."""
MASK = 128
"""Side of the upscaled mask of a digit, pixels."""
OVERLAP = 0.10
"""Largest part of the smaller of two boxes that may be covered by the other."""
PLACES = 30
"""Tries to find a place before a digit is left out."""
TURN = 20.0
"""Largest rotation of a digit, degrees."""


@dataclass(frozen=True)
class Recipe:
    """What varies from image to image."""

    imgsz: int
    """Side of the image, pixels."""
    digits: int
    """Largest number of digits in an image; at least one."""
    smallest: float
    largest: float
    """Height of a digit, as part of the image's side."""
    contrast: int
    """Smallest difference of a digit's luminance from the background's, of 255."""


@dataclass(frozen=True)
class Sources:
    """What one split may use: digit masks by class, and photos."""

    masks: list[list[Image]]
    photos: list[Image]


@dataclass(frozen=True)
class Box:
    """A digit in the image, in pixels; right and bottom are exclusive."""

    digit: int
    left: int
    top: int
    right: int
    bottom: int

    def row(self, side: int) -> str:
        """`class cx cy w h`, normalised, as ultralytics reads it."""
        cx, cy = (self.left + self.right) / 2 / side, (self.top + self.bottom) / 2 / side
        w, h = (self.right - self.left) / side, (self.bottom - self.top) / side
        return f"{self.digit} {cx:.6f} {cy:.6f} {w:.6f} {h:.6f}"

    def covers(self, other: Box) -> float:
        """Shared area over the smaller box's."""
        w = min(self.right, other.right) - max(self.left, other.left)
        h = min(self.bottom, other.bottom) - max(self.top, other.top)
        areas = [(b.right - b.left) * (b.bottom - b.top) for b in (self, other)]
        return max(w, 0) * max(h, 0) / min(areas)


def masks_of(images: NDArray[np.floating], labels: NDArray[np.integer]) -> list[list[Image]]:
    """Class -> opacity masks `MASK` x `MASK` from 8 x 8 images with values 0..16.

    A smooth enlargement, then a steep curve around half ink: the stroke gets a clean edge and
    keeps its shape.
    """
    from PIL import Image

    curve = [min(255, max(0, (v - 100) * 4)) for v in range(256)]
    masks: list[list[Image.Image]] = [[] for _ in range(CLASSES)]
    for image, label in zip(images, labels, strict=True):
        small = Image.new("L", (10, 10))  # a rim, so that strokes at the border end round
        small.paste(Image.fromarray((image * 255 // 16).astype("uint8")), (1, 1))
        large = small.resize((MASK, MASK), Image.Resampling.BICUBIC)
        masks[int(label)].append(large.point(curve))
    return masks


def compose(sources: Sources, recipe: Recipe, seed: list[int]) -> tuple[Image, list[Box]]:
    """One image with its boxes; equal arguments give equal pixels."""
    import numpy as np

    rng = np.random.default_rng(seed)
    canvas = background(sources.photos, recipe.imgsz, rng)
    for _ in range(int(rng.integers(0, 4))):
        _distract(canvas, rng)
    boxes: list[Box] = []
    for _ in range(int(rng.integers(1, recipe.digits + 1))):
        digit = int(rng.integers(CLASSES))
        mask = _varied(sources.masks[digit], recipe, rng)
        box = _place(digit, mask, boxes, recipe.imgsz, rng)
        if box is not None:
            _draw(canvas, mask, box, recipe.contrast, rng)
            boxes.append(box)
    return camera(canvas, rng), boxes


def _distract(canvas: Image, rng: np.random.Generator) -> None:
    """A filled shape that is no digit."""
    from PIL import ImageDraw

    side = canvas.width
    x, y = (int(v) for v in rng.integers(0, side, 2))
    w, h = (int(v) for v in rng.integers(side // 12, side // 3, 2))
    colour = tuple(int(v) for v in rng.integers(0, 256, 3))
    draw = ImageDraw.Draw(canvas)
    shape = int(rng.integers(3))
    if shape == 0:
        draw.rectangle((x, y, x + w, y + h), fill=colour)
    elif shape == 1:
        draw.ellipse((x, y, x + w, y + h), fill=colour)
    else:
        draw.polygon([(x, y), (x + w, y + h // 2), (x + w // 3, y + h)], fill=colour)


def _varied(masks: list[Image], recipe: Recipe, rng: np.random.Generator) -> Image:
    """One of the masks, turned, scaled and squeezed; cut to its ink."""
    from PIL import Image

    mask = masks[int(rng.integers(len(masks)))]
    angle = (2 * rng.random() - 1) * TURN
    mask = mask.rotate(angle, Image.Resampling.BICUBIC, expand=True)
    mask = mask.crop(_ink(mask))
    span = recipe.largest - recipe.smallest
    height = max(8, round(recipe.imgsz * (recipe.smallest + span * rng.random())))
    width = max(4, round(mask.width / mask.height * height * (0.8 + 0.4 * rng.random())))
    mask = mask.resize((width, height), Image.Resampling.BOX)
    return mask.crop(_ink(mask))


def _ink(mask: Image) -> tuple[int, int, int, int]:
    box = mask.point([255 if v > INK else 0 for v in range(256)]).getbbox()
    return box or (0, 0, *mask.size)


def _place(
    digit: int, mask: Image, taken: list[Box], side: int, rng: np.random.Generator
) -> Box | None:
    """A random place inside the image that covers no other digit by more than `OVERLAP`."""
    for _ in range(PLACES):
        left = int(rng.integers(0, max(1, side - mask.width + 1)))
        top = int(rng.integers(0, max(1, side - mask.height + 1)))
        box = Box(digit, left, top, min(side, left + mask.width), min(side, top + mask.height))
        if all(box.covers(other) <= OVERLAP for other in taken):
            return box
    return None


def _draw(canvas: Image, mask: Image, box: Box, contrast: int, rng: np.random.Generator) -> None:
    """Paints the digit in one colour, lighter or darker than what lies behind it."""
    from PIL import Image, ImageStat

    corners = (box.left, box.top, box.right, box.bottom)
    behind = int(ImageStat.Stat(canvas.crop(corners).convert("L")).sum[0])
    behind //= (box.right - box.left) * (box.bottom - box.top)
    step = int(rng.integers(contrast, 200))
    up, down = behind + step <= 255, behind - step >= 0
    lighter = bool(rng.random() < 0.5) if up == down else up
    luminance = min(255, behind + step) if lighter else max(0, behind - step)
    tint = rng.integers(-40, 41, 3)
    tint -= int(tint.sum()) // 3
    colour = tuple(min(255, max(0, luminance + int(t))) for t in tint)
    canvas.paste(Image.new("RGB", mask.size, colour), (box.left, box.top), mask)
