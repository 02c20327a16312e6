"""How much memory TensorFlow Lite Micro's interpreter takes for a model: an estimate by a PC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config


@dataclass(frozen=True)
class Params:
    """Nothing of the config: the model says it all."""


def plan(config: Config, model: Input) -> Step:
    """`model`: a fully quantized TFLite file."""
    return Step(
        stage="arena",
        params=Params(),
        inputs={"model.tflite": model},
        outputs=("arena.json",),
        toolchain=config.lock("tflm"),
        label=f"{config.model.name} {config.model.imgsz}",
    )


def run(params: Params, work: Work) -> None:
    """Writes arena.json."""
    raise StageError("not built yet")
