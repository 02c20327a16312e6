"""What the calibration images are, as the quantizer saw them, and how far from the validation's.

Distances are Wasserstein's between histograms (in one dimension the area between the cumulated
ones; Rubner, Tomasi, Guibas, "The Earth Mover's Distance as a Metric for Image Retrieval", 2000):
the part of the whole range by which values would have to move. Unlike distances bin by bin they
tell a slight shift of brightness from a great one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

from vision.image_checks import FLAT
from vision.preprocess import PAD

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

    Images: TypeAlias = NDArray[np.uint8]

BINS = 32
"""Of a histogram, per channel."""
LEVELS = 256
WARMTH = 0.05
"""Part of the range by which red minus blue must differ from its mirror image, or the colours say
nothing of their order."""
CLEARLY = 0.5
"""A distance counts as clearly smaller than another below this part of it."""


def calibration_checks(calibration: Images, val: Images | None) -> dict[str, Any]:
    """diagnosis.json's `calibration`; the images are `[n, S, S, 3]` uint8 RGB.

    A letterbox's bars are left out. `black` counts images that show nothing, whatever their
    colour; `duplicates` those that equal an earlier one.
    """
    shown = [_without_bars(image) for image in calibration]
    seen = [_without_bars(image) for image in val] if val is not None and len(val) else None
    mine = histogram(shown)
    other = None if seen is None else histogram(seen)
    return {
        "count": len(calibration),
        "black": sum(int(image.max()) - int(image.min()) <= FLAT for image in shown),
        "duplicates": len(calibration) - len({_digest(image) for image in calibration}),
        "lowest": min(int(image.min()) for image in shown),
        "highest": max(int(image.max()) for image in shown),
        "histogram_distance": None if other is None else round(distance(mine, other), 4),
        "swapped_colours": None if seen is None else swapped(warmth(shown), warmth(seen)),
        "histogram": {
            "calibration": _binned(mine),
            "val": None if other is None else _binned(other),
        },
    }


def _digest(image: Images) -> str:
    return hashlib.sha256(image.tobytes()).hexdigest()


def _without_bars(image: Images) -> Images:
    """A picture without the rows and columns of a letterbox's grey at its edges."""
    import numpy as np

    for axis in (0, 1):
        filled = np.flatnonzero((image != PAD).any(axis=(1 - axis, 2)))
        if len(filled):
            image = image.take(range(filled[0], filled[-1] + 1), axis=axis)
    return image


def histogram(images: list[Images]) -> Floats:
    """`[3, 256]`: part of the values at each level, of red, green, blue."""
    import numpy as np

    counts = np.zeros((3, LEVELS))
    for image in images:
        for channel in range(3):
            counts[channel] += np.bincount(image[..., channel].ravel(), minlength=LEVELS)
    parts: Floats = counts / counts.sum(axis=1, keepdims=True)
    return parts


def _binned(parts: Floats) -> list[list[float]]:
    return [[round(float(v), 5) for v in row.reshape(BINS, -1).sum(axis=1)] for row in parts]


def distance(one: Floats, other: Floats) -> float:
    """Wasserstein's between histograms `[channels, levels]`, part of the range, mean of the
    channels."""
    import numpy as np

    between = np.abs(np.cumsum(one, axis=-1) - np.cumsum(other, axis=-1)).sum(axis=-1)
    return float(between.mean() / (one.shape[-1] - 1))


def warmth(images: list[Images]) -> Floats:
    """`[1, 511]`: histogram of red minus blue, pixel by pixel."""
    import numpy as np

    counts = np.zeros(2 * LEVELS - 1)
    for image in images:
        apart = image[..., 0].astype(np.int64) - image[..., 2] + LEVELS - 1
        counts += np.bincount(apart.ravel(), minlength=counts.size)
    parts: Floats = (counts / counts.sum())[None]
    return parts


def swapped(calibration: Floats, val: Floats) -> bool | None:
    """Whether red and blue changed places between two histograms of `warmth`.

    None: the images do not tell, for either has as much of one as of the other, or they differ
    both ways.
    """
    if min(distance(one, one[:, ::-1]) for one in (calibration, val)) < WARMTH:
        return None
    same, mirrored = distance(calibration, val), distance(calibration, val[:, ::-1])
    if mirrored < CLEARLY * same:
        return True
    return False if same < CLEARLY * mirrored else None
