"""A jointed human body: COCO's 17 keypoints in space, from bone lengths and joint angles.

Axes are those of the image: x to the right, y down, z towards the camera. Lengths are parts of the
person's stature. Angles are whole degrees and their sines come from a rounded table; everything
else is + - * on doubles, so that equal angles give equal numbers on every machine.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

KEYPOINTS = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
"""Names in COCO's order; left and right are the person's own."""
FLIP = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""Keypoint -> the keypoint it becomes in a mirrored image."""
SINES = tuple(round(16384 * math.sin(math.radians(degrees))) for degrees in range(360))
"""Sine of whole degrees, of 16384; no entry is near a half, so every libm rounds alike."""

Vector = tuple[float, float, float]


def sine(degrees: int) -> float:
    """The sine of whole degrees, to 14 bits."""
    return SINES[degrees % 360] / 16384


def cosine(degrees: int) -> float:
    """The cosine of whole degrees, to 14 bits."""
    return sine(degrees + 90)


def along(start: Vector, *steps: tuple[Vector, float]) -> Vector:
    """`start` plus every direction times its length."""
    x, y, z = start
    for (dx, dy, dz), length in steps:
        x, y, z = x + dx * length, y + dy * length, z + dz * length
    return x, y, z


@dataclass(frozen=True)
class Frame:
    """Three directions at right angles that move with a part of the body."""

    side: Vector
    """To the person's left; for the right limbs, to the right: always outwards."""
    up: Vector
    front: Vector

    def turned(self, axes: str, degrees: int) -> Frame:
        """`axes` "up>front": up moves towards front by `degrees`, front away from up."""
        source, target = axes.split(">")
        c, s = cosine(degrees), sine(degrees)
        a, b = getattr(self, source), getattr(self, target)
        zero = (0.0, 0.0, 0.0)
        moved = {
            source: along(zero, (a, c), (b, s)),
            target: along(zero, (b, c), (a, -s)),
        }
        return Frame(**{"side": self.side, "up": self.up, "front": self.front, **moved})

    def mirrored(self) -> Frame:
        """The same frame for the right side of the body."""
        x, y, z = self.side
        return Frame((-x, -y, -z), self.up, self.front)


TOWARDS_CAMERA = Frame(side=(1.0, 0.0, 0.0), up=(0.0, -1.0, 0.0), front=(0.0, 0.0, 1.0))
"""Somebody who stands upright and looks into the camera."""


@dataclass(frozen=True)
class Limb:
    """An arm's or a leg's angles, degrees; 0 hangs straight down."""

    flex: int = 0
    """The whole limb forwards."""
    spread: int = 0
    """The whole limb outwards."""
    turn: int = 0
    """About its own length, outwards."""
    bend: int = 0
    """Of the elbow or the knee."""


@dataclass(frozen=True)
class Pose:
    """All joint angles of a body and where it is seen from, degrees."""

    yaw: int = 0
    """0 faces the camera, 90 shows the person's right side."""
    pitch: int = 0
    """How far the camera looks down."""
    roll: int = 0
    """How far the camera is tilted."""
    lean: int = 0
    """The pelvis forwards."""
    bend: int = 0
    """The spine forwards."""
    tilt: int = 0
    """The spine sideways."""
    twist: int = 0
    """The shoulders against the hips."""
    nod: int = 0
    look: int = 0
    """The head sideways."""
    arms: tuple[Limb, Limb] = (Limb(), Limb())
    """Left, right."""
    legs: tuple[Limb, Limb] = (Limb(), Limb())


@dataclass(frozen=True)
class Bones:
    """Lengths as parts of the stature: Winter, Biomechanics and Motor Control, figure 4.1."""

    torso: float = 0.288
    """Hip joints to shoulder joints: 0.818 - 0.530."""
    shoulders: float = 0.129
    """Half of their distance."""
    hips: float = 0.075
    upper_arm: float = 0.186
    forearm: float = 0.146
    hand: float = 0.085
    thigh: float = 0.245
    shank: float = 0.246
    foot: float = 0.12
    neck: float = 0.085
    """Shoulder line to the centre of the neck's top."""
    head: float = 0.058
    """Half of the head's height; a little larger than life, so that faces have pixels."""


