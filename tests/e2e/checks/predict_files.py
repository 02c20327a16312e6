"""Tells what the artifacts of stage predict hold. Runs in toolchain `tflite-micro`.

Arguments: their folders, the float tier of the board's table first. Prints for each tier what can
be counted of it, how many sure finds of the first it finds again, and how many output elements of
LiteRT and TFLM lie within one quantum of each other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vision.detections import overlaps

SURE, STILL, OVERLAP = 0.5, 0.25, 0.7

Arrays = Mapping[str, Any]


def counted(folder: Path, found: Arrays) -> dict[str, Any]:
    said = json.loads((folder / "predictions.json").read_text())
    image, score, box = found["image"], found["score"], found["box"]
    same = image[1:] == image[:-1]
    wide = np.array(said["sizes"])[image]
    return {
        "said": said,
        "arrays": {name: [found[name].dtype.name, *found[name].shape] for name in found},
        "in_order": bool((np.diff(image) >= 0).all() and (np.diff(score)[same] <= 0).all()),
        "inside": bool(
            (box >= 0).all() and (box[:, 2:] <= wide).all() and (box[:, :2] <= wide).all()
        ),
        "least": float(score.min()),
        "most": int(np.bincount(image).max()),
        "classes": np.unique(found["cls"]).tolist(),
    }


def again(floats: Arrays, others: Arrays) -> float:
    """Share of the sure detections of `floats` that are among `others`."""
    sure = np.flatnonzero(floats["score"] >= SURE)
    hits = 0
    for i in sure:
        like = (others["image"] == floats["image"][i]) & (others["cls"] == floats["cls"][i])
        near = others["box"][like & (others["score"] >= STILL)]
        hits += bool(len(near) and overlaps(floats["box"][i], near).max() >= OVERLAP)
    return hits / len(sure)


def apart(one: Arrays, other: Arrays) -> dict[str, Any]:
    """Of raw int8 outputs: share of elements within one quantum, and the largest difference.

    `exact`: the same of LiteRT's reference kernels.
    """
    names = [name for name in other if name.startswith("output_")]
    exact = [name.replace("output", "exact") for name in names]

    def differences(names: list[str], others: list[str]) -> Any:
        pairs = zip(names, others, strict=True)
        return np.concatenate(
            [np.abs(one[a].astype(int) - other[b].astype(int)).ravel() for a, b in pairs]
        )

    steps = differences(names, names)
    return {
        "exact": int(differences(exact, names).max()),
        "same_scales": bool((one["scales"] == other["scales"]).all()),
        "images": len(one[names[0]]),
        "outputs": [list(one[name].shape[1:]) for name in names],
        "kinds": sorted({one[name].dtype.name for name in names}),
        "within_one": float((steps <= 1).mean()),
        "largest": int(steps.max()),
    }


def main(*folders: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    first = np.load(Path(folders[0]) / "predictions.npz")
    raw = []
    for folder in map(Path, folders):
        found = np.load(folder / "predictions.npz")
        facts = counted(folder, found) | {"again": again(first, found)}
        told[facts["said"]["tier"]] = facts
        if (folder / "outputs.npz").exists():
            raw.append(np.load(folder / "outputs.npz"))
    return {"tiers": told, "raw": apart(*raw)}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
