"""What every generated image has: a photo behind, a camera's blur and noise, a JPEG file.

Tables, fixed-point filters of Pillow and integer noise only: equal bytes on every machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


def background(photos: list[Image], side: int, rng: np.random.Generator) -> Image:
    """A random square of a random photo, flipped, with its contrast and brightness changed."""
    from PIL import Image

    photo = photos[int(rng.integers(len(photos)))]
    crop = int(min(photo.size) * (0.3 + 0.7 * rng.random()))
    left, top = (int(rng.integers(0, extent - crop + 1)) for extent in photo.size)
    square = photo.resize(
        (side, side), Image.Resampling.BICUBIC, (left, top, left + crop, top + crop)
    )
    if rng.random() < 0.5:
        square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    gain, offset = 0.4 + 0.6 * rng.random(), int(rng.integers(0, 100))
    table = [min(255, int(v * gain) + offset) for v in range(256)]
    return square.point(table * 3)


def camera(canvas: Image, rng: np.random.Generator) -> Image:
    """A slight blur and noise, as of a small camera."""
    import numpy as np
    from PIL import Image, ImageFilter

    blurred = canvas.filter(ImageFilter.GaussianBlur(0.8 * rng.random()))
    level = int(rng.integers(1, 9))
    pixels = np.asarray(blurred).astype(np.int16)
    pixels += rng.integers(-level, level + 1, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jpeg(image: Image) -> bytes:
    """The image as a JPEG file of quality 92, without metadata."""
    import io

    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    return stream.getvalue()
