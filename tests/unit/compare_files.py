"""model.json and metrics.json as deliverables have them, for tests of `doit compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

COSTS = {
    "arena_bytes": 300_000,
    "arena_limit_bytes": 1_135_736,
    "arena_source": "vela 5.2.0",
    "flash_bytes": 2_857_472,
    "flash_limit_bytes": 10_485_760,
    "npu_percent": 100.0,
    "latency_ms": 50.33,
}


def model(*, target: str = "grove_v2", task: str = "detect", **figures: Any) -> dict[str, Any]:
    """model.json; a figure of None is left out."""
    known = {key: value for key, value in (COSTS | figures).items() if value is not None}
    return {
        "schema": 2,
        "name": "toy",
        "task": task,
        "target": {"name": target, "title": f"a board called {target}"},
        "input": {"shape": [1, 192, 192, 3], "preprocess": "stretch"},
        "form": "six_raw",
        "contract": {"passed": True, "lines": [{"rule": "flash slot", "result": "warn"}]},
        "figures": known,
    }


def tier(runtime: str, value: float | None, keypoints: float | None = None) -> dict[str, Any]:
    """The accuracy of one tier: mAP50-95, and mAP50 a tenth above it."""

    def maps(mean: float | None) -> dict[str, Any]:
        return {"map50": None if mean is None else mean + 0.1, "map50_95": mean, "per_class": []}

    found: dict[str, Any] = {
        "runtime": runtime,
        "box": maps(value),
        "at_threshold": {"precision": 0.9, "recall": 0.8, "f1": 0.85, "threshold": 0.3},
    }
    return found if keypoints is None else found | {"keypoints": maps(keypoints)}


def metrics(
    value: float | None, *, keypoints: float | None = None, final: str = "tflm", **told: Any
) -> dict[str, Any]:
    """metrics.json of a model of this mAP50-95, which int8 made a point worse."""
    floats = tier(
        "onnxruntime 1", None if value is None else value + 0.01,
        None if keypoints is None else keypoints + 0.01,
    )  # fmt: skip
    kinds = ("box",) if keypoints is None else ("box", "keypoints")
    return {
        "schema": 1,
        "task": "detect" if keypoints is None else "pose",
        "split": "val",
        "images": 200,
        "dataset": "digits",
        "classes": ["0", "1"],
        "instances": [300, 280],
        "comparable": {"tiers": {"pytorch": floats}},
        "board": {
            "score": 0.001,
            "threshold": 0.3,
            "reference": "cut_onnx",
            "final": final,
            "tiers": {"cut_onnx": floats, final: tier("an interpreter 1", value, keypoints)},
            "drop": {kind: {"map50": 1.0, "map50_95": 1.0} for kind in kinds},
        },
        **told,
    }


def entry(value: float | None = None, **figures: Any) -> dict[str, Any]:
    """What a comparison knows of one model; without a value accuracy was not measured."""
    return {"model": model(**figures), "metrics": None if value is None else metrics(value)}


def deliverable(artifacts: Path, name: str, value: float | None = 0.5, count: int = 128) -> Path:
    """A folder as `doit` delivers it, as far as a comparison looks."""
    folder = artifacts / name
    folder.mkdir(parents=True)
    target = folder.parent.name
    (folder / "model.json").write_text(json.dumps(model(target=target)))
    if value is not None:
        (folder / "metrics.json").write_text(json.dumps(metrics(value)))
    config = {
        "quant": {"kind": "tflite", "calibration": {"count": count}},
        "target": {"name": target, "memory": {"arena_bytes": len(target)}},
        "train": {"workers": count},
    }
    (folder / "provenance.json").write_text(json.dumps({"config": config, "steps": {}}))
    return folder
