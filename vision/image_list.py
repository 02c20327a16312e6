"""The user's own images: a list file or a folder, and the choice among them. Core Python only."""

from __future__ import annotations

import codecs
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
SHOWN = 20
"""Faults listed in one message."""


def choose(items: Sequence[T], count: int, seed: int) -> list[T]:
    """`count` of `items` at random, in their order; all of them when there are no more."""
    if len(items) <= count:
        return list(items)
    picked = sorted(random.Random(seed).sample(range(len(items)), count))
    return [items[i] for i in picked]


def user_images(source: str) -> list[Path]:
    """The images that a list file or a folder names, absolute, sorted as they are written there.

    A list file has one path a line, absolute or relative to the list's own folder; blank lines
    and lines that begin with `#` are skipped, an image named twice counts once. A folder is
    searched with its subfolders for files with a picture's suffix. Raises ValueError, naming
    list, line and file, when there is no image or one is missing.
    """
    path = Path(source).expanduser()
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise ValueError(
            f"{source}: no such list file or folder; give train, val, the path of a text file "
            "with one image a line, or a folder of images"
        )
    if path.suffix.lower() in SUFFIXES:
        raise ValueError(f"{source} is an image; give a list file or a folder of images")
    return _listed(path)


def _folder(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    images = sorted((path for path in found if path.is_file()), key=lambda path: path.as_posix())
    if not images:
        raise ValueError(f"{folder}: no image in this folder ({', '.join(sorted(SUFFIXES))})")
    return [image.absolute() for image in images]


def _listed(path: Path) -> list[Path]:
    named: dict[str, int] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            named.setdefault(entry, number)
    if not named:
        raise ValueError(f"{path}: the list is empty; write one image path a line")
    folder = path.absolute().parent
    missing = [
        f"{path}, line {number}: no such image: {entry}"
        for entry, number in named.items()
        if not (folder / entry).is_file()
    ]
    if missing:
        rest = len(missing) - SHOWN
        more = [f"… and {rest} more"] if rest > 0 else []
        raise ValueError("\n".join(missing[:SHOWN] + more))
    return [folder / entry for entry in sorted(named)]


def _text(path: Path) -> str:
    """A text file as editors leave it: UTF-8 with or without a mark, or UTF-16 with one."""
    raw = path.read_bytes()
    sixteen = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if sixteen else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a UTF-8 text file with one image path a line") from None
