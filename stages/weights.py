"""The weights a network starts from: ultralytics' release, downloaded by its own loader."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgemake.step import Input, Step, UserFile
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.network_identity import Classes, Identity

RELEASE = re.compile(r"(yolov?\d+[a-z]+\d*)(-[a-z0-9]+)?\.pt")
"""How ultralytics names its released checkpoints: yolov8n.pt, yolo11s-seg.pt, …"""
TASKS = {
    "-pose": "pose", "-seg": "segment", "-cls": "classify", "-obb": "obb", "-sem": "semantic",
    "-depth": "depth", "-world": "world", "-worldv2": "world",
}  # fmt: skip
"""End of a release's name -> what it is for; others are for detection."""
COCO = 80
"""Classes of COCO, on which most releases were trained."""
CLASSES = {"-pose": 1, "-oiv7": 601}
"""End of a release's name -> how many classes it knows: COCO's persons, Open Images V7."""


@dataclass(frozen=True)
class Params:
    """Which release."""

    release: str


def edge(config: Config) -> Input | None:
    """Where the weights come from: None (from scratch), the user's file, or a download.

    Raises UserError for a path that does not exist, and for a checkpoint or a release of another
    network than the config's.
    """
    weights = config.model.weights
    if weights is None:
        return None
    path = Path(weights).expanduser()
    if path.is_file():
        _check(config, path)
        return UserFile(path.absolute())
    step = plan(config)
    if step is None:
        from edgemake.errors import UserError

        what = "is a folder, not a checkpoint" if path.is_dir() else "does not exist"
        raise UserError(
            f"model.weights={weights}: {path.absolute()} {what}. Give the path of a .pt file, the "
            "name of an ultralytics release such as yolov8n.pt, or null to start from scratch."
        )
    _refuse(config, _of_release(weights))
    return step["weights.pt"]


def classes(config: Config) -> Classes | None:
    """Of the given weights, as far as they can be told before anything runs."""
    from vision.checkpoint_peek import NotPlain, peek
    from vision.network_identity import Classes

    weights = config.model.weights or ""
    path = Path(weights).expanduser()
    if not path.is_file():
        name = RELEASE.fullmatch(weights)
        return Classes(CLASSES.get(name[2] or "", COCO), None) if name else None
    try:
        found = peek(path)
    except NotPlain:
        return None
    return Classes.of(found.names) if found else None


def _check(config: Config, path: Path) -> None:
    """Looks at the file here, before a toolchain is installed to load it.

    A checkpoint that only torch can tell about is left to the stage that loads it.
    """
    from edgemake.errors import UserError
    from vision.checkpoint import CheckpointError, check_file
    from vision.checkpoint_peek import NotPlain, peek

    model = config.model
    try:
        check_file(path)
        found = peek(path)
    except (CheckpointError, NotPlain) as fault:
        raise UserError(
            f"model.weights={model.weights}: {fault}. Give an ultralytics checkpoint of "
            f"{model.architecture} for task {model.task}, or null to start from scratch."
        ) from fault
    if found is not None:
        _refuse(config, found)


def _refuse(config: Config, found: Identity) -> None:
    """Raises UserError for another network than the config's."""
    from edgemake.errors import UserError
    from vision.network_identity import mismatch, other_activation

    model = config.model
    refused = mismatch(found, model.task, model.architecture)
    if refused is None and config.train.kind == "none":  # a training may change the activation
        refused = other_activation(found.activations, model.activation)
    if refused is not None:
        raise UserError(f"model.weights={model.weights}: {refused}")


def _of_release(name: str) -> Identity:
    """What the name of a release says."""
    from vision.network_identity import Identity, canonical

    found = RELEASE.fullmatch(name)
    assert found is not None
    base, variant = found[1], found[2] or ""
    if variant not in TASKS:  # -oiv7: other classes, the same network
        variant = ""
    return Identity(
        task=TASKS.get(variant, "detect"),
        architecture=canonical(base + variant),
        activations=frozenset(["SiLU"]),
    )


def plan(config: Config) -> Step | None:
    """The download, when `model.weights` names a release and no file of that name lies here."""
    weights = config.model.weights
    if weights is None or not RELEASE.fullmatch(weights) or Path(weights).is_file():
        return None
    return Step(
        stage="weights",
        params=Params(weights),
        inputs={},
        outputs=("weights.pt",),
        toolchain=config.lock("torch"),
        network=True,
        label=weights,
    )


def run(params: Params, work: Work) -> None:
    """Writes weights.pt. Raises StageError when it cannot be downloaded."""
    from vision.checkpoint import plain, prepare_ultralytics

    prepare_ultralytics(work.scratch, work.cores, online=True)
    from ultralytics.utils.downloads import attempt_download_asset

    work.progress(0, 1, f"downloading {params.release}")
    file = work.scratch / params.release
    advice = "give a path (model.weights=my.pt), or train from scratch (model.weights=null)"
    try:
        attempt_download_asset(file)
    except (ConnectionError, OSError) as fault:
        raise StageError(
            f"model.weights={params.release} is downloaded by ultralytics, and that failed: "
            f"{plain(fault)}. Without a network, {advice}."
        ) from fault
    if not file.is_file():
        raise StageError(
            f"model.weights={params.release}: ultralytics found no such release, or no network. "
            f"Correct the name, {advice}."
        )
    file.rename(work.out / "weights.pt")
