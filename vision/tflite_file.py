"""Reads what a TFLite file says of itself, without TensorFlow.

The FlatBuffers classes are those that vela ships (`ethosu.vela.tflite`), generated from
TensorFlow's schema; they are loaded only when a file is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NPU = "ETHOS_U"
"""Name that firmware sources give the operator which vela leaves in a file."""
NPU_CUSTOM_CODE = "ethos-u"
"""Its custom code in the file (TFLM: `ethosu.cc`)."""


@dataclass(frozen=True)
class Tensor:
    """An input or output."""

    name: str
    dtype: str
    """As TFLite names it, in small letters: int8, float32, …"""
    shape: tuple[int, ...]
    scales: tuple[float, ...]
    """One for the tensor, or one a channel; none when it is not quantized."""
    zero_points: tuple[int, ...]


@dataclass(frozen=True)
class ModelFile:
    """The parts of a TFLite file that a board's contract speaks of."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: Mapping[str, int]
    """Operator (as the firmware's sources name it) -> how often it occurs."""
    payloads: tuple[bytes, ...]
    """What each NPU operator hands to the driver."""


def read_model(path: Path) -> ModelFile:
    """Parses the first subgraph. Raises ValueError for a file that is no TFLite model."""
    from ethosu.vela.tflite.Model import Model

    data = path.read_bytes()
    if data[4:8] != b"TFL3":
        raise ValueError(f"{path.name} is not a TFLite file")
    model = Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    names = _operator_names(model)
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    return ModelFile(
        inputs=tuple(_tensor(graph, graph.Inputs(i)) for i in range(graph.InputsLength())),
        outputs=tuple(_tensor(graph, graph.Outputs(i)) for i in range(graph.OutputsLength())),
        operators=Counter(names[operator.OpcodeIndex()] for operator in operators),
        payloads=tuple(
            _payload(model, graph, operator)
            for operator in operators
            if names[operator.OpcodeIndex()] == NPU
        ),
    )


def read_logits(path: Path) -> tuple[Tensor, ...]:
    """What sigmoids make the scores of, in a file not compiled: the inputs of every LOGISTIC whose
    output no MUL takes (those make SiLU, an activation). Each is `[1, side, side, classes]`."""
    from ethosu.vela.tflite.Model import Model

    model = Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    names = _operator_names(model)
    operators = [graph.Operators(i) for i in range(graph.OperatorsLength())]
    kinds = [names[operator.OpcodeIndex()] for operator in operators]
    multiplied = {
        operator.Inputs(i)
        for operator, kind in zip(operators, kinds, strict=True)
        if kind == "MUL"
        for i in range(operator.InputsLength())
    }
    return tuple(
        _tensor(graph, operator.Inputs(0))
        for operator, kind in zip(operators, kinds, strict=True)
        if kind == "LOGISTIC" and operator.Outputs(0) not in multiplied
    )


def _operator_names(model: Any) -> list[str]:
    from ethosu.vela.tflite.BuiltinOperator import BuiltinOperator

    builtin = {code: name for name, code in vars(BuiltinOperator).items() if name.isupper()}
    names = []
    for i in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(i)
        custom = code.CustomCode()
        if custom is not None:
            text = custom.decode()
            names.append(NPU if text == NPU_CUSTOM_CODE else f"custom {text}")
        else:  # codes above 127 stand in the newer of the two fields
            number = max(code.DeprecatedBuiltinCode(), code.BuiltinCode())
            names.append(builtin.get(number, f"builtin {number}"))
    return names


def _tensor(graph: Any, index: int) -> Tensor:
    from ethosu.vela.tflite.TensorType import TensorType

    types = {code: name.lower() for name, code in vars(TensorType).items() if name.isupper()}
    tensor = graph.Tensors(index)
    quantization = tensor.Quantization()
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    if quantization is not None:
        scales = tuple(quantization.Scale(i) for i in range(quantization.ScaleLength()))
        zero_points = tuple(
            quantization.ZeroPoint(i) for i in range(quantization.ZeroPointLength())
        )
    return Tensor(
        name=(tensor.Name() or b"").decode(),
        dtype=types.get(tensor.Type(), f"type {tensor.Type()}"),
        shape=tuple(tensor.Shape(i) for i in range(tensor.ShapeLength())),
        scales=scales,
        zero_points=zero_points,
    )


def _payload(model: Any, graph: Any, operator: Any) -> bytes:
    """The command stream: vela makes it the NPU operator's first input, a constant."""
    buffer = model.Buffers(graph.Tensors(operator.Inputs(0)).Buffer())
    return bytes(buffer.DataAsNumpy().tobytes()) if buffer.DataLength() else b""
