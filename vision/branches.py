"""Which part of a network a tensor belongs to: backbone, neck, or a branch of one stride.

Told by the graph, not by names: a tensor whose values can only reach the boxes of stride 8 lies
in that branch, one that reaches several branches in the trunk. Where outputs hold boxes and scores
together, the branches end where their decoding begins: at the last softmax (distribution focal
loss) and the last sigmoids. Of names there remain the labels, for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BACKBONE, NECK, DECODE = "backbone", "neck", "decode"
BOX, CLASS, KEYPOINT = "box", "class", "keypoint"
BRANCHES = {
    "box": BOX, "class": CLASS, "score": CLASS, "score_sum": CLASS, "keypoints": KEYPOINT,
}  # fmt: skip
"""Role of an output in head.json -> the branch that ends there."""
RAW = {"box", "class", "keypoints"}
"""Roles of outputs in networks that decode nothing."""
RESIZES = ("RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR", "Resize", "Upsample")
"""A YOLO neck begins where a coarse map is first enlarged."""
SOFTMAXES, SIGMOIDS = ("SOFTMAX", "Softmax"), ("LOGISTIC", "Sigmoid")
PRODUCTS = ("MUL", "Mul")
"""Behind a sigmoid they make an activation, x * sigmoid(x), or a gate."""
MOVES = (
    "RESHAPE", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V", "PAD", "PADV2",
    "EXPAND_DIMS", "SQUEEZE", "GATHER", "PACK", "UNPACK", "QUANTIZE",
    "Reshape", "Transpose", "Slice", "Split", "Pad", "Unsqueeze", "Squeeze", "Gather", "Identity",
)  # fmt: skip
"""Operators that move values and compute none: what they make is no activation of its own."""
JOINS = ("CONCATENATION", "Concat")
STRIDES = (8, 16, 32, 64)
"""Of YOLO's branches, pixels a cell."""
MAP = 4
"""Axes of a map: batch, channels and two sides, in either order."""
SUFFIXES = ("conv", "act")
"""Parts of a layer's name that say less than the operator's kind."""


@dataclass(frozen=True)
class Operator:
    """One operator; constants are not among its inputs."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    layer: str = ""
    """The layer's dotted name, for instance model.22.cv2.0.2; empty where the file has none."""


@dataclass(frozen=True)
class Place:
    """Where a tensor lies."""

    layer: str
    branch: str
    stride: int | None
    """Of a branch, pixels a cell; None in the trunk and where strides are joined."""


@dataclass(frozen=True)
class End:
    """A tensor at which a branch ends."""

    tensor: str
    branch: str
    stride: int | None


