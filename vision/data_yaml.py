"""Reads an ultralytics data.yaml: class names, keypoints, and where the splits lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.layout import SPLITS, label_folder


class LayoutError(ValueError):
    """The data.yaml cannot be used; the message names the file, the key and the fix."""


@dataclass(frozen=True)
class Keypoints:
    """What the columns after a pose row's box are."""

    shape: tuple[int, int]
    """How many keypoints, and 3 values each (x, y, visibility) or 2 (x, y)."""
    flip: tuple[int, ...] = ()
    """Keypoint -> the keypoint it becomes in a mirrored image; empty: never mirror."""
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, plain: dict[str, Any]) -> Keypoints:
        """From what a step's params made of it: lists."""
        count, values = plain["shape"]
        return cls((count, values), tuple(plain["flip"]), tuple(plain["names"]))


@dataclass(frozen=True)
class Layout:
    """Where a data set's splits lie: folders or .txt lists, relative to `root`."""

    root: Path
    names: list[str]
    splits: dict[str, list[str]]
    keypoints: Keypoints | None = None
    """None: a detection data set."""


def read_data_yaml(file: Path) -> Layout:
    """Resolves a data.yaml as ultralytics does, a relative `path` against the YAML's folder.

    Raises LayoutError for a file that is no such YAML, for keypoints that do not add up, and for
    splits that do not exist.
    """
    data = _mapping(file)
    names = _names(file, data)
    base = file.parent / Path(str(data.get("path") or "."))
    entries: dict[str, list[Path]] = {}
    for split in SPLITS:
        key = "validation" if split == "val" and "validation" in data else split
        entries[split] = [
            _entry(file, base, split, text) for text in _texts(file, key, data.get(key))
        ]
    root = _root(file, [path for paths in entries.values() for path in paths])
    relative = {
        split: [path.relative_to(root).as_posix() for path in paths]
        for split, paths in entries.items()
    }
    return Layout(root, names, relative, _keypoints(file, data))


def _mapping(file: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except OSError as fault:
        raise LayoutError(f"{file} cannot be read: {fault.strerror}") from fault
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        reason = " ".join(str(fault).split())
        raise LayoutError(f"{file} is no valid YAML: {reason}") from fault
    if not isinstance(data, dict):
        raise LayoutError(f"{file} must hold keys (train, val, names), found {type(data).__name__}")
    return data


def _names(file: Path, data: dict[str, Any]) -> list[str]:
    names, count = data.get("names"), data.get("nc")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise LayoutError(f"{file}: nc: {count!r} must be a whole number from 1")
    if names is None:
        if count is None:
            raise LayoutError(f"{file} has no names; add for instance names: [cat, dog]")
        names = [f"class_{index}" for index in range(count)]
    if isinstance(names, dict):
        if sorted(map(str, names)) != sorted(map(str, range(len(names)))):
            raise LayoutError(
                f"{file}: names must be numbered 0..{len(names) - 1}, found {list(names)}"
            )
        names = [name for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    if not isinstance(names, list) or not names:
        raise LayoutError(f"{file}: names must be a list or numbered mapping, found {names!r}")
    if count is not None and count != len(names):
        raise LayoutError(
            f"{file}: nc is {count}, but there are {len(names)} names; make them agree"
        )
    return [str(name) for name in names]


def _keypoints(file: Path, data: dict[str, Any]) -> Keypoints | None:
    shape, flip = data.get("kpt_shape"), data.get("flip_idx")
    if shape is None:
        if flip is not None:
            raise LayoutError(
                f"{file} has flip_idx but no kpt_shape; add for instance kpt_shape: [{_count(flip)}"
                ", 3], or remove flip_idx"
            )
        return None
    if not _whole(shape) or len(shape) != 2 or shape[0] < 1 or shape[1] not in (2, 3):
        raise LayoutError(
            f"{file}: kpt_shape: {shape!r} must be [keypoints, 3] (x, y, visibility) or "
            "[keypoints, 2] (x, y), for instance [17, 3]"
        )
    count = shape[0]
    if flip is not None and (not _whole(flip) or sorted(flip) != list(range(count))):
        raise LayoutError(
            f"{file}: flip_idx must hold each number 0..{count - 1} once, one for each of the "
            f"{count} keypoints of kpt_shape; found {_count(flip)} values: {flip!r}"
        )
    return Keypoints((count, shape[1]), tuple(flip or ()), _keypoint_names(file, data, count))


def _keypoint_names(file: Path, data: dict[str, Any], count: int) -> tuple[str, ...]:
    """ultralytics writes them by class; here they belong to all classes, so the first speaks."""
    names = data.get("kpt_names")
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    if names is None:
        return ()
    if not isinstance(names, list) or len(names) != count:
        raise LayoutError(
            f"{file}: kpt_names has {_count(names)} names, but kpt_shape says {count} keypoints; "
            "make them agree or remove kpt_names"
        )
    return tuple(str(name) for name in names)


def _whole(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int for value in values)


def _count(values: Any) -> int:
    return len(values) if isinstance(values, list) else 0


def _texts(file: Path, key: str, value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        found = "is missing" if value is None else f"is {value!r}"
        raise LayoutError(
            f"{file}: {key} {found}; give a folder of images, a .txt list, or several"
        )
    return texts


def _entry(file: Path, base: Path, split: str, text: str) -> Path:
    path = Path(os.path.realpath(base / text))
    if not path.exists() and text.startswith("../"):  # exports of some label tools are one off
        path = Path(os.path.realpath(base / text[3:]))
    if not path.exists():
        raise LayoutError(
            f"{file}: {split}: {text} does not exist (looked for {path}); correct {split} or path"
        )
    return path


def _root(file: Path, entries: list[Path]) -> Path:
    """The deepest folder that holds all splits with their labels."""
    holders: list[str] = []
    for path in entries:
        folder = path if path.is_dir() else path.parent
        holders += [str(folder), label_folder(str(folder))]
    root = Path(os.path.commonpath(holders))
    if root == Path(root.anchor):
        raise LayoutError(
            f"{file}: train and val must lie under one folder, found {sorted(holders)}"
        )
    return root
