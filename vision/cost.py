"""What a model takes at run time, out of what the tools that looked at it have left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vision.contract import Cost
from vision.tflite_file import NPU, ModelFile


def cost_of(model: ModelFile, report: Path | None) -> Cost:
    """`report`: vela.json or arena.json; None: the file itself says what it can."""
    if report is None:
        return told_by_the_file(model)
    told = json.loads(report.read_text(encoding="utf-8"))
    return told_by_vela(told) if "vela" in told else told_by_tflm(told)


def told_by_vela(told: dict[str, Any]) -> Cost:
    """vela.json: vela lays the tensors out and states the sum."""
    return Cost(
        tool=f"vela {told['vela']}",
        version=told["vela"],
        arena_bytes=told["sram_bytes"],
        fixed_bytes=0,
        estimated=False,
        fault="",
        npu_percent=told["npu_percent"],
        latency_ms=told["latency_ms"],
    )


def told_by_tflm(told: dict[str, Any]) -> Cost:
    """arena.json: an interpreter for another processor."""
    return Cost(
        tool=told["tool"],
        version=told["tflm"],
        arena_bytes=told["arena_bytes"],
        fixed_bytes=told["fixed_bytes"],
        estimated=True,
        fault=told["fault"],
        npu_percent=None,
        latency_ms=None,
    )


def told_by_the_file(model: ModelFile) -> Cost:
    """A file compiled elsewhere holds vela's plan of the arena, and the name of its compiler at
    best; how much of the network the NPU runs shows only where that is all."""
    return Cost(
        tool=f"the file's own plan, by vela {model.vela}".rstrip(),
        version=model.vela,
        arena_bytes=model.arena_bytes,
        fixed_bytes=0,
        estimated=False,
        fault="",
        npu_percent=100.0 if set(model.operators) == {NPU} else None,
        latency_ms=None,
    )
