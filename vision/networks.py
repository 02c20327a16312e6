"""A model file of any kind of target as one function: pixels in, float outputs out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from vision.run_onnx import run_onnx
from vision.run_tflm import run_tflm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

LEVELS = 255
"""A pixel's largest value: an ONNX network takes pixel / 255."""
TIMED = "timed: "
"""How the line begins in which a stage says how long a network took."""


@dataclass
class Network:
    """A loaded model. Calling it runs it on `[S, S, 3]` uint8 RGB and notes the time."""

    runtime: str
    """Name and version of what runs it."""
    _give: Callable[[NDArray[np.uint8]], None]
    _outputs: Iterator[list[Floats]]
    _seconds: list[float] = field(default_factory=list)

    def __call__(self, pixels: NDArray[np.uint8]) -> list[Floats]:
        """The outputs in the file's order, as float arrays."""
        self._give(pixels)
        began = time.perf_counter()
        outputs = next(self._outputs)
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
    network = _OPENERS[kind](model, outputs)
    import numpy as np

    network(np.full((side, side, 3), LEVELS // 2, np.uint8))
    return network


def _tflite(model: Path, outputs: int) -> Network:
    from importlib.metadata import version

    waiting: list[NDArray[np.uint8]] = []
    name = f"TensorFlow Lite Micro {version('tflite-micro')}"
    return Network(name, waiting.append, run_tflm(model, _each(waiting), outputs))


def _onnx(model: Path, outputs: int) -> Network:
    import numpy as np
    import onnxruntime

    waiting: list[NDArray[np.uint8]] = []
    floats = (pixels.astype(np.float32) / LEVELS for pixels in _each(waiting))
    name = f"onnxruntime {onnxruntime.__version__}"
    return Network(name, waiting.append, run_onnx(model, floats))


def _each(waiting: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """What is put into `waiting`, one at a time, as it comes."""
    while True:
        yield waiting.pop()


_OPENERS: dict[str, Callable[[Path, int], Network]] = {"tflite": _tflite, "onnx": _onnx}
