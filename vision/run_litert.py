"""Runs an int8 TFLite file in LiteRT, with the kernels that phones and PCs use (XNNPACK)."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.loaded import Loaded, quantization, signed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def load_litert(model: Path) -> Loaded:
    """The file, on one core; `exact` runs LiteRT's reference kernels instead.

    Raises ValueError for outputs that are not int8 and for a file that LiteRT cannot run.
    """
    from importlib.metadata import version

    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(model_path=str(model), num_threads=1)
    scales = quantization(interpreter.get_output_details())
    slow: list[Interpreter] = []

    def exact(pixels: NDArray[np.uint8]) -> list[NDArray[Any]]:
        if not slow:
            kernels = OpResolverType.BUILTIN_REF
            slow.append(Interpreter(str(model), experimental_op_resolver_type=kernels))
        return _run(slow[0], pixels)

    return Loaded(
        f"LiteRT {version('ai-edge-litert')}",
        functools.partial(_run, interpreter),
        scales,
        exact,
    )


def _run(interpreter: Any, pixels: NDArray[np.uint8]) -> list[NDArray[Any]]:
    interpreter.allocate_tensors()  # does nothing the second time
    [given] = interpreter.get_input_details()
    interpreter.set_tensor(given["index"], signed(pixels))
    interpreter.invoke()
    return [interpreter.get_tensor(entry["index"]) for entry in interpreter.get_output_details()]
