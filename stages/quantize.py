"""Float SavedModel and calibration images to an int8 TFLite file. Fast, so images may change."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stages.schema import Config

LEVELS = 255
"""A pixel's largest value: the network takes pixel / 255."""
INPUT_SCALE, INPUT_ZERO_POINT = 1 / LEVELS, -128
"""The quantization of pixel / 255 under which the int8 value is pixel - 128."""


@dataclass(frozen=True)
class Params:
    """How weights are quantized: one scale a tensor, or one a channel."""

    weights: str


def plan(config: Config, saved_model: Input, calibration: Input, head: Input) -> Step:
    """`saved_model`: NHWC float input 0..1; `calibration`: uint8 `[n, S, S, 3]` RGB; `head`:
    head.json, the outputs' order and meaning."""
    quant: Any = config.quant
    return Step(
        stage="quantize",
        params=Params(quant.weights),
        inputs={"saved_model": saved_model, "calibration.npy": calibration, "head.json": head},
        outputs=("model_int8.tflite", "quantize.json"),
        toolchain=config.lock("tensorflow"),
        label=f"int8 {quant.weights}",
    )


def run(params: Params, work: Work) -> None:
    """Writes model_int8.tflite (outputs in the head's order) and quantize.json.

    Raises StageError when the input does not come out as scale 1/255, zero point -128.
    """
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # equal bytes with and without a GPU
    import numpy as np

    from vision.tflite_outputs import in_order

    images = np.load(work.inputs["calibration.npy"], mmap_mode="r")
    head = json.loads(work.inputs["head.json"].read_text())
    work.progress(0, len(images), "starting TensorFlow")
    model = _convert(work.inputs["saved_model"], images, params.weights, work)
    # The SavedModel numbers its outputs output_0, output_1, … in the head's order.
    model = in_order(model, [f"output_{i}" for i in range(len(head["outputs"]))])
    (work.out / "model_int8.tflite").write_bytes(model)
    report = _describe(model, head["outputs"])
    _demand_pixels(report["input"])
    report |= {"schema": 2, "weights": params.weights, "images": len(images)}
    (work.out / "quantize.json").write_text(json.dumps(report, indent=1) + "\n")


def _convert(saved_model: Path, images: NDArray[np.uint8], weights: str, work: Work) -> bytes:
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _representative(images, work)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    converter._experimental_disable_per_channel = weights == "per_tensor"
    return bytes(converter.convert())


def _representative(images: NDArray[np.uint8], work: Work) -> Iterator[list[Any]]:
    """Each image as the network takes it.

    One value of the first is forced to 0 and one to 255: the input's range is then the whole of
    0..1 whatever the images hold, hence its scale exactly 1/255. The firmware writes pixel - 128
    and reads no scale, so any other would falsify every pixel.
    """
    import numpy as np

    for i, image in enumerate(images):
        work.progress(i, len(images), "calibration images")
        pixels = np.array(image, dtype=np.float32)
        if i == 0:
            pixels.flat[0], pixels.flat[1] = 0, LEVELS
        yield [(pixels / LEVELS)[None]]


def _describe(model: bytes, outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Input and outputs of a TFLite file as an interpreter reads them back.

    Raises StageError when the outputs are not those of the head, in its order.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=model)
    found = interpreter.get_output_details()
    shapes = [[int(n) for n in detail["shape"]] for detail in found]
    wanted = [entry["shape"] for entry in outputs]
    if shapes != wanted:
        raise StageError(f"TensorFlow made outputs of shapes {shapes}; the head's are {wanted}")
    [entry] = interpreter.get_input_details()
    described = [_output(d, o, model) for d, o in zip(found, outputs, strict=True)]
    return {"input": _tensor(entry), "outputs": described}


def _tensor(detail: dict[str, Any]) -> dict[str, Any]:
    import numpy as np

    scale, zero_point = detail["quantization"]
    return {
        "tensor": detail["name"],
        "shape": [int(n) for n in detail["shape"]],
        "dtype": np.dtype(detail["dtype"]).name,
        "scale": scale,
        "zero_point": zero_point,
    }


def _output(detail: dict[str, Any], entry: dict[str, Any], model: bytes) -> dict[str, Any]:
    """One output: the head's words for it, and its quantization."""
    from vision.quantization import largest_sigmoid
    from vision.tflite_file import parse

    report = {key: entry[key] for key in ("name", "role", "stride")} | _tensor(detail)
    logits: list[tuple[float, int]] = []
    if entry["role"] == "class":
        logits = [(report["scale"], report["zero_point"])]
    elif entry["role"] in ("decoded", "score"):
        logits = [(found.scales[0], found.zero_points[0]) for found in parse(model).logits]
    if logits:  # the largest score that int8 logits can express, of any stride
        report["largest_sigmoid"] = round(max(largest_sigmoid(*pair) for pair in logits), 6)
    return report


def _demand_pixels(entry: dict[str, Any]) -> None:
    import numpy as np

    wanted = float(np.float32(INPUT_SCALE)), INPUT_ZERO_POINT
    found = float(np.float32(entry["scale"])), entry["zero_point"]
    if abs(found[0] - wanted[0]) > np.finfo(np.float32).eps * wanted[0] or found[1] != wanted[1]:
        raise StageError(
            f"the input was quantized with scale {found[0]!r}, zero point {found[1]}; it must be "
            f"1/{LEVELS} and {INPUT_ZERO_POINT}. The SavedModel does not take pixel / {LEVELS}"
        )
