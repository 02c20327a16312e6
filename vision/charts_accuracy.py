"""Charts of accuracy: tier by tier, class by class, precision over recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
from vision.report_units import points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_CLASSES = 24
"""Rows of the chart of classes; more are shown in the table alone."""


def tiers(rows: Sequence[tuple[str, bool, float, float]], final: str, drop: float | None) -> str:
    """mAP50-95 (filled) and mAP50 (hollow) of each tier, 0..1, float above int8.

    `rows`: (tier, whether it is float, mAP50, mAP50-95); `final`: the tier that stands for the
    board; `drop`: what it lost, points of mAP50-95.
    """

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(rows), 0, -1)
        for y, (name, is_float, half, mean) in zip(places, rows, strict=True):
            colour = FLOAT if is_float else INT8
            axes.barh(y, mean, height=0.5, color=colour)
            axes.plot([half], [y], "o", mec=colour, mfc=COLOUR["surface"], mew=1.6, ms=6)
            axes.text(mean - 0.012, y, f"{mean:.3f}", ha="right", va="center", fontweight="bold",
                      color=COLOUR["surface"])  # fmt: skip
            if name == final and drop is not None:
                axes.text(half + 0.025, y, points(drop), va="center", color=COLOUR["ink"])
        if rows[0][1]:
            axes.axvline(rows[0][3], color=FLOAT, lw=1, ls=(0, (3, 3)))
        axes.set_yticks(list(places), [name for name, *_ in rows], color=COLOUR["ink"])
        axes.set_xlim(0, 1.18)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
        axes.grid(axis="x")
        axes.set_xlabel("bar: mAP50-95   ○ mAP50")
        bare(axes, "left", "bottom")

    told = "; ".join(f"{name}: {mean:.3f} and {half:.3f}" for name, _, half, mean in rows)
    return chart(
        "tiers", f"mAP50-95 and mAP50 of each tier. {told}", WIDTH, 62 + 38 * len(rows), paint
    )


def classes(rows: Sequence[tuple[str, float, float]]) -> str:
    """A line a class: (name, float mAP50-95, int8 mAP50-95), worst loss first."""
    shown = rows[:MOST_CLASSES]

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(shown), 0, -1)
        for y, (_, float_, int8) in zip(places, shown, strict=True):
            axes.plot([float_, int8], [y, y], color=COLOUR["line"], lw=4, solid_capstyle="round")
            axes.plot([float_], [y], "o", color=FLOAT, ms=7, label="float" if y == 1 else None)
            axes.plot([int8], [y], "s", color=INT8, ms=6.5, label="int8" if y == 1 else None)
        names = [shortened(name) for name, *_ in shown]
        axes.set_yticks(list(places), names, color=COLOUR["ink"])
        axes.set_ylim(0.4, len(shown) + 0.6)
        axes.grid(axis="x")
        axes.set_xlabel("mAP50-95")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
        bare(axes, "left", "bottom")

    about = "mAP50-95 of each class, float and int8; the table below has the figures"
    return chart("classes", about, WIDTH, 78 + 19 * len(shown), paint)


def precision_recall(
    curves: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    points: Mapping[str, tuple[float, float]],
) -> str:
    """Precision over recall at IoU 0.5. `curves`: tier -> {recall, precision}, first the float;
    `points`: (recall, precision) of a tier at the firmware's threshold."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for i, (tier, curve) in enumerate(curves.items()):
            axes.plot(curve["recall"], curve["precision"], color=SERIES[i % len(SERIES)],
                      ls=DASHES[i % len(DASHES)], label=names.get(tier, tier))  # fmt: skip
            if tier in points:
                axes.plot(*points[tier], MARKERS[i % len(MARKERS)], color=SERIES[i % len(SERIES)],
                          mec=COLOUR["surface"], ms=8)  # fmt: skip
        axes.set(xlim=(0, 1.01), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        axes.grid()
        axes.legend(loc="lower left")

    about = "Precision over recall at IoU 0.5, mean over classes, for " + ", ".join(
        names.get(tier, tier) for tier in curves
    )
    return chart("precision-recall", about, WIDTH, 270, paint)
