"""Which images set the int8 ranges, in which order, brought to the network's input size.

The images come from the data set's train or val split, from a list file of the user's (one
path a line) or from a folder of the user's. A user's images are looked at while planning, and
only the chosen ones count as inputs. Quantizers blame no image by its name, and some take
anything in silence: so every image is judged here, before any tool sees it.
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
from vision.image_list import UserImage, choose, user_images

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.image_checks import Seen

SPLITS = ("train", "val")
KEY = "quant.calibration.source"
LEAST = {"xslim": 10, "xquant": 10}
"""Kind of quant -> fewest images it takes; with fewer it makes a dead model or none."""
SHOWN = 20
"""Faults listed in one message."""


@dataclass(frozen=True)
class Params:
    """Which images, and how they are brought to size.

    Of a user's files, which are chosen while planning, `names` holds the chosen and `repeated`
    those that the list names more than once.
    """

    split: str | None
    count: int
    seed: int | None
    """Of the choice in a split; None: the first, or a choice made already."""
    least: int
    imgsz: int
    preprocess: str
    names: list[str]
    repeated: list[str]


def plan(config: Config, dataset: Step | None) -> Step:
    """`dataset` may be None when the images are the user's own.

    Raises UserError when the list or the folder is missing or empty, or names what is no image.
    """
    wanted = config.quant.calibration
    seed = wanted.seed if wanted.order == "random" else None
    inputs: dict[str, Input]
    names, repeated = list[str](), list[str]()
    if wanted.source in SPLITS:
        if dataset is None:
            raise UserError(
                f"{KEY}={wanted.source}: there is no data set; give a list file or a folder"
            )
        inputs = {"manifest.json": dataset["manifest.json"], "data": dataset["data"]}
    else:
        chosen, repeated = _chosen(wanted.source, wanted.count, seed)
        inputs = {"images": UserFiles(tuple(image.path for image in chosen))}
        names, seed = [image.name for image in chosen], None
    split = wanted.source if wanted.source in SPLITS else None
    first = "the first " if wanted.order == "first" else ""
    return Step(
        stage="calibration",
        params=Params(
            split=split,
            count=wanted.count,
            seed=seed,
            least=LEAST.get(config.quant.kind, 1),
            imgsz=config.model.imgsz,
            preprocess=config.target.preprocess,
            names=names,
            repeated=repeated,
        ),
        inputs=inputs,
        outputs=("calibration.npy", "calibration.json", "calibration.txt"),
        toolchain=config.lock("images"),
        label=f"{first}{wanted.count} of {wanted.source if split else 'the user'}",
    )


def _chosen(source: str, count: int, seed: int | None) -> tuple[list[UserImage], list[str]]:
    """The images used of a list or folder, and the names that stand in it more than once.

    A draw goes by name, so the order in which a list was written does not matter to it.
    """
    try:
        found = user_images(source)
    except ValueError as fault:
        raise UserError(f"{KEY}: {fault}") from None
    images = found.images
    if seed is not None:
        images = sorted(images, key=lambda image: image.name)
    return choose(images, count, seed), sorted(found.repeated)


@dataclass(frozen=True)
class _Image:
    name: str
    """As the user knows it."""
    path: Path
    digest: str


def run(params: Params, work: Work) -> None:
    """Writes calibration.npy (uint8 `[n, imgsz, imgsz, 3]` RGB), calibration.json and
    calibration.txt, which is a list that can be given again.

    Raises StageError when an image cannot be read, naming it as the user knows it, and when
    fewer images are left than the quantizer takes.
    """
    named = list(_split(params, work) if params.split else _own(params, work))
    warnings = [*_counted(params, len(named)), *_repeated(params)]
    images, copies = _distinct(named)
    warnings += copies
    if len(images) < params.least:
        where = f"the split {params.split}" if params.split else "what was given"
        count = "1 image" if len(images) == 1 else f"{len(images)} images"
        raise StageError(
            f"{KEY}: {count} in {where}, copies left out, and this quantizer takes {params.least} "
            "or more; give a list or a folder with more"
        )
    looks = _load(params, images, work)
    _report(params, images, looks, warnings, work.out)
    lines = "".join(f"{_line(image.name)}\n" for image in images)
    (work.out / "calibration.txt").write_text(lines, encoding="utf-8")


def _split(params: Params, work: Work) -> Iterator[tuple[str, Path]]:
    """The chosen images of the data set's split."""
    manifest = json.loads(work.inputs["manifest.json"].read_text(encoding="utf-8"))
    entries = sorted(entry["image"] for entry in manifest["splits"][params.split])
    if not entries:
        raise StageError(f"{KEY}={params.split}: the data set has no image in this split")
    for name in choose(entries, params.count, params.seed):
        yield name, work.inputs["data"] / name


