"""Dresses a skeleton: trunk, limbs, clothes, face and hair as rods, of varied build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.figures_poses import between, chance
from vision.figures_render import Colour, Paint, Rod
from vision.figures_skeleton import Body, Frame, Vector, along

if TYPE_CHECKING:
    import numpy as np

SKINS: tuple[Colour, ...] = (
    (255, 219, 188), (241, 194, 155), (224, 172, 128), (198, 134, 92), (141, 91, 60), (92, 58, 38),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (28, 22, 20), (60, 40, 26), (110, 72, 40), (190, 150, 84), (150, 60, 30), (176, 172, 168),
)  # fmt: skip
DARK: Colour = (24, 20, 22)
PATTERNS = {"train": ("hoops", "dots"), "val": ("stripes", "checks")}
"""Split -> what clothes are patterned with beside plain ones."""


@dataclass(frozen=True)
class Look:
    """Everything of a person that is not its pose."""

    stout: float
    """Thickness of trunk and limbs, 1 is average."""
    skin: Paint
    hair: Paint
    style: str
    """short, long, bald or cap."""
    shirt: Paint
    sleeve: str
    """none, short or long."""
    trousers: Paint
    leg: str
    """long, short or skirt."""
    shoes: Paint


def draw_look(rng: np.random.Generator, split: str) -> Look:
    """A random person's look; patterns of clothes belong to one split."""
    return Look(
        stout=between(rng, 85, 135) / 100,
        skin=Paint(SKINS[int(rng.integers(len(SKINS)))]),
        hair=Paint(HAIRS[int(rng.integers(len(HAIRS)))]),
        style=("short", "short", "long", "long", "bald", "cap")[int(rng.integers(6))],
        shirt=_cloth(rng, split),
        sleeve=("none", "short", "long", "long")[int(rng.integers(4))],
        trousers=_cloth(rng, split),
        leg=("long", "long", "short", "skirt")[int(rng.integers(4))],
        shoes=Paint(_dye(rng)),
    )


def _cloth(rng: np.random.Generator, split: str) -> Paint:
    pattern = PATTERNS[split][int(rng.integers(2))] if chance(rng, 45) else "plain"
    return Paint(_dye(rng), _dye(rng), pattern, between(rng, 22, 60) / 1000)


def _dye(rng: np.random.Generator) -> Colour:
    r, g, b = (between(rng, 15, 245) for _ in range(3))
    return r, g, b


def dressed(body: Body, bones_head: float, look: Look) -> list[Rod]:
    """The person's surface; `bones_head`: half of the head's height."""
    rods = [*_trunk(body, look), *_head(body, bones_head, look)]
    for side in ("left", "right"):
        rods += _arm(body.points, side, look)
        rods += _leg(body.points, side, look)
    if look.leg == "skirt":
        rods += _skirt(body.points, look)
    return rods


def between_points(a: Vector, b: Vector, part: float) -> Vector:
    """The point `part` of the way from `a` to `b`."""
    return (
        a[0] + (b[0] - a[0]) * part,
        a[1] + (b[1] - a[1]) * part,
        a[2] + (b[2] - a[2]) * part,
    )


def _trunk(body: Body, look: Look) -> list[Rod]:
    """Nine rods from the shoulder line to the hip line, a pelvis and a neck."""
    p, s = body.points, look.stout
    rods = []
    for number in range(9):
        part = 0.1 + 0.1 * number
        top = between_points(p["right_shoulder"], p["left_shoulder"], part)
        top = along(top, (body.torso.up, -0.01))
        low = between_points(p["right_hip"], p["left_hip"], part)
        inner = 0.054 if number in (0, 8) else 0.064
        offset = (number - 4) * 0.0225
        rods.append(Rod(top, low, inner * s, 0.058 * s, look.shirt, offset))
    for side in ("left", "right"):
        start = between_points(p["neck"], p[f"{side}_shoulder"], 0.2)
        rods.append(Rod(start, p[f"{side}_shoulder"], 0.042 * s, 0.04 * s, look.shirt))
    rods.append(Rod(p["right_hip"], p["left_hip"], 0.069 * s, 0.069 * s, look.trousers))
    rods.append(Rod(p["neck"], p["head"], 0.034 * s, 0.032 * s, look.skin))
    return rods


