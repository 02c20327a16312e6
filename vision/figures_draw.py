"""One person or one piece of clutter as a cut-out: colours, opacity, keypoints in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.figures_people import draw_look, dressed
from vision.figures_poses import between, chance, draw_bones, draw_pose, families
from vision.figures_render import Paint, Raster, Rod
from vision.figures_skeleton import KEYPOINTS, Vector, body, cosine, sine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINE = 3
"""Everything is drawn so many times larger and averaged: smooth edges."""
COVERED = {
    "nose": 0.025,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.075,
    "elbow": 0.05,
    "wrist": 0.045,
    "hip": 0.11,
    "knee": 0.09,
    "ankle": 0.05,
}
"""A joint is hidden if the surface before it is nearer than this, part of the stature: thicker than
the limb it lies in, thinner than that limb and another one."""


@dataclass(frozen=True)
class Cutout:
    """Something to paste: colours `[h, w, 3]` and opacity `[h, w]`, uint8."""

    colour: NDArray[np.uint8]
    opacity: NDArray[np.uint8]
    person: NDArray[np.bool_]
    """`[h, w]`: where a person is; everywhere in clutter, which is told by its lack of points."""
    points: tuple[tuple[float, float, bool], ...] = ()
    """x, y in pixels of the cut-out, and whether no other part of the body hides it."""


def light(rng: np.random.Generator) -> Vector:
    """Where the light of a scene comes from: above, and from the camera's side."""
    turn, rise = between(rng, -70, 70), between(rng, 15, 65)
    flat = cosine(rise)
    return sine(turn) * flat, -sine(rise), cosine(turn) * flat


def person(rng: np.random.Generator, split: str, stature: int, lamp: Vector) -> Cutout:
    """A random person whose stature (standing upright) is `stature` pixels."""
    family = families(rng, held_out=split == "val")
    bones, look = draw_bones(rng), draw_look(rng, split)
    pose = draw_pose(rng, family)
    posed = body(bones, pose)
    rods = dressed(posed, bones.head, look)
    if family[2] == "sitting" and chance(rng, 60):
        rods += _stool(rng, posed.points)
    raster, origin = _drawn(rods, stature, lamp)
    points = []
    for name in KEYPOINTS:
        x, y, z = (value * raster.scale for value in posed.points[name])
        x, y = x + origin[0], y + origin[1]
        surface = float(raster.depth[int(y), int(x)])
        limit = COVERED[name.rpartition("_")[2]] * look.stout * raster.scale
        points.append((x / FINE, y / FINE, surface - z < limit))
    return Cutout(*raster.averaged(FINE), tuple(points))


def _stool(rng: np.random.Generator, points: dict[str, Vector]) -> list[Rod]:
    """Something to sit on, under the hips."""
    x, y, z = points["right_hip"]
    x, y, z = ((a + b) / 2 for a, b in zip((x, y, z), points["left_hip"], strict=True))
    paint = Paint(colour(rng))
    seat = Rod((x - 0.09, y + 0.13, z), (x + 0.09, y + 0.13, z), 0.055, 0.055, paint, person=False)
    foot = Rod((x, y + 0.13, z), (x, y + 0.34, z), 0.03, 0.05, paint, person=False)
    return [seat, foot]


def _drawn(rods: list[Rod], stature: int, lamp: Vector) -> tuple[Raster, tuple[float, float]]:
    """The rods on a raster that just holds them, and where on it their (0, 0, 0) lies."""
    scale = stature * FINE
    lows, highs = [0.0, 0.0], [0.0, 0.0]
    for rod in rods:
        for point, radius in ((rod.start, rod.start_radius), (rod.end, rod.end_radius)):
            for axis in (0, 1):
                lows[axis] = min(lows[axis], point[axis] - radius)
                highs[axis] = max(highs[axis], point[axis] + radius)
    extents = [
        (int((high - low) * scale / FINE) + 3) * FINE for low, high in zip(lows, highs, strict=True)
    ]
    raster = Raster(extents[0], extents[1], scale, lamp)
    origin = -lows[0] * scale + FINE, -lows[1] * scale + FINE
    for rod in rods:
        raster.draw(rod, origin)
    return raster, origin


def clutter(rng: np.random.Generator, split: str, side: int, lamp: Vector) -> Cutout:
    """A post, a ball, a bush of rods, or a bench: nothing that has keypoints."""
    size = between(rng, side * 12 // 100, side * 45 // 100)
    paint = Paint(colour(rng), colour(rng), "checks" if split == "val" else "hoops", 0.12)
    if chance(rng, 50):
        paint = Paint(paint.first)
    kind = int(rng.integers(4))
    if kind == 0:
        rods = [Rod((0, -1.1, 0), (between(rng, -12, 12) / 100, 1.1, 0), 0.08, 0.1, paint)]
    elif kind == 1:
        rods = [Rod((0, 0, 0), (0, 0.01, 0), 0.32, 0.32, paint)]
    elif kind == 2:
        rods = [_twig(rng) for _ in range(between(rng, 4, 12))]
    else:
        legs = [Rod((x, 0, 0), (x, 0.45, 0), 0.05, 0.04, paint) for x in (-0.5, 0.5)]
        rods = [Rod((-0.7, 0, 0.1), (0.7, 0, 0.1), 0.1, 0.1, paint), *legs]
    raster, _ = _drawn(rods, size, lamp)
    return Cutout(*raster.averaged(FINE))


def _twig(rng: np.random.Generator) -> Rod:
    """A rod like a limb, but anywhere: what is no person must not be taken for one."""
    x, y, z, a, b, c = (between(rng, -50, 50) / 100 for _ in range(6))
    thick = between(rng, 4, 12) / 100
    return Rod((x, y, z), (a, b, c), thick, thick * 0.7, Paint(colour(rng)))


def colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Any colour but black and white."""
    r, g, b = (between(rng, 15, 245) for _ in range(3))
    return r, g, b
