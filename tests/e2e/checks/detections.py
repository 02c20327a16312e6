"""Holds the int8 file against the float network on images, decoded as the board does it.

Arguments: head.onnx (head.json lies beside it), model_int8.tflite, then images. Runs in toolchain
`tensorflow`. Prints `found`: confident float detections, `again`: those that the int8 file finds
too, and `score_difference`: the mean difference of scores over all cells.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

from vision.forms import Decoded, decode_outputs
from vision.run_onnx import run_onnx

if TYPE_CHECKING:
    from vision.decode import Floats

CONFIDENT, STILL, OVERLAP = 0.5, 0.3, 0.7


class Int8:
    """The file as LiteRT runs it: pixels in, dequantized outputs in the head's order out."""

    def __init__(self, path: str) -> None:
        interpreter = Interpreter(model_path=path, num_threads=1)
        [signature] = interpreter.get_signature_list()
        self._run = interpreter.get_signature_runner(signature)
        details = self._run.get_output_details()
        self._scales = {name: details[name]["quantization"] for name in details}
        self._order = sorted(details, key=lambda name: int(name.rpartition("_")[2]))
        [self._input] = self._run.get_input_details()

    def __call__(self, pixels: Floats) -> list[Floats]:
        """`[S, S, 3]` uint8 RGB to arrays of floats. The board too writes pixel - 128."""
        given = (pixels.astype(np.int16) - 128).astype(np.int8)[None]
        raw = self._run(**{self._input: given})
        return [
            (raw[name].astype(np.float32) - self._scales[name][1]) * self._scales[name][0]
            for name in self._order
        ]


def overlap(box: Floats, boxes: Floats) -> Floats:
    """Intersection over union of one box with many."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return both / (np.prod(box[2:] - box[:2]) + areas - both)


def main(head: str, int8: str, *images: str) -> dict[str, float]:
    """Compare on all images."""
    small, found, again, differences = Int8(int8), 0, 0, []
    report = json.loads(Path(head).with_name("head.json").read_text())
    side = report["imgsz"]

    def decoded(outputs: Sequence[Floats]) -> Decoded:
        return decode_outputs(report["form"], outputs, report["outputs"], side)

    for path in images:
        bgr = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        pixels = cv2.resize(bgr, (side, side), interpolation=cv2.INTER_AREA)[..., ::-1]
        [outputs] = run_onnx(Path(head), np.float32(pixels)[None] / 255)
        true, felt = decoded(outputs), decoded(small(pixels))
        differences.append(float(abs(true.scores - felt.scores).mean()))
        for cell, kind in np.argwhere(true.scores >= CONFIDENT):
            found += 1
            same = felt.corners[felt.scores[:, kind] >= STILL]
            again += bool(len(same) and overlap(true.corners[cell], same).max() >= OVERLAP)
    mean = sum(differences) / len(differences)
    return {"found": found, "again": again, "score_difference": mean}


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
