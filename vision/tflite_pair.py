"""A float and an int8 TFLite file of one network, run side by side, tensor by tensor.

Needs LiteRT (toolchain `tensorflow`). Both files come of one SavedModel by one converter, which
keeps the names of tensors, so equal names and shapes are the same activation.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.branches import MOVES, Graph, Operator, layer_of
from vision.pair import Tensor, Weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vision.decode import Floats

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
LIMITS = (-128, 127)
PIXEL_ZERO = 128
"""The input's integers are pixel - 128."""
LEVELS = 255


class TflitePair:
    """`floats`, `int8`: the files; `layers`: of `layers_by_weights`; `head`: head.json."""

    def __init__(
        self, floats: bytes, int8: bytes, layers: Mapping[str, str], head: Mapping[str, Any]
    ) -> None:
        self._float, self._int8 = _File(floats), _File(int8)
        self._layers = layers
        shapes = {t["name"]: [int(n) for n in t["shape"]] for t in self._int8.details}
        self.graph = Graph(
            [self._operator(i) for i in range(len(self._int8.kinds))],
            shapes,
            [t["name"] for t in self._int8.interpreter.get_output_details()],
            head,
        )
        self.tensors: Sequence[Tensor] = list(self._tensors())

    @property
    def runtime(self) -> str:
        """What ran the files."""
        from importlib.metadata import version

        return f"LiteRT {version('ai-edge-litert')}"

    @property
    def granularity(self) -> str:
        """How the int8 file scales its weights: per_tensor or per_channel."""
        scales = (len(d["quantization_parameters"]["scales"]) for _, d in self._int8.weights())
        return "per_channel" if any(count > 1 for count in scales) else "per_tensor"

    def run(self, image: NDArray[np.uint8]) -> Iterator[tuple[Tensor, Floats, NDArray[np.int_]]]:
        """Each tensor's float values and integers for an image `[S, S, 3]` uint8 RGB."""
        import numpy as np

        self._float.run(image.astype(np.float32) / np.float32(LEVELS))
        self._int8.run((image.astype(np.int16) - PIXEL_ZERO).astype(np.int8))
        for tensor in self.tensors:
            yield tensor, self._float.values(tensor.name), self._int8.values(tensor.name)

    def weights(self) -> Iterator[Weights]:
        """Each convolution's weights in both files."""
        import numpy as np

        true = dict(self._float.weights())
        for made, detail in self._int8.weights():
            if made not in true or list(true[made]["shape"]) != list(detail["shape"]):
                continue
            given = detail["quantization_parameters"]
            axis = int(given["quantized_dimension"])
            scales = np.asarray(given["scales"], np.float64)
            shape = [-1 if i == axis else 1 for i in range(len(detail["shape"]))]
            whole = self._int8.interpreter.get_tensor(detail["index"]).astype(np.float64)
            yield Weights(
                tensor=made,
                true=self._float.interpreter.get_tensor(true[made]["index"]),
                found=whole * (scales if scales.size == 1 else scales.reshape(shape)),
                axis=3 if detail["shape"][0] == 1 and axis == 3 else 0,
            )

    def _operator(self, index: int) -> Operator:
        file = self._int8
        kind, inputs, outputs = file.kinds[index], file.inputs[index], file.outputs[index]
        layer = ""
        if kind in CONVOLUTIONS and outputs[0] in self._float.makers:
            layer = self._layers.get(self._float.weights_digest(outputs[0]), "")
        return Operator(kind, tuple(inputs), tuple(outputs), layer)

    def _tensors(self) -> Iterator[Tensor]:
        """What both files compute and the int8 one holds in bytes, in the order of the run."""
        import numpy as np

        for operator in self.graph.operators:
            if operator.kind in MOVES:
                continue
            for name in operator.outputs:
                mine, other = self._int8.named[name], self._float.named.get(name)
                if other is None or list(mine["shape"]) != list(other["shape"]):
                    continue
                if mine["dtype"] == np.int8:
                    scale, zero = mine["quantization"]
                    shape = tuple(int(n) for n in mine["shape"])
                    yield Tensor(
                        name, operator.kind, shape, float(scale), int(zero), LIMITS, len(shape) - 1
                    )


class _File:
    """One file in an interpreter that keeps every tensor."""

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        # XNNPACK would take whole parts of the network over and leave their tensors empty.
        self.interpreter = Interpreter(
            model_content=model,
            num_threads=1,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self.interpreter.allocate_tensors()
        self.details = self.interpreter.get_tensor_details()
        self.named = {detail["name"]: detail for detail in self.details}
        root = schema.Model.GetRootAs(model, 0)
        graph = root.Subgraphs(0)
        names = [graph.Tensors(i).Name().decode() for i in range(graph.TensorsLength())]
        stored = {
            names[i]
            for i in range(graph.TensorsLength())
            if root.Buffers(graph.Tensors(i).Buffer()).DataLength()
        }
        kinds = {code: name for name, code in vars(schema.BuiltinOperator).items()}
        self.kinds: list[str] = []
        self.inputs: list[list[str]] = []
        self.outputs: list[list[str]] = []
        self.makers: dict[str, list[str]] = {}
        """Tensor -> all inputs of the operator that makes it."""
        for i in range(graph.OperatorsLength()):
            operator = graph.Operators(i)
            code = root.OperatorCodes(operator.OpcodeIndex())
            self.kinds.append(kinds[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())])
            taken = [names[k] for k in operator.InputsAsNumpy() if k >= 0]
            made = [names[k] for k in operator.OutputsAsNumpy()]
            self.inputs.append([name for name in taken if name not in stored])
            self.outputs.append(made)
            self.makers |= dict.fromkeys(made, taken)

    def run(self, values: NDArray[Any]) -> None:
        """Run the network on one image."""
        [entry] = self.interpreter.get_input_details()
        self.interpreter.set_tensor(entry["index"], values[None])
        self.interpreter.invoke()

    def values(self, name: str) -> NDArray[Any]:
        """What a tensor holds after the last run."""
        found: NDArray[Any] = self.interpreter.get_tensor(self.named[name]["index"])
        return found

    def weights(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(a convolution's output, its weights)."""
        for kind, made in zip(self.kinds, self.outputs, strict=True):
            if kind in CONVOLUTIONS:
                yield made[0], self.named[self.makers[made[0]][1]]

    def weights_digest(self, made: str) -> str:
        """Of the weights behind a convolution's output."""
        return _digest(self.values(self.makers[made][1]))


def _digest(weights: NDArray[Any]) -> str:
    import numpy as np

    return hashlib.sha256(np.ascontiguousarray(weights).tobytes()).hexdigest()


def layers_by_weights(head: Path) -> dict[str, str]:
    """Digest of a convolution's weights, as TensorFlow lays them out -> the layer's name.

    `head`: the float ONNX network. Conversion loses ONNX's names, and keeps every weight.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(head)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    layers = {}
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1] in stored:
            weights = numpy_helper.to_array(stored[node.input[1]])
            name = layer_of(node.name) or node.input[1]
            layers[_digest(weights.transpose(0, 2, 3, 1))] = name
            if weights.shape[1] == 1:  # depthwise, as far as TensorFlow knows
                layers[_digest(weights[:, 0].transpose(1, 2, 0)[None])] = name
    return layers


def float_tflite(saved_model: Path) -> bytes:
    """A float32 TFLite file of a SavedModel, by the converter that made the int8 one."""
    import tensorflow as tf

    return bytes(tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert())
