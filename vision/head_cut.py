"""Cuts a YOLOv8 detection graph at the last convolution of each branch.

Found by structure, never by names, which change between ultralytics versions: walking back
from the graph's output, the first convolutions met are the branches' last ones. The one that
only takes an expectation (distribution focal loss: a 1x1 convolution with weights 0, 1, 2, …)
is walked through, and what lies behind it are the box branches; the others are class branches.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto


@dataclass(frozen=True)
class Branch:
    """The end of one branch: `tensor` is a convolution's output `[1, channels, side, side]`."""

    role: str
    """box or class."""
    tensor: str
    channels: int
    side: int

    def name(self, imgsz: int) -> str:
        """The name of the head's output: role and stride, for instance box_8."""
        return f"{self.role}_{imgsz // self.side}"


def find_branches(model: ModelProto) -> list[Branch]:
    """The branches of a detection graph: boxes before classes, fine before coarse.

    Raises ValueError when the graph does not end in as many box as class branches.
    """
    shapes = _shapes(model)
    found = {}
    for tensor, is_box in _last_convolutions(model.graph):
        _, channels, height, width = shapes[tensor]
        if height != width:
            raise ValueError(f"a branch of {height}x{width} cells: the input must be square")
        found[tensor] = Branch("box" if is_box else "class", tensor, channels, height)
    branches = sorted(found.values(), key=lambda b: (b.role, -b.side, b.tensor))
    sides = {role: [b.side for b in branches if b.role == role] for role in ("box", "class")}
    if not branches or sides["box"] != sides["class"]:
        raise ValueError(
            f"box branches of {sides['box']} and class branches of {sides['class']} cells a side"
        )
    return branches


def _last_convolutions(graph: GraphProto) -> Iterator[tuple[str, bool]]:
    """Outputs of the first convolutions met from behind, and whether past a DFL expectation."""
    maker = {output: node for node in graph.node for output in node.output}
    waiting = [(output.name, False) for output in graph.output]
    seen = set()
    while waiting:
        tensor, past_dfl = waiting.pop()
        node = maker.get(tensor)
        if node is None or (tensor, past_dfl) in seen:
            continue
        seen.add((tensor, past_dfl))
        if node.op_type == "Conv":
            if not _is_expectation(node, graph):
                yield tensor, past_dfl
                continue
            past_dfl = True
        waiting += [(name, past_dfl) for name in node.input]


def _is_expectation(node: NodeProto, graph: GraphProto) -> bool:
    """Whether a convolution's weights are 0, 1, 2, …: it then computes an expected value."""
    import numpy as np
    from onnx import numpy_helper

    for initializer in graph.initializer:
        if initializer.name == node.input[1]:
            weight = numpy_helper.to_array(initializer)
            bins = weight.size
            return bins > 1 and bool(np.array_equal(weight.ravel(), np.arange(bins)))
    return False


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    """Tensor name -> shape, as ONNX's shape inference gives them."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output, *graph.input)
    }


def cut(model: ModelProto, branches: list[Branch], imgsz: int) -> ModelProto:
    """The part of `model` before `branches`, each emitted as `[1, side * side, channels]`."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    inputs = [value.name for value in model.graph.input]
    inferred = onnx.shape_inference.infer_shapes(model)  # the extractor asks for every shape
    head = onnx.utils.Extractor(inferred).extract_model(inputs, [b.tensor for b in branches])
    graph = head.graph
    del graph.output[:], graph.value_info[:]
    for branch in branches:
        name = branch.name(imgsz)
        shape = [1, branch.side * branch.side, branch.channels]
        graph.initializer.append(numpy_helper.from_array(np.array(shape), f"{name}_shape"))
        graph.node.append(
            helper.make_node("Transpose", [branch.tensor], [f"{name}_nhwc"], perm=[0, 2, 3, 1])
        )
        graph.node.append(helper.make_node("Reshape", [f"{name}_nhwc", f"{name}_shape"], [name]))
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    graph.name, graph.doc_string = "head", ""
    head.producer_name, head.producer_version, head.doc_string = "edgemake", "", ""
    del head.metadata_props[:]
    onnx.checker.check_model(head)
    return head
