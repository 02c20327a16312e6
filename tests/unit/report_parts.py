"""A model.json, a gate.json and metrics of the forms that steps leave, to be varied by tests."""

from __future__ import annotations

from typing import Any


def line(rule: str, result: str, found: str = "1", demanded: str = "1") -> dict[str, str]:
    return {
        "rule": rule,
        "result": result,
        "found": found,
        "demanded": demanded,
        "remedy": "" if result == "pass" else "mend it",
        "source": f"target.{rule}; Firmware 1",
    }


def model(*results: str, **figures: Any) -> dict[str, Any]:
    """With a rule for each result: pass, warn, fail."""
    lines = [line(f"rule {i}", result) for i, result in enumerate(results)]
    return {
        "name": "yolov8n",
        "task": "detect",
        "target": {"name": "board", "title": "Board"},
        "classes": ["cat", "dog"],
        "thresholds": {"score": 0.3, "iou": 0.45},
        "contract": {"firmware": "Firmware 1", "passed": "fail" not in results, "lines": lines},
        "figures": figures,
        "files": {},
    }


def gate(*lines: dict[str, str]) -> dict[str, Any]:
    passed = all(one["result"] != "fail" for one in lines)
    return {"schema": 1, "who": "your gate", "passed": passed, "lines": list(lines)}


def tier(*figures: tuple[float | None, float | None], runtime: str = "LiteRT 2") -> dict[str, Any]:
    """(mAP50, mAP50-95) of cat and of dog."""
    names = ("cat", "dog")
    rows = [
        {"name": name, "instances": 5, "map50": half, "map50_95": mean}
        for name, (half, mean) in zip(names, figures, strict=True)
    ]
    known = [(half, mean) for half, mean in figures if half is not None and mean is not None]
    return {
        "runtime": runtime,
        "box": {
            "map50": sum(half for half, _ in known) / len(known),
            "map50_95": sum(mean for _, mean in known) / len(known),
            "per_class": rows,
        },
    }


def board(float_: dict[str, Any], int8: dict[str, Any], drop: float) -> dict[str, Any]:
    """metrics.json, as on the board."""
    return {
        "images": 9,
        "dataset": "pets",
        "split": "val",
        "board": {
            "preprocess": "stretch",
            "iou": 0.45,
            "threshold": 0.3,
            "reference": "cut_onnx",
            "final": "tflm",
            "tiers": {"cut_onnx": float_, "tflm": int8},
            "drop": {"box": {"map50": drop, "map50_95": drop}},
        },
    }
