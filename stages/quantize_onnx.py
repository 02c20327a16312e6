"""Float ONNX and calibration images to an int8 ONNX file, with SpacemiT's xslim or xquant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config


@dataclass(frozen=True)
class Params:
    """Settings of the tool."""

    tool: str
    method: str
    precision_level: int
    finetune_level: int
    analysis: bool
    truncate: bool
    opset: int


def plan(config: Config, head: Step, calibration: Step) -> Step:
    """`head`: the step that left head.onnx and head.json; `calibration`: calibration.npy."""
    quant: Any = config.quant
    return Step(
        stage="quantize_onnx",
        params=Params(
            tool=quant.kind,
            method=quant.method,
            precision_level=quant.precision_level,
            finetune_level=quant.finetune_level,
            analysis=quant.analysis,
            truncate=quant.truncate,
            opset=quant.opset,
        ),
        inputs={
            "head.onnx": head["head.onnx"],
            "head.json": head["head.json"],
            "calibration.npy": calibration["calibration.npy"],
        },
        outputs=("model.q.onnx", "quantize.json", "xslim.json"),
        toolchain=config.lock("xslim"),
        label=f"{quant.kind} {config.output.form}",
    )


def run(params: Params, work: Work) -> None:
    """Writes model.q.onnx, quantize.json and xslim.json (the tool's own config)."""
    raise StageError("not built yet")
