"""Holds a model against the limits that the user has set. The answer is a verdict."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

SCHEMA = 1
"""Version of gate.json."""
ACCURACY = ("max_map_drop", "min_map")
"""Limits on what `evaluate` measures."""
FIGURES = ("min_npu", "max_sram_kib", "max_flash_kib", "max_latency_ms")
"""Limits on what the board's verdict states."""
FINAL = {"tflite": ("tflm", "litert"), "onnx": ("q_onnx",)}
"""Kind of target -> the tiers that stand for the board's file; one of them must be measured."""
REFERENCE = "cut_onnx"
"""The tier that a drop is counted from."""


@dataclass(frozen=True)
class Params:
    """The limits that are set, and what remedies depend on."""

    limits: dict[str, float]
    build: dict[str, Any]
    """The fields of `vision.gates.Build`."""


def limits(config: Config) -> dict[str, float]:
    """Those that are set, by key."""
    every = {key: getattr(config.gate, key) for key in (*ACCURACY, *FIGURES)}
    return {key: limit for key, limit in every.items() if limit is not None}


def needs_metrics(config: Config) -> bool:
    """Whether a limit is on the accuracy."""
    return any(key in ACCURACY for key in limits(config))


def plan(config: Config, metrics: Input | None, verdict: Input) -> Step | None:
    """`metrics`: metrics.json; None where nothing is evaluated; `verdict`: the board's.

    None when no limit is set. Raises UserError for a limit that can never be judged.
    """
    chosen = limits(config)
    if not chosen:
        return None
    for key in chosen:
        _demand_judgeable(config, key, metrics)
    inputs = {"verdict.json": verdict}
    if metrics is not None and needs_metrics(config):
        inputs["metrics.json"] = metrics
    return Step(
        stage="gate",
        params=Params(chosen, _build(config)),
        inputs=inputs,
        outputs=("gate.json",),
        label=config.target.name,
    )


def _demand_judgeable(config: Config, key: str, metrics: Input | None) -> None:
    """Raises UserError unless the figure that a limit is on will be known."""
    target: Any = config.target
    given = f"gate.{key}={getattr(config.gate, key):g}"
    if key in ("min_npu", "max_latency_ms") and getattr(target, "vela", None) is None:
        what = "no NPU" if key == "min_npu" else "no NPU whose compiler would estimate a run"
        fault = f"{target.title} has {what}; leave this limit out"
    elif key == "max_sram_kib" and getattr(target, "memory", None) is None:
        fault = f"{target.title} runs ONNX, which has no tensor arena; leave this limit out"
    elif key in ACCURACY:
        fault = _unmeasured(config, key, metrics)
    else:
        return
    if fault:
        raise UserError(f"{given}: {fault}")


def _unmeasured(config: Config, key: str, metrics: Input | None) -> str:
    """Why a limit on the accuracy cannot be judged; empty when it can."""
    tiers, finals = config.evaluate.tiers, FINAL[config.target.kind]
    if tiers is None:
        if metrics is not None:
            return ""
        return (
            f"dataset={config.dataset.name} does not show what this model finds, so its accuracy "
            "cannot be measured; give the model's own data set, or leave this limit out"
        )
    missing = [] if set(finals) & set(tiers) else [" or ".join(finals)]
    if key == "max_map_drop" and REFERENCE not in tiers:
        missing.insert(0, REFERENCE)
    if not missing:
        return ""
    return (
        f"evaluate.tiers=[{','.join(tiers)}] leaves out {' and '.join(missing)}, which it is "
        "judged by; set evaluate.tiers=null"
    )


def _build(config: Config) -> dict[str, Any]:
    quant: Any = config.quant
    quick = "tuned" if getattr(quant, "finetune_level", 0) else "quick"
    return {
        "quant": getattr(quant, "weights", quick),
        "calibration": quant.calibration.count,
        "imgsz": config.model.imgsz,
        "multiple": config.target.contract.imgsz_multiple,
        "activation": config.model.activation,
        "trained": config.train.kind != "none",
    }


def run(params: Params, work: Work) -> None:
    """Writes gate.json."""
    from dataclasses import asdict

    from vision.gates import Build, judge

    figures = json.loads(work.inputs["verdict.json"].read_text(encoding="utf-8"))["figures"]
    metrics = None
    if "metrics.json" in work.inputs:
        metrics = json.loads(work.inputs["metrics.json"].read_text(encoding="utf-8"))["board"]
    lines = judge(params.limits, Build(**params.build), figures, metrics)
    verdict = {
        "schema": SCHEMA,
        "who": "your gate",
        "passed": all(line.result == "pass" for line in lines),
        "lines": [asdict(line) for line in lines],
    }
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    (work.out / "gate.json").write_text(text, encoding="utf-8")
