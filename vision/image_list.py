"""The user's own images: a list file or a folder, and the choice among them. Core Python only."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from vision.image_lines import entries, image_of, why_not

T = TypeVar("T")

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
SHOWN = 20
"""Faults listed in one message."""


@dataclass(frozen=True)
class UserImage:
    """An image of the user's: `name` as it stands in the list or lies in the folder."""

    name: str
    path: Path


@dataclass(frozen=True)
class Found:
    """What a list or a folder names, each image once, in the list's order or sorted."""

    images: list[UserImage]
    repeated: list[str]
    """Names of images that the list names more than once."""


def choose(items: Sequence[T], count: int, seed: int | None) -> list[T]:
    """`count` of `items` in their order, drawn with `seed`; without a seed the first."""
    if len(items) <= count:
        return list(items)
    if seed is None:
        return list(items[:count])
    picked = sorted(random.Random(seed).sample(range(len(items)), count))
    return [items[i] for i in picked]


def user_images(source: str) -> Found:
    """The images that a list file or a folder names.

    A list file has one path a line, relative to the list's own folder or absolute; blank lines
    and lines that begin with `#` are skipped, an image named twice counts once. A folder is
    searched with its subfolders for files with a picture's suffix. No name holds a place: that of
    an absolute path is relative to the list, or to what all beyond its folder share. Raises
    ValueError, naming list, line and file, when there is no image, or one is missing, empty or
    cannot be read.
    """
    path = Path(source).expanduser()
    if os.path.isdir(path):  # Path.is_dir raises for a name that is too long
        return _folder(path)
    if not os.path.exists(path):
        raise ValueError(
            f"{source}: no such list file or folder; give train, val, the path of a text file "
            "with one image a line, or a folder of images"
        )
    if path.suffix.lower() in SUFFIXES:
        raise ValueError(f"{source} is an image; give a list file or a folder of images")
    if path.suffix.lower() in (".yaml", ".yml"):
        raise ValueError(
            f"{source} is a data set's YAML; give dataset=custom dataset.path={source} and here "
            "train or val, or give a list file or a folder of images"
        )
    return _listed(path)


def _folder(folder: Path) -> Found:
    """Hidden files and folders hold thumbnails and what other systems leave behind."""
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    ]
    if not found:
        raise ValueError(f"{folder}: no image in this folder ({', '.join(sorted(SUFFIXES))})")
    ordered = sorted(found, key=lambda path: path.as_posix())
    _refuse([f"{folder}: {fault}" for path in ordered if (fault := _unusable(path))])
    names = [path.relative_to(folder).as_posix() for path in ordered]
    return Found([UserImage(n, p.absolute()) for n, p in zip(names, ordered, strict=True)], [])


def _listed(path: Path) -> Found:
    folder = path.absolute().parent
    faults: list[str] = []
    images: dict[str, UserImage] = {}
    repeated: dict[str, None] = {}
    for number, entry in entries(path):
        found = image_of(folder, entry)
        fault = why_not(folder, entry) if found is None else _unusable(folder / found)
        if found is None or fault:
            faults.append(f"{path}, line {number}: {fault}")
            continue
        place = os.path.realpath(folder / found)
        if place in images:
            repeated[images[place].name] = None
        images.setdefault(place, UserImage(found, folder / found))
    _refuse(faults)
    if not images:
        raise ValueError(f"{path}: the list is empty; write one image path a line")
    return _placeless(Found(list(images.values()), list(repeated)), folder)


def _unusable(image: Path) -> str | None:
    """Why an existing file cannot be an image, as far as that shows without decoding it."""
    name = image.name
    if re.search("[\\r\\n\\ud800-\\udfff]", str(image)):  # a line break, or bytes that are no text
        return f"no usable file name: {str(image)!a}; rename it"
    if not os.access(image, os.R_OK):
        return f"cannot be read, its permissions forbid it: {name}"
    if image.stat().st_size == 0:
        return f"the file is empty (0 bytes): {name}"
    return None


def _placeless(found: Found, folder: Path) -> Found:
    """Absolute names made relative: to the list's folder or else to what they have in common."""
    beyond = [
        os.path.dirname(image.name)
        for image in found.images
        if os.path.isabs(image.name) and not Path(image.name).is_relative_to(folder)
    ]
    common = os.path.commonpath(beyond) if beyond else ""

    def short(name: str) -> str:
        path = Path(name)
        if not path.is_absolute():
            return name
        return path.relative_to(folder if path.is_relative_to(folder) else common).as_posix()

    return Found(
        [UserImage(short(image.name), image.path) for image in found.images],
        [short(name) for name in found.repeated],
    )


def _refuse(faults: list[str]) -> None:
    if faults:
        rest = len(faults) - SHOWN
        more = [f"… and {rest} more"] if rest > 0 else []
        raise ValueError("\n".join(faults[:SHOWN] + more))
