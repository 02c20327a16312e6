"""Puts the end that a board wants behind a network's branches. docs/outputs.md has the forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vision.decode_graph import normalised, normalised_pair
from vision.head_cut import Head
from vision.onnx_builder import Builder

if TYPE_CHECKING:
    from onnx import ModelProto

AXES_ARE_INPUTS = 13
"""Opset from which ReduceSum takes its axes as an input."""


@dataclass(frozen=True)
class Tensor:
    """One output of a form."""

    name: str
    role: str
    """box, class, keypoints, score_sum, score or decoded."""
    stride: int | None
    """None: all strides, fine before coarse."""
    shape: list[int]

    def described(self, head: Head) -> dict[str, Any]:
        """Its entry in head.json; a decoded one says which of its rows are what."""
        entry = {"name": self.name, "role": self.role, "stride": self.stride, "shape": self.shape}
        if self.role == "decoded":
            entry |= {"classes": head.classes, "keypoints": _keypoints(head)}
        return entry


def _keypoints(head: Head) -> list[int] | None:
    return None if head.keypoints is None else list(head.keypoints)


def whole_output(head: Head, name: str = "output0") -> Tensor:
    """The output of a network that keeps its decoding."""
    return Tensor(name, "decoded", None, [1, head.rows, head.cells])


def end(form: str, model: ModelProto, head: Head) -> tuple[ModelProto, list[Tensor]]:
    """`model` with the end that `form` names, and its outputs in the form's own order.

    The result is an independent graph; its outputs are in that order. Raises KeyError for a form
    that is not known.
    """
    import onnx

    if form == "decoded":
        whole = type(model)()
        whole.CopyFrom(model)
        _state_kernels(whole)
        return whole, [whole_output(head, model.graph.output[0].name)]
    add = ENDS[form]
    inputs = [value.name for value in model.graph.input]
    inferred = onnx.shape_inference.infer_shapes(model)  # the extractor asks for every shape
    extractor = onnx.utils.Extractor(inferred)
    cut = extractor.extract_model(inputs, [branch.tensor for branch in head.branches])
    del cut.graph.output[:], cut.graph.value_info[:]
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    outputs = list(add(Builder(cut.graph, opset), head))
    _state_kernels(cut)
    cut.graph.name, cut.graph.doc_string = "head", ""
    cut.producer_name, cut.producer_version, cut.doc_string = "edgemake", "", ""
    del cut.metadata_props[:]
    if form in KEEP_METADATA:
        cut.metadata_props.extend(model.metadata_props)
    reorder(cut, outputs)
    return cut, outputs


def reorder(model: ModelProto, outputs: Sequence[Tensor]) -> None:
    """Makes these the graph's outputs, in this order."""
    import onnx

    del model.graph.output[:]
    for tensor in outputs:
        value = onnx.helper.make_tensor_value_info(
            tensor.name, onnx.TensorProto.FLOAT, tensor.shape
        )
        model.graph.output.append(value)
    onnx.checker.check_model(model)


def _state_kernels(model: ModelProto) -> None:
    """Gives every Conv the kernel_shape that ONNX lets it omit: SpacemiT's runtime asks for it."""
    import onnx

    weights = {entry.name: list(entry.dims[2:]) for entry in model.graph.initializer}
    for node in model.graph.node:
        stated = {attribute.name for attribute in node.attribute}
        if node.op_type == "Conv" and "kernel_shape" not in stated and node.input[1] in weights:
            kernel = onnx.helper.make_attribute("kernel_shape", weights[node.input[1]])
            node.attribute.append(kernel)


def cuts(form: str, head: Head) -> list[str]:
    """Where quantization stops: at the branches' ends in a network that keeps its decoding."""
    return [branch.tensor for branch in head.branches] if form == "decoded" else []


# --- the forms ----------------------------------------------------------------------------


def _six_raw(build: Builder, head: Head) -> Iterator[Tensor]:
    for branch in (*head.of("box"), *head.of("class")):
        stride = head.stride(branch)
        name = build.rows(branch.tensor, branch.side, branch.channels, f"{branch.role}_{stride}")
        yield Tensor(name, branch.role, stride, [1, branch.side**2, branch.channels])


def _seven_raw(build: Builder, head: Head) -> Iterator[Tensor]:
    yield from _six_raw(build, head)
    points = head.of("keypoints")
    parts = [
        build.rows(branch.tensor, branch.side, branch.channels, f"keypoints_{head.stride(branch)}")
        for branch in points
    ]
    name = build.node("Concat", parts, "keypoints", axis=1)
    yield Tensor(name, "keypoints", None, [1, head.cells, points[0].channels])


def _branch(build: Builder, head: Head) -> Iterator[Tensor]:
    """For each stride a box, its class scores and their sum, as SpacemiT's examples read them."""
    import numpy as np

    low = build.constant("sum_low", np.array(0, dtype=np.float32))
    high = build.constant("sum_high", np.array(1, dtype=np.float32))
    axes = build.constant("sum_axes", np.array([1])) if build.opset >= AXES_ARE_INPUTS else None
    for box, classes in zip(head.of("box"), head.of("class"), strict=True):
        stride, grid = head.stride(box), [box.side, box.side]
        raw = build.rename(box.tensor, f"box_{stride}")
        yield Tensor(raw, "box", stride, [1, box.channels, *grid])
        scores = build.node("Sigmoid", [classes.tensor], f"class_{stride}")
        yield Tensor(scores, "class", stride, [1, classes.channels, *grid])
        if axes:
            total = build.node("ReduceSum", [scores, axes], f"total_{stride}", keepdims=1)
        else:
            total = build.node("ReduceSum", [scores], f"total_{stride}", axes=[1], keepdims=1)
        clipped = build.node("Clip", [total, low, high], f"sum_{stride}")
        yield Tensor(clipped, "score_sum", stride, [1, 1, *grid])


def _decoded_normalised(build: Builder, head: Head) -> Iterator[Tensor]:
    shape = [1, head.rows, head.cells]
    yield Tensor(normalised(build, head, "decoded"), "decoded", None, shape)


def _decoded_pair(build: Builder, head: Head) -> Iterator[Tensor]:
    boxes, scores = normalised_pair(build, head, "boxes", "scores")
    yield Tensor(boxes, "box", None, [1, 4, head.cells])
    yield Tensor(scores, "score", None, [1, head.cells, head.classes])


ENDS: Mapping[str, Callable[[Builder, Head], Iterator[Tensor]]] = {
    "six_raw": _six_raw,
    "seven_raw": _seven_raw,
    "branch": _branch,
    "decoded_normalised": _decoded_normalised,
    "decoded_pair": _decoded_pair,
}
TASKS = {
    "six_raw": ("detect",),
    "seven_raw": ("pose",),
    "branch": ("detect",),
    "decoded_normalised": ("detect",),
    "decoded_pair": ("detect",),
    "decoded": ("detect", "pose"),
}
"""Which networks a form is for."""
CLIPPED = ("decoded_normalised", "decoded_pair")
"""Forms that clip a box's centre and size to the image's."""
KEEP_METADATA = ("branch",)
"""Cut forms whose runtimes show people the class names that ultralytics writes into the file."""
