"""Pareto fronts: what costs less for what it gives than any other choice."""

from __future__ import annotations

from collections.abc import Sequence


def dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether `one` is at least as good in both (cost, value) and better in one of them."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Positions of the (cost, value) points that no other dominates, cheapest first.

    A low cost is good, and a high value. Equal points are on the front together.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    found: list[int] = []
    for i in order:
        if not found or points[i][1] > points[found[-1]][1] or points[i] == points[found[-1]]:
            found.append(i)
    return found
