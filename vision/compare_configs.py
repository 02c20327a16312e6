"""Where configs differ: the leaves that tell builds apart, for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vision.compare_groups import DASH

WITHOUT_EFFECT = ("toolchain.", "train.device", "train.workers", "gate.", "report.", "track.")
"""Keys that change no figure of a model."""
GROUPS = {"model": "name", "target": "name", "dataset": "name", "quant": "kind"}
"""Group -> the leaf that names its option. Where that differs, all that the options say differs:
the name alone is told."""
KEPT = {
    "model": ("imgsz", "activation", "weights", "onnx"),
    "target": ("output",),
    "quant": ("calibration", "weights"),
}
"""Leaves and branches of a group that are the user's choice whatever the option."""
LONGEST = 40

Leaves = dict[str, Any]


def differences(configs: Sequence[Mapping[str, Any] | None]) -> list[tuple[str, list[str]]]:
    """(key, its value in each config) of what differs; a config that is not known has dashes."""
    flat = [None if config is None else dict(_leaves(config)) for config in configs]
    known = [leaves for leaves in flat if leaves is not None]
    keys = list(dict.fromkeys(key for leaves in known for key in leaves))
    found = []
    for key in keys:
        if key.startswith(WITHOUT_EFFECT) or _implied(key, known):
            continue
        told = [
            DASH if leaves is None or key not in leaves else _show(leaves[key]) for leaves in flat
        ]
        if len({text for text, leaves in zip(told, flat, strict=True) if leaves is not None}) > 1:
            found.append((key, told))
    return found


def _told(leaves: Leaves | None, key: str) -> str:
    return DASH if leaves is None or key not in leaves else _show(leaves[key])


def _implied(key: str, known: Sequence[Leaves]) -> bool:
    """Whether another option of the key's group says why the key differs."""
    group, _, rest = key.partition(".")
    name = GROUPS.get(group)
    if name is None or rest == name or rest.split(".")[0] in KEPT.get(group, ()):
        return False
    return len({json.dumps(leaves.get(f"{group}.{name}")) for leaves in known}) > 1


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
