"""Charts of what rounding to int8 does: noise tensor by tensor, and how alike the images are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vision.charts import (
    COLOUR,
    DASHES,
    FLOAT,
    INT8,
    MARKERS,
    SERIES,
    WIDTH,
    bare,
    chart,
    shortened,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BRANCHES = ("backbone", "neck", "box", "class", "keypoint", "decode")
BESIDE = {"box": -0.3, "keypoint": 0.3}
"""Branches of the same layer lie side by side."""
WORST = 12
"""Tensors named in the chart of the worst."""


def depth(points: Sequence[tuple[float, float, str]]) -> str:
    """Signal to noise of every tensor, from the picture to the outputs.

    `points`: (place in the network, dB, branch).
    """

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for i, branch in enumerate(BRANCHES):
            mine = [(x + BESIDE.get(branch, 0), y) for x, y, kind in points if kind == branch]
            if mine:
                axes.plot(*zip(*mine, strict=True), MARKERS[i], color=SERIES[i], ms=4.5,
                          alpha=0.85, mew=0, label=branch)  # fmt: skip
        axes.set(xlabel="layer of the network", ylabel="signal to noise, dB")
        axes.grid(axis="y")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=5, borderaxespad=0,
                    handletextpad=0, columnspacing=0.8)  # fmt: skip

    return chart("depth", "Signal to noise of every tensor, by layer and branch", WIDTH, 300, paint)


def worst(rows: Sequence[tuple[str, float, str]]) -> str:
    """The noisiest tensors by name: (layer, dB, branch), worst first."""
    shown = rows[:WORST]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(shown), 0, -1)
        for y, (_, noise, branch) in zip(places, shown, strict=True):
            axes.barh(y, noise, height=0.62, color=SERIES[BRANCHES.index(branch)])
            axes.text(max(noise, 0) + 0.4, y, f"{noise:.1f} dB, {branch}", va="center", fontsize=9)
        names = [shortened(name, 28) for name, *_ in shown]
        axes.set_yticks(list(places), names, color=COLOUR["ink"])
        axes.set_ylim(0.4, len(shown) + 0.6)
        axes.set_xlim(right=1.45 * max(1.0, *(noise for _, noise, _ in shown)))
        axes.set_xticks([])
        bare(axes, "left", "bottom")

    told = "; ".join(f"{name} {noise:.1f} dB" for name, noise, _ in shown)
    return chart("worst", f"The noisiest tensors: {told}", WIDTH, 40 + 23 * len(shown), paint)


def histograms(kinds: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Shares of the 32 levels of red, green and blue: calibration against validation images."""

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, 3, sharey=True)
        for channel, (axes, title) in enumerate(zip(panels, ("red", "green", "blue"), strict=True)):
            lines = ((0, FLOAT, DASHES[0]), (1, INT8, DASHES[1]))
            for (name, values), (_, colour, dash) in zip(kinds.items(), lines, strict=False):
                total = sum(values[channel]) or 1
                heights = [100 * value / total for value in values[channel]]
                edges = [256 * i / len(heights) for i in range(len(heights) + 1)]
                axes.stairs(heights, edges, color=colour, ls=dash, lw=1.6, label=name)
            axes.set_title(title)
            axes.set_xticks([0, 128, 255])
            axes.grid(axis="y")
        panels[0].set_ylabel("% of pixels")
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)

    about = "How often each level of red, green and blue occurs in " + " and ".join(kinds)
    return chart("histograms", about, WIDTH, 210, paint)
