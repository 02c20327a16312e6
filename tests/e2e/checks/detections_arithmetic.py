"""Holds threshold, suppression, placement and drawing against slow and plain reckoning on random
detections. Runs in toolchain `tflite-micro`; prints how many cases it went through."""

from __future__ import annotations

import json
import random

import numpy as np
from PIL import Image

from vision.detections import (
    Detections,
    off_input,
    on_picture,
    overlaps,
    plain,
    select,
    select_every,
)
from vision.draw import drawn, enlargement
from vision.forms import Decoded
from vision.preprocess import placement

SIDE = 64
Row = tuple[float, int, list[float]]
"""(score, class, corners)"""


def iou(one: list[float], other: list[float]) -> float:
    """Of two boxes, by counting."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, wide) * max(0.0, high)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)


def expected(rows: list[Row], score: float, limit: float) -> list[Row]:
    """Non-maximum suppression, as one would tell it."""
    left = sorted((row for row in rows if row[0] >= score), key=lambda row: -row[0])
    kept: list[Row] = []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [row for row in left if row[1] != best[1] or iou(row[2], best[2]) <= limit]
    return kept


def check_selection(draw: random.Random) -> None:
    """Random boxes, several classes, many overlaps."""
    classes = draw.randint(1, 3)
    rows: list[Row] = []
    scores = np.zeros((draw.randint(0, 30), classes))
    for line in scores:
        kind, sure = draw.randrange(classes), round(draw.random(), 3) + 1e-9 * (1 + len(rows))
        x, y = float(draw.randint(0, 40)), float(draw.randint(0, 40))
        line[:] = sure / 2
        line[kind] = sure
        rows.append((sure, kind, [x, y, x + draw.randint(1, 24), y + draw.randint(1, 24)]))
    corners = np.array([row[2] for row in rows], dtype=float).reshape(-1, 4)
    points = np.concatenate([corners, corners[:, :2]], axis=1).reshape(-1, 2, 3)
    score, limit = draw.choice([0.0, 0.3, 0.9]), draw.choice([0.0, 0.45, 1.0])
    decoded = Decoded(corners, scores, points)
    wanted = expected(rows, score, limit)
    assert listed(select(decoded, score, limit)) == wanted
    most = draw.randint(1, 5)
    assert listed(select(decoded, score, limit, most)) == wanted[:most]
    later = max(score, draw.random())
    again = [row for row in wanted if row[0] >= later]
    assert listed(select(decoded, later, limit)) == again, "a later cut leaves the same"
    every = [
        (value, kind, corners[cell].tolist())
        for cell, line in enumerate(scores.tolist())
        for kind, value in enumerate(line)
        if value > score
    ]
    wanted = expected(every, score, limit)[:most]
    assert listed(select_every(decoded, score, limit, most)) == wanted


def listed(found: Detections) -> list[Row]:
    """As `expected` has them."""
    assert found.keypoints is not None
    assert (found.keypoints[:, 0, :2] == found.boxes[:, :2]).all(), "they went along"
    rows = zip(found.scores.tolist(), found.classes.tolist(), found.boxes.tolist(), strict=True)
    return list(rows)


def check_placement(draw: random.Random) -> None:
    """To the network's input and back again is where it was."""
    width, height = draw.randint(1, 500), draw.randint(1, 500)
    x = sorted(draw.uniform(0, width) for _ in range(2))
    y = sorted(draw.uniform(0, height) for _ in range(2))
    for way in ("stretch", "letterbox"):
        place = placement(width, height, SIDE, way)
        scale, offset = (place.scale_x, place.scale_y), (place.left, place.top)
        there = [v * scale[i % 2] + offset[i % 2] for i, v in enumerate((x[0], y[0], x[1], y[1]))]
        found = Detections(
            np.array([there, [-99.0, -99.0, -50.0, -50.0]]),
            np.array([0.9, 0.8]),
            np.array([0, 0]),
            np.array([[[there[0], there[1], 0.5]]] * 2),
        )
        back = on_picture(found, place, width, height)
        assert len(back.boxes) == 1, "what lies beside the picture is dropped"
        assert np.allclose(back.boxes[0], [x[0], y[0], x[1], y[1]], atol=1e-6)
        assert back.keypoints is not None
        assert np.allclose(back.keypoints[0, 0], [x[0], y[0], 0.5], atol=1e-6)
        assert len(off_input(found, place).boxes) == 2, "nothing is dropped, nothing clipped"


def check_drawing(draw: random.Random) -> None:
    """Any box on any picture can be drawn, and is seen."""
    width, height = draw.randint(1, 700), draw.randint(1, 700)
    picture = Image.new("RGB", (width, height), (9, 9, 9))
    boxes = np.array([[0, 0, width, height], [width / 3, height / 3, width / 2, height / 2]])
    names = ["a", "数字 with letters of another alphabet, long beyond any picture"]
    points = np.array([[[draw.uniform(-9, width + 9), height / 2, i / 16] for i in range(17)]] * 2)
    found = Detections(boxes, np.array([0.9, 0.31]), np.array([1, 0]), points)
    canvas = drawn(picture, found, names)
    times = enlargement(width, height)
    assert canvas.size == (width * times, height * times)
    assert max(canvas.size) >= 480
    assert canvas.getpixel((0, canvas.height - 1)) != (9, 9, 9)
    assert picture.getcolors() == [(width * height, (9, 9, 9))], "the picture itself stays"
    [one, _] = plain(found, names)
    assert one["class"] == names[1]
    assert len(one["keypoints"]) == 17


def main(cases: int) -> int:
    """All of it, so many times."""
    draw = random.Random(0)
    for _ in range(cases):
        check_selection(draw)
        check_placement(draw)
    for _ in range(cases // 20):
        check_drawing(draw)
    empty = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int), None)
    drawn(Image.new("RGB", (5, 5)), empty, [])
    assert (overlaps(np.zeros(4), np.zeros((1, 4))) == 0).all()
    return cases


print(json.dumps(main(400)))
