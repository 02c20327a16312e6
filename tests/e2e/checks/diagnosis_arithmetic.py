"""Holds ratios, clipping, ranges and histograms against slow and plain reckoning on random values,
and the order of colours against real pictures. Runs in toolchain `images`; arguments: a data set's
folder data/; prints what it found."""

from __future__ import annotations

import json
import math
import random
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from vision.calibration_checks import calibration_checks, distance, histogram
from vision.diagnosis import evenly
from vision.noise import Noise, Spread, weights_db
from vision.preprocess import fitted, load, read

SIDE = 64
LIMITS = (-128, 127)


def check_noise(draw: random.Random) -> None:
    """Random values, scales and zero points; some lie beyond the range."""
    scale, zero = draw.uniform(0.001, 2), draw.randint(-128, 127)
    low, high = ((limit - zero) * scale for limit in LIMITS)
    true = [draw.uniform(low - 3 * scale, high + 3 * scale) for _ in range(draw.randint(2, 60))]
    found = [min(max(round(value / scale) + zero, LIMITS[0]), LIMITS[1]) for value in true]
    noise = Noise()
    for part in (slice(0, 1), slice(1, None)):  # as of two images
        noise.add(np.array(true[part]), np.array(found[part], np.int8), scale, zero, LIMITS)
    mean = sum(true) / len(true)
    signal = sum((value - mean) ** 2 for value in true)
    error = sum((v - (n - zero) * scale) ** 2 for v, n in zip(true, found, strict=True))
    snr = noise.snr_db
    assert snr is not None
    assert math.isclose(snr, 10 * math.log10(signal / error), abs_tol=1e-6)
    beyond = sum(value < low - scale / 2 or value > high + scale / 2 for value in true)
    assert noise.clipped_share == beyond / len(true)
    assert noise.saturated_share == found.count(LIMITS[1]) / len(true)


def check_clipping_is_not_distance(draw: random.Random) -> None:
    """A value within the range that came out as the largest integer was not cut off."""
    scale = draw.uniform(0.01, 1)
    noise = Noise()
    noise.add(np.array([0.0, 100 * scale]), np.array([127, 127], np.int8), scale, 0, LIMITS)
    assert (noise.clipped_share, noise.saturated_share) == (0, 1)


def check_spread(draw: random.Random) -> None:
    """The ranges of channels, wherever their axis lies."""
    axis = draw.randrange(4)
    values = np.array([draw.gauss(0, 1) for _ in range(2 * 20 * 3 * 3)])
    values = np.moveaxis(values.reshape(20, 2, 3, 3), 0, axis)
    values[(slice(None),) * axis + (7,)] *= 1000
    spread = Spread()
    for part in np.array_split(values, 2, axis=(axis + 1) % 4):
        spread.add(part, axis)
    few, of, rest = spread.outliers()
    assert (few, of) == (1, 20)
    assert rest < 0.1


def check_weights(draw: random.Random) -> None:
    """One channel of large weights costs the others their steps, unless each has its scale."""
    weights = np.array([draw.gauss(0, 1) for _ in range(8 * 3 * 3 * 4)]).reshape(8, 3, 3, 4)
    weights[0] *= 1000
    scale = abs(weights).max() / 127
    found, single = weights_db(weights[1:], np.rint(weights[1:] / scale) * scale, 0)
    assert found is not None
    assert single is not None
    assert found < 1
    assert single > 35


def check_distance(draw: random.Random) -> None:
    """Histograms of one value each lie as far apart as the values; mass moves no further."""
    one, other = draw.randrange(256), draw.randrange(256)
    flat = [np.full((1, 4, 4, 3), value, np.uint8) for value in (one, other)]
    away = distance(*(histogram(list(images)) for images in flat))
    assert math.isclose(away, abs(one - other) / 255, abs_tol=1e-9)


def check_evenly(draw: random.Random) -> None:
    """The first is among them, none twice, and gaps differ by one at most."""
    images, count = np.arange(draw.randint(1, 50)), draw.randint(1, 60)
    taken = evenly(images, count).tolist()
    gaps = {after - before for before, after in pairwise(taken)}
    assert taken[0] == 0
    assert len(taken) == min(count, len(images))
    assert not gaps or (min(gaps) > 0 and max(gaps) - min(gaps) <= 1)


def colours(data: Path) -> dict[str, bool | None]:
    """Whether red and blue are found to have changed places, in real pictures."""
    images = [load(path, SIDE, "stretch") for path in sorted((data / "images/train").iterdir())]
    some = np.stack(images[:200])
    warm = some[some[..., 0].mean((1, 2)) > some[..., 2].mean((1, 2)) + 10]
    one, other = warm[::2], warm[1::2]
    balanced = np.concatenate([one, other[..., ::-1]])
    sets = {
        "same": (one, other),
        "swapped": (one[..., ::-1], other),
        "both": (one[..., ::-1], other[..., ::-1]),
        "balanced": (one, balanced),
    }
    return {
        name: calibration_checks(np.ascontiguousarray(mine), np.ascontiguousarray(val))[
            "swapped_colours"
        ]
        for name, (mine, val) in sets.items()
    }


def counted(data: Path) -> dict[str, object]:
    """What is said of three images: a picture twice, and black; with and without bars."""
    picture = read(next(iter(sorted((data / "images/train").iterdir()))))
    picture = picture.crop((0, 0, picture.width, picture.height // 2))
    found: dict[str, object] = {}
    for preprocess in ("stretch", "letterbox"):
        pixels = fitted(picture, SIDE, preprocess)
        black = fitted(picture.point(lambda _: 0), SIDE, preprocess)
        said = calibration_checks(np.stack([pixels, pixels, black]), None)
        found[preprocess] = [said[key] for key in ("count", "black", "duplicates", "lowest")]
    return found


CHECKS = (
    *(check_noise, check_clipping_is_not_distance, check_spread, check_weights),
    *(check_distance, check_evenly),
)

if __name__ == "__main__":
    draw, rounds = random.Random(0), 100
    for check in CHECKS:
        for _ in range(rounds):
            check(draw)
    data = Path(sys.argv[1])
    told: dict[str, object] = {
        "cases": rounds * len(CHECKS),
        "colours": colours(data),
        "counted": counted(data),
    }
    print(json.dumps(told))