@dataclass(frozen=True)
class Body:
    """Where everything is. Points are relative to the middle of the hips."""

    points: dict[str, Vector] = field(default_factory=dict)
    """The 17 keypoints, and: neck, head (its centre), {left,right}_{hand,heel,toe}."""
    torso: Frame = TOWARDS_CAMERA
    head: Frame = TOWARDS_CAMERA


def body(bones: Bones, pose: Pose) -> Body:
    """Forward kinematics: pelvis, spine, head and limbs, from the middle outwards."""
    view = TOWARDS_CAMERA.turned("up>front", pose.pitch).turned("up>side", pose.roll)
    pelvis = view.turned("front>side", pose.yaw).turned("up>front", pose.lean)
    torso = pelvis.turned("up>front", pose.bend).turned("up>side", pose.tilt)
    torso = torso.turned("front>side", pose.twist)
    middle = (0.0, 0.0, 0.0)
    top = along(middle, (pelvis.up, bones.torso * 0.4), (torso.up, bones.torso * 0.6))
    head = torso.turned("up>front", pose.nod).turned("front>side", pose.look)
    points = _head(bones, head, along(top, (torso.up, bones.neck)))
    points["neck"] = top
    for index, name in enumerate(("left", "right")):
        upper, lower = (f.mirrored() if index else f for f in (torso, pelvis))
        shoulder = along(top, (upper.side, bones.shoulders))
        points |= _arm(name, bones, pose.arms[index], upper, shoulder)
        hip = along(middle, (lower.side, bones.hips))
        points |= _leg(name, bones, pose.legs[index], lower, hip)
    return Body(points, torso, head)


def _head(bones: Bones, frame: Frame, base: Vector) -> dict[str, Vector]:
    size = bones.head
    centre = along(base, (frame.up, size * 0.75), (frame.front, size * 0.15))
    points = {
        "head": centre,
        "nose": along(centre, (frame.front, size * 1.0), (frame.up, -size * 0.12)),
    }
    for name, f in (("left", frame), ("right", frame.mirrored())):
        eye = (f.front, size * 0.76), (f.side, size * 0.34), (f.up, size * 0.16)
        points[f"{name}_eye"] = along(centre, *eye)
        points[f"{name}_ear"] = along(centre, (f.side, size * 0.84), (f.up, -size * 0.02))
    return points


def _swung(limb: Limb, frame: Frame) -> Frame:
    """The frame of an upper arm or a thigh, whose `up` points back along it."""
    # Down moves to the front, so up moves away from it; likewise outwards.
    swung = frame.turned("up>front", -limb.flex).turned("up>side", -limb.spread)
    return swung.turned("front>side", limb.turn)


def _arm(name: str, bones: Bones, limb: Limb, frame: Frame, shoulder: Vector) -> dict[str, Vector]:
    upper = _swung(limb, frame)
    lower = upper.turned("up>front", -limb.bend)
    elbow = along(shoulder, (upper.up, -bones.upper_arm))
    wrist = along(elbow, (lower.up, -bones.forearm))
    return {
        f"{name}_shoulder": shoulder,
        f"{name}_elbow": elbow,
        f"{name}_wrist": wrist,
        f"{name}_hand": along(wrist, (lower.up, -bones.hand)),
    }


def _leg(name: str, bones: Bones, limb: Limb, frame: Frame, hip: Vector) -> dict[str, Vector]:
    upper = _swung(limb, frame)
    lower = upper.turned("up>front", limb.bend)
    knee = along(hip, (upper.up, -bones.thigh))
    ankle = along(knee, (lower.up, -bones.shank))
    sole = along(ankle, (lower.up, -0.03))
    return {
        f"{name}_hip": hip,
        f"{name}_knee": knee,
        f"{name}_ankle": ankle,
        f"{name}_heel": along(sole, (lower.front, -bones.foot * 0.2)),
        f"{name}_toe": along(sole, (lower.front, bones.foot * 0.8)),
    }
