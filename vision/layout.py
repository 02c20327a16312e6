"""The ultralytics data set layout: which files belong to a split, and what is wrong with them.

Paths inside a data set are relative to its root and use `/`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SPLITS = ("train", "val")
SUFFIXES = frozenset(["avif", "bmp", "jpeg", "jpg", "jp2", "mpo", "png", "tif", "tiff", "webp"])
"""Image files that both ultralytics and Pillow read."""
UNREADABLE = frozenset(["dng", "heic", "heif", "jpeg2000"])
"""Image files that ultralytics reads and Pillow does not."""
NOT_LABELS = frozenset({"classes.txt", "labels.txt", "notes.txt", "predefined_classes.txt"})
"""What labelling tools leave between the labels."""
COLUMNS = ("class", "cx", "cy", "w", "h")
VISIBILITIES = frozenset(f"{value}{end}" for value in "012" for end in ("", ".0", ".000000"))
"""How tools write that a keypoint is not labelled, hidden or visible."""
SHOWN_FIELDS = 8
"""Columns of a faulty row that are shown."""
SLACK = 0.01
"""How far boxes and keypoints may reach over the border, part of the side; ultralytics' too."""


@dataclass(frozen=True, order=True)
class Fault:
    """Something wrong in one file; `line` counts from 1, 0 means the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


@dataclass
class Split:
    """The files of a split, in order, and what is wrong with the lists of them."""

    images: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


# --- files --------------------------------------------------------------------------------


def list_split(root: Path, entries: Iterable[str]) -> Split:
    """The images of a split, sorted; labels without an image and unusable list lines as faults."""
    split = Split()
    found: set[str] = set()
    for entry in entries:
        path = root / entry
        if path.is_dir():
            files = _files(root, path)
            found.update(files)
            split.faults += _strays(root, entry, files)
        else:
            found.update(_listed(root, entry, split.faults))
    for name in sorted(found):
        suffix = name.rpartition(".")[2].lower()
        if suffix in SUFFIXES:
            split.images.append(name)
        elif suffix in UNREADABLE:
            split.faults.append(Fault(name, 0, f"format .{suffix} is not supported; convert it"))
    return split


def _files(root: Path, folder: Path) -> list[str]:
    names = []
    for where, _, files in os.walk(folder):
        names += [(Path(where) / file).relative_to(root).as_posix() for file in files]
    return [name for name in names if not name.rpartition("/")[2].startswith(".")]


def _strays(root: Path, entry: str, files: list[str]) -> Iterator[Fault]:
    """Label files that belong to no image of the folder."""
    labels = root / label_folder(entry)
    expected = {label_path(name) for name in files if name.rpartition(".")[2].lower() in SUFFIXES}
    for name in _files(root, labels) if labels.is_dir() else ():
        if name.endswith(".txt") and Path(name).name not in NOT_LABELS and name not in expected:
            yield Fault(name, 0, "has no image")


def _listed(root: Path, entry: str, faults: list[Fault]) -> Iterator[str]:
    """The images a .txt list names: relative to the list (or the root), or absolute."""
    top = Path(os.path.realpath(root))
    for number, line in enumerate((root / entry).read_text("utf-8-sig").splitlines(), 1):
        text = line.strip()
        if not text:
            continue
        places = (root / entry).parent / text, root / text
        place = next((place for place in places if place.is_file()), None)
        if place is None:
            faults.append(Fault(entry, number, f"{text} does not exist"))
            continue
        real = Path(os.path.realpath(place))
        if not real.is_relative_to(top):
            faults.append(Fault(entry, number, f"{text} lies outside the data set's folder {top}"))
            continue
        yield real.relative_to(top).as_posix()


def stems(images: Iterable[str]) -> dict[str, str]:
    """Image -> a stem that no other image of the split has, for one flat folder."""
    taken: set[str] = set()
    chosen: dict[str, str] = {}
    for image in images:
        stem = base = image.rpartition("/")[2].rpartition(".")[0]
        number = 2
        while stem.casefold() in taken:
            stem, number = f"{base}-{number}", number + 1
        taken.add(stem.casefold())
        chosen[image] = stem
    return chosen


def label_path(image: str) -> str:
    """The label file of an image: the last `/images/` becomes `/labels/`, the suffix `.txt`."""
    rooted = "/labels/".join(f"/{image}".rsplit("/images/", 1))[1:]
    return rooted.rpartition(".")[0] + ".txt"


def label_folder(folder: str) -> str:
    """Where the labels of a folder's images lie."""
    return label_path(f"{folder}/image.jpg").rpartition("/")[0]


