"""Prints an ONNX file's outputs, in order, as [name, shape] pairs. Runs in toolchain `images`."""

import json
import sys

import onnx

graph = onnx.load(sys.argv[1]).graph
print(
    json.dumps(
        [
            [output.name, [size.dim_value for size in output.type.tensor_type.shape.dim]]
            for output in graph.output
        ]
    )
)
