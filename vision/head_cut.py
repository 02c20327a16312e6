"""Finds where a YOLOv8 network's branches end and its decoding begins, and cuts there.

Found by structure, never by names, which change between ultralytics versions. Walking back from
the graph's output, the first convolutions met are the branches' last ones; the one that only
takes an expectation (distribution focal loss: a 1x1 convolution with weights 0, 1, 2, …) is
walked through. What the decoding does on the way says what a branch holds: behind the
expectation lie boxes, behind arithmetic keypoints, behind nothing but a sigmoid classes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

    Shapes: TypeAlias = dict[str, list[int]]

ROLES = ("box", "class", "keypoints")
BOX_ROWS = 4
"""Rows of the decoded output before the scores: centre x, y, width, height."""
KEYPOINT_VALUES = (2, 3)
"""x, y and perhaps visibility."""
EXPECTATION, ARITHMETIC, SIGMOID = "expectation", "arithmetic", "sigmoid"
MARKS = {
    "Mul": ARITHMETIC, "Add": ARITHMETIC, "Sub": ARITHMETIC, "Div": ARITHMETIC, "Sigmoid": SIGMOID,
}  # fmt: skip
"""Operators whose presence on the way to a branch says what it holds."""


@dataclass(frozen=True)
class Branch:
    """The end of one branch: `tensor` is a convolution's output `[1, channels, side, side]`."""

    role: str
    """One of ROLES."""
    tensor: str
    channels: int
    side: int


@dataclass(frozen=True)
class Head:
    """A network's branches."""

    imgsz: int
    """Side of the network's input, pixels."""
    branches: tuple[Branch, ...]
    """Boxes, classes, keypoints; fine before coarse."""
    keypoints: tuple[int, int] | None
    """How many keypoints, and values of each; None: a detection network."""

    def of(self, role: str) -> list[Branch]:
        """The branches of a role, fine before coarse."""
        return [branch for branch in self.branches if branch.role == role]

    def stride(self, branch: Branch) -> int:
        """Pixels a cell."""
        return self.imgsz // branch.side

    @property
    def classes(self) -> int:
        """How many classes it tells apart."""
        return self.of("class")[0].channels

    @property
    def cells(self) -> int:
        """N: the cells of all strides."""
        return sum(branch.side**2 for branch in self.of("box"))

    @property
    def rows(self) -> int:
        """Rows of the decoded output `[1, rows, N]`."""
        points, values = self.keypoints or (0, 0)
        return BOX_ROWS + self.classes + points * values


def find_head(model: ModelProto) -> Head:
    """The branches of a detection or pose network, exported with its decoding and without NMS.

    Raises ValueError, in words, for any other network.
    """
    if len(model.graph.output) != 1:
        raise ValueError(
            f"it has {len(model.graph.output)} outputs, not one, as segmentation networks have"
        )
    shapes = _shapes(model)
    output = shapes[model.graph.output[0].name]
    if len(output) == 2:
        raise ValueError(f"its output is {output}, as of classification networks")
    imgsz = _input_side(shapes[model.graph.input[0].name])
    found = _last_convolutions(model.graph, shapes)
    branches = [_branch(tensor, marks, shapes[tensor]) for tensor, marks in found.items()]
    branches.sort(key=lambda b: (ROLES.index(b.role), -b.side, b.tensor))
    _levels(branches)
    points = [branch.channels for branch in branches if branch.role == "keypoints"]
    head = Head(imgsz, tuple(branches), None)
    if points:
        head = replace(head, keypoints=_keypoint_shape(points[0], head.cells, shapes))
    if output != [1, head.rows, head.cells]:
        raise ValueError(
            f"its output is {output}, not [1, {head.rows}, {head.cells}]: it must be exported "
            "without NMS, with its decoding and nothing more"
        )
    return head


def _input_side(shape: list[int]) -> int:
    if len(shape) != 4 or shape[:2] != [1, 3] or shape[2] != shape[3] or shape[2] < 1:
        raise ValueError(f"its input is {shape}, not [1, 3, S, S] of a fixed, square size")
    return shape[2]


def _branch(tensor: str, marks: set[str], shape: list[int]) -> Branch:
    if len(shape) != 4 or shape[2] != shape[3]:
        raise ValueError(f"a branch is of shape {shape}, not square cells")
    if EXPECTATION in marks:
        role = "box"
    elif ARITHMETIC in marks:
        role = "keypoints"
    elif SIGMOID in marks:
        role = "class"
    else:
        raise ValueError(
            f"a branch of {shape[1]} channels goes into the output as it is, as segmentation "
            "networks' do"
        )
    return Branch(role, tensor, shape[1], shape[2])


