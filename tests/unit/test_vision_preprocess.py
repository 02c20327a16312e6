"""Where a picture comes to lie on the network's input."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.preprocess import Placement, placement

SIDES = st.sampled_from([96, 192, 320, 640])
LENGTHS = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("size", "side", "expected"),
    [
        ((640, 480), 320, (320, 240, 0, 40)),
        ((480, 640), 320, (240, 320, 40, 0)),
        ((100, 100), 320, (320, 320, 0, 0)),
        ((1280, 725), 640, (640, 362, 0, 139)),  # 362.5 is rounded to even
        ((640, 427), 640, (640, 427, 0, 106)),  # of an odd number of rows more lie below
        ((2000, 1), 320, (320, 1, 0, 159)),
    ],
)
def test_letterbox(size: tuple[int, int], side: int, expected: tuple[int, int, int, int]) -> None:
    place = placement(*size, side, "letterbox")
    assert (place.width, place.height, place.left, place.top) == expected
    assert place.scale_x == place.width / size[0]


def test_stretch_ignores_proportions() -> None:
    assert placement(640, 480, 192, "stretch") == Placement(192, 192, 0.3, 0.4)


@given(LENGTHS, LENGTHS, SIDES)
def test_a_letterbox_fills_one_side_and_is_centred(width: int, height: int, side: int) -> None:
    place = placement(width, height, side, "letterbox")
    assert max(place.width, place.height) == side
    right, below = side - place.left - place.width, side - place.top - place.height
    assert 0 <= right - place.left <= 1
    assert 0 <= below - place.top <= 1
    assert place.left == 0 or place.top == 0


@given(LENGTHS, LENGTHS, SIDES)
def test_a_letterbox_keeps_proportions_to_half_a_pixel(width: int, height: int, side: int) -> None:
    place, scale = placement(width, height, side, "letterbox"), side / max(width, height)
    assert abs(place.width - width * scale) <= 0.5 + 1e-9 or place.width == 1
    assert abs(place.height - height * scale) <= 0.5 + 1e-9 or place.height == 1


def test_another_word() -> None:
    with pytest.raises(ValueError, match="unknown preprocessing 'crop'"):
        placement(640, 480, 192, "crop")
