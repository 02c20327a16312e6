"""Holds the int8 ONNX file against the board's contract. The answer is a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.onnx_agreement import Agreement
    from vision.onnx_facts import OnnxFacts, Tensor
    from vision.rules_onnx import Described

IMAGES = 32
"""Calibration images that both networks are run on: a second or two."""


@dataclass(frozen=True)
class Params:
    """What the board demands: the fields of `vision.rules_onnx.OnnxRules`."""

    rules: dict[str, Any]


def plan(config: Config, model: Input, head: Step, export: Input, calibration: Input) -> Step:
    """`model`: the int8 ONNX file; `head`: the step that left head.onnx, the same network in
    float, and head.json; `export`: export.json; `calibration`: images on which its scores must
    be alive."""
    target: Any = config.target
    contract, output = target.contract, config.output
    rules = {
        "firmware": contract.firmware,
        "max_opset": contract.max_opset,
        "max_ir": contract.max_ir,
        "max_classes": output.max_classes,
        "score_threshold": output.score,
        "tool": config.quant.kind,
    }
    return Step(
        stage="check_onnx",
        params=Params(rules),
        inputs={
            "model.q.onnx": model,
            "head.onnx": head["head.onnx"],
            "head.json": head["head.json"],
            "export.json": export,
            "calibration.npy": calibration,
        },
        outputs=("verdict.json",),
        toolchain=config.lock("images"),
        label=target.name,
    )


def run(params: Params, work: Work) -> None:
    """Writes verdict.json: every rule's line, the figures, and the file's tensors."""
    from vision.onnx_facts import read_facts
    from vision.rules_onnx import OnnxRules, OnnxSubject, judge_onnx

    path = work.inputs["model.q.onnx"]
    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    export = json.loads(work.inputs["export.json"].read_text(encoding="utf-8"))
    rules, file = OnnxRules(**params.rules), read_facts(path)
    seen, fault = _run_both(work, head, rules.score_threshold)
    lines = judge_onnx(rules, OnnxSubject(file, _described(head, export), seen, fault))
    verdict = {
        "schema": 2,
        "passed": all(line.result != "fail" for line in lines),
        "lines": [asdict(line) for line in lines],
        "figures": _figures(path.stat().st_size, file, seen),
        "tensors": _tensors(file, head),
    }
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    (work.out / "verdict.json").write_text(text, encoding="utf-8")


def _run_both(
    work: Work, head: Mapping[str, Any], threshold: float
) -> tuple[Agreement | None, str]:
    """How the int8 network agrees with the float one, or why it cannot be run."""
    import numpy as np
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals

    from vision.onnx_agreement import agreement

    images = np.load(work.inputs["calibration.npy"], mmap_mode="r")[:IMAGES]
    networks = work.inputs["head.onnx"], work.inputs["model.q.onnx"]
    try:
        return agreement(networks, images, head, threshold, work.progress), ""
    except (
        ValueError,
        refusals.Fail,
        refusals.InvalidArgument,
        refusals.InvalidGraph,
        refusals.NotImplemented,
        refusals.RuntimeException,
    ) as fault:
        return None, str(fault).replace(str(networks[1]), "the file").splitlines()[0]


def _described(head: Mapping[str, Any], export: Mapping[str, Any]) -> Described:
    from vision.rules_onnx import Described

    return Described(
        imgsz=head["imgsz"],
        outputs=tuple((output["name"], tuple(output["shape"])) for output in head["outputs"]),
        classes=head["classes"],
        names=len(export["names"]),
    )


def _figures(size: int, file: OnnxFacts, seen: Agreement | None) -> dict[str, Any]:
    """Bytes, how much of the work is int8, and what int8 has cost."""
    work = sum(c.macs for c in file.convolutions)
    int8 = sum(c.macs for c in file.convolutions if c.int8)
    figures: dict[str, Any] = {
        "flash_bytes": size,
        "opset": file.opset,
        "ir_version": file.ir_version,
        "macs": work,
        "int8_percent": round(100 * int8 / work, 2) if work else None,
        "float_operators": len(file.floats),
    }
    if seen is not None:
        figures |= {
            "images": seen.images,
            "largest_score": _rounded(seen.largest_score),
            "float_largest_score": _rounded(seen.float_largest_score),
            "score_difference": _rounded(seen.score_difference),
            "box_overlap": _rounded(seen.overlap),
        }
    return figures


def _rounded(value: float | None) -> float | None:
    """None also for what is no number: JSON has no word for it."""
    return None if value is None or not isfinite(value) else round(value, 4)


def _tensors(file: OnnxFacts, head: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs and outputs in the file's order; outputs with their role and stride."""
    by_name = {output["name"]: output for output in head["outputs"]}
    outputs = []
    for tensor in file.outputs:
        known = by_name.get(tensor.name, {})
        outputs.append(
            {**_tensor(tensor), "role": known.get("role"), "stride": known.get("stride")}
        )
    return {"inputs": [{**_tensor(t), "layout": "NCHW"} for t in file.inputs], "outputs": outputs}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    """JSON of a tensor. The file is float outside: no scale stands at its ends."""
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": None,
        "zero_point": None,
    }
