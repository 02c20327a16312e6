"""What needs no arrays; the rest is held against slow reckoning in tests/e2e/test_diagnose.py."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from vision.noise import MOST_DB, Noise, decibels, outliers

LEVEL = st.floats(-100, 100)
RANGES = st.lists(
    st.tuples(LEVEL, LEVEL).map(lambda pair: (min(pair), max(pair))), min_size=1, max_size=40
)


def test_decibels() -> None:
    assert decibels(100, 1) == 20
    assert decibels(1, 1) == 0
    assert decibels(5, 0) == MOST_DB
    assert decibels(1e-30, 1) == -MOST_DB
    assert decibels(0, 1) is None
    assert decibels(0, 0) is None


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_twice_the_error_is_six_decibels(signal: float, error: float) -> None:
    one, other = decibels(signal, error**2), decibels(signal, (2 * error) ** 2)
    assert one is not None
    assert other is not None
    assert math.isclose(one - other, 20 * math.log10(2), abs_tol=1e-9)


def test_nothing_added_is_nothing_to_say() -> None:
    assert (Noise().snr_db, Noise().clipped_share, Noise().saturated_share) == (None, 0, 0)


def test_few_channels_that_stretch_the_range() -> None:
    ranges = [(-1.0, 1.0)] * 61 + [(-10.0, 1.0), (-1.0, 9.0), (-1.0, 10.0)]
    few, of, rest = outliers(ranges)
    assert (few, of) == (3, 64)
    assert math.isclose(rest, 2 / 20)


def test_alike_channels_stretch_nothing() -> None:
    assert outliers([(-1.0, 1.0)] * 64) == (0, 64, 1.0)
    assert outliers([(0.0, 0.0)] * 64) == (0, 64, 1.0)
    assert outliers([(0.0, 9.0), (0.0, 1.0)]) == (0, 2, 1.0)  # half of the channels are not few


@given(RANGES)
def test_the_others_need_a_part_of_the_range(ranges: list[tuple[float, float]]) -> None:
    few, of, rest = outliers(ranges)
    assert of == len(ranges)
    assert 0 <= few <= of / 10
    assert 0 <= rest <= 1
