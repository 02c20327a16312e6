"""The chart of accuracy against a cost, with its Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vision.charts import COLOUR, INCH, chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 300.0, 230.0
ROOM = 0.14
"""Share of the axes' range left free around the points."""
BESIDE = ((7, 8), (8, 0), (-7, 8), (-8, 0), (7, -9), (-7, -9), (0, 12), (0, -12))
"""Where a letter may stand, in points from its dot; the first place that is free is taken."""
CLOSE = 12.0
"""Points between two letters, or a letter and another dot, that can both be read."""

Place = tuple[float, float]


def trade(values: Mapping[str, Any]) -> str:
    """An SVG element of one of compare.json's `charts`, which has two points or more."""
    about = f"{values['accuracy']} against {values['label']}; on the front: " + ", ".join(
        values["front"]
    )

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        points = values["points"]
        axes.grid(visible=True)
        axes.set_xlabel(f"{values['label']} (less is better)")
        axes.set_ylabel(values["accuracy"])
        axes.set_xlim(*around([point["x"] for point in points]))
        axes.set_ylim(*around([point["y"] for point in points]))
        axes.locator_params(axis="x", nbins=5)
        front_line(axes, sorted((point["x"], point["y"]) for point in points if point["front"]))
        for point in points:
            on_front = point["front"]
            axes.plot(
                point["x"],
                point["y"],
                marker="o" if on_front else "X",
                markersize=8,
                markeredgewidth=0,
                color=COLOUR["int8" if on_front else "muted"],
            )
        letters(figure, axes, points)

    return chart(f"trade-{values['data']}-{values['cost']}", about, WIDTH, HEIGHT, paint)


def front_line(axes: Axes, points: Sequence[Place], colour: str = COLOUR["int8"]) -> None:
    """What can be had: from each point of the front to the next, dearer and better one."""
    xs, ys = zip(*points, strict=True)
    axes.step(xs, ys, where="post", color=colour, linewidth=1.2, linestyle=(0, (3, 2)))


def letters(figure: Figure, axes: Axes, points: Sequence[Mapping[str, Any]]) -> None:
    """Each point's letter beside it, those of equal points together, none over another."""
    places: dict[Place, list[str]] = {}
    for point in points:
        places.setdefault((point["x"], point["y"]), []).append(point["letter"])
    figure.draw_without_rendering()  # where points lie is settled only now
    dots: list[Place] = [
        tuple(axes.transData.transform(place) * INCH / figure.dpi) for place in places
    ]
    taken = list(dots)
    for dot, (place, standing) in zip(dots, places.items(), strict=True):
        shift = _free_place(dot, taken)
        taken.append((dot[0] + shift[0], dot[1] + shift[1]))
        axes.annotate(
            " ".join(standing),
            place,
            shift,
            textcoords="offset points",
            ha="left" if shift[0] > 0 else "right" if shift[0] < 0 else "center",
            va="center",
            weight="bold",
        )


def _free_place(dot: Place, taken: Sequence[Place]) -> Place:
    """The first shift that keeps clear of other dots and of the letters that stand."""
    for shift in BESIDE:
        at = (dot[0] + shift[0], dot[1] + shift[1])
        others = [other for other in taken if other != dot]
        if all(max(abs(at[0] - x), abs(at[1] - y)) >= CLOSE for x, y in others):
            return shift
    return BESIDE[0]


def around(values: Sequence[float]) -> Place:
    """The ends of an axis that shows the values and some room."""
    low, high = min(values), max(values)
    room = (high - low) * ROOM or abs(high) * ROOM or 1.0
    return low - room, high + room
