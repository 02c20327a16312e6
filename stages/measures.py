"""Figures of a deliverable that a search can aim at, by the names that its JSON files give them.

`figures.arena_bytes` is in model.json; everything else is in metrics.json, where `board.final` and
`board.reference` are names of tiers, and stand for these tiers here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.delivery import Measures
from edgemake.step import Output

if TYPE_CHECKING:
    from stages.schema import Config

METRICS = "metrics.json"
COST = {
    "tflite": ("flash_bytes", "arena_bytes"),
    "npu": ("npu_percent", "latency_ms"),
    "onnx": (
        "flash_bytes", "macs", "int8_percent", "float_operators", "score_difference", "box_overlap",
    ),
}  # fmt: skip
"""Kind of target, or what it has -> keys of model.json's `figures`."""
KINDS = ("box", "keypoints")
COUNTED = ("map50_95", "map50")
SHOWN = ("precision", "recall", "f1")
"""At the firmware's threshold."""
COMPARABLE = ("pytorch", "onnx")
REFERENCE = "cut_onnx"
FINAL = ("tflm", "litert", "q_onnx")
"""Tiers: of the table of that name, the float one that int8 is held against, and those that stand
for the board's file."""


def of(config: Config, appendix: Sequence[Output]) -> Measures:
    """What the deliverable of a config will tell. `appendix`: as it is planned."""
    target: Any = config.target
    cost = COST[target.kind] + (COST["npu"] if getattr(target, "vela", None) else ())
    kinds = KINDS if config.model.task == "pose" else KINDS[:1]
    return Measures(tuple(_names(cost, _tiers(appendix), kinds)), look)


def every() -> tuple[str, ...]:
    """Every name that any deliverable knows."""
    cost = dict.fromkeys(name for names in COST.values() for name in names)
    return tuple(_names(tuple(cost), (*COMPARABLE, REFERENCE, *FINAL), KINDS))


def look(folder: Path, name: str) -> float | None:
    """A figure of the deliverable in `folder`; None where it has none of that name."""
    file = folder / ("model.json" if name.startswith("figures.") else METRICS)
    if not file.exists():
        return None
    node: Any = json.loads(file.read_bytes())
    for key in name.split("."):
        above, node = node, node.get(key) if isinstance(node, dict) else None
        if isinstance(node, str) and key in ("final", "reference"):
            node = above["tiers"].get(node)
    return float(node) if isinstance(node, int | float) else None


def _names(cost: Sequence[str], tiers: Sequence[str], kinds: Sequence[str]) -> Iterator[str]:
    means = [f"{kind}.{counted}" for kind in kinds for counted in COUNTED]
    shown = [*means, *(f"at_threshold.{name}" for name in SHOWN)]
    final = [tier for tier in FINAL if tier in tiers]
    if final:
        yield from (f"board.final.{name}" for name in shown)
    if final and REFERENCE in tiers:
        yield from (f"board.drop.{name}" for name in means)
    yield from (f"figures.{name}" for name in cost)
    if REFERENCE in tiers:
        yield from (f"board.reference.{name}" for name in shown)
    for tier in tiers:
        table, told = ("comparable", means) if tier in COMPARABLE else ("board", shown)
        yield from (f"{table}.tiers.{tier}.{name}" for name in told)


def _tiers(appendix: Sequence[Output]) -> list[str]:
    """Those that the evaluation holds side by side."""
    end = ".npz"
    steps = [output.step for output in appendix if output.path == METRICS]
    return [
        name.removesuffix(end)
        for step in steps
        for name in step.inputs
        if name.endswith(end) and not name.endswith(f"_outputs{end}")
    ]
