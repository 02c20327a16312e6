"""What calibration images must be, and what they should be: the ranges come from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST = 10
"""Pixels; ultralytics, too, refuses pictures with a shorter side."""
FEW = 10
"""Below this many images, ranges depend on what happens to be in them."""
GREY = 2
"""Largest difference of two channels of a grey pixel: JPEG rounds."""
FLAT = 4
"""Largest difference of any two values of a picture that shows nothing."""
NEAR = 13
"""Distance from black and from white, 5 % of 255, up to which they count as reached."""
NAMED = 3
"""Images that a warning names; the rest is counted."""


@dataclass(frozen=True)
class Seen:
    """What there is to say of one picture. Values are 0..255, of the picture as the network
    gets it; `width` and `height` those of the file, pixels.
    """

    name: str
    width: int
    height: int
    lowest: int
    highest: int
    grey: bool

    @property
    def flat(self) -> bool:
        return self.highest - self.lowest <= FLAT


def seen(name: str, size: tuple[int, int], pixels: NDArray[np.uint8]) -> Seen:
    """`size`: width and height of the file; `pixels`: `[h, w, 3]` without a letterbox's bars.

    Raises ValueError for a picture too small to show anything.
    """
    import numpy as np

    width, height = size
    if min(size) < SMALLEST:
        raise ValueError(f"only {width} x {height} pixels; no side may be under {SMALLEST}")
    spread = np.max(pixels, axis=2) - np.min(pixels, axis=2)
    return Seen(
        name, width, height, int(pixels.min()), int(pixels.max()), bool(spread.max() <= GREY)
    )


def warnings(images: Sequence[Seen], side: int) -> list[str]:
    """What deserves a look, a sentence each; `side`: of the network's input, pixels."""
    few = [_few(len(images))] if len(images) < FEW else []
    flat = [image.name for image in images if image.flat]
    small = [i.name for i in images if 2 * max(i.width, i.height) < side]
    found = {
        f"pictures that show nothing (all values within {FLAT} of 255 levels), remove them": flat,
        f"pictures less than half as large as the input ({side} pixels), and smoother when "
        "enlarged than what a camera sees": small,
    }
    said = [*few, *(f"{words}: {_named(names)}" for words, names in found.items() if names)]
    if all(image.grey for image in images):
        said.append(
            "all images are grey, and the network takes colour: take pictures of the board's camera"
        )
    return [*said, *_range(images)]


def _few(count: int) -> str:
    what = "1 image is" if count == 1 else f"{count} images are"
    return (
        f"{what} too few to stand for all that the camera will see: the int8 ranges fit these "
        "only; take dozens at least"
    )


def _range(images: Sequence[Seen]) -> list[str]:
    """Values beyond the range seen are cut off by an int8 network that never saw them."""
    lowest, highest = min(i.lowest for i in images), max(i.highest for i in images)
    if lowest <= NEAR and highest >= 255 - NEAR:
        return []
    return [
        f"no pixel is darker than {lowest} or brighter than {highest} (of 0 to 255): the ranges "
        "leave out what darker and brighter frames do; add some"
    ]


def _named(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return f"{', '.join(names[:NAMED])}{f' and {rest} more' if rest > 0 else ''}"