def _levels(branches: list[Branch]) -> None:
    """Raises ValueError unless boxes and classes, and keypoints if any, come on the same grids."""
    sides = {role: [b.side for b in branches if b.role == role] for role in ROLES}
    if not sides["box"]:
        raise ValueError("none of its branches states box sides as distributions, as YOLOv8's do")
    for role in ROLES:
        if len({b.channels for b in branches if b.role == role}) > 1:
            raise ValueError(f"its {role} branches differ in their channels")
    same = sides["box"] == sides["class"] and sides["keypoints"] in ([], sides["box"])
    if not same:
        told = ", ".join(f"{role} branches of {sides[role] or 'no'} cells a side" for role in ROLES)
        raise ValueError(told)


def _keypoint_shape(channels: int, cells: int, shapes: Shapes) -> tuple[int, int]:
    """(keypoints, values of each): the decoding lays them out as `[1, K, D, N]`."""
    for shape in shapes.values():
        laid_out = len(shape) == 4 and shape[3] == cells and shape[2] in KEYPOINT_VALUES
        if laid_out and shape[1] * shape[2] == channels:
            return shape[1], shape[2]
    raise ValueError(
        f"branches of {channels} channels that are neither classes nor keypoints; those of "
        "oriented boxes are angles"
    )


# --- the walk -----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Place:
    """Where the walk stands."""

    tensor: str
    channels: tuple[int, int] | None
    """Which part of axis 1 is asked for, first and end; None: all, or axis 1 is no channel."""
    marks: frozenset[str]
    """What was met on the way here."""


def _last_convolutions(graph: GraphProto, shapes: Shapes) -> dict[str, set[str]]:
    """Outputs of the first convolutions met from behind, and the marks of all ways to them."""
    maker = {output: node for node in graph.node for output in node.output}
    waiting = [_Place(output.name, None, frozenset()) for output in graph.output]
    found: dict[str, set[str]] = defaultdict(set)
    seen = set()
    while waiting:
        place = waiting.pop()
        node = maker.get(place.tensor)
        if node is None or place in seen or node.op_type == "Shape":  # a shape carries no values
            continue
        seen.add(place)
        mark = MARKS.get(node.op_type)
        if node.op_type == "Conv":
            if not _is_expectation(node, graph):
                found[place.tensor] |= place.marks
                continue
            mark = EXPECTATION
        marks = place.marks | {mark} if mark else place.marks
        waiting += [replace(before, marks=marks) for before in _before(node, place, shapes)]
    return found


def _before(node: NodeProto, place: _Place, shapes: Shapes) -> Iterator[_Place]:
    """The inputs that a place's channels come from.

    ultralytics 8.3 joins the boxes and classes of a stride and splits them again later: without
    a look at the channels, classes would seem to lie behind the expectation.
    """
    first, end = place.channels or (0, shapes[place.tensor][1] if place.channels else 0)
    if node.op_type == "Split" and _axis(node, shapes) == 1:
        sizes = [shapes[name][1] for name in node.output]
        at = list(node.output).index(place.tensor)
        start = sum(sizes[:at])
        asked = (start + first, start + (end or sizes[at]))
        yield replace(place, tensor=node.input[0], channels=asked)
    elif node.op_type == "Concat" and _axis(node, shapes) == 1 and place.channels:
        start = 0
        for name in node.input:
            size = shapes[name][1]
            low, high = max(first - start, 0), min(end - start, size)
            if low < high:
                yield replace(place, tensor=name, channels=(low, high))
            start += size
    else:
        keeps = place.channels and node.op_type in ("Concat", "Reshape", "Sigmoid")
        for name in node.input:
            same = keeps and _channels(shapes.get(name)) == _channels(shapes[place.tensor])
            yield replace(place, tensor=name, channels=place.channels if same else None)


def _channels(shape: list[int] | None) -> int | None:
    return shape[1] if shape is not None and len(shape) > 1 else None


def _axis(node: NodeProto, shapes: Shapes) -> int:
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    return axis if axis >= 0 else axis + len(shapes[node.input[0]])


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


def _shapes(model: ModelProto) -> Shapes:
    """Tensor name -> shape, as ONNX's shape inference gives them."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    return {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output, *graph.input)
    }
