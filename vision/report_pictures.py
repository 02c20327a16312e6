"""Pictures of a report: what float and int8 find on validation images, and the calibration sheet.

Boxes, limbs and letters are laid over the picture as SVG by the page itself, so a name in any
alphabet can be read, and a picture shown twice is stored once.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.draw import COCO_POINTS, LIMBS, VISIBLE, colour

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

LONGEST = 480
"""Side of an embedded picture, pixels: sharp on a phone, some 20 kB."""
QUALITY = 78
"""Of WebP."""
OVERLAP = 0.5
"""IoU from which two boxes of a class are one find, as for mAP50."""
LETTER = 3.2
"""Width of a letter on a picture, hundredths of its longer side: labels stay inside."""
LINE = 6.2
"""Height of a label, in the same measure."""
SHEET = 48
"""Side of a calibration image on the sheet, pixels."""
ACROSS = 16
"""Calibration images in a row of the sheet."""
MOST_ON_SHEET = 256
"""Calibration images shown, evenly chosen where there are more."""


@dataclass(frozen=True)
class Find:
    """A box above the threshold, in picture pixels."""

    kind: int
    score: float
    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float, float], ...]
    """x, y, visibility of keypoints."""


@dataclass(frozen=True)
class Pair:
    """A picture with what float and what int8 find on it."""

    name: str
    image: int
    """Its index in the predictions."""
    sides: tuple[list[Find], list[Find]]
    alone: tuple[set[int], set[int]]
    """Indices of finds that the other side lacks."""
    difference: float


def finds(file: Path, count: int, threshold: float) -> list[list[Find]]:
    """Of each of `count` images what predictions.npz has from `threshold` on."""
    import numpy as np

    found: list[list[Find]] = [[] for _ in range(count)]
    with np.load(file) as data:
        points = data["keypoints"].tolist() if "keypoints" in data else None
        rows = zip(data["image"].tolist(), data["cls"].tolist(), data["score"].tolist(),
                   data["box"].tolist(), strict=True)  # fmt: skip
        for i, (image, kind, score, box) in enumerate(rows):
            if score >= threshold:
                mine = tuple(tuple(p) for p in points[i]) if points else ()
                found[image].append(Find(kind, score, tuple(box), mine))
    return found


def most_different(
    names: Sequence[str], one: Sequence[list[Find]], other: Sequence[list[Find]]
) -> list[Pair]:
    """All pictures, those on which float and int8 differ most first, then by name.

    A find that the other side lacks counts 1 and its score; a common one counts what its boxes do
    not share and what its scores differ by.
    """
    pairs = [
        _pair(i, name, a, b) for i, (name, a, b) in enumerate(zip(names, one, other, strict=True))
    ]
    return sorted(pairs, key=lambda pair: (-pair.difference, pair.name))


def _pair(image: int, name: str, one: list[Find], other: list[Find]) -> Pair:
    left, right, difference = set(range(len(one))), set(range(len(other))), 0.0
    couples = sorted(
        (-_overlap(a.box, b.box), i, j)
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if a.kind == b.kind and _overlap(a.box, b.box) >= OVERLAP
    )
    for shared, i, j in couples:
        if i in left and j in right:
            left.remove(i)
            right.remove(j)
            difference += 1 + shared + abs(one[i].score - other[j].score)
    difference += sum(1 + one[i].score for i in left) + sum(1 + other[j].score for j in right)
    return Pair(name, image, (one, other), (left, right), difference)


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes x1, y1, x2, y2."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width * height / (areas - width * height)


def shown(pair: Pair, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """A pair as the template draws it: the picture's bytes, and shapes in its pixels."""
    from PIL import Image

    from vision.preprocess import read

    picture = read(folder / pair.name)
    size = picture.size
    picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    common = len(pair.sides[0]) - len(pair.alone[0])
    return {
        "name": pair.name,
        "width": size[0],
        "height": size[1],
        "data": as_url(picture),
        "unit": max(size) / 100,
        "sides": [
            _side(side, alone, names, size)
            for side, alone in zip(pair.sides, pair.alone, strict=True)
        ],
        "counts": [len(side) for side in pair.sides],
        "common": common,
        "alone": [len(alone) for alone in pair.alone],
    }


