"""Runs a model on the validation split and keeps what it finds: one step for each tier.

A tier is something to run the model as, from PyTorch to the interpreter that the board runs. What
it finds is an artifact, so another way of counting runs no network again.
"""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.schema import Config
    from vision.predictor import Predicted, Setting

SCHEMA = 1
"""Version of predictions.json; see docs/predictions.md."""
SPLIT = "val"
MOST = 300
"""Detections kept of one image: ultralytics' `max_det`."""
KEPT = 8
"""Images whose int8 outputs are kept as they are, for holding two interpreters together."""
NAMED = 5
"""Classes spelled out in one message."""


@dataclass(frozen=True)
class Tier:
    """Something to run the model as."""

    runtime: str
    """What runs it, as vision/predictor.py names it."""
    lock: str
    """Its toolchain, a field of `toolchain.locks`."""
    table: str
    """`comparable`: treated as ultralytics' validation does; `board`: as the board does."""
    raw: bool = False
    """Whether the first images' outputs are kept."""


TIERS = {
    "pytorch": Tier("torch", "torch", "comparable"),
    "onnx": Tier("onnx", "tflm", "comparable"),
    "cut_onnx": Tier("onnx", "tflm", "board"),
    "litert": Tier("litert", "tflm", "board", raw=True),
    "tflm": Tier("tflm", "tflm", "board", raw=True),
    "q_onnx": Tier("onnx", "tflm", "board"),
}


@dataclass(frozen=True)
class Params:
    """What the detections depend on beside model and images."""

    tier: str
    table: str
    preprocess: str
    """How pictures are brought to size."""
    score: float
    """Lowest confidence that is kept: far below the firmware's own threshold."""
    iou: float
    """Of the suppression of repetitions."""
    max_det: int
    count: int | None
    """Images at most, the first; None: all."""


def plan(
    config: Config, tier: str, *, model: Input, head: Input | None, export: Input, source: Step
) -> Step:
    """`model`: the tier's file; `head`: head.json of a cut one; `source`: the data set's step."""
    chosen, proof = TIERS[tier], config.evaluate
    board = chosen.table == "board"
    inputs: dict[str, Input] = {
        "model": model,
        "export.json": export,
        "manifest.json": source["manifest.json"],
        "data": source["data"],
    }
    if head is not None:
        inputs["head.json"] = head
    return Step(
        stage="predict",
        params=Params(
            tier=tier,
            table=chosen.table,
            preprocess=config.target.preprocess if board else "letterbox",
            score=proof.score,
            iou=config.output.iou if board else proof.iou,
            max_det=MOST,
            count=proof.count,
        ),
        inputs=inputs,
        outputs=("predictions.npz", "predictions.json", *(["outputs.npz"] * chosen.raw)),
        toolchain=config.lock(chosen.lock),
        label=tier,
    )


def run(params: Params, work: Work) -> None:
    """Writes predictions.npz, predictions.json and, of int8 TFLite files, outputs.npz.

    They are the same whatever the number of cores. Raises StageError for a model of other classes
    or keypoints than the data set's, for an image that cannot be read, and for a file that does
    not fit its description.
    """
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"  # the images are what is spread over the cores
    export, manifest = _read(work, "export.json"), _read(work, "manifest.json")
    _demand_same_classes(export, manifest)
    images = [Path(entry["image"]).name for entry in manifest["splits"][SPLIT]][: params.count]
    if not images:
        raise StageError(f"the data set's split {SPLIT} holds no image to evaluate; give it some")
    setting = _setting(params, work, export)
    work.progress(0, len(images), "loading the model")
    found = _predict(params, setting, images, work)
    _write(params, work, export, setting, images, found)


def _read(work: Work, name: str) -> Any:
    return json.loads(work.inputs[name].read_text(encoding="utf-8"))


