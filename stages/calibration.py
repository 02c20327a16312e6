"""Which images set the int8 ranges, in which order, brought to the network's input size.

The images come from the data set's train or val split, from a list file of the user's (one
path a line) or from a folder of the user's. A user's images are looked at while planning, and
only the chosen ones count as inputs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step, UserFiles
from edgemake.work import StageError, Work
from vision.image_list import choose, user_images

if TYPE_CHECKING:
    from stages.schema import Config

SPLITS = ("train", "val")
KEY = "quant.calibration.source"
SHOWN = 20
"""Faults listed in one message."""


@dataclass(frozen=True)
class Params:
    """Which images, and how they are brought to size. `names` are the user's files' names."""

    split: str | None
    count: int
    seed: int | None
    """Of the choice in a split; None for a user's files, which are chosen while planning."""
    imgsz: int
    preprocess: str
    names: list[str]


def plan(config: Config, dataset: Step | None) -> Step:
    """`dataset` may be None when the images are the user's own.

    Raises UserError when the list or the folder is missing, empty or names a missing image.
    """
    wanted = config.quant.calibration
    inputs: dict[str, Input]
    if wanted.source in SPLITS:
        if dataset is None:
            raise UserError(
                f"{KEY}={wanted.source}: there is no data set; give a list file or a folder"
            )
        inputs = {"manifest.json": dataset["manifest.json"], "data": dataset["data"]}
        split, seed, names = wanted.source, wanted.seed, list[str]()
    else:
        try:
            found = user_images(wanted.source)
        except ValueError as fault:
            raise UserError(f"{KEY}: {fault}") from None
        chosen = choose(found, wanted.count, wanted.seed)
        inputs = {"images": UserFiles(tuple(chosen))}
        split, seed, names = None, None, [path.name for path in chosen]
    return Step(
        stage="calibration",
        params=Params(
            split, wanted.count, seed, config.model.imgsz, config.target.preprocess, names
        ),
        inputs=inputs,
        outputs=("calibration.npy", "calibration.json", "calibration.txt"),
        toolchain=config.lock("images"),
        label=f"{wanted.count} of {wanted.source if split else 'the user'}",
    )


@dataclass(frozen=True)
class _Image:
    name: str
    """As the user knows it."""
    path: Path


def run(params: Params, work: Work) -> None:
    """Writes calibration.npy (uint8 `[n, imgsz, imgsz, 3]` RGB) and calibration.json.

    Raises StageError when an image cannot be read, naming it as the user knows it.
    """
    import numpy as np

    from vision.preprocess import load

    images = list(_split(params, work) if params.split else _own(params, work))
    side = params.imgsz
    pixels = np.lib.format.open_memmap(
        work.out / "calibration.npy", "w+", np.uint8, (len(images), side, side, 3)
    )
    faults = []
    for i, image in enumerate(images):
        work.progress(i, len(images), image.name)
        try:
            pixels[i] = load(image.path, side, params.preprocess)
        except ValueError as fault:
            faults.append(f"{image.name}: {fault}")
    if faults:
        shown = "\n".join(faults[:SHOWN])
        raise StageError(
            f"{KEY}: {len(faults)} of {len(images)} calibration images cannot be read; mend or "
            f"remove them:\n{shown}"
        )
    pixels.flush()
    names = "".join(f"{image.name}\n" for image in images)
    (work.out / "calibration.txt").write_text(names, encoding="utf-8")
    _report(params, images, work.out / "calibration.json")


def _split(params: Params, work: Work) -> Iterator[_Image]:
    """The chosen images of the data set's split."""
    manifest = json.loads(work.inputs["manifest.json"].read_text())
    entries = sorted(entry["image"] for entry in manifest["splits"][params.split])
    if not entries:
        raise StageError(f"{KEY}={params.split}: the data set has no image in this split")
    for name in choose(entries, params.count, params.seed or 0):
        yield _Image(name, work.inputs["data"] / name)


def _own(params: Params, work: Work) -> Iterator[_Image]:
    """The user's images; a stage sees them renamed, in order."""
    for name, path in zip(params.names, sorted(work.inputs["images"].iterdir()), strict=True):
        yield _Image(name, path)


def _report(params: Params, images: list[_Image], target: Path) -> None:
    warnings = []
    if len(images) < params.count:
        warnings.append(
            f"quant.calibration.count={params.count}, but only {len(images)} found: all were used"
        )
    report: dict[str, Any] = {
        "schema": 1,
        "source": params.split or "user files",
        "imgsz": params.imgsz,
        "preprocess": params.preprocess,
        "colour": "RGB",
        "count": len(images),
        "images": [
            {"name": image.name, "sha256": hashlib.sha256(image.path.read_bytes()).hexdigest()}
            for image in images
        ],
        "warnings": warnings,
    }
    target.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
