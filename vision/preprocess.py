"""How a picture is brought to the network's input, as the board does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


def load(path: Path, side: int, preprocess: str) -> NDArray[np.uint8]:
    """A picture file as `[side, side, 3]` uint8 RGB, turned upright as its EXIF data say.

    `preprocess` is `stretch`: both sides are scaled to `side`, whatever the proportions
    (bilinear, averaging where it shrinks). Transparency is dropped, 16-bit grey keeps its upper
    8 bits. Raises ValueError for a file that is no complete picture.
    """
    import numpy as np
    from PIL import Image, ImageOps, UnidentifiedImageError

    if preprocess != "stretch":
        raise ValueError(f"unknown preprocessing {preprocess!r}")
    try:
        with Image.open(path) as picture:
            upright = ImageOps.exif_transpose(picture)
            resized = _rgb(upright).resize((side, side), Image.Resampling.BILINEAR)
    except UnidentifiedImageError:
        raise ValueError("not a picture") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        # Pillow's messages name the path, which need not be the user's.
        reason = str(fault).replace(repr(str(path)), "the file")
        raise ValueError(reason or type(fault).__name__) from None
    return np.asarray(resized)


def _rgb(picture: Image) -> Image:
    """Any mode to RGB. Pillow itself would clip 16-bit grey to white."""
    import numpy as np
    from PIL import Image

    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture) // 256).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")
