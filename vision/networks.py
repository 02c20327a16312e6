"""A model file of any kind of target as one function: pixels in, float outputs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from vision.loaded import Loaded
from vision.run_onnx import run_onnx
from vision.run_tflm import load_tflm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

LEVELS = 255
"""A pixel's largest value: an ONNX network takes pixel / 255."""
TIMED = "timed: "
"""How the line begins in which a stage says how long a network took."""


def load_onnx(model: Path) -> Loaded:
    """An ONNX file of one image input `[1, 3, S, S]` 0..1, in onnxruntime, on one core."""
    import numpy as np
    import onnxruntime

    waiting: list[NDArray[np.uint8]] = []
    floats = (pixels.astype(np.float32) / LEVELS for pixels in _each(waiting))
    outputs = run_onnx(model, floats)

    def run(pixels: NDArray[np.uint8]) -> list[Floats]:
        waiting.append(pixels)
        return next(outputs)

    return Loaded(f"onnxruntime {onnxruntime.__version__}", run)


def _each(waiting: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """What is put into `waiting`, one at a time, as it comes."""
    while True:
        yield waiting.pop()


@dataclass
class Network:
    """A loaded model. Calling it runs it on `[S, S, 3]` uint8 RGB and notes the time."""

    _loaded: Loaded
    _seconds: list[float] = field(default_factory=list)

    @property
    def runtime(self) -> str:
        """Name and version of what runs it."""
        return self._loaded.runtime

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """The outputs in the file's order, as float arrays."""
        began = time.perf_counter()
        outputs = self._loaded.floats(self._loaded.run(pixels))
        self._seconds.append(time.perf_counter() - began)
        return outputs

    def timed(self) -> str:
        """A line for people: how long one image took. The first includes loading the file."""
        seconds = self._seconds[1:] or self._seconds
        return (
            f"{TIMED}{median(seconds):.3f} s an image on {self.runtime}, one core of a PC "
            f"(median of {len(seconds)})"
        )


def open_network(kind: str, model: Path, outputs: int, side: int) -> Network:
    """A target's kind of file, `tflite` or `onnx`, with so many outputs, ready to run.

    `side`: of the network's input, pixels. It is run once on grey, so that times are without
    loading. Raises KeyError for another kind.
    """
    import numpy as np

    network = Network(_OPENERS[kind](model, outputs))
    network(np.full((side, side, 3), LEVELS // 2, np.uint8))
    return network


def _onnx(model: Path, outputs: int) -> Loaded:
    return load_onnx(model)


_OPENERS: dict[str, Callable[[Path, int], Loaded]] = {"tflite": load_tflm, "onnx": _onnx}