# --- contents -----------------------------------------------------------------------------


def image_fault(data: bytes) -> str | None:
    """Why the bytes of an image cannot be decoded completely, or None."""
    import io

    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if min(image.size) < 10:  # ultralytics skips these
                return f"is {image.width}x{image.height}, smaller than 10 pixels"
    except UnidentifiedImageError:
        return "is no image of a known format" if data else "is empty"
    except Exception as fault:  # decoders raise anything over broken files
        return f"cannot be decoded ({fault})"
    return None


def read_rows(
    file: str, text: str, classes: int, shape: tuple[int, int] | None = None
) -> tuple[list[str], list[Fault]]:
    """The rows of a label file and what is wrong with them, by line.

    `shape`: keypoints of a row and values of a keypoint; None for detection.
    """
    rows: list[str] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        rows.append(" ".join(fields))
        fault = row_fault(fields, classes, shape)
        if fault:
            faults.append(Fault(file, number, fault))
    return rows, faults


def row_fault(fields: list[str], classes: int, shape: tuple[int, int] | None = None) -> str | None:
    """What is wrong with one row `class cx cy w h`, with keypoints if there is a `shape`."""
    if fault := _column_fault(fields, shape):
        return fault
    shown = " ".join(fields[:SHOWN_FIELDS]) + " …" * (len(fields) > SHOWN_FIELDS)
    try:
        values = [float(text) for text in fields]
    except ValueError:
        return f"is not made of numbers: {shown}"
    if not all(math.isfinite(value) for value in values):
        return f"holds a value that is not finite: {shown}"
    if not values[0].is_integer() or not 0 <= values[0] < classes:
        return f"class {fields[0]}, but there are {classes} classes (0..{classes - 1})"
    for name, text, value in zip(COLUMNS[1:], fields[1:], values[1:], strict=False):
        if not 0 <= value <= 1:
            return f"{name} {text} is outside 0..1 (boxes are relative to the image's size)"
    fault = _box_fault(*values[1 : len(COLUMNS)])
    return fault if fault or shape is None else _points_fault(values[len(COLUMNS) :], shape[1])


def _column_fault(fields: list[str], shape: tuple[int, int] | None) -> str | None:
    found, boxes = len(fields), len(COLUMNS)
    if shape is None:
        if found == boxes:
            return None
        fault = f"has {found} columns, a detection row has {boxes}: {' '.join(COLUMNS)}"
        count, rest = divmod(found - boxes, 3)
        if count > 0 and not rest and set(fields[boxes + 2 :: 3]) <= VISIBILITIES:
            fault += (
                f"; these are keypoints: add kpt_shape: [{count}, 3] to the data.yaml and choose "
                "a pose model"
            )
        return fault
    count, values = shape
    if found == boxes + count * values:
        return None
    fault = (
        f"has {found} columns, a row with kpt_shape [{count}, {values}] has "
        f"{boxes + count * values}: {' '.join(COLUMNS)} and {count} times "
        f"{'x y visibility' if values == 3 else 'x y'}"
    )
    if found == boxes:
        fault += "; this is a box alone: remove kpt_shape and choose a detection model"
    return fault


def _points_fault(values: list[float], size: int) -> str | None:
    """Unlabelled points must lie inside too: ultralytics drops the whole image otherwise."""
    for start in range(0, len(values), size):
        where = f"keypoint {start // size + 1}"
        for name, value in zip("xy", values[start : start + 2], strict=True):
            if not -SLACK <= value <= 1 + SLACK:
                return f"{where}: {name} {value:g} is outside 0..1 (unlabelled points are 0 0 0)"
        if size == 3 and values[start + 2] not in (0, 1, 2):
            return (
                f"{where}: visibility {values[start + 2]:g} must be 0 (not labelled), 1 (hidden) "
                "or 2 (visible)"
            )
    return None


def _box_fault(cx: float, cy: float, w: float, h: float) -> str | None:
    if w == 0 or h == 0:
        return f"the box has no area (w {w:g}, h {h:g})"
    for side, low, high in (("x", cx - w / 2, cx + w / 2), ("y", cy - h / 2, cy + h / 2)):
        if low < -SLACK or high > 1 + SLACK:
            return f"the box reaches from {low:.3f} to {high:.3f} in {side}, outside 0..1"
    return None
