"""Images made by arithmetic alone, for comparing two forms of one network.

They stand for no camera: what counts is that they excite every channel, need no file and are
the same everywhere, so that a comparison depends on nothing but the two networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEVELS = 255
"""Samples sit on the 8-bit grid of a camera, so the last bits of a sine never show."""


def samples(count: int, side: int) -> NDArray[np.float32]:
    """`[count, side, side, 3]` float32 RGB in 0..1: sums of waves, finer from image to image."""
    import numpy as np

    y, x = np.mgrid[0:side, 0:side] / side
    images = np.empty((count, side, side, 3), dtype=np.float32)
    for i in range(count):
        for channel in range(3):
            turn = 1.0 + channel + 0.7 * i
            waves = np.sin(2 * np.pi * (turn + i * i) * (x + 0.3 * channel * y))
            waves += np.sin(7 * np.pi * turn * (y - x * y)) + np.sin(40 * turn * x * y + i)
            images[i, ..., channel] = np.rint((waves / 3 + 1) / 2 * LEVELS) / LEVELS
    return images
