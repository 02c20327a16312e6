"""The canonical copy of a data set: images, labels, data.yaml, and the manifest's entries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vision.data_yaml import Keypoints
from vision.layout import SPLITS, Fault, image_fault, label_path, read_rows, stems

SHOWN = 20
"""Faults that are spelled out; the rest is counted."""

Entries = dict[str, list[dict[str, str]]]
"""Split -> what `store` said of each of its images."""


def make_folders(out: Path) -> None:
    """data/{images,labels}/{train,val} under `out`."""
    for kind in ("images", "labels"):
        for split in SPLITS:
            (out / "data" / kind / split).mkdir(parents=True)


def store(
    out: Path, split: str, stem: str, suffix: str, image: bytes, rows: list[str]
) -> dict[str, str]:
    """Writes one image with its label; the manifest's entry for them."""
    label = "".join(f"{row}\n" for row in rows).encode()
    names = f"images/{split}/{stem}.{suffix}", f"labels/{split}/{stem}.txt"
    for name, content in zip(names, (image, label), strict=True):
        (out / "data" / name).write_bytes(content)
    return {
        "image": names[0],
        "sha256": hashlib.sha256(image).hexdigest(),
        "label": names[1],
        "label_sha256": hashlib.sha256(label).hexdigest(),
    }


def write_manifest(
    out: Path,
    names: list[str],
    keypoints: Keypoints | None,
    splits: Entries,
    credit: list[dict[str, str]],
) -> None:
    """Writes manifest.json and data/data.yaml; without keypoints it is a detection data set."""
    manifest: dict[str, Any] = {"schema": 1, "task": "pose" if keypoints else "detect"}
    manifest["names"] = names
    # Every JSON string is a YAML string, whatever the name holds.
    rows = [f"  {index}: {json.dumps(name)}" for index, name in enumerate(names)]
    lines = ["train: images/train", "val: images/val", "names:", *rows]
    if keypoints:
        manifest["kpt_shape"] = list(keypoints.shape)
        manifest["flip_idx"] = list(keypoints.flip)
        manifest["keypoint_names"] = list(keypoints.names)
        lines.append(f"kpt_shape: {list(keypoints.shape)}")
        if keypoints.flip:
            lines.append(f"flip_idx: {list(keypoints.flip)}")
    manifest |= {"splits": splits, "credits": credit}
    (out / "data" / "data.yaml").write_text("\n".join([*lines, ""]))
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class Taken:
    """One image that was checked and copied."""

    entry: dict[str, str]
    rows: int
    faults: list[Fault]


@dataclass(frozen=True)
class Copier:
    """Checks images of a user's data set with their labels, and copies them."""

    root: Path
    out: Path
    classes: int
    shape: tuple[int, int] | None
    """Keypoints of a row and values of a keypoint; None for detection."""

    def take(self, split: str, image: str, stem: str) -> Taken:
        """Reads image and label once each, copies them as `stem`, lists what is wrong."""
        label = label_path(image)
        faults: list[Fault] = []
        rows: list[str] = []
        content = b""
        try:
            content = (self.root / image).read_bytes()
            reason = image_fault(content)
            if reason:
                faults.append(Fault(image, 0, reason))
            if (self.root / label).exists():  # without one, the image shows background only
                text = (self.root / label).read_text("utf-8-sig", "replace")
                rows, wrong = read_rows(label, text, self.classes, self.shape)
                faults += wrong
        except OSError as fault:
            faults.append(Fault(image, 0, f"cannot be read ({fault.strerror})"))
        suffix = image.rpartition(".")[2].lower()
        return Taken(store(self.out, split, stem, suffix, content, rows), len(rows), faults)

    def take_all(self, split: str, images: list[str], threads: int) -> Iterator[Taken]:
        """`take` for every image, in order; `threads`: 0 lets Python choose."""
        from concurrent.futures import ThreadPoolExecutor  # slow to load, and planning needs none

        def take(item: tuple[str, str]) -> Taken:
            return self.take(split, *item)

        with ThreadPoolExecutor(threads or None) as pool:  # decoding releases Python's lock
            yield from pool.map(take, stems(images).items())


def report(faults: list[Fault]) -> str:
    """All faults counted, the first of them spelled out."""
    shown = [f"  {fault}" for fault in sorted(faults)[:SHOWN]]
    count = f"{len(faults)} fault" + "s" * (len(faults) > 1)
    first = f"; the first {SHOWN}" if len(faults) > SHOWN else ""
    return "\n".join([f"dataset: {count} in its files{first}:", *shown])