def _demand_same_classes(export: dict[str, Any], manifest: dict[str, Any]) -> None:
    """Raises StageError unless what the model tells apart is what the labels name."""
    ours, theirs = export["names"], manifest["names"]
    if ours != theirs:
        raise StageError(
            f"the model tells {_listed(ours)} apart, the data set's labels name {_listed(theirs)}: "
            "accuracy cannot be measured. Choose the data set that the model was trained on "
            "(dataset=…), or leave evaluation out (evaluate.tiers=[])"
        )
    points, labelled = export["kpt_shape"], manifest.get("kpt_shape")
    if points and (not labelled or points[0] != labelled[0]):
        has = f"{labelled[0]}" if labelled else "none"
        raise StageError(
            f"the model finds {points[0]} keypoints, the data set's labels have {has}: accuracy "
            "cannot be measured. Choose the data set that the model was trained on (dataset=…), "
            "or leave evaluation out (evaluate.tiers=[])"
        )


def _listed(names: Sequence[str]) -> str:
    """'10 classes (0, 1, 2, …)'."""
    some = ", ".join([*names[:NAMED], *["…"] * (len(names) > NAMED)])
    return f"{len(names)} class{'es' * (len(names) != 1)} ({some})"


def _setting(params: Params, work: Work, export: dict[str, Any]) -> Setting:
    from vision.predictor import Setting, described

    head = _read(work, "head.json") if "head.json" in work.inputs else None
    return Setting(
        runtime=TIERS[params.tier].runtime,
        model=work.inputs["model"],
        outputs=json.dumps(described(head, export)),
        scratch=work.scratch,
        board=params.table == "board",
        preprocess=params.preprocess,
        score=params.score,
        iou=params.iou,
        most=params.max_det,
    )


def _predict(
    params: Params, setting: Setting, images: Sequence[str], work: Work
) -> list[Predicted]:
    """What is found on each image, in order. Raises StageError."""
    from vision.predictor import BadImage, Misfit, predict
    from vision.workers import WorkerLost, in_processes

    folder = work.inputs["data"] / "images" / SPLIT
    kept = KEPT if TIERS[params.tier].raw else 0
    items = [(folder / name, number < kept) for number, name in enumerate(images)]

    def tell(done: int, total: int, left: str) -> None:
        work.progress(done, total, f"{done} of {total} images, {left}")

    try:
        return list(in_processes(functools.partial(predict, setting), items, work.cores, tell))
    except BadImage as fault:
        raise StageError(
            f"the validation split's image {fault}: the data set's copy in the store is damaged; "
            "make it again (`doit forget dataset`, then the same command)"
        ) from fault
    except Misfit as fault:
        described = "head.json" if "head.json" in work.inputs else "export.json"
        raise StageError(f"the model file is not what {described} describes: {fault}") from fault
    except WorkerLost as fault:
        raise StageError(
            "a process that ran the model was ended: out of memory, or the runtime crashed on "
            "this file; try again with less else running"
        ) from fault


def _write(
    params: Params,
    work: Work,
    export: dict[str, Any],
    setting: Setting,
    images: Sequence[str],
    found: Sequence[Predicted],
) -> None:
    from vision.predictions import outputs, save, table

    said = json.loads(setting.outputs)
    points = export["kpt_shape"]
    save(work.out / "predictions.npz", table(found, points[0] if points else None))
    if TIERS[params.tier].raw:
        save(work.out / "outputs.npz", outputs(found[:KEPT]))
    report = {
        "schema": SCHEMA,
        "tier": params.tier,
        "table": params.table,
        "runtime": found[0].runtime,
        "form": said["form"],
        "imgsz": said["imgsz"],
        "preprocess": params.preprocess,
        "score": params.score,
        "iou": params.iou,
        "max_det": params.max_det,
        "classes": export["names"],
        "keypoints": [points[0], 3] if points else None,
        "images": images,
        "sizes": [[one.width, one.height] for one in found],
    }
    text = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (work.out / "predictions.json").write_text(text, encoding="utf-8")
