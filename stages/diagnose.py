"""Where an int8 TFLite file loses what the float network knew, tensor by tensor."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

STEPS = 2
"""Steps of the progress before the first image: starting TensorFlow, the float file."""


@dataclass(frozen=True)
class Params:
    """How many images, the firmware's threshold, and what advice depends on."""

    images: int
    threshold: float
    source: str
    count: int
    has_dataset: bool
    trains: bool
    activation: str


def plan(
    config: Config, floats: Input, int8: Input, cut: Step, images: Input, val: Input | None
) -> Step:
    """`floats`: convert's saved_model; `int8`: the TFLite file made of it; `cut`: the step that
    left head.onnx and head.json; `images`: calibration.npy; `val`: validation.npy, if there is a
    data set."""
    quant: Any = config.quant
    inputs: dict[str, Input] = {
        "saved_model": floats,
        "model_int8.tflite": int8,
        "head.onnx": cut["head.onnx"],
        "head.json": cut["head.json"],
        "calibration.npy": images,
    }
    if val is not None:
        inputs["validation.npy"] = val
    source = quant.calibration.source
    return Step(
        stage="diagnose",
        params=Params(
            images=config.diagnose.images,
            threshold=config.output.score,
            source=source if source in ("train", "val") else "user",
            count=quant.calibration.count,
            has_dataset=val is not None,
            trains=config.train.kind != "none",
            activation=config.model.activation,
        ),
        inputs=inputs,
        outputs=("diagnosis.json",),
        toolchain=config.lock("tensorflow"),
        label=f"{config.diagnose.images} images",
    )


def run(params: Params, work: Work) -> None:
    """Writes diagnosis.json; what it finds is also in the log."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # equal figures with and without a GPU
    from vision.diagnosis_report import diagnose, write
    from vision.remedies import Chosen
    from vision.tflite_pair import TflitePair, float_tflite, layers_by_weights

    work.progress(0, STEPS + 1, "making the float file")
    floats = float_tflite(work.inputs["saved_model"])
    pair = TflitePair(
        floats,
        work.inputs["model_int8.tflite"].read_bytes(),
        layers_by_weights(work.inputs["head.onnx"]),
        json.loads(work.inputs["head.json"].read_text(encoding="utf-8")),
    )
    chosen = Chosen(
        quant="tflite",
        settings={"weights": pair.granularity},
        source=params.source,
        count=params.count,
        has_dataset=params.has_dataset,
        trains=params.trains,
        activation=params.activation,
    )

    def progress(done: int, total: int) -> None:
        work.progress(STEPS + done, STEPS + total, "float and int8 side by side")

    report = diagnose(pair, work.inputs, params.images, params.threshold, chosen, progress)
    write(report, work.out / "diagnosis.json")
