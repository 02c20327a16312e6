"""The data set in one canonical layout: generated, downloaded, or the user's after a check."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.layout import Fault

SHOWN = 20
"""Faults that are spelled out; the rest is counted."""
IGNORED = ("*.cache", "*.npy", "*.yaml", "*.yml", ".*")
"""Files in the user's folder that do not count: caches, and the YAML: params hold what it says."""
VAL_SHARE = 0.25
"""Part of the handwritten digits of each class that only the validation split may use."""


@dataclass(frozen=True)
class Params:
    """What the data set depends on."""

    kind: str
    settings: dict[str, Any]
    """digits: the recipe; fetched: ultralytics' YAML name; custom: class names and splits."""


@dataclass(frozen=True)
class Known:
    """What is known of a data set before anything runs."""

    task: str
    classes: int
    names: tuple[str, ...] | None = None
    """Class names; None where a download brings them."""


def known(config: Config) -> Known | None:
    """Task and class count of the chosen data set; None for `dataset=none`.

    Raises UserError for a data.yaml that is missing or cannot be used.
    """
    dataset: Any = config.dataset
    if dataset.kind in GENERATED:
        return GENERATED[dataset.kind]
    if dataset.kind == "fetched":
        return Known(dataset.task, dataset.classes)
    if dataset.kind == "custom":
        settings, _ = _plan_custom(dataset)
        return Known("detect", len(settings["names"]), tuple(settings["names"]))
    return None


GENERATED = {"digits": Known("detect", 10, tuple("0123456789")), "figures": Known("pose", 1)}
"""Kind of a generated data set -> what it is."""
SETTINGS = {
    "digits": "train_images val_images imgsz seed digits smallest largest contrast",
    "figures": "train_images val_images imgsz seed people smallest largest",
}
"""Kind of a generated data set -> the keys of its recipe."""


def plan(config: Config) -> Step:
    """Raises UserError for a data.yaml that is missing or cannot be used."""
    dataset: Any = config.dataset
    inputs: dict[str, UserFile] = {}
    if dataset.kind in SETTINGS:
        settings = _generated_settings(dataset, SETTINGS[dataset.kind])
    elif dataset.kind == "fetched":
        settings = {"yaml": dataset.yaml}
    else:
        settings, inputs["root"] = _plan_custom(dataset)
    return Step(
        stage="dataset",
        params=Params(dataset.kind, settings),
        inputs=inputs,
        outputs=("manifest.json", "data"),
        toolchain=config.lock("torch" if dataset.kind == "fetched" else "images"),
        network=dataset.kind == "fetched",
        label=dataset.name,
    )


def _generated_settings(dataset: Any, keys: str) -> dict[str, Any]:
    if dataset.smallest > dataset.largest:
        from edgemake.errors import UserError

        raise UserError(
            f"dataset.smallest={dataset.smallest} is above dataset.largest={dataset.largest}; "
            "swap them"
        )
    return {key: getattr(dataset, key) for key in keys.split()}


def _plan_custom(dataset: Any) -> tuple[dict[str, Any], UserFile]:
    """Names and splits of the user's data.yaml, and the folder that holds them."""
    from edgemake.errors import UserError
    from vision.data_yaml import LayoutError, read_data_yaml

    if dataset.path is None:
        raise UserError("dataset.path is not set: dataset=custom dataset.path=my.yaml")
    file = Path(dataset.path).expanduser().absolute()
    if not file.is_file():
        what = "is a folder; give its data.yaml" if file.is_dir() else "does not exist"
        raise UserError(f"dataset.path={dataset.path}: {file} {what}.")
    try:
        layout = read_data_yaml(file)
    except LayoutError as fault:
        raise UserError(f"dataset.path={dataset.path}: {fault}.") from None
    return {"names": layout.names, "splits": layout.splits}, UserFile(layout.root, IGNORED)


def run(params: Params, work: Work) -> None:
    """Writes manifest.json and data/ (images, labels, data.yaml).

    Raises StageError with every fault of a user's data set, or when a download fails.
    """
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            (work.out / "data" / kind / split).mkdir(parents=True)
    if params.kind == "digits":
        manifest = _generate(params.settings, work)
    elif params.kind == "fetched":
        manifest = _fetch(params.settings["yaml"], work)
    else:
        root, settings = work.inputs["root"], params.settings
        manifest = _import(root, settings["names"], settings["splits"], [], work)
    _write_yaml(work.out / "data" / "data.yaml", manifest["names"])
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (work.out / "manifest.json").write_text(text, encoding="utf-8")


def _write_yaml(file: Path, names: list[str]) -> None:
    # Every JSON string is a YAML string, whatever the name holds.
    rows = [f"  {index}: {json.dumps(name)}" for index, name in enumerate(names)]
    file.write_text("\n".join(["train: images/train", "val: images/val", "names:", *rows, ""]))


def _manifest(
    names: list[str], splits: dict[str, list[dict[str, str]]], credit: list[dict[str, str]]
) -> dict[str, Any]:
    return {"schema": 1, "task": "detect", "names": names, "splits": splits, "credits": credit}


