"""Runs an int8 TFLite file in TensorFlow Lite Micro, the interpreter that boards run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.loaded import Loaded, quantization, signed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ARENA_BYTES = 512 << 20
"""Room for any network that a board could hold; pages that are not used cost nothing."""


def load_tflm(model: Path, outputs: int) -> Loaded:
    """The file, which has so many outputs, with the x86-64 reference kernels, on one core.

    They round as TFLM does, which is neither LiteRT's rounding nor always the NPU's. Raises
    ValueError for fewer outputs and for such as are not int8, and what TFLM raises for a file it
    cannot run.
    """
    from importlib.metadata import version

    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(model), arena_size=ARENA_BYTES)
    try:
        scales = quantization([interpreter.get_output_details(i) for i in range(outputs)])
    except IndexError:
        raise ValueError(f"it has fewer than {outputs} outputs") from None

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[Any]]:
        interpreter.set_input(signed(pixels), 0)
        interpreter.invoke()
        return [interpreter.get_output(i) for i in range(outputs)]

    return Loaded(f"TensorFlow Lite Micro {version('tflite-micro')}", run, scales)
