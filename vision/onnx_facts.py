"""What an int8 ONNX file is made of: versions, tensors, operators, and which of them are int8.

Such a file is float in form: QuantizeLinear and DequantizeLinear stand around each operator that
a runtime may compute in int8 (QDQ, onnxruntime's "Quantize ONNX Models"). An operator is int8 when
all that flows into it comes from DequantizeLinear, perhaps through operators that only pass values
on, or when it is an activation right behind such an operator, which runtimes fuse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

QUANTIZERS = ("QuantizeLinear", "DequantizeLinear")
FUSED = ("Relu", "Clip")
PASSING = ("MaxPool", "Reshape", "Transpose", "Squeeze", "Unsqueeze")
"""What comes out is among what goes in: the scale passes on (onnxruntime's QDQPropagation)."""
ROUNDING = 0.25
"""Of the bins 0, 1, 2, … of an expectation, when they are int8: a quantum of 16 bins is 0.12."""
CONSTANTS = ("Constant", "ConstantOfShape", "Shape")


@dataclass(frozen=True)
class Tensor:
    """An input or output. A dimension that is not fixed is None."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Scaled:
    """How a value is dequantized."""

    dtype: str
    scales: int
    """1: the whole tensor has one; else one a channel."""
    symmetric: bool
    """Whether all its zero points are 0."""


@dataclass(frozen=True)
class Convolution:
    """A convolution whose weights are stored in the file."""

    name: str
    channels: int
    """How many come out."""
    expectation: bool
    """Whether it only takes an expected value (distribution focal loss): weights 0, 1, 2, …"""
    activation: Scaled | None
    """None: float."""
    weights: Scaled | None
    kernel_shape: bool
    """Whether the attribute is written out."""
    macs: int
    """Multiplications of one run; 0 when the output's size is not known."""

    @property
    def int8(self) -> bool:
        """Whether activation and weights are signed bytes."""
        return all(s is not None and s.dtype == "int8" for s in (self.activation, self.weights))


@dataclass(frozen=True)
class OnnxFacts:
    """What is known of a file without running it."""

    opset: int
    ir_version: int
    domains: tuple[str, ...]
    """Of operators that are not ONNX's own, and of functions."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    convolutions: tuple[Convolution, ...]
    int8: Mapping[str, int]
    """Type of operator -> how many are int8."""
    floats: tuple[tuple[str, str], ...]
    """(type, name) of the operators that are not."""


def read_facts(path: Path) -> OnnxFacts:
    """Looks into an ONNX file. Raises whatever `onnx` raises for a file that is none."""
    import onnx

    return facts_of(onnx.load(path))


def facts_of(model: ModelProto) -> OnnxFacts:
    """The same of a loaded model."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model)
    graph = _Graph(inferred)
    nodes = [n for n in model.graph.node if n.op_type not in (*QUANTIZERS, *CONSTANTS)]
    int8 = Counter(node.op_type for node in nodes if graph.is_int8(node))
    own = ("", "ai.onnx")
    domains = {node.domain for node in model.graph.node} | {f.domain for f in model.functions}
    return OnnxFacts(
        opset=next(o.version for o in model.opset_import if o.domain in own),
        ir_version=model.ir_version,
        domains=tuple(sorted(domains - set(own))),
        inputs=tuple(_tensor(value) for value in model.graph.input),
        outputs=tuple(_tensor(value) for value in model.graph.output),
        convolutions=tuple(
            graph.convolution(node)
            for node in nodes
            if node.op_type == "Conv" and graph.stored(node.input[1]) is not None
        ),
        int8=dict(sorted(int8.items())),
        floats=tuple((node.op_type, node.name) for node in nodes if not graph.is_int8(node)),
    )


def _tensor(value: ValueInfoProto) -> Tensor:
    import onnx

    kind = value.type.tensor_type
    dims = tuple(d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim)
    dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type).name
    return Tensor(value.name, dtype, dims)


class _Graph:
    """Who makes which tensor."""

    def __init__(self, model: ModelProto) -> None:
        graph = model.graph
        self._maker = {output: node for node in graph.node for output in node.output}
        self._stored = {tensor.name: tensor for tensor in graph.initializer}
        self._shapes = {
            value.name: [int(d.dim_value) for d in value.type.tensor_type.shape.dim]
            for value in (*graph.value_info, *graph.output)
        }

    def is_int8(self, node: NodeProto) -> bool:
        """Whether a runtime may compute this operator in int8."""
        flowing = [name for name in node.input if self._flows(name)]
        return bool(flowing) and all(self._is_scaled(name, node) for name in flowing)

    def _is_scaled(self, name: str, taker: NodeProto) -> bool:
        maker = self._maker.get(name)
        if maker is None:
            return False
        if maker.op_type == "DequantizeLinear":
            return True
        passes = maker.op_type in PASSING
        fuses = taker.op_type in FUSED and maker.op_type not in FUSED
        return (passes or fuses) and self.is_int8(maker)

    def _flows(self, name: str) -> bool:
        """Whether a tensor carries the image: nothing stored, no constant."""
        maker = self._maker.get(name)
        if name == "" or name in self._stored:
            return False
        if maker is None:
            return True
        if maker.op_type in CONSTANTS:
            return False
        return maker.op_type != "DequantizeLinear" or maker.input[0] not in self._stored

    def stored(self, name: str) -> TensorProto | None:
        """The stored tensor behind a name, also behind its DequantizeLinear."""
        if name in self._stored:
            return self._stored[name]
        maker = self._maker.get(name)
        if maker is not None and maker.op_type == "DequantizeLinear":
            return self._stored.get(maker.input[0])
        return None

    def scaled(self, name: str) -> Scaled | None:
        """How a tensor is dequantized; None when it is not."""
        import numpy as np
        from onnx import numpy_helper

        maker = self._maker.get(name)
        while maker is not None and maker.op_type in PASSING:
            maker = self._maker.get(maker.input[0])
        if maker is None or maker.op_type != "DequantizeLinear":
            return None
        scales = numpy_helper.to_array(self._stored[maker.input[1]]).size
        if len(maker.input) < 3 or maker.input[2] not in self._stored:
            return Scaled("uint8", scales, symmetric=True)  # ONNX's default
        zero = numpy_helper.to_array(self._stored[maker.input[2]])
        return Scaled(zero.dtype.name, scales, symmetric=not np.any(zero))

    def convolution(self, node: NodeProto) -> Convolution:
        """What is known of a convolution with stored weights."""
        import math

        weights = self.stored(node.input[1])
        assert weights is not None
        cells = self._shapes.get(node.output[0], [])[2:]
        return Convolution(
            name=node.name,
            channels=weights.dims[0],
            expectation=_is_expectation(weights),
            activation=self.scaled(node.input[0]),
            weights=self.scaled(node.input[1]),
            kernel_shape=any(attribute.name == "kernel_shape" for attribute in node.attribute),
            macs=math.prod(weights.dims) * math.prod(cells) if cells else 0,
        )


def _is_expectation(weights: TensorProto) -> bool:
    """Whether the weights are 0, 1, 2, … times any scale: they may have become int8 too."""
    import numpy as np
    from onnx import numpy_helper

    if weights.dims[0] != 1 or list(weights.dims[2:]) != [1, 1]:
        return False
    values = numpy_helper.to_array(weights).ravel().astype(np.float64)
    last = len(values) - 1
    if last < 1 or values[last] <= 0:
        return False
    return bool(abs(values / values[last] * last - np.arange(last + 1)).max() < ROUNDING)
