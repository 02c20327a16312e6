"""Composes pose images: jointed people with COCO's 17 keypoints over real photographs.

A scene is made from the back to the front: a photo, clutter, people from the farthest to the
nearest, clutter again. A map of who is seen at each pixel gives boxes and visibility.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vision.figures_draw import Cutout, clutter, light, person
from vision.figures_poses import between, chance
from vision.picture import background, camera

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

NOBODY = -1
HALF = 127
"""A pixel is covered by what is more opaque than this, of 255."""
SEEN = 0.6
"""Part of a person that stays in sight when somebody or something gets in front."""
INSIDE, CUT_OFF = 0.97, 0.5
"""Part of a person that lies inside the image; of one in seven, CUT_OFF is enough."""
PLACES = 30
"""Tries to find a place before a person or a piece of clutter is left out."""
OUTSIDE, OCCLUDED, VISIBLE = 0, 1, 2
"""COCO's visibility of a keypoint."""


@dataclass(frozen=True)
class Recipe:
    """What varies from image to image."""

    imgsz: int
    """Side of the image, pixels."""
    people: int
    """Largest number of people in an image; at least one is tried."""
    smallest: float
    largest: float
    """Stature of a person (standing upright), as part of the image's side."""


@dataclass(frozen=True)
class Labelled:
    """A person in the image; pixels."""

    box: tuple[int, int, int, int]
    """Left, top, right, bottom around what is seen; right and bottom are exclusive."""
    points: tuple[tuple[float, float, int], ...]
    """x, y, visibility of each of KEYPOINTS."""

    def row(self, side: int) -> str:
        """`class cx cy w h` and `x y v` of each keypoint, normalised, as ultralytics reads it."""
        left, top, right, bottom = self.box
        box = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        fields = ["0", *(f"{value / side:.6f}" for value in box)]
        for x, y, visibility in self.points:
            fields += [f"{x / side:.6f}", f"{y / side:.6f}", str(visibility)]
        return " ".join(fields)


@dataclass
class Scene:
    """An image in the making, and who is seen where."""

    canvas: Image
    owner: NDArray[np.int64]
    """`[side, side]`: number of the person at each pixel, or NOBODY."""
    people: list[tuple[Cutout, int, int]] = field(default_factory=list)
    """Cut-out with the place of its left upper corner."""
    full: list[int] = field(default_factory=list)
    """Pixels of each person when it was pasted."""

    def place(
        self, rng: np.random.Generator, cutout: Cutout, inside: float
    ) -> tuple[int, int] | None:
        """Where `inside` of the cut-out is in the image and everybody stays in sight."""
        import numpy as np

        side, (height, width) = self.canvas.width, cutout.opacity.shape
        solid = cutout.opacity > HALF
        total = solid.sum()
        for _ in range(PLACES):
            left = between(rng, -width // 2, side - width // 2)
            top = between(rng, -height // 2, side - height // 2)
            cover = self._cover(solid, left, top)
            if cover.sum() < inside * total:
                continue
            left_over = np.bincount(self.owner[~cover] + 1, minlength=len(self.full) + 1)[1:]
            if all(now >= SEEN * full for now, full in zip(left_over, self.full, strict=True)):
                return left, top
        return None

    def _cover(self, mask: NDArray[np.bool_], left: int, top: int) -> NDArray[np.bool_]:
        """`[side, side]`: the pixels of the image that a cut-out's `mask` would cover."""
        import numpy as np

        side, (height, width) = self.canvas.width, mask.shape
        x0, x1, y0, y1 = max(0, left), min(side, left + width), max(0, top), min(side, top + height)
        cover = np.zeros((side, side), bool)
        if x0 < x1 and y0 < y1:
            cover[y0:y1, x0:x1] = mask[y0 - top : y1 - top, x0 - left : x1 - left]
        return cover

    def paste(self, cutout: Cutout, left: int, top: int) -> None:
        """Puts it in front of everything; with keypoints, it is a person."""
        from PIL import Image

        opacity = Image.fromarray(cutout.opacity)
        self.canvas.paste(Image.fromarray(cutout.colour), (left, top), opacity)
        self.owner[self._cover(cutout.opacity > HALF, left, top)] = NOBODY
        if cutout.points:
            body = self._cover(cutout.person, left, top)
            self.owner[body] = len(self.people)
            self.people.append((cutout, left, top))
            self.full.append(int(body.sum()))

    def labels(self) -> list[Labelled]:
        """Everybody in the scene."""
        import numpy as np

        found = []
        for number, (cutout, left, top) in enumerate(self.people):
            rows, columns = np.nonzero(self.owner == number)
            left_upper = int(columns.min()), int(rows.min())
            right_lower = int(columns.max()) + 1, int(rows.max()) + 1
            points = tuple(self._seen(number, x + left, y + top, v) for x, y, v in cutout.points)
            found.append(Labelled((*left_upper, *right_lower), points))
        return found

    def _seen(self, number: int, x: float, y: float, uncovered: bool) -> tuple[float, float, int]:
        side = self.canvas.width
        if not (0 <= x < side and 0 <= y < side):
            return 0.0, 0.0, OUTSIDE
        # Joints such as ears lie on the outline.
        around = self.owner[max(0, int(y) - 1) : int(y) + 2, max(0, int(x) - 1) : int(x) + 2]
        return x, y, VISIBLE if uncovered and (around == number).any() else OCCLUDED


def compose(
    photos: list[Image], split: str, recipe: Recipe, seed: list[int]
) -> tuple[Image, list[Labelled]]:
    """One image with its people; equal arguments give equal pixels."""
    import numpy as np

    rng = np.random.default_rng(seed)
    side = recipe.imgsz
    scene = Scene(background(photos, side, rng), np.full((side, side), NOBODY, np.int64))
    lamp = light(rng)
    _scatter(scene, rng, split, lamp, between(rng, 0, 2))
    span = recipe.largest - recipe.smallest
    statures = sorted(
        round(side * (recipe.smallest + span * rng.random()))
        for _ in range(between(rng, 1, recipe.people))
    )
    for stature in statures:  # the smallest is the farthest
        cutout = person(rng, split, stature, lamp)
        inside = CUT_OFF if chance(rng, 15) else INSIDE
        spot = scene.place(rng, cutout, inside)
        if spot is not None:
            scene.paste(cutout, *spot)
    _scatter(scene, rng, split, lamp, between(rng, 0, 1))
    return camera(scene.canvas, rng), scene.labels()


def _scatter(
    scene: Scene, rng: np.random.Generator, split: str, lamp: tuple[float, float, float], count: int
) -> None:
    for _ in range(count):
        cutout = clutter(rng, split, scene.canvas.width, lamp)
        spot = scene.place(rng, cutout, 0.3)
        if spot is not None:
            scene.paste(cutout, *spot)
