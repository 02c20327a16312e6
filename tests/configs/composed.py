"""Plans of real configs, for tests: no stage runs, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from edgemake.compose import composed
from edgemake.config import validated
from edgemake.digest import Digests
from edgemake.project import Project
from edgemake.resolve import Resolver
from edgemake.step import Step, in_order
from stages import pipeline
from stages.schema import Config

ROOT = Path(__file__).resolve().parents[2]
PROJECT = Project(ROOT)


@cache
def plain(*overrides: str) -> dict[str, Any]:
    """Of these overrides; for grove_v2 where they choose no target."""
    chosen = any(o.startswith(("target=", "experiment=")) for o in overrides)
    return composed(ROOT / "conf", [*([] if chosen else ["target=grove_v2"]), *overrides])


def keys(values: dict[str, Any]) -> dict[str, str]:
    """Stage -> request key of the plan of one config; `predict` with its tier."""
    config = validated(values, Config)
    planned = pipeline.plan(config)
    edges = (*planned.verdicts, *planned.appendix)
    steps: list[Step] = in_order([planned.package, *(edge.step for edge in edges)])
    resolver = Resolver(PROJECT, Digests(ROOT / "nowhere", writable=False))
    return {named(step): resolver.key(step) for step in steps}


def named(step: Step) -> str:
    """What tells a step from all others of its pipeline."""
    return f"predict {step.label}" if step.stage == "predict" else step.stage


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key -> value of everything in a composed config."""
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, values


def with_leaf(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The config with one leaf changed; dots inside a key are told apart by what is there."""
    changed = node = deepcopy(values)
    rest = path
    while rest not in map(str, node):
        head = next(key for key in node if rest.startswith(f"{key}."))
        node, rest = node[head], rest[len(head) + 1 :]
    node[next(key for key in node if str(key) == rest)] = value
    return changed
