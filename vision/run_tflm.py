"""Runs an int8 TFLite file in TensorFlow Lite Micro, the interpreter that boards run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

ARENA_BYTES = 512 << 20
"""Room for any network that a board could hold; pages that are not used cost nothing."""
PIXEL_ZERO = 128
"""The firmware writes pixel - 128 and never reads the input's scale and zero point."""


def run_tflm(
    model: Path, images: Iterable[NDArray[np.uint8]], outputs: int
) -> Iterator[list[Floats]]:
    """The `outputs` outputs, dequantized, in the file's order, for each of `images`.

    An image is `[S, S, 3]` uint8 RGB. The x86-64 reference kernels compute on one core; they
    round as TFLM does, which is neither LiteRT's rounding nor always the NPU's.
    """
    import numpy as np
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_file(str(model), arena_size=ARENA_BYTES)
    details = [interpreter.get_output_details(i) for i in range(outputs)]
    quantization = [detail["quantization_parameters"] for detail in details]
    for image in images:
        interpreter.set_input((image.astype(np.int16) - PIXEL_ZERO).astype(np.int8)[None], 0)
        interpreter.invoke()
        yield [
            (interpreter.get_output(i).astype(np.float32) - given["zero_points"][0])
            * given["scales"][0]
            for i, given in enumerate(quantization)
        ]
