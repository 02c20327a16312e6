"""A float ONNX network and its int8 form, run side by side, tensor by tensor.

The int8 form is QDQ: a QuantizeLinear and a DequantizeLinear behind what is int8. SpacemiT's tools
give the latter's output the float tensor's name, so equal names are the same activation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.branches import MOVES, Graph, Operator, layer_of
from vision.pair import Tensor, Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import ModelProto, NodeProto

    from vision.decode import Floats

LEVELS = 255
CONVOLUTION = "Conv"
CHANNELS = 1
"""Axis of an NCHW activation's channels."""


class OnnxPair:
    """`floats`, `int8`: the files; `head`: head.json."""

    def __init__(self, floats: Path, int8: Path, head: Mapping[str, Any]) -> None:
        import onnx

        self._float, self._int8 = onnx.load(floats), onnx.load(int8)
        stored = {tensor.name for tensor in self._float.graph.initializer}
        self.graph = Graph(
            [_operator(node, stored) for node in self._float.graph.node],
            _shapes(self._float),
            [value.name for value in self._float.graph.output],
            head,
        )
        self._integers: dict[str, str] = {}
        """Tensor -> the int8 form's tensor with its integers."""
        self.tensors: Sequence[Tensor] = list(self._tensors())
        self._runs = (
            _session(self._float, [tensor.name for tensor in self.tensors]),
            _session(self._int8, [self._integers[tensor.name] for tensor in self.tensors]),
        )

    @property
    def runtime(self) -> str:
        """What ran the files."""
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}"

    def run(self, image: NDArray[np.uint8]) -> Iterator[tuple[Tensor, Floats, NDArray[np.int_]]]:
        """Each tensor's float values and integers for an image `[S, S, 3]` uint8 RGB."""
        import numpy as np

        values = (image.astype(np.float32) / np.float32(LEVELS)).transpose(2, 0, 1)[None]
        true, found = (
            session.run(names, {session.get_inputs()[0].name: np.ascontiguousarray(values)})
            for session, names in self._runs
        )
        yield from zip(self.tensors, true, found, strict=True)

    def weights(self) -> Iterator[Weights]:
        """Each convolution's weights in both files."""
        import numpy as np
        from onnx import numpy_helper

        mine, other = _stored(self._float), _stored(self._int8)
        makers = {name: node for node in self._int8.graph.node for name in node.output}
        int8 = {n.name: n for n in self._int8.graph.node if n.op_type == CONVOLUTION}
        for node in self._float.graph.node:
            if node.op_type != CONVOLUTION or node.input[1] not in mine or node.name not in int8:
                continue
            scaled = makers.get(int8[node.name].input[1])
            if scaled is None or not set(scaled.input) <= set(other):
                continue
            whole, scale, *zero = (numpy_helper.to_array(other[name]) for name in scaled.input)
            true = numpy_helper.to_array(mine[node.input[1]])
            if whole.shape == true.shape:
                per = [-1, *[1] * (true.ndim - 1)]
                centre = zero[0].astype(np.float64).reshape(per) if zero else 0.0
                found = (whole - centre) * scale.astype(np.float64).reshape(per)
                yield Weights(node.output[0], true, found, axis=0)

    def _tensors(self) -> Iterator[Tensor]:
        """What both files compute and the int8 one holds in bytes, in the order of the run."""
        from onnx import numpy_helper

        stored = _stored(self._int8)
        made = {name for node in self._int8.graph.node for name in node.output}
        scaled = {
            node.output[0]: node
            for node in self._int8.graph.node
            if node.op_type == "DequantizeLinear"
            and node.input[0] in made
            and len(node.input) == 3
            and set(node.input[1:]) <= set(stored)
        }
        for operator in self.graph.operators:
            for name in operator.outputs:
                node = scaled.get(name)
                if node is None or operator.kind in MOVES or name not in self.graph.shapes:
                    continue
                scale, zero = (numpy_helper.to_array(stored[part]) for part in node.input[1:])
                if scale.size == 1:
                    self._integers[name] = node.input[0]
                    shape = tuple(self.graph.shapes[name])
                    yield Tensor(
                        name=name,
                        kind=operator.kind,
                        shape=shape,
                        scale=float(scale.item()),
                        zero_point=int(zero.item()),
                        limits=_limits(zero),
                        axis=CHANNELS,
                    )


def _limits(zero: NDArray[Any]) -> tuple[int, int]:
    import numpy as np

    limits = np.iinfo(zero.dtype)
    return int(limits.min), int(limits.max)


def _operator(node: NodeProto, stored: set[str]) -> Operator:
    inputs = tuple(name for name in node.input if name and name not in stored)
    return Operator(node.op_type, inputs, tuple(node.output), layer_of(node.name))


def _stored(model: ModelProto) -> dict[str, Any]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    """Tensor -> shape, where it is known and fixed."""
    import onnx

    inferred = onnx.shape_inference.infer_shapes(model).graph
    values = (*inferred.input, *inferred.value_info, *inferred.output)
    shapes = {v.name: [int(d.dim_value) for d in v.type.tensor_type.shape.dim] for v in values}
    return {name: shape for name, shape in shapes.items() if all(shape)}


def _session(model: ModelProto, names: list[str]) -> tuple[Any, list[str]]:
    """A session that also gives the tensors of these names, on one core."""
    import onnx
    import onnxruntime

    shown = type(model)()
    shown.CopyFrom(model)
    known = {value.name for value in shown.graph.output}
    shown.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Left alone, it fuses operators and their tensors away.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        shown.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session, names