@dataclass(frozen=True)
class Graph:
    """A network as far as its parts are told by it; operators lie in the order of their run."""

    operators: Sequence[Operator]
    shapes: Mapping[str, Sequence[int]]
    outputs: Sequence[str]
    """In the order of head.json."""
    head: Mapping[str, Any]
    """head.json."""

    def ends(self) -> list[End]:
        """Where branches end, in the order of the outputs; those inside come first."""
        inner = self._decoded_ends()
        roles = [
            End(tensor, BRANCHES[entry["role"]], entry["stride"])
            for tensor, entry in zip(self.outputs, self.head["outputs"], strict=True)
            if entry["role"] in BRANCHES
        ]
        return [*inner, *roles]

    def _decoded_ends(self) -> list[End]:
        """What the last softmax and the last sigmoids of the network take, first one first.

        None in a network that leaves all decoding to the board: its last softmax is attention.
        """
        if {entry["role"] for entry in self.head["outputs"]} <= RAW:
            return []
        ends: list[End] = []
        ahead: set[str] = set()
        gated = {t for op in self.operators if op.kind in PRODUCTS for t in op.inputs}
        for operator in reversed(self.operators):
            behind = bool(ahead.intersection(operator.outputs))
            gate = operator.kind in SIGMOIDS and not gated.isdisjoint(operator.outputs)
            if operator.kind in (*SOFTMAXES, *SIGMOIDS) and not behind and not gate:
                ends.append(self._end(operator))
                behind = True
            if behind:
                ahead.update(operator.inputs)
        return ends[::-1]

    def _end(self, operator: Operator) -> End:
        [taken] = operator.inputs
        branch = BOX
        if operator.kind in SIGMOIDS:
            points = self.head["keypoints"]
            # Of a decoded pose: one visibility for each keypoint, or one score for each class.
            seen = points is not None and points[0] in self.shapes[taken]
            branch = KEYPOINT if seen and points[0] != self.head["classes"] else CLASS
        return End(taken, branch, self._stride(taken))

    def _stride(self, tensor: str) -> int | None:
        """The stride at which a square map has this shape; None: it is no map."""
        side, shape = self.head["imgsz"], list(self.shapes.get(tensor, ()))
        maps = (stride for stride in STRIDES if shape.count(side // stride) >= 2)
        return next(maps, None) if len(shape) == MAP else None

    def places(self) -> dict[str, Place]:
        """Tensor -> where it lies, for what any operator makes."""
        reached, enlarged, layers = self._reached(), self._enlarged(), self._layers()
        places = {}
        for tensor, ends in reached.items():
            branches = {end.branch for end in ends}
            strides = {end.stride for end in ends}
            stride = None
            if len(branches) == 1:
                [branch] = branches
                stride = strides.pop() if len(strides) == 1 else None
                stride = stride or self._stride(tensor)
            elif branches:
                branch = NECK if tensor in enlarged else BACKBONE
            else:
                branch = DECODE
            places[tensor] = Place(layers.get(tensor, ""), branch, stride)
        return places

    def _reached(self) -> dict[str, set[End]]:
        """Tensor -> the ends its values can reach, none behind the first."""
        ends: dict[str, set[End]] = {}
        for end in self.ends():
            ends.setdefault(end.tensor, {end})  # an inner end is also behind it: the first counts
        reached = dict(ends)
        for operator in reversed(self.operators):
            through: set[End] = set()
            for tensor in operator.outputs:
                through |= reached.setdefault(tensor, set())
            for tensor in operator.inputs:
                if tensor not in ends:
                    reached[tensor] = reached.get(tensor, set()) | through
        return reached

    def _enlarged(self) -> set[str]:
        """Tensors that come of an enlarged one."""
        found: set[str] = set()
        for operator in self.operators:
            if operator.kind in RESIZES or found.intersection(operator.inputs):
                found.update(operator.outputs)
        return found

    def _layers(self) -> dict[str, str]:
        """Tensor -> the layer it comes of: its operator's, else what its inputs have in common,
        else the layer that takes it."""
        layers: dict[str, str] = {}
        taker: dict[str, str] = {}
        for operator in reversed(self.operators):
            into = operator.layer or next((taker[t] for t in operator.outputs if t in taker), "")
            taker |= dict.fromkeys(operator.inputs, into)
        for operator in self.operators:
            known = [layers[tensor] for tensor in operator.inputs if layers.get(tensor)]
            common = operator.layer or _common(known)
            for tensor in operator.outputs:
                into = taker.get(tensor, "")
                layers[tensor] = common or (f"before {into}" if into else "")
        return layers

    def back_to(self, tensor: str, known: Iterable[str]) -> list[str]:
        """The nearest tensors among `known` whose values a tensor holds, moved or joined only."""
        makers = {made: operator for operator in self.operators for made in operator.outputs}
        wanted, found, pending = set(known), list[str](), [tensor]
        while pending:
            name = pending.pop(0)
            maker = makers.get(name)
            if name in wanted:
                found.append(name)
            elif maker is not None and maker.kind in (*MOVES, *JOINS):
                pending += maker.inputs
        return found


def _common(layers: Sequence[str]) -> str:
    """The module that layers share, for instance model.2 of model.2.cv1 and model.2.m.0.cv2."""
    if any(layer.startswith("before ") for layer in layers):
        return ""
    parts: list[str] = []
    for column in zip(*(layer.split(".") for layer in layers), strict=False):
        if len(set(column)) > 1:
            break
        parts.append(column[0])
    return ".".join(parts) if len(parts) > 1 or len(set(layers)) == 1 else ""


def layer_of(node: str) -> str:
    """An ONNX node's name as the layer's: /model.22/cv2.0/cv2.0.2/Conv -> model.22.cv2.0.2.

    Exporters write each module's path, and lists of modules twice. Another name stays as it is.
    """
    parts = node.strip("/").split("/")
    if len(parts) < 2:
        return node
    *modules, _ = parts
    while len(modules) > 1 and modules[-1] in SUFFIXES:
        modules.pop()
    pairs = zip(modules, [*modules[1:], ""], strict=True)
    return ".".join(part for part, following in pairs if not following.startswith(f"{part}."))
