"""A verdict as JSON: every rule's line, the figures, and the file's tensors.

Its fields are explained in docs/model_json.md, into which they go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from vision.contract import Facts, Line, Rules
from vision.rules_memory import arena_limit
from vision.tensor_roles import roles
from vision.tflite_file import ModelFile, Tensor

SCHEMA = 2


def verdict(
    lines: Sequence[Line],
    figures: Mapping[str, Any],
    tensors: Mapping[str, Any],
    **more: Any,
) -> str:
    """The JSON text; the model passes unless a line fails."""
    told = {
        "schema": SCHEMA,
        "passed": all(line.result != "fail" for line in lines),
        **more,
        "lines": [asdict(line) for line in lines],
        "figures": figures,
        "tensors": tensors,
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def figures(rules: Rules, facts: Facts) -> dict[str, Any]:
    """Bytes and what they are held against; placement and latency only where there is an NPU."""
    cost = facts.cost
    found: dict[str, Any] = {
        "arena_bytes": cost.arena_bytes,
        "arena_limit_bytes": arena_limit(rules, cost),
        "arena_source": cost.source,
        "flash_bytes": facts.file_bytes,
        "flash_limit_bytes": rules.flash_bytes,
    }
    if rules.npu is not None:
        found |= {"npu_percent": cost.npu_percent, "latency_ms": cost.latency_ms}
    return found


def tensors(rules: Rules, model: ModelFile) -> dict[str, Any]:
    """Inputs and outputs in the file's order; outputs with their role and stride, if these can be
    told."""
    outputs = []
    known = [None] * len(model.outputs) if rules.form is None else roles(rules, model)
    for tensor, role in zip(model.outputs, known, strict=True):
        kind, stride = (role.kind, role.stride) if role else (None, None)
        outputs.append({**_tensor(tensor), "role": kind, "stride": stride})
    return {"inputs": [_tensor(tensor) for tensor in model.inputs], "outputs": outputs}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    """JSON of a tensor; a quantization per channel, which no rule lets pass, is left out."""
    single = len(tensor.scales) == 1 and len(tensor.zero_points) == 1
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "scale": tensor.scales[0] if single else None,
        "zero_point": tensor.zero_points[0] if single else None,
    }
