"""Charts of a sweep: accuracy against costs and parameters, and all at once in parallel axes.

Every dot and line is a link to its point's row in the table (`#point-N`), and says its values
when the mouse rests on it.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision.charts import COLOUR, MARKERS, SERIES, bare, chart, shortened
from vision.charts_compare import around, front_line, letters
from vision.sweep_axes import as_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 300.0, 230.0
SIGNS = "●■▲◆▼✚"
"""MARKERS as letters, for a legend in the page."""
LABELLED = 12
"""Points in one chart that all get their number; of more only those on the front do."""
PARALLEL = 74.0, 300.0
"""Points from axis to axis, and height, of the parallel axes."""
LISTED = 10
"""Different values of a parameter that each get a place of their own on an axis."""
CLEAR = 1.0
CROWD = 60
"""Points in one chart from which on those behind the front are drawn smaller and fainter."""


@dataclass(frozen=True)
class Dot:
    """One point of a sweep in a chart."""

    number: int
    words: str
    """What is read when the mouse rests on it."""
    series: int
    """Which colour and marker."""
    front: bool
    """On the Pareto front of the chart, or on any where there are several."""


@dataclass(frozen=True)
class Side:
    """One of the parallel axes, or the parameter that accuracy is drawn over."""

    title: str
    values: Sequence[Any]
    """Of each dot: a number, a word, or None."""
    good: str | None = None
    """Which end is good, 'high' or 'low'; it is drawn at the top."""
    digits: int = 0

    @property
    def numbers(self) -> bool:
        """Whether all values are numbers."""
        return all(as_number(str(value)) is not None for value in self.values if value is not None)

    @property
    def listed(self) -> list[str] | None:
        """The different values, first one lowest; None where they are too many or a figure's."""
        if self.good is not None:
            return None
        found = list(dict.fromkeys(str(value) for value in self.values if value is not None))
        if not self.numbers:
            return found
        return sorted(found, key=float) if len(found) <= LISTED else None


def trade(name: str, values: Mapping[str, Any], dots: Mapping[int, Dot]) -> str:
    """One of sweep.json's `charts`, which has two points or more."""
    about = f"{values['accuracy']} against {values['label']}; on the front: points " + ", ".join(
        values["front"]
    )
    points = values["points"]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.grid(visible=True)
        axes.set_xlabel(f"{values['label']} (less is better)")
        axes.set_ylabel(values["accuracy"])
        axes.set_xlim(*around([point["x"] for point in points]))
        axes.set_ylim(*around([point["y"] for point in points]))
        axes.locator_params(axis="x", nbins=5)
        front = sorted((point["x"], point["y"]) for point in points if point["front"])
        front_line(axes, front, COLOUR["muted"])
        for point in sorted(points, key=lambda point: bool(point["front"])):
            dot = dots[int(point["letter"])]
            _dot(axes, point["x"], point["y"], dot, point["front"], len(points))
        few = len(points) <= LABELLED
        letters(figure, axes, [point for point in points if few or point["front"]])

    return _linked(chart(name, about, WIDTH, HEIGHT, paint), dots.values())


def effect(name: str, side: Side, accuracy: Side, dots: Sequence[Dot]) -> str:
    """Accuracy over one parameter: a dot a point; of numbers a line through the best of each."""
    about = f"{accuracy.title} over {side.title}"
    places = side.listed
    known = [i for i, v in enumerate(accuracy.values) if None not in (v, side.values[i])]
    xs = {i: places.index(str(side.values[i])) if places else float(side.values[i]) for i in known}
    best: dict[float, float] = {}
    for i in known:
        best[xs[i]] = max(best.get(xs[i], -1.0), accuracy.values[i])

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.grid(visible=True)
        axes.set_xlabel(side.title)
        axes.set_ylabel(accuracy.title)
        axes.set_ylim(*around([accuracy.values[i] for i in known]))
        if places:
            axes.set_xticks(range(len(places)), [shortened(text, 11) for text in places])
            axes.set_xlim(-0.5, len(places) - 0.5)
        if side.numbers and places:
            axes.plot(
                *zip(*sorted(best.items()), strict=True), color=COLOUR["muted"], lw=1, zorder=1
            )
        for i in sorted(known, key=lambda i: dots[i].front):
            _dot(axes, xs[i], accuracy.values[i], dots[i], dots[i].front, len(known))

    return _linked(chart(name, about, WIDTH, HEIGHT, paint), dots)


