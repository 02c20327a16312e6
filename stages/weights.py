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

RELEASE = re.compile(r"yolov?\d+[a-z]+\d*(-[a-z0-9]+)?\.pt")
"""How ultralytics names its released checkpoints: yolov8n.pt, yolo11s-seg.pt, …"""


@dataclass(frozen=True)
class Params:
    """Which release."""

    release: str


def edge(config: Config) -> Input | None:
    """Where the weights come from: None (from scratch), the user's file, or a download.

    Raises UserError for a path that does not exist or holds no checkpoint.
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
    return step["weights.pt"]


def _check(config: Config, path: Path) -> None:
    """Finds a text or a torn download here, before a toolchain is installed to read it."""
    from edgemake.errors import UserError
    from vision.checkpoint import CheckpointError, check_file

    model = config.model
    try:
        check_file(path)
    except CheckpointError as fault:
        raise UserError(
            f"model.weights={model.weights}: {fault}. Give an ultralytics checkpoint of "
            f"{model.architecture} for task {model.task}, or null to start from scratch."
        ) from fault


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
