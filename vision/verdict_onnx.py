"""Figures and tensors of an int8 ONNX file, as verdicts have them (docs/model_json.md)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from vision.onnx_agreement import Agreement
from vision.onnx_facts import OnnxFacts, Tensor


def figures(size: int, file: OnnxFacts, seen: Agreement | None) -> dict[str, Any]:
    """Bytes, how much of the work is int8, and what int8 has cost."""
    work = sum(c.macs for c in file.convolutions)
    int8 = sum(c.macs for c in file.convolutions if c.int8)
    found: dict[str, Any] = {
        "flash_bytes": size,
        "opset": file.opset,
        "ir_version": file.ir_version,
        "macs": work,
        "int8_percent": round(100 * int8 / work, 2) if work else None,
        "float_operators": len(file.floats),
    }
    if seen is not None:
        found |= {
            "images": seen.images,
            "largest_score": _rounded(seen.largest_score),
            "float_largest_score": _rounded(seen.float_largest_score),
            "score_difference": _rounded(seen.score_difference),
            "box_overlap": _rounded(seen.overlap),
        }
    return found


def _rounded(value: float | None) -> float | None:
    """None also for what is no number: JSON has no word for it."""
    return None if value is None or not isfinite(value) else round(value, 4)


def tensors(file: OnnxFacts, described: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Inputs and outputs in the file's order; outputs with their role and stride."""
    by_name = {output["name"]: output for output in described}
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
