"""What a report is made from: the files of other steps, each there or not."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIERS: Mapping[str, str] = {
    "pytorch": "PyTorch, float",
    "onnx": "ONNX, float",
    "cut_onnx": "cut ONNX, float",
    "litert": "LiteRT, int8",
    "tflm": "TFLM, int8",
    "q_onnx": "ONNX, int8",
}
"""What a model is run as, in words."""
FLOATS = ("pytorch", "onnx", "cut_onnx")


@dataclass(frozen=True)
class Parts:
    """Input name -> file or folder of those that exist."""

    files: Mapping[str, Path]

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def json(self, name: str) -> dict[str, Any] | None:
        """A JSON object; None when no step made it."""
        if name not in self.files:
            return None
        found: dict[str, Any] = json.loads(self.files[name].read_text(encoding="utf-8"))
        return found

    def columns(self, name: str) -> dict[str, list[float]] | None:
        """A CSV file's columns of numbers; None when no step made it."""
        if name not in self.files:
            return None
        with self.files[name].open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {key.strip(): [float(row[key]) for row in rows] for key in rows[0]} if rows else None
