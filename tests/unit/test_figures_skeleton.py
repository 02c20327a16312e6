"""Bones keep their lengths, left stays left, and tables round alike everywhere."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.figures_poses import ARMS, HELD_OUT, LEGS, draw_bones, draw_pose, families
from vision.figures_skeleton import FLIP, KEYPOINTS, Body, Bones, Pose, body


class Dice:
    """What the generator asks of numpy's, by Python's own."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def integers(self, low: int, high: int | None = None) -> int:
        return self.random.randrange(low) if high is None else self.random.randrange(low, high)


def drawn(seed: int, held_out: bool = False) -> tuple[Bones, Pose]:
    dice = Dice(seed)
    return draw_bones(dice), draw_pose(dice, families(dice, held_out))


def distance(figure: Body, a: str, b: str) -> float:
    return math.dist(figure.points[a], figure.points[b])


def test_every_sine_is_far_from_a_rounding_tie() -> None:
    """So no machine's libm, right to the last bits or not, can make another table."""
    for degrees in range(360):
        exact = 16384 * math.sin(math.radians(degrees))
        assert abs(abs(exact - math.floor(exact)) - 0.5) > 1e-6, degrees


@given(st.integers(0, 10**9))
def test_bones_keep_their_lengths(seed: int) -> None:
    bones, pose = drawn(seed)
    figure = body(bones, pose)
    for side in ("left", "right"):
        for a, b, length in (
            ("shoulder", "elbow", bones.upper_arm),
            ("elbow", "wrist", bones.forearm),
            ("hip", "knee", bones.thigh),
            ("knee", "ankle", bones.shank),
        ):
            # Sines are rounded to 14 bits, and up to nine turns follow one another.
            assert distance(figure, f"{side}_{a}", f"{side}_{b}") == pytest.approx(length, rel=2e-3)
    assert distance(figure, "left_hip", "right_hip") == pytest.approx(2 * bones.hips, rel=2e-3)


@given(st.integers(0, 10**9))
def test_a_mirrored_pose_is_the_mirror_image(seed: int) -> None:
    """Left and right are right: what FLIP says of images is true of the bodies."""
    bones, pose = drawn(seed)
    turned = {name: -getattr(pose, name) for name in ("yaw", "roll", "tilt", "twist", "look")}
    other = replace(pose, arms=pose.arms[::-1], legs=pose.legs[::-1], **turned)
    figure, mirrored = body(bones, pose), body(bones, other)
    for index, name in enumerate(KEYPOINTS):
        x, y, z = figure.points[KEYPOINTS[FLIP[index]]]
        assert mirrored.points[name] == pytest.approx((-x, y, z), abs=1e-9)


def test_facing_the_camera_and_away() -> None:
    front, back = body(Bones(), Pose()).points, body(Bones(), Pose(yaw=180)).points
    for name in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        assert front[f"left_{name}"][0] > front[f"right_{name}"][0]
        assert back[f"left_{name}"][0] < back[f"right_{name}"][0]
    assert front["nose"][2] > front["head"][2]
    assert back["nose"][2] < back["head"][2]
    heights = [front[name][1] for name in ("nose", "left_shoulder", "left_hip", "left_knee")]
    assert heights == sorted(heights)


def test_from_the_side_the_right_half_is_nearer() -> None:
    points = body(Bones(), Pose(yaw=90)).points
    assert points["right_shoulder"][2] > points["left_shoulder"][2]
    assert points["nose"][0] > points["head"][0]


def test_joints_bend_as_people_do() -> None:
    """Seen from the side, facing right: elbows fold forwards, knees backwards."""
    pose = Pose(yaw=90)
    bent = replace(
        pose,
        arms=(replace(pose.arms[0], bend=90),) * 2,
        legs=(replace(pose.legs[0], bend=90),) * 2,
    )
    points = body(Bones(), bent).points
    assert points["left_wrist"][0] > points["left_elbow"][0] + 0.1
    assert points["left_ankle"][0] < points["left_knee"][0] - 0.2


def test_no_combination_of_poses_is_in_both_splits() -> None:
    seen = {
        held_out: {families(Dice(seed), held_out) for seed in range(3000)}
        for held_out in (False, True)
    }
    assert not seen[True] & seen[False]
    total = len(ARMS) ** 2 * len(LEGS)
    assert len(seen[True]) == pytest.approx(total / HELD_OUT, rel=0.1)
    for part in seen.values():
        for place, names in enumerate((set(ARMS), set(ARMS), set(LEGS))):
            assert {family[place] for family in part} == names  # every one is in both
