"""What stands in the files of `conf/`, and hints made of it for those who mistyped a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def groups(conf: Path) -> dict[str, list[str]]:
    """Config groups and their options: folder -> files."""
    found: dict[str, list[str]] = {}
    for path in sorted(conf.rglob("*.yaml")):
        if path.parent != conf:
            found.setdefault(path.parent.relative_to(conf).as_posix(), []).append(path.stem)
    return found


def unreadable(error: yaml.MarkedYAMLError) -> str:
    """Where a YAML file is broken, and how."""
    mark = error.problem_mark
    place = f"{mark.name}, line {mark.line + 1}" if mark is not None else "a file of conf/"
    return f"cannot read {place}: {error.problem}"


def other_options(conf: Path, key: str) -> str:
    """A hint for a key that only other options of its group have."""
    group, _, rest = key.partition(".")
    found = [
        f"{group}={option}"
        for option in groups(conf).get(group, [])
        if rest in keys_of(yaml.safe_load((conf / group / f"{option}.yaml").read_text()))
    ]
    return f"; it belongs to {' and '.join(found)}" if found else ""


def full_name(key: str, config: Any) -> str:
    """A hint for a key without its section: imgsz -> model.imgsz."""
    found = [repr(name) for name in keys_of(config) if name.rpartition(".")[2] == key]
    return f"; did you mean {' or '.join(found)}?" if 0 < len(found) <= 4 else ""


def keys_of(config: Any, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a config, sections included."""
    if isinstance(config, dict):
        for key, value in config.items():
            if f"{prefix}{key}" != "hydra":
                yield f"{prefix}{key}"
                yield from keys_of(value, f"{prefix}{key}.")
