"""Extends an ONNX graph, operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnx import GraphProto


@dataclass(frozen=True)
class Builder:
    """A graph that is being extended. Every method gives the name of the tensor it made."""

    graph: GraphProto
    opset: int

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """An initializer."""
        from onnx import numpy_helper

        self.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """An operator with one output, whose name it takes."""
        from onnx import helper

        made = helper.make_node(operator, inputs, [output], name=output, **attributes)
        self.graph.node.append(made)
        return output

    def reshape(self, tensor: str, shape: Sequence[int], output: str) -> str:
        """A Reshape to a fixed shape."""
        import numpy as np

        wanted = self.constant(f"{output}_shape", np.array(shape, dtype=np.int64))
        return self.node("Reshape", [tensor, wanted], output)

    def rename(self, tensor: str, name: str) -> str:
        """Another name for a tensor that the graph's operators make."""
        for node in self.graph.node:
            for names in (node.input, node.output):
                names[:] = [name if found == tensor else found for found in names]
        return name

    def rows(self, tensor: str, side: int, channels: int, output: str) -> str:
        """`[1, channels, side, side]` -> `[1, side * side, channels]`."""
        cells = self.node("Transpose", [tensor], f"{output}_nhwc", perm=[0, 2, 3, 1])
        return self.reshape(cells, [1, side**2, channels], output)
