"""Where an int8 ONNX file loses what the float network knew, tensor by tensor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config


@dataclass(frozen=True)
class Params:
    """How many images, the board's threshold, and what advice depends on."""

    images: int
    threshold: float
    quant: str
    method: str
    precision_level: int
    finetune_level: int
    source: str
    count: int
    has_dataset: bool
    trains: bool
    activation: str


def plan(config: Config, cut: Step, int8: Input, images: Input, val: Input | None) -> Step:
    """`cut`: the step that left head.onnx and head.json; `int8`: the QDQ file made of it;
    `images`: calibration.npy; `val`: validation.npy, if there is a data set."""
    quant: Any = config.quant
    inputs: dict[str, Input] = {
        "head.onnx": cut["head.onnx"],
        "head.json": cut["head.json"],
        "model.q.onnx": int8,
        "calibration.npy": images,
    }
    if val is not None:
        inputs["validation.npy"] = val
    source = quant.calibration.source
    return Step(
        stage="diagnose_onnx",
        params=Params(
            images=config.diagnose.images,
            threshold=config.output.score,
            quant=quant.kind,
            method=quant.method,
            precision_level=quant.precision_level,
            finetune_level=quant.finetune_level,
            source=source if source in ("train", "val") else "user",
            count=quant.calibration.count,
            has_dataset=val is not None,
            trains=config.train.kind != "none",
            activation=config.model.activation,
        ),
        inputs=inputs,
        outputs=("diagnosis.json",),
        toolchain=config.lock("images"),
        label=f"{config.diagnose.images} images",
    )


def run(params: Params, work: Work) -> None:
    """Writes diagnosis.json; what it finds is also in the log."""
    from vision.diagnosis_report import diagnose, write
    from vision.onnx_pair import OnnxPair
    from vision.remedies import Chosen

    work.progress(0, 1, "loading both networks")
    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    pair = OnnxPair(work.inputs["head.onnx"], work.inputs["model.q.onnx"], head)
    chosen = Chosen(
        quant=params.quant,
        settings={
            "method": params.method,
            "precision_level": params.precision_level,
            "finetune_level": params.finetune_level,
        },
        source=params.source,
        count=params.count,
        has_dataset=params.has_dataset,
        trains=params.trains,
        activation=params.activation,
    )

    def progress(done: int, total: int) -> None:
        work.progress(done, total, "float and int8 side by side")

    report = diagnose(pair, work.inputs, params.images, params.threshold, chosen, progress)
    write(report, work.out / "diagnosis.json")
