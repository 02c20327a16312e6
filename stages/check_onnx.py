"""Holds the int8 ONNX file against the board's contract. The answer is a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config


@dataclass(frozen=True)
class Params:
    """What the board demands."""

    rules: dict[str, Any]


def plan(config: Config, model: Input, head: Input, export: Input, calibration: Input) -> Step:
    """`model`: the int8 ONNX file; `head`: head.json; `export`: export.json; `calibration`: images
    on which its scores must be alive."""
    target: Any = config.target
    contract, output = target.contract, config.output
    rules = {
        "firmware": contract.firmware,
        "form": output.form,
        "max_opset": contract.max_opset,
        "max_ir": contract.max_ir,
        "score_threshold": output.score,
    }
    return Step(
        stage="check_onnx",
        params=Params(rules),
        inputs={
            "model.q.onnx": model,
            "head.json": head,
            "export.json": export,
            "calibration.npy": calibration,
        },
        outputs=("verdict.json",),
        toolchain=config.lock("images"),
        label=target.name,
    )


def run(params: Params, work: Work) -> None:
    """Writes verdict.json."""
    raise StageError("not built yet")
