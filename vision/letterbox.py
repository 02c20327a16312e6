"""How ultralytics' own validation brings a picture to a square input, bit for bit.

Its figures are what people compare with, so the same pixels must be shown to the network: scaled
by OpenCV, without averaging where it shrinks. `vision/preprocess.py` is what boards do.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from vision.preprocess import PAD, Placement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


def letterbox(width: int, height: int, side: int) -> Placement:
    """Where ultralytics lays a picture of `width` x `height` pixels on a `side` x `side` input.

    The longer side is scaled to `side`, the shorter rounded up (`BaseDataset.load_image`,
    ultralytics 8.4.190); an odd pixel of the bars goes to the right and the bottom (`LetterBox`).
    """
    scale = side / max(width, height)
    inner_width, inner_height = (min(ceil(length * scale), side) for length in (width, height))
    return Placement(
        width=inner_width,
        height=inner_height,
        scale_x=inner_width / width,
        scale_y=inner_height / height,
        left=round((side - inner_width) / 2 - 0.1),
        top=round((side - inner_height) / 2 - 0.1),
    )


def letterboxed(picture: Image, side: int) -> NDArray[np.uint8]:
    """An RGB picture brought to `[side, side, 3]` uint8; see `letterbox`."""
    import cv2
    import numpy as np

    place = letterbox(picture.width, picture.height, side)
    pixels = np.asarray(picture)
    if picture.size != (place.width, place.height):
        size = (place.width, place.height)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR)
    canvas = np.full((side, side, 3), PAD, np.uint8)
    canvas[place.top : place.top + place.height, place.left : place.left + place.width] = pixels
    return canvas
