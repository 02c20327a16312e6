"""Why a step runs: the difference of two preimages, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from edgemake.store import Artifact

Facts = Mapping[str, Any]

SHOWN = 60
"""Characters of a value that a reason shows."""


def preimage_changes(old: Facts, new: Facts) -> list[str]:
    """What differs between two preimages of one stage, most telling first.

    Preimages hold `params`, `inputs` ({name: {digest, from, files}}), `sources` and `toolchain`.
    """
    lines = [
        f"{new['stage']}.{key}{_change(before, after)}"
        for key, before, after in _leaves(old.get("params"), new.get("params"))
    ]
    for name, before, after in _items(old.get("inputs"), new.get("inputs")):
        lines.append(f"input {name} {_verb(before, after)}")
    for name, before, after in _items(old.get("sources"), new.get("sources")):
        lines.append(f"source {name} {_verb(before, after)}")
    lines += _toolchain(old.get("toolchain"), new.get("toolchain"))
    return lines


def record_changes(old: Facts, new: Facts) -> list[str]:
    """Like `preimage_changes`, with what records know beside it: which file of an input, which
    package of a toolchain. `old` and `new` have `preimage`, `files` and `packages`."""
    lines = []
    for line in preimage_changes(old["preimage"], new["preimage"]):
        kind, _, rest = line.partition(" ")
        if kind == "input":
            lines += _files(rest.split(" ")[0], old.get("files", {}), new.get("files", {})) or [
                line
            ]
        elif kind == "toolchain" and rest.endswith("changed"):
            packages = _leaves(old.get("packages"), new.get("packages"))
            lines += [
                f"{line[: -len(' changed')]}: {name} {_show(a)} -> {_show(b)}"
                for name, a, b in packages
            ] or [line]
        else:
            lines.append(line)
    return lines


def closest(candidates: Iterable[Artifact], preimage: Facts, label: str) -> Artifact | None:
    """The artifact with the fewest differences, among those of the same label where there are
    any: a stage may do several things in one build. Among equals the latest."""

    def rank(artifact: Artifact) -> tuple[bool, int, float]:
        record = artifact.record
        differences = len(preimage_changes(record["preimage"], preimage))
        return record["label"] != label, differences, -float(record["finished"])

    return min(candidates, key=rank, default=None)


def _files(name: str, old: Facts, new: Facts) -> list[str]:
    """The user's files of one input that differ; empty when that is not known."""
    before, after = old.get(name), new.get(name)
    if not before or not after:
        return []
    lines = [f"input {name}: {path} {_verb(a, b)}" for path, a, b in _items(before, after)]
    more = len(lines) - 5
    return lines if more <= 0 else [*lines[:5], f"input {name}: and {more} more files"]


def _toolchain(old: Facts | None, new: Facts | None) -> list[str]:
    if old == new:
        return []
    name = (new or old or {}).get("name")
    return [f"toolchain {name} {_verb(old, new)}"]


def _items(old: Facts | None, new: Facts | None) -> list[tuple[str, Any, Any]]:
    old, new = old or {}, new or {}
    keys = sorted({*old, *new})
    return [(k, old.get(k), new.get(k)) for k in keys if old.get(k) != new.get(k)]


def _leaves(old: Any, new: Any, prefix: str = "") -> list[tuple[str, Any, Any]]:
    if old == new:
        return []
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found: list[tuple[str, Any, Any]] = []
        for key, before, after in _items(old, new):
            found += _leaves(before, after, f"{prefix}.{key}" if prefix else str(key))
        return found
    return [(prefix, old, new)]


def _verb(before: Any, after: Any) -> str:
    return "added" if before is None else "removed" if after is None else "changed"


def _change(before: Any, after: Any) -> str:
    """Both values; of long lists, whose beginnings are often alike, only that they differ."""
    if any(isinstance(value, list) and len(str(value)) > SHOWN for value in (before, after)):
        return f" {_verb(before, after)}"
    return f": {_show(before)} -> {_show(after)}"


def _show(value: Any) -> str:
    text = "nothing" if value is None else str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
