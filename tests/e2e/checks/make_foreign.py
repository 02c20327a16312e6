"""Small TFLite files of the kinds that people bring; runs in the toolchain `tensorflow`.

Usage: make_foreign.py FOLDER. Each takes a picture of 192 pixels, and makes its output of the mean
colours of 36 squares.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

SIDE, CELLS = 192, 756


def network(shape: list[int], reach: float, channels: int) -> Any:
    """A function of a picture: values of 0 to `reach`, `channels` of them for each square."""
    chance = np.random.default_rng(0)
    weights = chance.uniform(0, 1, (1, 1, 3, channels)).astype(np.float32)
    weights *= reach / weights.sum(axis=(0, 1, 2))

    def run(images: Any) -> Any:
        squares = tf.nn.avg_pool2d(images, 32, 32, "VALID")
        return tf.reshape(tf.nn.conv2d(squares, weights, 1, "VALID"), shape)

    return tf.function(run, input_signature=[tf.TensorSpec([1, SIDE, SIDE, 3], tf.float32)])


def pictures() -> Any:
    for seed in range(4):
        image = np.random.default_rng(seed).uniform(0, 1, (1, SIDE, SIDE, 3)).astype(np.float32)
        image.flat[0], image.flat[1] = 0, 1
        yield [image]


def written(path: Path, run: Any, dtype: Any) -> str:
    """Converts, to integers of `dtype` at the ends; None: float."""
    converter = tf.lite.TFLiteConverter.from_concrete_functions([run.get_concrete_function()])
    if dtype is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = pictures
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = dtype
    path.write_bytes(converter.convert())
    return str(path)


def main() -> None:
    """Prints {kind: path}."""
    folder = Path(sys.argv[1])
    kinds = {
        "stock pose": ([1, 56, CELLS], 200.0, tf.int8),
        "unsigned": ([1, 14, CELLS], 1.0, tf.uint8),
        "float": ([1, 14, CELLS], 1.0, None),
        "cell by cell": ([1, CELLS, 14], 1.0, tf.int8),
        "grids": ([1, 12, 12, 74], 1.0, tf.int8),
        "classifier": ([1, 36], 1.0, tf.int8),
    }
    made = {}
    for kind, (shape, reach, dtype) in kinds.items():
        run = network(shape, reach, int(np.prod(shape)) // 36)
        made[kind] = written(folder / f"{kind}.tflite", run, dtype)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
