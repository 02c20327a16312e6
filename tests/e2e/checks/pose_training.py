"""Trains a pose network of four keypoints, stopped and resumed, then exports it. Toolchain `torch`.

Argument: a folder to fill. Prints train.json, export.json, the epochs of results.csv, the
description in the checkpoint and the shape of the ONNX file's output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from edgemake.work import Work
from stages import export, train
from vision.kept_epochs import KeptEpochs

SIDE, COUNTS = 64, {"train": 16, "val": 4}
CORNERS = ((0, 0), (1, 0), (0, 1), (1, 1))
"""The keypoints: corners of a box, part of its sides; mirroring swaps left and right."""
PARAMS = train.Params(
    architecture="yolov8n-pose.yaml",
    activation="relu6",
    task="pose",
    epochs=3,
    batch=8,
    imgsz=SIDE,
    seed=0,
    args={"optimizer": "AdamW", "lr0": 0.002, "warmup_epochs": 0, "nbs": 8},
)


def data_set(folder: Path) -> dict[str, Path]:
    """Boxes on grey with a keypoint at each corner; inputs of the stage."""
    random = np.random.default_rng(0)
    for split, count in COUNTS.items():
        images, labels = folder / f"data/images/{split}", folder / f"data/labels/{split}"
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for i in range(count):
            x, y, w, h = (random.uniform((0.1, 0.1, 0.3, 0.3), (0.4, 0.4, 0.5, 0.5))).tolist()
            picture = Image.new("RGB", (SIDE, SIDE), (120, 120, 120))
            box = [SIDE * edge for edge in (x, y, x + w, y + h)]
            ImageDraw.Draw(picture).rectangle(box, fill=(200, 60 + 9 * i, 40))
            picture.save(images / f"{i:03d}.png")
            points = " ".join(f"{x + a * w:.4f} {y + b * h:.4f} 2" for a, b in CORNERS)
            (labels / f"{i:03d}.txt").write_text(
                f"0 {x + w / 2:.4f} {y + h / 2:.4f} {w:.4f} {h:.4f} {points}\n"
            )
    manifest = {"names": ["box"], "kpt_shape": [4, 3], "flip_idx": [1, 0, 3, 2]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return {"data": folder / "data", "manifest.json": folder / "manifest.json"}


class Stopped(Exception):
    """What stands for a kill after an epoch."""


def trained(folder: Path) -> Path:
    """The output folder of a training that is stopped after its first epoch, then resumed."""
    out, scratch = folder / "train", folder / "scratch"
    out.mkdir()
    scratch.mkdir()
    work = Work(data_set(folder), out, scratch, cores=2)
    keep = KeptEpochs.keep

    def keep_and_stop(self: KeptEpochs, trainer: Any) -> None:
        keep(self, trainer)
        raise Stopped

    KeptEpochs.keep = keep_and_stop  # type: ignore[method-assign]
    try:
        train.run(PARAMS, work)
    except Stopped:
        KeptEpochs.keep = keep  # type: ignore[method-assign]
    train.run(PARAMS, replace(work, resumed=True))
    return out


def main(target: str) -> dict[str, Any]:
    """Train, export, and say what came of it."""
    import onnx
    import torch

    folder = Path(target)
    out = trained(folder)
    exported = folder / "export"
    exported.mkdir()
    inputs = {"checkpoint.pt": out / "best.pt"}
    params = export.Params(
        task="pose",
        architecture=PARAMS.architecture,
        activation=PARAMS.activation,
        imgsz=96,
        opset=13,
        simplify=True,
        tolerance=0.001,
    )
    export.run(params, Work(inputs, exported, folder / "scratch", cores=2))
    checkpoint = torch.load(out / "best.pt", map_location="cpu", weights_only=False)
    model = onnx.load(exported / "model.onnx")
    rows = (out / "results.csv").read_text().splitlines()
    return {
        "train": json.loads((out / "train.json").read_text()),
        "export": json.loads((exported / "export.json").read_text()),
        "epochs": [row.partition(",")[0] for row in rows[1:]],
        "activation": checkpoint["model"].yaml["activation"],
        "file": checkpoint["model"].yaml["yaml_file"],
        "output": [size.dim_value for size in model.graph.output[0].type.tensor_type.shape.dim],
        "metadata": {entry.key: entry.value for entry in model.metadata_props},
        "kernels": all(
            any(entry.name == "kernel_shape" for entry in node.attribute)
            for node in model.graph.node
            if node.op_type == "Conv"
        ),
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
