"""Runs an ONNX network of images on the CPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vision.decode import Floats


def run_onnx(model: Path, images: Iterable[Floats]) -> Iterator[list[Floats]]:
    """Outputs, in the graph's order, for each of `images` `[n, S, S, 3]` RGB float32 0..1.

    The network takes `[1, 3, S, S]`. One thread, so that equal inputs give equal bits.
    """
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    for image in images:
        yield session.run(None, {name: np.ascontiguousarray(image.transpose(2, 0, 1)[None])})


def corners_and_scores(output: Floats) -> tuple[Floats, Floats]:
    """ultralytics' decoded output `[1, 4 + classes, N]` -> `[N, 4]` corners, `[N, classes]`."""
    from vision.decode import corners_of

    rows = output[0].T
    return corners_of(rows[:, :4]), rows[:, 4:]
