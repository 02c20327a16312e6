"""Puts the outputs of an int8 TFLite file in order, without rewriting the file.

Needs LiteRT's FlatBuffers classes (toolchain `tensorflow`), which are loaded only when called.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def in_order(model: bytes, names: Sequence[str]) -> bytes:
    """The same file with the outputs of these signature names, in this order.

    TensorFlow leaves a graph's outputs in an order of its own, and firmware that knows them by
    their place reads them so. Only the vector of their indices changes: the signature names
    tensors, not places. Raises ValueError unless the names are the signature's, each once.
    """
    changed = bytearray(model)
    graph, signature = _graph(changed)
    places = {
        signature.Outputs(i).Name().decode(): signature.Outputs(i).TensorIndex()
        for i in range(signature.OutputsLength())
    }
    outputs = graph.OutputsAsNumpy()  # a view: what is written to it is written to the file
    wanted = [places.get(name, -1) for name in names]
    if sorted(wanted) != sorted(outputs.tolist()):
        raise ValueError(f"the outputs are {sorted(places)}, not {list(names)}")
    outputs[:] = wanted
    return bytes(changed)


def output_shapes(model: bytes) -> list[list[int]]:
    """Shapes of the outputs, in the file's order."""
    graph, _ = _graph(model)
    return [graph.Tensors(i).ShapeAsNumpy().tolist() for i in graph.OutputsAsNumpy()]


def _graph(model: bytes | bytearray) -> tuple[Any, Any]:
    """The file's subgraph and signature."""
    from ai_edge_litert import schema_py_generated as schema

    root = schema.Model.GetRootAs(model, 0)
    return root.Subgraphs(0), root.SignatureDefs(0)