def _store(
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


# --- digits -------------------------------------------------------------------------------


def _generate(settings: dict[str, Any], work: Work) -> dict[str, Any]:
    """Composes both splits; an image depends on the seed and its own number only."""
    from vision.digit_sources import credit, load
    from vision.digits import CLASSES, Recipe, compose
    from vision.picture import jpeg

    recipe = Recipe(
        **{key: settings[key] for key in ("imgsz", "digits", "smallest", "largest", "contrast")}
    )
    sources = load(VAL_SHARE, settings["seed"])
    counts = {split: settings[f"{split}_images"] for split in sources}
    splits: dict[str, list[dict[str, str]]] = {}
    done = 0
    for part, (split, source) in enumerate(sources.items()):
        splits[split] = []
        for index in range(counts[split]):
            image, boxes = compose(source, recipe, [settings["seed"], part, index])
            rows = [box.row(recipe.imgsz) for box in boxes]
            stem = f"{split}{index:06d}"
            splits[split].append(_store(work.out, split, stem, "jpg", jpeg(image), rows))
            done += 1
            if done % 50 == 0:
                work.progress(done, sum(counts.values()), f"{done} images composed")
    return _manifest([str(digit) for digit in range(CLASSES)], splits, credit())


# --- downloaded ---------------------------------------------------------------------------


def _fetch(yaml: str, work: Work) -> dict[str, Any]:
    """Lets ultralytics download a data set it knows, then treats it as a user's."""
    from vision.checkpoint import plain, prepare_ultralytics
    from vision.data_yaml import LayoutError, read_data_yaml

    prepare_ultralytics(work.scratch, work.cores, online=True)
    work.progress(0, 1, f"downloading {yaml}")
    try:
        found = _download(yaml, work.scratch)
    except Exception as fault:  # whatever the network or the archive made of it
        raise StageError(
            f"dataset {yaml.removesuffix('.yaml')} is downloaded by ultralytics; no network, or "
            f"the download failed ({plain(fault)}). Use dataset=digits or dataset=custom."
        ) from fault
    resolved = work.scratch / "resolved.yaml"
    resolved.write_text(json.dumps({key: found[key] for key in ("train", "val", "names")}))
    try:
        layout = read_data_yaml(resolved)
    except LayoutError as fault:
        raise StageError(f"dataset.yaml={yaml}: {fault}") from fault
    origin = {"name": yaml, "source": str(found.get("download", "")), "licence": "see its source"}
    return _import(layout.root, layout.names, layout.splits, [origin], work)


def _download(yaml: str, scratch: Path) -> dict[str, Any]:
    import ultralytics.data.utils as data_utils

    data_utils.DATASETS_DIR = scratch / "datasets"  # otherwise a folder beside the git checkout
    data_utils.check_font = lambda *_: None  # for plots only, and another download
    found: dict[str, Any] = data_utils.check_det_dataset(yaml)
    return {**found, "train": _strings(found["train"]), "val": _strings(found["val"])}


def _strings(paths: Any) -> list[str]:
    return [str(path) for path in (paths if isinstance(paths, list) else [paths])]


# --- the user's ---------------------------------------------------------------------------


def _import(
    root: Path,
    names: list[str],
    splits: dict[str, list[str]],
    credit: list[dict[str, str]],
    work: Work,
) -> dict[str, Any]:
    """Checks and copies every file, each read once. Raises StageError naming the faults."""
    from vision.layout import Fault, list_split

    listed = {split: list_split(root, entries) for split, entries in splits.items()}
    faults = [fault for files in listed.values() for fault in files.faults]
    total = sum(len(files.images) for files in listed.values())
    copied: dict[str, list[dict[str, str]]] = {}
    done = 0
    for split, files in listed.items():
        where, rows = ", ".join(splits[split]), 0
        copied[split] = []
        for taken in _take_all(root, split, files.images, len(names), work):
            copied[split].append(taken.entry)
            faults += taken.faults
            rows += taken.rows
            done += 1
            if done % 50 == 0:
                work.progress(done, total, f"{done} of {total} images checked")
        if not files.images:
            faults.append(Fault(where, 0, f"split {split} holds no image"))
        elif not rows:
            faults.append(Fault(where, 0, f"split {split} has no label at all"))
    if faults:
        raise StageError(_report(faults))
    return _manifest(names, copied, credit)


@dataclass(frozen=True)
class Taken:
    """One image that was checked and copied."""

    entry: dict[str, str]
    rows: int
    faults: list[Fault]


def _take_all(
    root: Path, split: str, images: list[str], classes: int, work: Work
) -> Iterator[Taken]:
    from concurrent.futures import ThreadPoolExecutor  # slow to load, and planning needs none

    from vision.layout import stems

    def take(item: tuple[str, str]) -> Taken:
        return _take(root, split, *item, classes, work.out)

    with ThreadPoolExecutor(work.cores or None) as pool:  # decoding releases Python's lock
        yield from pool.map(take, stems(images).items())


def _take(root: Path, split: str, image: str, stem: str, classes: int, out: Path) -> Taken:
    from vision.layout import Fault, image_fault, label_path, read_rows

    label = label_path(image)
    faults: list[Fault] = []
    rows: list[str] = []
    content = b""
    try:
        content = (root / image).read_bytes()
        reason = image_fault(content)
        if reason:
            faults.append(Fault(image, 0, reason))
        if (root / label).exists():  # without one, the image shows background only
            text = (root / label).read_text("utf-8-sig", "replace")
            rows, wrong = read_rows(label, text, classes)
            faults += wrong
    except OSError as fault:
        faults.append(Fault(image, 0, f"cannot be read ({fault.strerror})"))
    entry = _store(out, split, stem, image.rpartition(".")[2].lower(), content, rows)
    return Taken(entry, len(rows), faults)


def _report(faults: list[Fault]) -> str:
    """All faults counted, the first of them spelled out."""
    shown = [f"  {fault}" for fault in sorted(faults)[:SHOWN]]
    count = f"{len(faults)} fault" + "s" * (len(faults) > 1)
    first = f"; the first {SHOWN}" if len(faults) > SHOWN else ""
    return "\n".join([f"dataset: {count} in its files{first}:", *shown])
