"""A head as an int8 TFLite file, through the stages' own code. Runs in toolchain `tensorflow`.

Argument: a folder with head.onnx and head.json. Leaves int8/ in it. Prints quantize.json, the
file's outputs and operators, and how far its decoded outputs are from the float head's, on the
median: single cells of random networks may lie anywhere.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np

from edgemake.work import Work
from stages import convert, quantize
from vision.forms import Decoded, decode_outputs
from vision.run_onnx import run_onnx
from vision.samples import samples

CALIBRATION = 8


def int8_answer(file: Path, pixels: np.ndarray[Any, Any]) -> list[Any]:
    """`[S, S, 3]` uint8 to the outputs as floats, in the file's order; the board reads the same."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    [entry] = interpreter.get_input_details()
    interpreter.set_tensor(entry["index"], (pixels.astype(np.int16) - 128).astype(np.int8)[None])
    interpreter.invoke()
    values = []
    for detail in interpreter.get_output_details():
        scale, zero_point = detail["quantization"]
        raw = interpreter.get_tensor(detail["index"]).astype(np.float32)
        values.append((raw - zero_point) * scale)
    return values


def operators(file: Path) -> list[str]:
    from ai_edge_litert import schema_py_generated as schema

    root = schema.Model.GetRootAs(file.read_bytes(), 0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    return sorted(
        names[root.OperatorCodes(i).BuiltinCode()] for i in range(root.OperatorCodesLength())
    )


def off(found: Decoded, truth: Decoded) -> dict[str, float]:
    told = {
        "box": float(np.median(abs(found.corners - truth.corners))),
        "score": float(np.median(abs(found.scores - truth.scores))),
        "best": float(truth.scores.max()),
        "spread": float(truth.corners.std()),
    }
    if truth.keypoints is not None and found.keypoints is not None:
        told["keypoint"] = float(np.median(abs(found.keypoints - truth.keypoints)[..., :2]))
    return told


def main(source: str) -> dict[str, Any]:
    folder = Path(source)
    head = json.loads((folder / "head.json").read_text())
    out, scratch = folder / "int8", folder / "scratch"
    out.mkdir()
    scratch.mkdir()
    os.chdir(scratch)
    images = samples(CALIBRATION, head["imgsz"])
    np.save(folder / "calibration.npy", np.rint(images * 255).astype(np.uint8))
    inputs = {name: folder / name for name in ("head.onnx", "head.json", "calibration.npy")}
    inputs["saved_model"] = out / "saved_model"
    convert.run(convert.Params(), Work(inputs, out, scratch, 1))
    quantize.run(quantize.Params("per_tensor"), Work(inputs, out, scratch, 1))
    file = out / "model_int8.tflite"
    found = int8_answer(file, np.rint(images[1] * 255).astype(np.uint8))
    [truth] = run_onnx(folder / "head.onnx", images[1:2])
    decoded = [
        decode_outputs(head["form"], values, head["outputs"], head["imgsz"])
        for values in (found, truth)
    ]
    return {
        "quantize": json.loads((out / "quantize.json").read_text()),
        "file_outputs": [list(value.shape) for value in found],
        "operators": operators(file),
        **off(*decoded),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
