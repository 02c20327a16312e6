"""Where a tensor lies is told by the graph; a layer's name by ONNX's."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from vision.branches import End, Graph, Operator, Place, layer_of

SIDE = 64


def chain(*names: str, kind: str = "CONV_2D", layer: str = "") -> list[Operator]:
    """Operators one after the other, each between two of these tensors."""
    return [Operator(kind, (one,), (other,), layer) for one, other in pairwise(names)]


def silu(taken: str, made: str) -> list[Operator]:
    """x * sigmoid(x)"""
    gate = f"{made}_gate"
    return [Operator("LOGISTIC", (taken,), (gate,)), Operator("MUL", (taken, gate), (made,))]


def trunk() -> list[Operator]:
    """Two strides of a backbone, the coarse one enlarged and joined to the fine one."""
    return [
        *chain("images", "fine", layer="model.1"),
        *chain("fine", "coarse", layer="model.2"),
        *chain("coarse", "large", kind="RESIZE_NEAREST_NEIGHBOR"),
        Operator("CONCATENATION", ("large", "fine"), ("joined",)),
        *chain("joined", "neck", layer="model.4"),
    ]


def branch(role: str, taken: str, stride: int, layer: str) -> list[Operator]:
    """Two convolutions with an activation between, then the order of axes that boards read."""
    first, active, last = (f"{role}_{stride}_{part}" for part in ("first", "active", "last"))
    return [
        *chain(taken, first, layer=f"{layer}.0"),
        *silu(first, active),
        *chain(active, last, layer=f"{layer}.1"),
        *chain(last, f"{role}_{stride}", kind="RESHAPE"),
    ]


def maps(operators: list[Operator], channels: int = 16) -> dict[str, list[int]]:
    """Shapes in which names say the stride."""
    found = {}
    for operator in operators:
        for name in operator.outputs:
            stride = 16 if "16" in name or name == "coarse" else 8
            found[name] = [1, SIDE // stride, SIDE // stride, channels]
    return found


def raw() -> Graph:
    operators = trunk()
    for index, (taken, stride) in enumerate((("neck", 8), ("coarse", 16))):
        operators += branch("box", taken, stride, f"model.5.cv2.{index}")
        operators += branch("class", taken, stride, f"model.5.cv3.{index}")
    outputs = [(role, stride) for role in ("box", "class") for stride in (8, 16)]
    head = {
        "imgsz": SIDE, "classes": 3, "keypoints": None,
        "outputs": [
            {"name": f"{role}_{stride}", "role": role, "stride": stride, "shape": []}
            for role, stride in outputs
        ],
    }  # fmt: skip
    return Graph(operators, maps(operators), [f"{r}_{s}" for r, s in outputs], head)


def test_a_branch_is_what_reaches_one_output_alone() -> None:
    places = raw().places()
    assert places["box_8_first"] == Place("model.5.cv2.0.0", "box", 8)
    assert places["class_16_active"] == Place("model.5.cv3.1.0", "class", 16)
    assert places["class_16_active_gate"].branch == "class"
    assert places["box_16"] == Place("model.5.cv2.1.1", "box", 16)


def test_the_neck_begins_where_a_map_is_enlarged() -> None:
    places = raw().places()
    assert {name: places[name].branch for name in ("images", "fine", "coarse")} == dict.fromkeys(
        ("images", "fine", "coarse"), "backbone"
    )
    assert {places[name].branch for name in ("large", "joined", "neck")} == {"neck"}
    assert {places[name].stride for name in ("fine", "coarse", "neck")} == {None}


def test_layers_of_operators_without_a_name() -> None:
    places = raw().places()
    assert places["large"].layer == "model.2"
    assert places["joined"].layer == "before model.4"
    bottleneck = Graph(
        [
            *chain("images", "one", layer="model.2.cv1"),
            *chain("one", "two", layer="model.2.m.0.cv2"),
            Operator("ADD", ("one", "two"), ("sum",)),
            *chain("sum", "box_8", layer="model.3"),
        ],
        {},
        ["box_8"],
        {"imgsz": SIDE, "outputs": [{"name": "box_8", "role": "box", "stride": 8}]},
    )
    assert bottleneck.places()["sum"].layer == "model.2"


def decoded(keypoints: list[int] | None = None) -> Graph:
    """Boxes through a softmax, scores through a sigmoid, all in one output."""
    operators = trunk()
    for index, (taken, stride) in enumerate((("neck", 8), ("coarse", 16))):
        for role, name in (("box", "cv2"), ("class", "cv3"), ("points", "cv4")):
            if role != "points" or keypoints:
                operators += branch(role, taken, stride, f"model.5.{name}.{index}")
    join = [
        Operator("CONCATENATION", ("box_8", "box_16"), ("boxes",)),
        *chain("boxes", "bins", kind="SOFTMAX"),
        *chain("bins", "sides"),
        Operator("CONCATENATION", ("class_8", "class_16"), ("logits",)),
        *chain("logits", "scores", kind="LOGISTIC"),
    ]
    last = ["sides", "scores"]
    if keypoints:
        join += [
            Operator("CONCATENATION", ("points_8", "points_16"), ("points",)),
            *chain("points", "places", kind="ADD"),
            *chain("points", "seen", kind="LOGISTIC"),
        ]
        last += ["places", "seen"]
    operators += [*join, Operator("CONCATENATION", tuple(last), ("decoded",))]
    shapes = maps(operators) | {"logits": [1, 3, 80], "points": [1, 17, 3, 80]}
    entry: dict[str, Any] = {"name": "decoded", "role": "decoded", "stride": None, "shape": []}
    head: dict[str, Any] = {
        "imgsz": SIDE, "classes": 3, "keypoints": keypoints, "outputs": [entry],
    }  # fmt: skip
    return Graph(operators, shapes, ["decoded"], head)


def test_branches_of_one_decoded_output_end_where_decoding_begins() -> None:
    graph = decoded()
    assert {(end.tensor, end.branch) for end in graph.ends()} == {
        ("boxes", "box"),
        ("logits", "class"),
    }
    places = graph.places()
    assert places["box_8_first"] == Place("model.5.cv2.0.0", "box", 8)
    assert places["class_16_last"] == Place("model.5.cv3.1.1", "class", 16)
    assert places["neck"].branch == "neck"
    assert {places[name].branch for name in ("bins", "sides", "scores", "decoded")} == {"decode"}


def test_visibilities_are_no_scores() -> None:
    graph = decoded([17, 3])
    assert ("points", "keypoint") in {(end.tensor, end.branch) for end in graph.ends()}
    places = graph.places()
    assert places["points_16_last"] == Place("model.5.cv4.1.1", "keypoint", 16)
    assert places["class_8_last"].branch == "class"


def test_attention_is_no_end() -> None:
    """A softmax or a gate inside the network lies before the ends."""
    graph = decoded()
    inner = [
        *chain("images", "asked", kind="SOFTMAX"),
        *chain("asked", "gate", kind="LOGISTIC"),
        Operator("ADD", ("asked", "gate"), ("fed",)),
        *chain("fed", "fine", layer="model.1"),
    ]
    whole = Graph([*inner, *graph.operators[1:]], graph.shapes, graph.outputs, graph.head)
    assert whole.ends() == graph.ends()
    assert whole.places()["asked"].branch == "backbone"


def test_a_network_without_decoding_ends_at_its_outputs() -> None:
    """Whatever softmax there is, is attention."""
    graph = raw()
    inner = [*chain("images", "asked", kind="SOFTMAX"), *chain("asked", "fine", layer="model.1")]
    whole = Graph([*inner, *graph.operators[1:]], graph.shapes, graph.outputs, graph.head)
    assert [end.tensor for end in whole.ends()] == list(graph.outputs)
    assert whole.places()["asked"].branch == "backbone"


def test_outputs_lead_back_to_what_was_compared() -> None:
    graph = decoded()
    known = [name for op in graph.operators if op.kind == "CONV_2D" for name in op.outputs]
    assert graph.back_to("logits", known) == ["class_8_last", "class_16_last"]
    assert graph.back_to("boxes", [*known, "boxes"]) == ["boxes"]
    assert graph.back_to("scores", known) == []  # a sigmoid computes
    assert End("logits", "class", None) in graph.ends()


@pytest.mark.parametrize(
    ("node", "layer"),
    [
        ("/model.22/cv2.0/cv2.0.2/Conv", "model.22.cv2.0.2"),
        ("/model.2/m.0/cv1/conv/Conv", "model.2.m.0.cv1"),
        ("/model.0/act/Sigmoid", "model.0"),
        ("/model.22/dfl/conv/Conv", "model.22.dfl"),
        ("Conv_12", "Conv_12"),
        ("", ""),
    ],
)
def test_layers_are_named_as_in_the_checkpoint(node: str, layer: str) -> None:
    assert layer_of(node) == layer
