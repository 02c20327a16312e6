"""How ultralytics' validation lays a picture on the input; pixels are compared in test_predict."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision.letterbox import letterbox
from vision.preprocess import Placement

LENGTHS = st.integers(1, 5000)


@given(LENGTHS, LENGTHS, st.sampled_from([32, 192, 224, 640]))
def test_the_picture_lies_inside_and_fills_one_side(width: int, height: int, side: int) -> None:
    place = letterbox(width, height, side)
    assert max(place.width, place.height) == side
    assert min(place.width, place.height) >= 1
    for start, inner in ((place.left, place.width), (place.top, place.height)):
        after = side - start - inner
        assert 0 <= start <= after <= start + 1  # an odd pixel goes behind


@given(LENGTHS, LENGTHS, st.sampled_from([192, 640]))
def test_proportions_stay_within_a_pixel(width: int, height: int, side: int) -> None:
    place = letterbox(width, height, side)
    longest = max(width, height)
    assert 0 <= place.width - width * side / longest < 1
    assert 0 <= place.height - height * side / longest < 1


@given(LENGTHS, LENGTHS)
def test_turning_the_picture_turns_the_place(width: int, height: int) -> None:
    one, other = letterbox(width, height, 192), letterbox(height, width, 192)
    assert (one.width, one.left, one.scale_x) == (other.height, other.top, other.scale_y)


@pytest.mark.parametrize(
    ("size", "place"),
    [
        ((192, 192), Placement(192, 192, 1.0, 1.0)),
        ((640, 427), Placement(192, 129, 0.3, 129 / 427, 0, 31)),  # 128.1 is rounded up
        ((100, 50), Placement(192, 96, 1.92, 1.92, 0, 48)),
        ((1, 3000), Placement(1, 192, 1.0, 0.064, 95, 0)),
    ],
)
def test_sizes_are_rounded_up(size: tuple[int, int], place: Placement) -> None:
    assert letterbox(*size, 192) == place
