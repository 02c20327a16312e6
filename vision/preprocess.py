"""How a picture is brought to the network's input, as the board does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

PAD = 114
"""Grey of a letterbox's bars, all channels: what ultralytics trains with."""


@dataclass(frozen=True)
class Placement:
    """Where a picture lies on the network's input: network pixel = picture pixel * scale + offset.

    `width` and `height` are those of the scaled picture; pixels of the input.
    """

    width: int
    height: int
    scale_x: float
    scale_y: float
    left: int = 0
    top: int = 0


def placement(width: int, height: int, side: int, preprocess: str) -> Placement:
    """How a picture of `width` x `height` pixels comes to lie on a `side` x `side` input.

    `stretch`: both sides are scaled to `side`, whatever the proportions. `letterbox`: the longer
    side is, the shorter is centred between bars; sizes and bars are rounded as ultralytics'
    LetterBox rounds them (an odd pixel goes to the right and the bottom). Raises ValueError for
    another word.
    """
    if preprocess == "stretch":
        return Placement(side, side, side / width, side / height)
    if preprocess != "letterbox":
        raise ValueError(f"unknown preprocessing {preprocess!r}")
    scale = min(side / width, side / height)
    # A picture a thousand times as wide as high still has a row.
    inner_width, inner_height = (max(1, round(length * scale)) for length in (width, height))
    return Placement(
        width=inner_width,
        height=inner_height,
        scale_x=inner_width / width,
        scale_y=inner_height / height,
        left=round((side - inner_width) / 2 - 0.1),
        top=round((side - inner_height) / 2 - 0.1),
    )


def load(path: Path, side: int, preprocess: str) -> NDArray[np.uint8]:
    """A picture file as `[side, side, 3]` uint8 RGB, turned upright as its EXIF data say.

    `preprocess`: see `placement`. Scaling is bilinear, averaging where it shrinks. Transparency
    is dropped, 16-bit grey keeps its upper 8 bits. Raises ValueError for a file that is no
    complete picture.
    """
    return fitted(read(path), side, preprocess)


def fitted(picture: Image, side: int, preprocess: str) -> NDArray[np.uint8]:
    """An RGB picture brought to `[side, side, 3]` uint8; see `placement`."""
    import numpy as np
    from PIL import Image

    place = placement(picture.width, picture.height, side, preprocess)
    canvas = np.full((side, side, 3), PAD, np.uint8)
    scaled = picture.resize((place.width, place.height), Image.Resampling.BILINEAR)
    rows, columns = slice(place.top, place.top + place.height), slice(place.left, None)
    canvas[rows, columns][:, : place.width] = np.asarray(scaled)
    return canvas


def read(path: Path) -> Image:
    """A picture file, decoded to its end, upright, RGB. Raises ValueError, which names no path."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            return _rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        raise ValueError("not a picture") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        # Pillow's messages name the path, which need not be the user's.
        reason = str(fault).replace(repr(str(path)), "the file")
        raise ValueError(reason or type(fault).__name__) from None


def _rgb(picture: Image) -> Image:
    """Any mode to RGB. Pillow itself would clip 16-bit grey to white."""
    import numpy as np
    from PIL import Image

    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture) // 256).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")
