"""A model file that is ready to run, whatever runs it, and the pixels that int8 files take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

PIXEL_ZERO = 128
"""The firmware writes pixel - 128 and never reads the input's scale and zero point."""


@dataclass(frozen=True)
class Loaded:
    """A network of one input image."""

    runtime: str
    """Name and version of what runs it."""
    run: Callable[[NDArray[np.uint8]], Sequence[NDArray[Any]]]
    """`[S, S, 3]` uint8 RGB -> the outputs in the file's order, as the file has them."""
    quantization: Sequence[tuple[float, int]] | None = None
    """Scale and zero point of each output; None: the outputs are floats."""
    exact: Callable[[NDArray[np.uint8]], Sequence[NDArray[Any]]] | None = None
    """As `run`, slowly, with kernels that round as TensorFlow Lite Micro does, where there are."""

    def floats(self, outputs: Sequence[NDArray[Any]]) -> list[Floats]:
        """What `run` gave, dequantized. In float64: equal integers then decode to equal bits."""
        import numpy as np

        if self.quantization is None:
            return list(outputs)
        return [
            (output.astype(np.float64) - zero_point) * scale
            for output, (scale, zero_point) in zip(outputs, self.quantization, strict=True)
        ]


def signed(pixels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """`[S, S, 3]` uint8 -> `[1, S, S, 3]` int8, as the firmware writes it."""
    import numpy as np

    return (pixels.astype(np.int16) - PIXEL_ZERO).astype(np.int8)[None]


def quantization(details: Sequence[Any]) -> list[tuple[float, int]]:
    """Scale and zero point of each output, of what TFLite's interpreters say of them.

    Raises ValueError for outputs that are not int8 with one scale: the firmware dequantizes no
    others.
    """
    import numpy as np

    found = []
    for i, detail in enumerate(details):
        given = detail["quantization_parameters"]
        if detail["dtype"] is not np.int8 or len(given["scales"]) != 1:
            kind = np.dtype(detail["dtype"]).name
            raise ValueError(f"output {i} is {kind} with {len(given['scales'])} scales, not int8")
        found.append((float(given["scales"][0]), int(given["zero_points"][0])))
    return found