def _own(params: Params, work: Work) -> Iterator[tuple[str, Path]]:
    """The user's images; a stage sees them renamed, in order."""
    yield from zip(params.names, sorted(work.inputs["images"].iterdir()), strict=True)


def _counted(params: Params, found: int) -> Iterator[str]:
    if found < params.count:
        yield f"quant.calibration.count={params.count}, but only {found} found: all were used"


def _repeated(params: Params) -> Iterator[str]:
    if params.repeated:
        yield f"named more than once, used once: {_few(params.repeated)}"


def _distinct(named: list[tuple[str, Path]]) -> tuple[list[_Image], list[str]]:
    """The images without copies under other names, and a warning that lists those."""
    images: dict[str, _Image] = {}
    copies = []
    for name, path in named:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest in images:
            copies.append(f"{name} = {images[digest].name}")
        images.setdefault(digest, _Image(name, path, digest))
    said = [f"equal files under two names, used once: {_few(copies)}"] if copies else []
    return list(images.values()), said


def _few(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _load(params: Params, images: list[_Image], work: Work) -> list[Seen]:
    """Writes calibration.npy; what was seen of each picture. Raises StageError for bad ones."""
    import numpy as np

    side = params.imgsz
    pixels = np.lib.format.open_memmap(
        work.out / "calibration.npy", "w+", np.uint8, (len(images), side, side, 3)
    )
    looks, faults = [], []
    for i, image in enumerate(images):
        work.progress(i, len(images), image.name)
        try:
            pixels[i], look = _look(params, image)
            looks.append(look)
        except ValueError as fault:
            faults.append(f"{image.name}: {fault}")
    if faults:
        shown = "\n".join(faults[:SHOWN])
        raise StageError(
            f"{KEY}: {len(faults)} of {len(images)} calibration images cannot be used; mend or "
            f"remove them:\n{shown}"
        )
    pixels.flush()
    return looks


def _look(params: Params, image: _Image) -> tuple[Any, Seen]:
    from vision.image_checks import seen
    from vision.preprocess import fitted, placement, read

    picture = read(image.path)
    place = placement(picture.width, picture.height, params.imgsz, params.preprocess)
    pixels = fitted(picture, params.imgsz, params.preprocess)
    inner = pixels[place.top : place.top + place.height, place.left : place.left + place.width]
    return pixels, seen(image.name, (picture.width, picture.height), inner)


def _line(name: str) -> str:
    """An image's name as a list takes it: a comment would begin with the same sign."""
    return f"./{name}" if name.startswith("#") else name


def _report(
    params: Params, images: list[_Image], looks: list[Seen], warnings: list[str], out: Path
) -> None:
    from vision.image_checks import warnings as judged

    warnings = [*warnings, *judged(looks, params.imgsz)]
    report: dict[str, Any] = {
        "schema": 1,
        "source": params.split or "user files",
        "imgsz": params.imgsz,
        "preprocess": params.preprocess,
        "colour": "RGB",
        "count": len(images),
        "range": [min(look.lowest for look in looks), max(look.highest for look in looks)],
        "images": [{"name": image.name, "sha256": image.digest} for image in images],
        "warnings": warnings,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (out / "calibration.json").write_text(text, encoding="utf-8")
    for warning in warnings:
        print(f"warning: {warning}")
