"""Charts of a training: what it reached after each epoch, and its losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vision.charts import COLOUR, DASHES, FLOAT, INT8, SERIES, WIDTH, chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Columns = Mapping[str, Sequence[float]]
"""Columns of ultralytics' results.csv, name -> a value an epoch."""
REACHED = (
    ("metrics/mAP50-95(B)", "mAP50-95"),
    ("metrics/mAP50(B)", "mAP50"),
    ("metrics/mAP50-95(P)", "keypoints, mAP50-95"),
    ("metrics/mAP50(P)", "keypoints, mAP50"),
)
LOSSES = (
    ("box_loss", "boxes"), ("cls_loss", "classes"), ("dfl_loss", "box sides (DFL)"),
    ("pose_loss", "keypoints"), ("kobj_loss", "keypoint visibility"),
)  # fmt: skip


def reached(columns: Columns, best: int | None) -> str:
    """Accuracy on the validation split after each epoch; `best`: the epoch that was kept."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        epochs = columns["epoch"]
        lines = [(key, name) for key, name in REACHED if key in columns]
        for i, (key, name) in enumerate(lines):
            axes.plot(epochs, columns[key], color=SERIES[i], ls=DASHES[i], label=name)
        if best is not None:
            axes.axvline(best, color=COLOUR["muted"], lw=1, ls=(0, (3, 3)))
            axes.text(best, 1.01, f"kept: epoch {best} ", ha="right", va="bottom",
                      color=COLOUR["muted"], transform=axes.get_xaxis_transform())  # fmt: skip
        axes.set(xlabel="epoch", ylim=(0, 1))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid()
        axes.legend(loc="best")

    last = f"; epoch {best} was kept" if best is not None else ""
    return chart("reached", f"Accuracy after each epoch of the training{last}", WIDTH, 270, paint)


def losses(columns: Columns) -> str:
    """Training and validation loss over the epochs, a small panel each."""
    known = [(key, name) for key, name in LOSSES if f"train/{key}" in columns]
    rows = -(-len(known) // 2)

    def paint(figure: Figure) -> None:
        panels = figure.subplots(rows, 2, sharex=True, squeeze=False).ravel()
        for axes, (key, name) in zip(panels, known, strict=False):
            for split, colour, dash in (("train", FLOAT, "-"), ("val", INT8, DASHES[1])):
                if (values := columns.get(f"{split}/{key}")) is not None:
                    label = "training" if split == "train" else "validation"
                    axes.plot(columns["epoch"], values, color=colour, ls=dash, label=label)
            axes.set_title(name)
            axes.set_ylim(bottom=0)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid()
        for axes in panels[len(known) :]:
            axes.set_axis_off()
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)

    about = "Losses over the epochs, training and validation: " + ", ".join(n for _, n in known)
    return chart("losses", about, WIDTH, 60 + 130 * max(1, rows), paint)
