"""Looks into an int8 TFLite file, and puts its outputs in order, without rewriting the file.

Needs LiteRT's FlatBuffers classes (toolchain `tensorflow`), which are loaded only when called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def sigmoid_inputs(model: bytes) -> Iterator[tuple[float, int]]:
    """Scale and zero point of what sigmoids take, but for those in activations x * sigmoid(x).

    In a network with its decoding these are the class logits, which its output shows no more.
    """
    from ai_edge_litert import schema_py_generated as schema

    graph, _ = _graph(model)
    root = schema.Model.GetRootAs(model, 0)
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    kinds = [root.OperatorCodes(operator.OpcodeIndex()).BuiltinCode() for operator in operators]
    readers: dict[int, list[set[int]]] = {}
    for operator in operators:
        inputs = set(operator.InputsAsNumpy().tolist())
        for tensor in inputs:
            readers.setdefault(tensor, []).append(inputs)
    for operator, kind in zip(operators, kinds, strict=True):
        if kind != schema.BuiltinOperator.LOGISTIC:
            continue
        [taken], [made] = operator.InputsAsNumpy().tolist(), operator.OutputsAsNumpy().tolist()
        if not any(taken in inputs for inputs in readers.get(made, ())):
            quantization = graph.Tensors(taken).Quantization()
            yield float(quantization.Scale(0)), int(quantization.ZeroPoint(0))


def _graph(model: bytes | bytearray) -> tuple[Any, Any]:
    """The file's subgraph and signature."""
    from ai_edge_litert import schema_py_generated as schema

    root = schema.Model.GetRootAs(model, 0)
    return root.Subgraphs(0), root.SignatureDefs(0)
