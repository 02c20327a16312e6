"""What stands at the ends of an int8 ONNX file: class names, and how fine the outputs are."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vision.onnx_facts import PASSING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


@dataclass(frozen=True)
class Ends:
    """Of a file."""

    names: int | None
    """How many class names its metadata holds; None: none that can be read."""
    steps: tuple[float | None, ...]
    """The quantum of each output that is 8 bits wide inside; None: float."""


def ends_of(model: ModelProto) -> Ends:
    """Looks at metadata and outputs. Constants must be initializers (`lift_constants`)."""
    graph = model.graph
    return Ends(
        _names({entry.key: entry.value for entry in model.metadata_props}),
        tuple(_step(graph, output.name) for output in graph.output),
    )


def _names(metadata: dict[str, str]) -> int | None:
    """ultralytics writes them as Python writes a dict."""
    try:
        return len(ast.literal_eval(metadata["names"]))
    except (KeyError, ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _step(graph: GraphProto, name: str) -> float | None:
    """The scale of the DequantizeLinear that a tensor comes from, if it has one for the tensor."""
    from onnx import numpy_helper

    makers = {output: node for node in graph.node for output in node.output}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    maker = makers.get(name)
    while maker is not None and maker.op_type in PASSING:
        maker = makers.get(maker.input[0])
    if maker is None or maker.op_type != "DequantizeLinear" or maker.input[1] not in stored:
        return None
    scales = numpy_helper.to_array(stored[maker.input[1]])
    return float(scales.ravel()[0]) if scales.size == 1 else None


def lift_constants(model: ModelProto) -> None:
    """Makes initializers of Constant nodes, as in every file of the build: so they are found."""
    graph = model.graph
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        values = [entry.t for entry in node.attribute if entry.name == "value"]
        if values:
            weight = graph.initializer.add()
            weight.CopyFrom(values[0])
            weight.name = node.output[0]
            graph.node.remove(node)