def parallel(name: str, sides: Sequence[Side], dots: Sequence[Dot]) -> str:
    """A line for each point, through its place on every axis; gaps where it has no value."""
    about = "every point as a line through its values: " + ", ".join(side.title for side in sides)
    step, height = PARALLEL
    heights = [_heights(side) for side in sides]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.set_xlim(-0.15, len(sides) - 0.45)
        axes.set_ylim(-0.06, 1.06)
        bare(axes, "left", "bottom")
        axes.set_yticks([])
        axes.set_xticks(range(len(sides)), [_wrapped(side.title) for side in sides])
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", length=0)
        for i in sorted(range(len(dots)), key=lambda i: dots[i].front):
            _line(axes, [of_side[i] for of_side in heights], dots[i], len(dots))
        for place, side in enumerate(sides):
            axes.axvline(place, 0.03, 0.97, color=COLOUR["muted"], linewidth=1)
            _scale(axes, place, side)

    width = step * (len(sides) + 0.7)
    drawn = chart(name, about, width, height, paint)
    size = f'style="width: {1.6 * width:.0f}px; min-width: {width:.0f}px; max-width: 100%"'
    return _linked(drawn.replace("<svg ", f"<svg {size} ", 1), dots)


def _thin(count: int) -> float:
    """How much fainter each of `count` is drawn."""
    return min(1.0, math.sqrt(CROWD / count))


def _dot(axes: Axes, x: float, y: float, dot: Dot, front: bool, count: int) -> None:
    """One of `count` dots."""
    colour = SERIES[dot.series % len(SERIES)]
    axes.plot(
        x,
        y,
        marker=MARKERS[dot.series % len(MARKERS)],
        markersize=7.5 if front else 6 * max(0.5, _thin(count)),
        markerfacecolor=colour if front else COLOUR["surface"],
        markeredgecolor=colour,
        markeredgewidth=1.3,
        alpha=CLEAR if front else 0.8 * _thin(count),
        url=f"point:{dot.number}",
        zorder=3 if front else 2,
    )


def _line(axes: Axes, heights: Sequence[float | None], dot: Dot, count: int) -> None:
    """The line of one of `count` points, in pieces where it has no value."""
    known = [float("nan") if height is None else height for height in heights]
    axes.plot(
        range(len(known)),
        known,
        color=SERIES[dot.series % len(SERIES)],
        alpha=CLEAR if dot.front else 0.4 * _thin(count),
        linewidth=2.0 if dot.front else 1.1,
        marker="o" if dot.front or count <= CROWD else "",
        markersize=4 if dot.front else 2.5,
        markeredgewidth=0,
        url=f"point:{dot.number}",
    )


def _heights(side: Side) -> list[float | None]:
    """Where each value lies on its axis, 0 at the bottom, 1 at the top."""
    places = side.listed
    if places is not None:
        top = max(1, len(places) - 1)
        return [None if v is None else places.index(str(v)) / top for v in side.values]
    low, high = _ends(side)
    wide = (high - low) or 1.0
    found = [None if v is None else (float(v) - low) / wide for v in side.values]
    return [None if h is None else 1 - h for h in found] if side.good == "low" else found


def _ends(side: Side) -> tuple[float, float]:
    known = [float(value) for value in side.values if value is not None]
    return min(known), max(known)


def _scale(axes: Axes, place: int, side: Side) -> None:
    """The values beside an axis: each that is listed, else its ends and middle."""
    places = side.listed
    if places is not None:
        top = max(1, len(places) - 1)
        told = [(i / top, shortened(text, 13)) for i, text in enumerate(places)]
    else:
        low, high = _ends(side)
        ends = (high, low) if side.good == "low" else (low, high)
        shares = (0.0, 0.5, 1.0) if high > low else (0.0,)
        told = [
            (share, f"{ends[0] + share * (ends[1] - ends[0]):,.{side.digits}f}") for share in shares
        ]
    for height, text in told:
        axes.annotate(
            text, (place, height), (5, 0), textcoords="offset points", va="center", size=9,
            bbox={"facecolor": COLOUR["surface"], "edgecolor": "none", "pad": 1, "alpha": 0.75},
        )  # fmt: skip


def _wrapped(title: str) -> str:
    """A title over its axis: words and parts of keys in lines of their own."""
    return "\n".join(re.sub(r"[., ]+", "\n", title).split("\n")[-2:])


def _linked(svg: str, dots: Sequence[Dot] | Any) -> str:
    """Links lead to the table's rows; the page's keyboard order leaves them out: the table has
    all that they say."""
    words = {dot.number: f"{dot.number}: {dot.words}" for dot in dots}

    def link(found: re.Match[str]) -> str:
        number = int(found[1])
        title = html.escape(words[number])
        return f'<a href="#point-{number}" tabindex="-1"><title>{title}</title>'

    return re.sub(r'<a href="point:(\d+)"[^>]*>', link, svg)
