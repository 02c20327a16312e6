"""The whole pipeline: a config becomes steps. Arguments are the edges between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgemake.errors import UserError
from edgemake.step import Input, Output, Step
from stages import (
    calibration,
    check,
    compile,
    convert,
    dataset,
    export,
    head,
    package,
    quantize,
    train,
    weights,
)

if TYPE_CHECKING:
    from stages.schema import Config

STAGES = (
    *(calibration, check, compile, convert, dataset, export),
    *(head, package, quantize, train, weights),
)
TAKEN = frozenset(("store", *(stage.__name__.rpartition(".")[2] for stage in STAGES)))
"""Folders of artifacts/ that no target's deliverables may lie in."""


@dataclass(frozen=True)
class Pipeline:
    """A planned pipeline, as far as delivering its result needs it."""

    name: str
    """The deliverable's, readable; made of everything that people vary."""
    folder: str
    """The target's name: the deliverable's folder."""
    package: Step
    verdicts: tuple[Output, ...]
    """Files that say whether the package may be delivered."""
    deliver_commands: Mapping[str, str]
    """Way of delivery -> command that puts the file {model} on the board."""
    model: str
    """The package's output that the board runs."""


def plan(config: Config) -> Pipeline:
    """The steps that make a config's deliverable.

    Raises UserError for what cannot work, before anything is run.
    """
    examine(config)
    name = deliverable_name(config)
    source = dataset.plan(config) if needs_dataset(config) else None
    checkpoint = _checkpoint(config, source)
    exported = export.plan(config, checkpoint)
    cut = head.plan(config, exported["model.onnx"])
    images = calibration.plan(config, source)
    floats = convert.plan(config, cut["head.onnx"])
    int8 = quantize.plan(config, floats["saved_model"], images["calibration.npy"])
    compiled = compile.plan(config, int8["model_int8.tflite"])
    checked = check.plan(
        config, compiled["model_vela.tflite"], compiled["vela.json"], exported["export.json"]
    )
    packed = package.plan(
        config,
        name,
        model=compiled["model_vela.tflite"],
        int8=int8["model_int8.tflite"],
        export=exported["export.json"],
        verdict=checked["verdict.json"],
    )
    return Pipeline(
        name=name,
        folder=config.target.name,
        package=packed,
        verdicts=(checked["verdict.json"],),
        deliver_commands=dict(config.target.deliver),
        model=package.MODEL,
    )


def _checkpoint(config: Config, source: Step | None) -> Input:
    """What is exported: the trained checkpoint, or the given weights when there is no training."""
    start = weights.edge(config)
    if trains(config):
        assert source is not None
        return train.plan(config, source, start)["best.pt"]
    if start is None:
        raise UserError(
            "model.weights=null with train=none: there is nothing to export; give model.weights a "
            "checkpoint (a path, or a release such as yolov8n.pt), or leave train=none out"
        )
    return start


def trains(config: Config) -> bool:
    """Whether a training step is planned."""
    return config.train.kind != "none"


def needs_dataset(config: Config) -> bool:
    """Whether any step reads the data set."""
    return trains(config) or config.quant.calibration.source in calibration.SPLITS


def examine(config: Config) -> None:
    """Raises UserError where values fit their types but not each other."""
    side, contract = config.model.imgsz, config.target.contract
    if side % contract.imgsz_multiple or side < contract.min_imgsz:
        raise UserError(
            f"model.imgsz={side}: {config.target.title} takes multiples of "
            f"{contract.imgsz_multiple} from {contract.min_imgsz}"
        )
    if config.target.name in TAKEN:
        raise UserError(
            f"target.name={config.target.name}: artifacts/{config.target.name} is the build's own "
            "folder; give the board another name"
        )
    for way, command in config.target.deliver.items():
        if "{model}" not in command:
            raise UserError(
                f"target.deliver.{way}={command!r} does not name the file; write {{model}} where "
                "its path belongs"
            )


def deliverable_name(config: Config) -> str:
    """For instance yolov8n-192-digits-int8_per_tensor; names the weights that are given."""
    parts = (
        config.model.name,
        str(config.model.imgsz),
        config.dataset.name if trains(config) else "",
        f"from_{Path(config.model.weights).stem}" if config.model.weights else "",
        f"int8_{config.quant.weights}",
    )
    return "-".join(re.sub(r"[^\w.]+", "_", part) for part in parts if part)
