"""Runs an int8 TFLite file in LiteRT, with the kernels that phones and PCs use (XNNPACK)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.loaded import Loaded, quantization, signed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load_litert(model: Path) -> Loaded:
    """The file, on one core.

    Raises ValueError for outputs that are not int8 and for a file that LiteRT cannot run.
    """
    from importlib.metadata import version

    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(model), num_threads=1)
    interpreter.allocate_tensors()
    [given], found = interpreter.get_input_details(), interpreter.get_output_details()
    scales = quantization(found)

    def run(pixels: NDArray[np.uint8]) -> list[NDArray[Any]]:
        interpreter.set_tensor(given["index"], signed(pixels))
        interpreter.invoke()
        return [interpreter.get_tensor(output["index"]) for output in found]

    return Loaded(f"LiteRT {version('ai-edge-litert')}", run, scales)
