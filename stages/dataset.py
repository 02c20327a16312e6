"""The data set in one canonical layout: generated, downloaded, or the user's after a check."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.data_yaml import Keypoints
    from vision.dataset_files import Entries

IGNORED = ("*.cache", "*.npy", "*.yaml", "*.yml", ".*")
"""Files in the user's folder that do not count: caches, and the YAML: params hold what it says."""
VAL_SHARE = 0.25
"""Part of the handwritten digits of each class that only the validation split may use."""


@dataclass(frozen=True)
class Params:
    """What the data set depends on."""

    kind: str
    settings: dict[str, Any]
    """digits and figures: the recipe; fetched: ultralytics' YAML name and the task; custom: class
    names, splits and keypoints."""


@dataclass(frozen=True)
class Known:
    """What is known of a data set before anything runs."""

    task: str
    classes: int
    names: tuple[str, ...] | None = None
    """Class names; None where a download brings them."""
    keypoints: tuple[int, int] | None = None
    """How many keypoints, and how many values each; None where there are none, or not known yet."""


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
        names = tuple(settings["names"])
        shape = settings["keypoints"]["shape"] if "keypoints" in settings else None
        return Known("pose" if shape else "detect", len(names), names, shape)
    return None


GENERATED = {
    "digits": Known("detect", 10, tuple("0123456789")),
    "figures": Known("pose", 1, ("person",), (17, 3)),
}
"""Kind of a generated data set -> what it is."""
SETTINGS = {
    "digits": "train_images val_images imgsz seed digits smallest largest contrast",
    "figures": "train_images val_images imgsz seed people smallest largest",
}
"""Kind of a generated data set -> the keys of its recipe."""
OFFLINE = {"detect": "digits", "pose": "figures"}
"""Task -> the data set that needs no network."""


def plan(config: Config) -> Step:
    """For every data set but `none`.

    Raises UserError for a data.yaml that is missing or cannot be used.
    """
    dataset: Any = config.dataset
    inputs: dict[str, UserFile] = {}
    if dataset.kind in SETTINGS:
        settings = _generated_settings(dataset, SETTINGS[dataset.kind])
    elif dataset.kind == "fetched":
        settings = {"yaml": dataset.yaml, "task": dataset.task}
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
    settings: dict[str, Any] = {"names": layout.names, "splits": layout.splits}
    if layout.keypoints:
        settings["keypoints"] = asdict(layout.keypoints)
    return settings, UserFile(layout.root, IGNORED)


def run(params: Params, work: Work) -> None:
    """Writes manifest.json and data/ (images, labels, data.yaml).

    Raises StageError with every fault of a user's data set, or when a download fails.
    """
    from vision.data_yaml import Keypoints
    from vision.dataset_files import make_folders

    make_folders(work.out)
    if params.kind == "digits":
        _digits(params.settings, work)
    elif params.kind == "figures":
        _figures(params.settings, work)
    elif params.kind == "fetched":
        _fetch(params.settings, work)
    else:
        settings = params.settings
        keypoints = Keypoints.of(settings["keypoints"]) if "keypoints" in settings else None
        _import(work.inputs["root"], settings["names"], keypoints, settings["splits"], [], work)


# --- generated ----------------------------------------------------------------------------

Composed = Callable[[str, list[int]], tuple[Any, list[str]]]
"""(split, seed) -> an image and its label rows."""


def _digits(settings: dict[str, Any], work: Work) -> None:
    from vision.dataset_files import write_manifest
    from vision.digit_sources import credit, load
    from vision.digits import CLASSES, Recipe, compose

    recipe = Recipe(
        **{key: settings[key] for key in ("imgsz", "digits", "smallest", "largest", "contrast")}
    )
    sources = load(VAL_SHARE, settings["seed"])

    def composed(split: str, seed: list[int]) -> tuple[Any, list[str]]:
        image, boxes = compose(sources[split], recipe, seed)
        return image, [box.row(recipe.imgsz) for box in boxes]

    splits = _generate(settings, composed, work)
    write_manifest(work.out, [str(digit) for digit in range(CLASSES)], None, splits, credit())


