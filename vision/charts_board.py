"""The chart of what a model takes of a board, against the board's limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.charts import COLOUR, WIDTH, bare, chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Limited:
    """One resource."""

    name: str
    value: float
    limit: float
    told: str
    """Both with their unit: 293 KiB of 1,109 KiB."""

    @property
    def share(self) -> float:
        """Of the limit; above 1 it is exceeded."""
        return self.value / self.limit if self.limit else 0.0


def limits(rows: Sequence[Limited]) -> str:
    """A bar each, the limit at the same place for all."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        widest = max(1.0, *(row.share for row in rows))
        for y, row in zip(range(len(rows), 0, -1), rows, strict=True):
            colour = COLOUR["bad"] if row.share > 1 else COLOUR["float"]
            axes.barh(y - 0.16, 1, height=0.3, color=COLOUR["line"])
            axes.barh(y - 0.16, row.share, height=0.3, color=colour)
            axes.plot([1, 1], [y - 0.38, y + 0.06], color=COLOUR["ink"], lw=1.8)
            axes.text(0, y + 0.12, row.name, fontweight="bold", va="bottom")
            told = f"{row.told} ({100 * row.share:.0f} %)"
            axes.text(widest, y + 0.12, told, ha="right", va="bottom", color=COLOUR["muted"])
        axes.set(xlim=(0, widest * 1.004), ylim=(0.55, len(rows) + 0.5))
        axes.set_xticks([1], ["limit"], color=COLOUR["ink"])
        axes.set_yticks([])
        bare(axes, "left", "bottom")

    told = "; ".join(f"{row.name}: {row.told}" for row in rows)
    return chart("limits", f"Against the limits. {told}", WIDTH, 40 + 52 * len(rows), paint)