def _side(
    side: Sequence[Find], alone: set[int], names: Sequence[str], size: tuple[int, int]
) -> list[dict[str, Any]]:
    """Shapes of what one side finds; the surest, which comes first, is drawn last, on top."""
    taken: list[tuple[float, float, float, float]] = []
    shapes = [_shape(find, i in alone, names, size, taken) for i, find in enumerate(side)]
    return shapes[::-1]


def _shape(
    find: Find,
    alone: bool,
    names: Sequence[str],
    size: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
) -> dict[str, Any]:
    """`taken`: where labels lie already; this one's place is added."""
    x1, y1, x2, y2 = find.box
    unit, text = max(size) / 100, f"{find.score:.2f}"
    if len(names) > 1:
        text = f"{names[find.kind]} {text}"
    place = _label((len(text) + 2 * alone) * LETTER * unit, LINE * unit, find.box, size, taken)
    seen = [sure >= VISIBLE for _, _, sure in find.points]
    limbs = LIMBS if len(find.points) == COCO_POINTS else ()
    return {
        "x": round(x1, 1),
        "y": round(y1, 1),
        "width": round(max(0.0, x2 - x1), 1),
        "height": round(max(0.0, y2 - y1), 1),
        "text_x": round(place[0], 1),
        "text_y": round(place[3] - unit, 1),
        "text": text,
        "colour": f"rgb{colour(find.kind)}",
        "alone": alone,
        "limbs": [
            ([round(v, 1) for v in (*find.points[a][:2], *find.points[b][:2])], f"rgb{colour(n)}")
            for n, (a, b) in enumerate(limbs)
            if seen[a] and seen[b]
        ],
        "points": [
            [round(v, 1) for v in point[:2]]
            for point, there in zip(find.points, seen, strict=True)
            if there
        ],
    }


def _label(
    wide: float,
    high: float,
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    taken: list[tuple[float, float, float, float]],
) -> tuple[float, float, float, float]:
    """Where a label lies: above its box, or inside, at the foot, below, where no other lies."""
    x = min(max(box[0], 0.0), max(0.0, size[0] - wide))
    rows = [y for y in (box[1] - high, box[1], box[3] - high, box[3]) if 0 <= y <= size[1] - high]
    tries = [(x, y, x + wide, y + high) for y in rows or [0.0]]
    place = next((one for one in tries if not any(_overlap(one, o) for o in taken)), tries[0])
    taken.append(place)
    return place


def sheet(file: Path) -> dict[str, Any]:
    """calibration.npy, uint8 `[n, S, S, 3]`, as one picture: what the ranges were set by."""
    import numpy as np
    from PIL import Image

    pixels: NDArray[np.uint8] = np.load(file, mmap_mode="r")
    count = min(len(pixels), MOST_ON_SHEET)
    chosen = np.linspace(0, len(pixels) - 1, count).round().astype(int)
    across = min(ACROSS, count)
    rows = -(-count // across)
    canvas = Image.new("RGB", (across * SHEET, rows * SHEET))
    for i, index in enumerate(chosen):
        small = Image.fromarray(np.asarray(pixels[index])).resize(
            (SHEET, SHEET), Image.Resampling.LANCZOS
        )
        canvas.paste(small, (i % across * SHEET, i // across * SHEET))
    return {
        "data": as_url(canvas),
        "width": canvas.width,
        "height": canvas.height,
        "shown": count,
        "count": len(pixels),
    }


def as_url(picture: Image) -> str:
    """A picture as a data URL, WebP."""
    target = io.BytesIO()
    picture.save(target, "WEBP", quality=QUALITY, method=6)
    return "data:image/webp;base64," + base64.b64encode(target.getvalue()).decode()
