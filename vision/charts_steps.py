"""The graph of a build's steps: parents above, what is made of them below."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from vision.charts import COLOUR, chart, shortened
from vision.report_nodes import node_ids

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 118, 38
"""Of a node, points."""
ACROSS, DOWN = 134, 66
"""From one node to the next."""
BEND = 0.3
"""Room that an arrow which passes a row takes there, of a node's."""
SWEEPS = 24
"""Times that each row is put into the order of its neighbours; the order is settled long before."""

Node = int | tuple[int, int, int]
"""A step by its index, or a bend: the edge it lies on, and its row."""
Places = dict[Node, tuple[float, int]]
"""Node -> place in its row, row."""


@dataclass(frozen=True)
class StepNode:
    """A step as the graph shows it."""

    stage: str
    label: str
    parents: tuple[int, ...]
    """Indices of the steps whose outputs it takes."""


def steps_graph(steps: Sequence[StepNode]) -> str:
    """An `<svg>`; each node is a group with the id of `report_nodes.node_ids`.

    Arrows that follow from others are left out: the report takes something of nearly every step.
    """
    edges = _edges(steps)
    places = _places(len(steps), edges)
    ids = node_ids((step.stage, step.label) for step in steps)
    widest = max(x for x, _ in places.values())
    tall = HEIGHT + 8 + DOWN * max(row for _, row in places.values())

    def paint(figure: Figure) -> None:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(
            xlim=(-ACROSS / 2, (widest + 0.5) * ACROSS),
            ylim=(tall - HEIGHT / 2 - 4, -HEIGHT / 2 - 4),
        )
        for edge in edges:
            _arrow(axes, [places[node] for node in _path(edge, places)])
        for number, (name, step) in enumerate(zip(ids, steps, strict=True)):
            _box(axes, name, step, *places[number])

    about = "Steps of the build and what they take of each other; the table below lists them"
    return chart("steps", about, (widest + 1) * ACROSS, tall, paint)


def _edges(steps: Sequence[StepNode]) -> list[tuple[int, int]]:
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(steps)))
    graph.add_edges_from((p, i) for i, step in enumerate(steps) for p in step.parents)
    return sorted(nx.transitive_reduction(graph).edges)


def _places(count: int, edges: Sequence[tuple[int, int]]) -> Places:
    """Layered drawing (Sugiyama, Tagawa, Toda 1981): rows by longest path, bends where an edge
    passes a row, each row in the order of its neighbours' mean places."""
    rows = _rows(count, edges)
    layers: list[list[Node]] = [[] for _ in range(1 + max(rows))]
    for number, row in enumerate(rows):
        layers[row].append(number)
    around: dict[Node, list[Node]] = {}
    for one, other in edges:
        chain: list[Node] = [one]
        for row in range(rows[one] + 1, rows[other]):
            layers[row].append((one, other, row))
            chain.append((one, other, row))
        chain.append(other)
        for above, below in pairwise(chain):
            around.setdefault(above, []).append(below)
            around.setdefault(below, []).append(above)
    return _settled(layers, around)


def _rows(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """As far down as the first step that takes it allows: short arrows."""
    import networkx as nx

    graph = nx.DiGraph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from(edges)
    rows = [0] * count
    for row, layer in enumerate(nx.topological_generations(graph)):
        for number in layer:
            rows[number] = row
    for number in reversed(list(nx.topological_sort(graph))):
        if below := [rows[child] for child in graph.successors(number)]:
            rows[number] = min(below) - 1
    return rows


def _settled(layers: list[list[Node]], around: Mapping[Node, Sequence[Node]]) -> Places:
    """Places by repeated sweeps: each node where its neighbours are in the mean."""
    at: dict[Node, float] = {node: float(i) for layer in layers for i, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 else layers[::-1]:
            wanted = {node: _mean([at[other] for other in around.get(node, ())], at[node])
                      for node in layer}  # fmt: skip
            layer.sort(key=lambda node: (wanted[node], str(node)))
            at |= _apart([(node, wanted[node]) for node in layer])
    left = min(at.values())
    return {node: (at[node] - left, row) for row, layer in enumerate(layers) for node in layer}


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _apart(wanted: Sequence[tuple[Node, float]]) -> dict[Node, float]:
    """Rising places for which nothing overlaps, in the mean where they are wanted."""
    placed: dict[Node, float] = {}
    edge = -math.inf
    for node, place in wanted:
        half = BEND / 2 if isinstance(node, tuple) else 0.5
        placed[node] = max(place, edge + half)
        edge = placed[node] + half
    shift = (sum(placed.values()) - sum(place for _, place in wanted)) / len(placed)
    return {node: place - shift for node, place in placed.items()}


def _path(edge: tuple[int, int], places: Places) -> list[Node]:
    bends = [node for node in places if isinstance(node, tuple) and node[:2] == edge]
    return [edge[0], *sorted(bends, key=lambda node: node[2]), edge[1]]


def _arrow(axes: Any, points: Sequence[tuple[float, int]]) -> None:
    """A smooth line from the foot of one node to the head of another, through its bends."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    x, row = points[0]
    vertices = [(x * ACROSS, row * DOWN + HEIGHT / 2)]
    codes = [Path.MOVETO]
    for x, row in points[1:]:
        last = row == points[-1][1]
        end = (x * ACROSS, row * DOWN - HEIGHT / 2 - (1 if last else 0))
        start, half = vertices[-1], (vertices[-1][1] + end[1]) / 2
        vertices += [(start[0], half), (end[0], half), end]
        codes += [Path.CURVE4] * 3
        if not last:
            vertices.append((x * ACROSS, row * DOWN + HEIGHT / 2))
            codes.append(Path.LINETO)
    axes.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes), arrowstyle="-|>", mutation_scale=8, lw=1.1,
            color=COLOUR["muted"], fill=False,
        )
    )  # fmt: skip


def _box(axes: Any, name: str, step: StepNode, x: float, row: int) -> None:
    from matplotlib.patches import FancyBboxPatch

    left, top = x * ACROSS - WIDTH / 2, row * DOWN - HEIGHT / 2
    box = FancyBboxPatch((left, top), WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=6",
                         fc=COLOUR["surface"], ec=COLOUR["muted"], lw=1.2, gid=name)  # fmt: skip
    axes.add_patch(box)
    axes.text(x * ACROSS, row * DOWN - 3, step.stage, ha="center", va="bottom", fontweight="bold")
    axes.text(x * ACROSS, row * DOWN + 3, shortened(step.label, 21), ha="center", va="top",
              fontsize=8.5, color=COLOUR["muted"])  # fmt: skip
