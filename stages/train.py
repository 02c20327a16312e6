"""Training with ultralytics, from scratch or from weights; resumes what a kill interrupted."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work
from vision.train_arguments import ARGUMENTS

if TYPE_CHECKING:
    from stages.schema import Config
    from stages.schema.base import Scalar

RESERVED = frozenset(
    (
        *("cfg", "data", "deterministic", "distill_model", "exist_ok", "mode", "model", "name"),
        *("plots", "pretrained", "project", "resume", "save", "save_dir", "task", "time", "val"),
        "verbose",
    )
)
"""ultralytics arguments that the stage's promises rest on: files beside its inputs, the clock, …"""
OWN_KEYS = frozenset(["batch", "device", "epochs", "imgsz", "seed", "workers"])
"""ultralytics arguments that have a key of their own in the group `train`."""
NO_ARGUMENTS = ("args", "activation")
"""Params that are no arguments of ultralytics by that name."""
REFUSALS = (SyntaxError, TypeError, ValueError)
"""How ultralytics refuses an argument."""


@dataclass(frozen=True)
class Params:
    """What the trained network depends on beside data and first weights."""

    architecture: str
    activation: str
    task: str
    epochs: int
    batch: int
    imgsz: int
    seed: int
    args: dict[str, Any]
    """Further ultralytics train arguments."""


def plan(config: Config, dataset: Step, weights: Input | None) -> Step:
    """`weights`: the edge to start from, None for scratch.

    Raises UserError for a `train.args` key that is unknown, or not the user's to set.
    """
    train: Any = config.train
    model = config.model
    _check_names(train.args)
    inputs: dict[str, Input] = {"manifest.json": dataset["manifest.json"], "data": dataset["data"]}
    if weights is not None:
        inputs["weights.pt"] = weights
    return Step(
        stage="train",
        params=Params(
            architecture=model.architecture,
            activation=model.activation,
            task=model.task,
            epochs=train.epochs,
            batch=train.batch,
            imgsz=train.imgsz or model.imgsz,
            seed=train.seed,
            args=dict(train.args),
        ),
        inputs=inputs,
        outputs=("best.pt", "results.csv", "train.json"),
        toolchain=config.lock("torch"),
        resumable=True,
        label=f"{model.name} {train.epochs} epochs",
    )


def _check_names(args: dict[str, Scalar]) -> None:
    from edgemake.errors import UserError, did_you_mean

    for key, value in args.items():
        if key in RESERVED | OWN_KEYS:
            fix = f"use train.{key}" if key in OWN_KEYS else "remove it: the build decides it"
            raise UserError(f"train.args.{key}={value} cannot be set here; {fix}.")
        if key not in ARGUMENTS:
            hint = did_you_mean(key, ARGUMENTS - RESERVED)
            raise UserError(f"train.args.{key}: ultralytics has no such train argument{hint}")


def run(params: Params, work: Work) -> None:
    """Writes best.pt (float16, no dates or paths), results.csv (a line an epoch), train.json.

    Raises StageError for weights of something else and for arguments ultralytics refuses.
    """
    from vision.checkpoint import CheckpointError, check_architecture, prepare_ultralytics
    from vision.kept_epochs import KeptEpochs

    prepare_ultralytics(work.scratch, work.cores)
    try:
        check_architecture(params.architecture, params.task)
    except CheckpointError as fault:
        raise StageError(str(fault)) from fault
    data = _data(params, work)
    epochs = KeptEpochs(work.scratch / "kept")
    kept = epochs.newest() if work.resumed else None
    if kept is None or not epochs.finished(kept):
        trainer = _trainer(params, work, data, kept)
        trainer.add_callback("on_model_save", epochs.keep)
        _run_epochs(trainer)
        kept = epochs.newest()
    if kept is None:
        raise StageError("train: no epoch ended with a usable network; lower train.args.lr0")
    _publish(params, work, kept)


def _data(params: Params, work: Work) -> dict[str, Any]:
    """The data set as ultralytics wants it described; pose adds the keypoints.

    Raises StageError for a pose network and a data set without keypoints.
    """
    manifest = json.loads((work.inputs["manifest.json"]).read_text(encoding="utf-8"))
    folder = _link_data(work)
    names: list[str] = manifest["names"]
    data = {
        "path": folder,
        "train": str(folder / "images/train"),
        "val": str(folder / "images/val"),
        "names": dict(enumerate(names)),
        "nc": len(names),
        "channels": 3,
    }
    if params.task != "pose":
        return data
    if not manifest.get("kpt_shape"):
        raise StageError(
            "model.task=pose: the data set has no keypoints (kpt_shape); choose a pose data set"
        )
    data["kpt_shape"] = manifest["kpt_shape"]
    if manifest.get("flip_idx"):  # without it ultralytics mirrors no image
        data["flip_idx"] = manifest["flip_idx"]
    return data