def _head(body: Body, size: float, look: Look) -> list[Rod]:
    f, p = body.head, body.points
    centre = p["head"]
    crown = along(centre, (f.up, size * 0.22))
    chin = along(centre, (f.up, -size * 0.3), (f.front, size * 0.12))
    rods = [Rod(crown, chin, size * 0.8, size * 0.62, look.skin)]
    shadow = Paint(_darker(look.skin.first))
    for side in ("left", "right"):
        ear, eye = p[f"{side}_ear"], p[f"{side}_eye"]
        rods.append(Rod(ear, along(ear, (f.up, -size * 0.15)), size * 0.2, size * 0.14, shadow))
        rods.append(Rod(eye, eye, size * 0.15, size * 0.15, Paint((245, 245, 240))))
        pupil = along(eye, (f.front, size * 0.07))
        rods.append(Rod(pupil, pupil, size * 0.125, size * 0.125, Paint(DARK)))
    bridge = along(centre, (f.front, size * 0.8), (f.up, size * 0.1))
    rods.append(Rod(bridge, p["nose"], size * 0.08, size * 0.15, shadow))
    mouth = along(centre, (f.front, size * 0.72), (f.up, -size * 0.5))
    corner, other = (along(mouth, (f.side, size * side)) for side in (-0.17, 0.17))
    rods.append(Rod(corner, other, size * 0.08, size * 0.08, Paint((150, 50, 50))))
    return rods + _hair(f, centre, size, look)


def _hair(f: Frame, centre: Vector, size: float, look: Look) -> list[Rod]:
    if look.style == "bald":
        return []
    top = along(centre, (f.up, size * 0.42), (f.front, -size * 0.14))
    nape = along(centre, (f.up, -size * 0.2), (f.front, -size * 0.3))
    paint = look.hair
    rods = [Rod(top, nape, size * 0.82, size * 0.66, paint)]
    if look.style == "long":
        ends = along(centre, (f.up, -size * 1.35), (f.front, -size * 0.5))
        rods.append(Rod(nape, ends, size * 0.7, size * 0.5, paint))
    if look.style == "cap":
        cap = Paint(look.shoes.first)
        brim = along(centre, (f.up, size * 0.62), (f.front, size * 0.5))
        rods.append(Rod(top, along(top, (f.up, size * 0.1)), size * 0.86, size * 0.84, cap))
        end, other = (along(brim, (f.side, size * side)) for side in (-0.4, 0.4))
        rods.append(Rod(end, other, size * 0.26, size * 0.26, cap))
    return rods


def _darker(colour: Colour) -> Colour:
    r, g, b = (value * 4 // 5 for value in colour)
    return r, g, b


def _arm(p: dict[str, Vector], side: str, look: Look) -> list[Rod]:
    s = look.stout
    shoulder, elbow = p[f"{side}_shoulder"], p[f"{side}_elbow"]
    wrist, hand = p[f"{side}_wrist"], p[f"{side}_hand"]
    lower = look.shirt if look.sleeve == "long" else look.skin
    rods = [
        Rod(shoulder, elbow, 0.034 * s, 0.027 * s, lower),
        Rod(elbow, wrist, 0.027 * s, 0.019 * s, lower),
        Rod(wrist, hand, 0.02 * s, 0.022 * s, look.skin),
    ]
    if look.sleeve == "short":
        end = between_points(shoulder, elbow, 0.55)
        rods.append(Rod(shoulder, end, 0.042 * s, 0.038 * s, look.shirt))
    return rods


def _leg(p: dict[str, Vector], side: str, look: Look) -> list[Rod]:
    s = look.stout
    hip, knee, ankle = p[f"{side}_hip"], p[f"{side}_knee"], p[f"{side}_ankle"]
    cloth = look.trousers if look.leg == "long" else look.skin
    rods = [
        Rod(hip, knee, 0.058 * s, 0.04 * s, cloth),
        Rod(knee, ankle, 0.038 * s, 0.025 * s, cloth),
        Rod(p[f"{side}_heel"], p[f"{side}_toe"], 0.026, 0.022, look.shoes),
        Rod(ankle, p[f"{side}_heel"], 0.024, 0.026, look.shoes),
    ]
    if look.leg == "short":
        end = between_points(hip, knee, 0.65)
        rods.append(Rod(hip, end, 0.068 * s, 0.056 * s, look.trousers))
    return rods


def _skirt(p: dict[str, Vector], look: Look) -> list[Rod]:
    """Rods side by side from the hips towards the knees."""
    rods = []
    for number in range(5):
        part = number / 4
        top = between_points(p["right_hip"], p["left_hip"], part)
        knee = between_points(p["right_knee"], p["left_knee"], part)
        end = between_points(top, knee, 0.75)
        offset = (number - 2) * 0.04
        rods.append(Rod(top, end, 0.068 * look.stout, 0.062 * look.stout, look.trousers, offset))
    return rods