def _figures(settings: dict[str, Any], work: Work) -> None:
    from vision.data_yaml import Keypoints
    from vision.dataset_files import write_manifest
    from vision.figures import Recipe, compose
    from vision.figures_skeleton import FLIP, KEYPOINTS
    from vision.photos import WITHOUT_PEOPLE, load_photo

    recipe = Recipe(**{key: settings[key] for key in ("imgsz", "people", "smallest", "largest")})
    photos: dict[str, list[Any]] = {"train": [], "val": []}
    for photo in WITHOUT_PEOPLE:
        photos[photo.splits].append(load_photo(photo))

    def composed(split: str, seed: list[int]) -> tuple[Any, list[str]]:
        image, people = compose(photos[split], split, recipe, seed)
        return image, [person.row(recipe.imgsz) for person in people]

    splits = _generate(settings, composed, work)
    keypoints = Keypoints((len(KEYPOINTS), 3), FLIP, KEYPOINTS)
    credit = [asdict(photo) for photo in WITHOUT_PEOPLE]
    write_manifest(work.out, ["person"], keypoints, splits, credit)


def _generate(settings: dict[str, Any], composed: Composed, work: Work) -> Entries:
    """Both splits; an image depends on the seed and its own number only."""
    from vision.dataset_files import store
    from vision.picture import jpeg

    counts = {split: settings[f"{split}_images"] for split in ("train", "val")}
    splits: Entries = {}
    done = 0
    for part, (split, count) in enumerate(counts.items()):
        splits[split] = []
        for index in range(count):
            image, rows = composed(split, [settings["seed"], part, index])
            stem = f"{split}{index:06d}"
            splits[split].append(store(work.out, split, stem, "jpg", jpeg(image), rows))
            done += 1
            if done % 50 == 0:
                work.progress(done, sum(counts.values()), f"{done} images composed")
    return splits


# --- downloaded ---------------------------------------------------------------------------


def _fetch(settings: dict[str, Any], work: Work) -> None:
    """Lets ultralytics download a data set it knows, then treats it as a user's."""
    from vision.checkpoint import plain, prepare_ultralytics
    from vision.data_yaml import LayoutError, read_data_yaml
    from vision.dataset_fetch import download

    yaml, task = settings["yaml"], settings["task"]
    prepare_ultralytics(work.scratch, work.cores, online=True)
    work.progress(0, 1, f"downloading {yaml}")
    try:
        found = download(yaml, work.scratch)
    except Exception as fault:  # whatever the network or the archive made of it
        raise StageError(
            f"dataset {yaml.removesuffix('.yaml')} is downloaded by ultralytics; no network, or "
            f"the download failed ({plain(fault)}). Use dataset={OFFLINE[task]} or dataset=custom."
        ) from fault
    resolved = work.scratch / "resolved.yaml"
    keys = ("train", "val", "names", "kpt_shape", "flip_idx", "kpt_names")
    resolved.write_text(json.dumps({key: found[key] for key in keys if key in found}))
    try:
        layout = read_data_yaml(resolved)
    except LayoutError as fault:
        raise StageError(f"dataset.yaml={yaml}: {fault}") from fault
    if (layout.keypoints is not None) != (task == "pose"):
        has = "keypoints" if layout.keypoints else "no keypoints (kpt_shape)"
        raise StageError(f"dataset.task={task}, but {yaml} has {has}; correct dataset.task")
    origin = {"name": yaml, "source": str(found.get("download", "")), "licence": "see its source"}
    _import(layout.root, layout.names, layout.keypoints, layout.splits, [origin], work)


# --- the user's ---------------------------------------------------------------------------


def _import(
    root: Path,
    names: list[str],
    keypoints: Keypoints | None,
    splits: dict[str, list[str]],
    credit: list[dict[str, str]],
    work: Work,
) -> None:
    """Checks and copies every file, each read once. Raises StageError naming the faults."""
    from vision.dataset_files import Copier, report, write_manifest
    from vision.layout import Fault, list_split

    listed = {split: list_split(root, entries) for split, entries in splits.items()}
    faults = [fault for files in listed.values() for fault in files.faults]
    total = sum(len(files.images) for files in listed.values())
    copier = Copier(root, work.out, len(names), keypoints.shape if keypoints else None)
    copied: Entries = {}
    done = 0
    for split, files in listed.items():
        where, rows = ", ".join(splits[split]), 0
        copied[split] = []
        for taken in copier.take_all(split, files.images, work.cores):
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
        raise StageError(report(faults))
    write_manifest(work.out, names, keypoints, copied, credit)
