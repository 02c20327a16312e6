"""Graphs made by hand, of which vision.onnx_facts must tell the truth; runs in `images`.

Prints for each graph: its convolutions as [int8, scales of the weights, expectation, kernel_shape,
MACs], its int8 operators, its float ones, domains, and whether every size is fixed. Also compares
two networks that differ by a known amount, with vision.onnx_agreement.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from vision.onnx_agreement import agreement, overlap
from vision.onnx_facts import OnnxFacts, facts_of

SIDE, CHANNELS = 8, 4


class Graph:
    """A graph in the making; every operator's output is named like the operator."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.stored: list[TensorProto] = []

    def add(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def store(self, name: str, value: Any) -> str:
        self.stored.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def scaled(self, tensor: str, name: str) -> str:
        """QuantizeLinear and DequantizeLinear, one scale."""
        parts = self.store(f"{name}.s", np.float32(0.1)), self.store(f"{name}.z", np.int8(3))
        return self.add("DequantizeLinear", name, self.add("QuantizeLinear", f"{name}.q", tensor,
                                                           *parts), *parts)  # fmt: skip

    def weights(self, name: str, values: Any, *, int8: bool) -> str:
        """Weights `[out, in, 1, 1]`; int8: a symmetric scale for each `out`."""
        values = np.float32(values)
        if not int8:
            return self.store(name, values)
        scales = np.float32(np.abs(values).max(axis=(1, 2, 3)) / 127)
        whole = np.rint(values / scales[:, None, None, None]).astype(np.int8)
        return self.add(
            "DequantizeLinear",
            name,
            self.store(f"{name}.q", whole),
            self.store(f"{name}.s", scales),
            self.store(f"{name}.z", np.zeros(len(scales), np.int8)),
            axis=0,
        )

    def model(self, output: str, shape: list[int], *, side: int | str = SIDE) -> ModelProto:
        entry = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])
        leaves = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "g", [entry], [leaves], self.stored)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def ramp(out: int, into: int) -> Any:
    return np.linspace(-1, 1, out * into).reshape(out, into, 1, 1)


def activated() -> ModelProto:
    """int8 convolution with Relu fused, pooled, reshaped, and once more convolved."""
    graph = Graph()
    image = graph.scaled("images", "image")
    first = graph.weights("w1", ramp(CHANNELS, 3), int8=True)
    graph.add("Conv", "conv1", image, first, kernel_shape=[1, 1])
    graph.add("MaxPool", "pool", graph.scaled(graph.add("Relu", "relu", "conv1"), "low"),
              kernel_shape=[1, 1])  # fmt: skip
    graph.add("Reshape", "same", "pool", graph.store("shape", [1, CHANNELS, SIDE, SIDE]))
    second = graph.weights("w2", ramp(1, CHANNELS), int8=True)
    graph.add("Conv", "conv2", "same", second, kernel_shape=[1, 1])
    return graph.model("conv2", [1, 1, SIDE, SIDE])


def halfway() -> ModelProto:
    """A convolution whose weights alone are int8, one that is all float, no kernel_shape."""
    graph = Graph()
    graph.add("Conv", "weights_only", "images", graph.weights("w1", ramp(CHANNELS, 3), int8=True))
    graph.add("Conv", "none", "weights_only", graph.weights("w2", ramp(2, CHANNELS), int8=False),
              kernel_shape=[1, 1])  # fmt: skip
    return graph.model("none", [1, 2, SIDE, SIDE])


def expectation(*, int8: bool) -> ModelProto:
    """A convolution with weights 0, 1, 2, … (and one beside it that is nearly so)."""
    graph = Graph()
    image = graph.scaled("images", "image") if int8 else "images"
    bins = np.arange(3).reshape(1, 3, 1, 1)
    graph.add("Conv", "dfl", image, graph.weights("w1", bins, int8=int8), kernel_shape=[1, 1])
    other = graph.weights("w2", bins[:, ::-1], int8=int8)
    graph.add("Conv", "reversed", image, other, kernel_shape=[1, 1])
    graph.add("Add", "sum", "dfl", "reversed")
    return graph.model("sum", [1, 1, SIDE, SIDE])


def foreign() -> ModelProto:
    """An operator of somebody's own, and an input of any size."""
    graph = Graph()
    graph.nodes.append(helper.make_node("Decode", ["images"], ["y"], domain="somebody"))
    model = graph.model("y", [1, 3, SIDE, SIDE], side="any")
    model.opset_import.append(helper.make_opsetid("somebody", 1))
    return model


def told(facts: OnnxFacts) -> dict[str, Any]:
    """What is compared."""
    return {
        "convolutions": {
            c.name: [c.int8, c.weights and c.weights.scales, c.expectation, c.kernel_shape, c.macs]
            for c in facts.convolutions
        },
        "int8": dict(facts.int8),
        "float": [name for _, name in facts.floats],
        "domains": list(facts.domains),
        "fixed": all(None not in tensor.shape for tensor in (*facts.inputs, *facts.outputs)),
    }


def constant_network(path: Path, cells: int, *, score: float, shift: float) -> None:
    """Says the same of every image: boxes 10 wide, 10 apart, moved right by `shift`."""
    rows = np.zeros((1, 5, cells), np.float32)
    rows[0, 0], rows[0, 1] = 10 * np.arange(cells) + shift, 20
    rows[0, 2:4] = 10
    rows[0, 4] = 0.01
    rows[0, 4, 0] = score
    graph = Graph()
    graph.store("rows", rows)
    graph.store("nothing", np.float32(0))
    graph.add("ReduceMean", "mean", "images", keepdims=0)
    graph.add("Mul", "none", "mean", "nothing")
    graph.add("Add", "output0", "rows", "none")
    onnx.save(graph.model("output0", [1, 5, cells]), path)


def compared(folder: Path, *, float_score: float, score: float, shift: float) -> dict[str, Any]:
    """The agreement of two such networks."""
    cells = 6
    networks = folder / "float.onnx", folder / "int8.onnx"
    constant_network(networks[0], cells, score=float_score, shift=0)
    constant_network(networks[1], cells, score=score, shift=shift)
    described = {"name": "output0", "role": "decoded", "stride": None, "shape": [1, 5, cells],
                 "classes": 1, "keypoints": None}  # fmt: skip
    head = {"form": "decoded", "imgsz": SIDE, "outputs": [described]}
    images = np.zeros((3, SIDE, SIDE, 3), np.uint8)
    return vars(agreement(networks, images, head, 0.25, lambda *_: None))


def main(folder: str) -> dict[str, Any]:
    """All of it."""
    place = Path(folder)
    corners = np.array([[0.0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 0, 0]])
    others = np.array([[1.0, 0, 3, 2], [5, 5, 6, 6], [0, 0, 0, 0]])
    return {
        "activated": told(facts_of(activated())),
        "halfway": told(facts_of(halfway())),
        "expectation": told(facts_of(expectation(int8=False))),
        "int8 expectation": told(facts_of(expectation(int8=True))),
        "foreign": told(facts_of(foreign())),
        "close": compared(place, float_score=0.9, score=0.8, shift=2.5),
        "invented": compared(place, float_score=0.1, score=0.8, shift=0),
        "silent": compared(place, float_score=0.1, score=0.0, shift=0),
        "overlaps": overlap(corners, others).tolist(),
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
