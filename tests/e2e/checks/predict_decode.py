"""Holds the decode of every form against what was put into it, on random scenes.

Boxes, scores and keypoints are drawn for every cell, written down as each form's outputs by slow
and plain arithmetic, and must come back. Runs in toolchain `tflite-micro`; prints how many scenes.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision.forms import DECODERS, decode_outputs

BINS, STRIDES = 16, (8, 16, 32)


@dataclass
class Cell:
    """One cell of one stride, and what the network says of it."""

    stride: int
    x: float
    y: float
    """Its centre, in cells."""
    sides: list[float]
    """Left, top, right, bottom, in cells: 0 to 15."""
    scores: list[float]
    points: list[tuple[float, float, float]]
    """x, y in pixels, visibility."""

    @property
    def corners(self) -> list[float]:
        left, top, right, bottom = self.sides
        ends = (self.x - left, self.y - top, self.x + right, self.y + bottom)
        return [end * self.stride for end in ends]


def scene(draw: random.Random, side: int, classes: int, points: int) -> list[Cell]:
    cells = []
    for stride in STRIDES:
        for place in range((side // stride) ** 2):
            row, column = divmod(place, side // stride)
            cells.append(
                Cell(
                    stride,
                    column + 0.5,
                    row + 0.5,
                    [draw.uniform(0, BINS - 1) for _ in range(4)],
                    [draw.uniform(1e-4, 1 - 1e-4) for _ in range(classes)],
                    [
                        (draw.uniform(-9, side), draw.uniform(-9, side), draw.uniform(0.01, 0.99))
                        for _ in range(points)
                    ],
                )
            )
    return cells


def bins(distance: float, draw: random.Random) -> list[float]:
    """Logits of a distribution whose expectation is the distance; any constant may be added."""
    low = min(int(distance), BINS - 2)
    parts = {low: low + 1 - distance, low + 1: distance - low}
    lift = draw.uniform(-5, 5)
    return [lift + math.log(max(parts.get(i, 0), 1e-30)) for i in range(BINS)]


def logit(score: float) -> float:
    return math.log(score / (1 - score))


def raw_point(cell: Cell, point: tuple[float, float, float]) -> list[float]:
    x, y, seen = point
    return [
        (x / cell.stride - cell.x + 0.5) / 2,
        (y / cell.stride - cell.y + 0.5) / 2,
        logit(seen),
    ]


def centred(cell: Cell) -> list[float]:
    x1, y1, x2, y2 = cell.corners
    return [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1]


def written(form: str, cells: list[Cell], side: int, draw: random.Random) -> dict[str, Any]:
    """Output name -> (role, stride, array) as a network of this form gives them."""
    classes, told = len(cells[0].scores), dict[str, Any]()
    box = {s: [c for c in cells if c.stride == s] for s in STRIDES}
    flat = {s: [[v for d in c.sides for v in bins(d, draw)] for c in box[s]] for s in STRIDES}
    wide = [[*centred(c), *c.scores, *(v for p in c.points for v in p)] for c in cells]
    parts = [[*(value / side for value in centred(c)), *c.scores] for c in cells]
    for s in STRIDES:
        grid, logits = side // s, [[logit(v) for v in c.scores] for c in box[s]]
        if form in ("six_raw", "seven_raw"):
            told[f"box_{s}"] = ("box", s, np.array([flat[s]]))
            told[f"class_{s}"] = ("class", s, np.array([logits]))
        if form == "branch":
            planes = np.array(flat[s]).T.reshape(1, 4 * BINS, grid, grid)
            scores = np.array([c.scores for c in box[s]]).T.reshape(1, classes, grid, grid)
            told[f"box_{s}"] = ("box", s, planes)
            told[f"class_{s}"] = ("class", s, scores)
            told[f"sum_{s}"] = ("sum", s, scores.sum(axis=1, keepdims=True).clip(0, 1))
    if form == "seven_raw":
        raw = [[v for p in c.points for v in raw_point(c, p)] for c in cells]
        told["keypoints"] = ("keypoints", None, np.array([raw]))
    if form == "decoded":
        told["output0"] = ("decoded", None, np.array(wide).T[None])
    if form == "decoded_normalised":
        told["decoded"] = ("decoded", None, np.array(parts).T[None])
    if form == "decoded_pair":
        told["boxes"] = ("box", None, np.array(parts)[:, :4].T[None])
        told["scores"] = ("score", None, np.array([c.scores for c in cells])[None])
    return told


def check(form: str, draw: random.Random) -> None:
    side = draw.choice([32, 64, 96, 160])
    pose = form == "seven_raw" or (form == "decoded" and draw.random() < 0.5)
    classes, points = (1 if pose else draw.randint(1, 6)), (draw.randint(1, 5) if pose else 0)
    cells = scene(draw, side, classes, points)
    outputs = list(written(form, cells, side, draw).items())
    draw.shuffle(outputs) if form in ("six_raw", "seven_raw", "branch") else None
    described = [
        {
            "name": name,
            "role": role,
            "stride": stride,
            "shape": list(array.shape),
            "classes": classes,
            "keypoints": [points, 3] if points else None,
        }
        for name, (role, stride, array) in outputs
    ]
    found = decode_outputs(form, [array for _, (_, _, array) in outputs], described, side)
    assert np.allclose(found.corners, [cell.corners for cell in cells], atol=1e-6), form
    assert np.allclose(found.scores, [cell.scores for cell in cells], atol=1e-9), form
    assert (found.keypoints is None) == (points == 0), form
    if found.keypoints is not None:
        assert np.allclose(found.keypoints, [cell.points for cell in cells], atol=1e-6), form


def main(scenes: int) -> int:
    """So many for every form."""
    draw = random.Random(0)
    for form in DECODERS:
        for _ in range(scenes):
            check(form, draw)
    return scenes


print(json.dumps(main(30)))
