"""The form in which every ONNX file of the build lies: equal weights give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto


def canonicalise(model: ModelProto, metadata: Mapping[str, Any]) -> None:
    """Leaves only `metadata` (as ultralytics spells it): no dates, paths, or traces of the maker.

    Every Conv gets its kernel_shape spelled out, which some runtimes ask for. Raises
    onnx.checker.ValidationError for a model that breaks ONNX's rules.
    """
    import onnx

    del model.metadata_props[:]
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=str(value))
    graph = model.graph
    _lift_constants(graph)
    for part in (model, graph, *graph.node):
        part.doc_string = ""
    for part in (*graph.initializer, *graph.input, *graph.output, *graph.value_info):
        part.ClearField("doc_string")
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
    _spell_kernels(graph)
    onnx.checker.check_model(model)


def _lift_constants(graph: GraphProto) -> None:
    """Makes weights of Constant nodes: converters look for sizes and axes there only."""
    constants = [node for node in graph.node if node.op_type == "Constant"]
    for node in constants:
        [entry] = node.attribute
        if entry.name == "value":
            weight = graph.initializer.add()
            weight.CopyFrom(entry.t)
            weight.name = node.output[0]
            graph.node.remove(node)


def metadata(
    names: Mapping[int, str], stride: int, task: str, imgsz: int, kpt_shape: list[int] | None
) -> dict[str, Any]:
    """The entries that the build and ultralytics itself read from a file; kpt_shape for pose."""
    found = {"names": dict(names), "stride": stride, "task": task, "imgsz": [imgsz, imgsz]}
    return found if kpt_shape is None else {**found, "kpt_shape": list(kpt_shape)}


def _spell_kernels(graph: GraphProto) -> None:
    from onnx import helper

    shapes = {weight.name: list(weight.dims) for weight in graph.initializer}
    for node in graph.node:
        if node.op_type != "Conv" or any(entry.name == "kernel_shape" for entry in node.attribute):
            continue
        if node.input[1] in shapes:  # [out, in, height, width]
            node.attribute.append(helper.make_attribute("kernel_shape", shapes[node.input[1]][2:]))
