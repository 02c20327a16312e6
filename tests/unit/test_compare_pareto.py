"""Laws of Pareto fronts."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as some

from vision.pareto import dominates, front

NUMBER = some.integers(0, 6) | some.floats(0, 6, allow_nan=False)
POINTS = some.lists(some.tuples(NUMBER, NUMBER), max_size=12)


@given(POINTS)
def test_no_point_of_the_front_is_dominated_and_every_other_is(
    points: list[tuple[float, float]],
) -> None:
    best = set(front(points))
    for i, point in enumerate(points):
        beaten = any(
            other[0] <= point[0]
            and other[1] >= point[1]
            and (other[0] < point[0] or other[1] > point[1])
            for other in points
        )
        assert (i in best) == (not beaten)


@given(POINTS)
def test_who_is_beaten_is_beaten_by_one_of_the_front(points: list[tuple[float, float]]) -> None:
    best = front(points)
    for i in set(range(len(points))) - set(best):
        assert any(dominates(points[j], points[i]) for j in best)


@given(POINTS)
def test_along_the_front_more_costs_more(points: list[tuple[float, float]]) -> None:
    best = [points[i] for i in front(points)]
    assert len(set(front(points))) == len(best)
    for one, other in pairwise(best):
        assert one == other or (one[0] < other[0] and one[1] < other[1])


def test_examples() -> None:
    assert front([]) == []
    assert front([(3, 0.5), (1, 0.5), (2, 0.4), (4, 0.6), (1, 0.5)]) == [1, 4, 3]
