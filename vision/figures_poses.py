"""How people hold themselves: ranges of joint angles, drawn part by part and combined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vision.figures_skeleton import Bones, Limb, Pose

if TYPE_CHECKING:
    import numpy as np

Ranges = dict[str, tuple[int, int]]
"""Angle of a limb -> lowest and highest value, degrees."""

ARMS: dict[str, Ranges] = {
    "hanging": {"flex": (-15, 20), "spread": (5, 22), "turn": (-40, 20), "bend": (3, 35)},
    "swung_forward": {"flex": (20, 50), "spread": (0, 15), "turn": (-30, 10), "bend": (20, 95)},
    "swung_back": {"flex": (-50, -20), "spread": (5, 20), "turn": (-30, 10), "bend": (10, 80)},
    "raised": {"flex": (-10, 30), "spread": (110, 172), "turn": (0, 90), "bend": (0, 70)},
    "sideways": {"flex": (-15, 25), "spread": (60, 110), "turn": (20, 100), "bend": (0, 90)},
    "on_the_hip": {"flex": (-25, -5), "spread": (35, 55), "turn": (-85, -65), "bend": (75, 105)},
    "reaching": {"flex": (60, 110), "spread": (-10, 25), "turn": (-20, 20), "bend": (0, 50)},
    "holding": {"flex": (5, 45), "spread": (0, 20), "turn": (-50, 0), "bend": (80, 130)},
}
LEGS: dict[str, tuple[Ranges, Ranges]] = {
    "standing": (
        {"flex": (-4, 10), "spread": (0, 10), "turn": (0, 25), "bend": (0, 12)},
        {"flex": (-4, 10), "spread": (0, 10), "turn": (0, 25), "bend": (0, 12)},
    ),
    "wide": (
        {"flex": (-4, 12), "spread": (12, 32), "turn": (0, 35), "bend": (0, 25)},
        {"flex": (-4, 12), "spread": (12, 32), "turn": (0, 35), "bend": (0, 25)},
    ),
    "walking": (
        {"flex": (12, 38), "spread": (0, 6), "turn": (0, 12), "bend": (0, 25)},
        {"flex": (-28, -5), "spread": (0, 6), "turn": (0, 12), "bend": (5, 55)},
    ),
    "running": (
        {"flex": (40, 80), "spread": (0, 8), "turn": (0, 10), "bend": (50, 110)},
        {"flex": (-35, 0), "spread": (0, 8), "turn": (0, 10), "bend": (15, 95)},
    ),
    "kicking": (
        {"flex": (40, 90), "spread": (0, 30), "turn": (0, 20), "bend": (0, 45)},
        {"flex": (-10, 5), "spread": (0, 8), "turn": (0, 15), "bend": (0, 20)},
    ),
    "crouching": (
        {"flex": (50, 105), "spread": (5, 30), "turn": (0, 20), "bend": (70, 125)},
        {"flex": (50, 105), "spread": (5, 30), "turn": (0, 20), "bend": (70, 125)},
    ),
    "sitting": (
        {"flex": (72, 95), "spread": (2, 22), "turn": (-5, 15), "bend": (60, 100)},
        {"flex": (72, 95), "spread": (2, 22), "turn": (-5, 15), "bend": (60, 100)},
    ),
}
"""Leading leg, other leg."""
UPRIGHT = {"bend": (-5, 14), "tilt": (-8, 8), "twist": (-15, 15), "nod": (-12, 25)}
BENT = {"bend": (20, 65), "tilt": (-12, 12), "twist": (-20, 20), "nod": (-30, 10)}
HELD_OUT = 4
"""One in so many combinations of both arms and the legs is for validation only."""


def between(rng: np.random.Generator, low: int, high: int) -> int:
    """A whole number from `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def chance(rng: np.random.Generator, percent: int) -> bool:
    """True in `percent` of 100 cases."""
    return int(rng.integers(100)) < percent


def families(rng: np.random.Generator, held_out: bool) -> tuple[str, str, str]:
    """Left arm, right arm, legs; a combination belongs to one of the splits for good."""
    arms, legs = list(ARMS), list(LEGS)
    while True:
        left = int(rng.integers(len(arms)))
        right = left if chance(rng, 35) else int(rng.integers(len(arms)))
        leg = int(rng.integers(len(legs)))
        if ((left + right + leg) % HELD_OUT == 0) == held_out:
            return arms[left], arms[right], legs[leg]


def draw_pose(rng: np.random.Generator, family: tuple[str, str, str]) -> Pose:
    """Angles within the ranges of the families, and where the camera stands."""
    left, right, legs = family
    pair = [_limb(rng, ranges) for ranges in LEGS[legs]]
    if chance(rng, 50):
        pair.reverse()
    trunk = _angles(rng, BENT if chance(rng, 10) else UPRIGHT)
    facing = chance(rng, 65)  # people are photographed from the front more often than not
    return Pose(
        yaw=between(rng, -50, 50) if facing else between(rng, -180, 179),
        pitch=between(rng, -4, 18),
        roll=between(rng, -9, 9),
        lean=between(rng, 10, 30) if legs == "crouching" else between(rng, -4, 8),
        look=between(rng, -40, 40),
        arms=(_limb(rng, ARMS[left]), _limb(rng, ARMS[right])),
        legs=(pair[0], pair[1]),
        **trunk,
    )


def draw_bones(rng: np.random.Generator) -> Bones:
    """Lengths up to 12 % off the average; heads up to 45 % larger, as of children."""

    def varied(length: float, percent: int) -> float:
        return length * (100 + between(rng, -percent, percent)) / 100

    mean = Bones()
    return Bones(
        torso=varied(mean.torso, 8),
        shoulders=varied(mean.shoulders, 12),
        hips=varied(mean.hips, 12),
        upper_arm=varied(mean.upper_arm, 8),
        forearm=varied(mean.forearm, 8),
        hand=varied(mean.hand, 8),
        thigh=varied(mean.thigh, 8),
        shank=varied(mean.shank, 8),
        foot=varied(mean.foot, 10),
        neck=varied(mean.neck, 8),
        head=mean.head * between(rng, 115, 145) / 100,
    )


def _limb(rng: np.random.Generator, ranges: Ranges) -> Limb:
    return Limb(**_angles(rng, ranges))


def _angles(rng: np.random.Generator, ranges: Ranges) -> dict[str, int]:
    return {name: between(rng, low, high) for name, (low, high) in ranges.items()}