def _link_data(work: Work) -> Path:
    """A folder of links to images and labels: ultralytics writes label caches beside the data."""
    source, target = work.inputs["data"], work.scratch / "data"
    shutil.rmtree(target, ignore_errors=True)
    for kind in ("images", "labels"):
        for split in ("train", "val"):
            folder = target / kind / split
            folder.mkdir(parents=True)
            for file in sorted((source / kind / split).iterdir()):
                (folder / file.name).symlink_to(file.resolve())
    return target


# --- ultralytics --------------------------------------------------------------------------


def _overrides(params: Params, run: Path) -> dict[str, Any]:
    return {
        "task": params.task,
        "mode": "train",
        "model": params.architecture,
        "pretrained": False,
        "data": "data.yaml",  # a name only: the trainer below brings the data itself
        "epochs": params.epochs,
        "batch": params.batch,
        "imgsz": params.imgsz,
        "seed": params.seed,
        "device": _device(os.environ.get("EDGEMAKE_DEVICE", "auto")),
        "workers": int(os.environ.get("EDGEMAKE_WORKERS", "2")),
        "deterministic": True,
        "plots": False,
        "val": True,
        "save": True,
        "exist_ok": True,
        "verbose": True,
        "save_dir": str(run),
        **params.args,
    }


def _device(wanted: str) -> str:
    """Where to train, as ultralytics names it. Raises StageError for a GPU that is not there."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "0" if gpus else "cpu"
    if wanted != "cpu" and not (wanted.isdigit() and int(wanted) < gpus):
        raise StageError(
            f"train.device={wanted}: torch can use {gpus} GPUs here; give auto, cpu, or an index "
            "counted from 0"
        )
    return wanted


def _trainer(params: Params, work: Work, data: dict[str, Any], kept: Path | None) -> Any:
    """ultralytics' trainer of the task, new or restored from what was kept."""
    import torch

    from vision.checkpoint import plain
    from vision.train_progress import EpochProgress
    from vision.trainers import trainer_of

    run = work.scratch / "run"
    shutil.rmtree(run, ignore_errors=True)
    overrides = _overrides(params, run)
    if kept is not None:
        (run / "weights").mkdir(parents=True)
        for name in ("last.pt", "best.pt"):
            shutil.copyfile(kept / name, run / "weights" / name)
        shutil.copyfile(kept / "results.csv", run / "results.csv")
        overrides["resume"] = overrides["model"] = str(run / "weights" / "last.pt")
    elif "weights.pt" in work.inputs:
        overrides["pretrained"] = str(_checked_weights(params, work))
    try:
        trainer = trainer_of(params.task, params.activation, data)(overrides=overrides)
    except REFUSALS as fault:
        raise StageError(f"train.args: {plain(fault)}.") from fault
    torch.set_num_threads(work.cores)  # ultralytics has just left one core idle
    progress = EpochProgress(work.progress, params.epochs)
    trainer.add_callback("on_train_epoch_start", progress.epoch_started)
    trainer.add_callback("on_train_batch_end", progress.batch_ended)
    return trainer


def _run_epochs(trainer: Any) -> None:
    from vision.checkpoint import plain

    try:
        trainer.train()
    except NotImplementedError as fault:
        if "optimizer" not in str(fault).lower():  # its word for an optimizer it does not know
            raise
        raise StageError(f"train.args: {plain(fault)}.") from fault


def _checked_weights(params: Params, work: Work) -> Path:
    from vision.checkpoint import CheckpointError, load

    try:
        load(work.inputs["weights.pt"], params.task, params.architecture)
    except CheckpointError as fault:
        remedy = fault.remedy or (
            f"Give an ultralytics checkpoint of {params.architecture} for task {params.task}, or "
            "model.weights=null to start from scratch."
        )
        raise StageError(f"model.weights: {fault}. {remedy[0].upper()}{remedy[1:]}") from fault
    link = work.scratch / "weights.pt"
    link.unlink(missing_ok=True)
    link.symlink_to(work.inputs["weights.pt"].resolve())
    return link


# --- results ------------------------------------------------------------------------------


def _publish(params: Params, work: Work, kept: Path) -> None:
    import torch

    from vision.checkpoint import save
    from vision.train_results import figures, write_curves

    best = torch.load(kept / "best.pt", map_location="cpu", weights_only=False)
    # The network holds its activation itself.
    args = {key: value for key, value in asdict(params).items() if key not in NO_ARGUMENTS}
    save(best["ema"], {**params.args, **args, "model": params.architecture}, work.out)
    epochs = write_curves(kept / "results.csv", work.out / "results.csv")
    report = {
        "schema": 1,
        "epochs": epochs,
        "best_epoch": best["epoch"] + 1,
        **figures(best["train_metrics"]),
        "imgsz": params.imgsz,
        "pretrained": "weights.pt" in work.inputs,
    }
    (work.out / "train.json").write_text(json.dumps(report, indent=1) + "\n")
