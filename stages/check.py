"""Holds the final file against the board's contract. The answer is a verdict, never a crash."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.contract import Facts, Rules
    from vision.npu_payload import Payload
    from vision.tflite_file import ModelFile, Tensor


@dataclass(frozen=True)
class Params:
    """What the board demands: the fields of `vision.contract.Rules`."""

    rules: dict[str, Any]


def plan(config: Config, model: Input, cost: Input, export: Input) -> Step:
    """`model`: the board's TFLite file; `cost`: vela.json, or arena.json where there is no NPU;
    `export`: export.json (names)."""
    target: Any = config.target
    contract, output, vela = target.contract, config.output, target.vela
    arena = output.arena_bytes
    rules = {
        "firmware": contract.firmware,
        "form": output.form,
        "order": list(output.order),
        "max_classes": output.max_classes,
        "max_scale": output.max_scale,
        "input_scale": contract.input_scale,
        "input_scale_tolerance": contract.input_scale_tolerance,
        "input_zero_point": contract.input_zero_point,
        "min_imgsz": contract.min_imgsz,
        "imgsz_multiple": contract.imgsz_multiple,
        "strides": list(contract.strides),
        "box_channels": contract.box_channels,
        "keypoint_values": contract.keypoint_values,
        "forbidden_class_counts": _by_text(output.forbidden_class_counts),
        "unwise_class_counts": _by_text(output.unwise_class_counts),
        "operators": list(contract.operators),
        "arena_bytes": arena.get(config.model.imgsz, target.memory.arena_bytes),
        "arena_margin": target.memory.arena_margin,
        "arena_sizes": sorted(arena),
        "flash_bytes": target.memory.flash_bytes,
        "flash_slot_bytes": target.memory.flash_slot_bytes,
        "npu": None if vela is None else _npu(vela),
        "score_threshold": output.score,
    }
    return Step(
        stage="check",
        params=Params(rules),
        inputs={"model.tflite": model, "cost.json": cost, "export.json": export},
        outputs=("verdict.json",),
        toolchain=config.lock("vela"),
        label=target.name,
    )


def _npu(vela: Any) -> dict[str, Any]:
    return {
        "min_percent": vela.min_npu_percent,
        "fourcc": vela.payload.fourcc,
        "config": vela.payload.config,
        "arch": vela.payload.arch,
        "proven": list(vela.proven),
    }


def _by_text(reasons: dict[int, str]) -> dict[str, str]:
    """JSON has only text for keys."""
    return {str(count): reason for count, reason in reasons.items()}


def run(params: Params, work: Work) -> None:
    """Writes verdict.json: every rule's line, the figures, and the file's tensors."""
    from vision.contract import Facts, Rules
    from vision.judge import judge
    from vision.tflite_file import read_model

    path = work.inputs["model.tflite"]
    vela = json.loads(work.inputs["vela.json"].read_text())
    model = read_model(path)
    facts = Facts(
        model=model,
        file_bytes=path.stat().st_size,
        classes=tuple(json.loads(work.inputs["export.json"].read_text())["names"]),
        payloads=tuple(_payload(data) for data in model.payloads),
        npu_percent=vela["npu_percent"],
        sram_bytes=vela["sram_bytes"],
        vela=vela["vela"],
    )
    rules = Rules(**params.rules)
    lines = judge(rules, facts)
    verdict = {
        "schema": 1,
        "passed": all(line.result != "fail" for line in lines),
        "lines": [asdict(line) for line in lines],
        "figures": _figures(rules, facts, vela["latency_ms"]),
        "tensors": _tensors(rules, model),
    }
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    (work.out / "verdict.json").write_text(text, encoding="utf-8")


def _payload(data: bytes) -> Payload | None:
    from vision.npu_payload import read_payload

    try:
        return read_payload(data)
    except ValueError:
        return None


def _figures(rules: Rules, facts: Facts, latency_ms: float) -> dict[str, Any]:
    return {
        "npu_percent": facts.npu_percent,
        "sram_bytes": facts.sram_bytes,
        "sram_limit_bytes": rules.sram_bytes,
        "flash_bytes": facts.file_bytes,
        "flash_limit_bytes": rules.flash_bytes,
        "latency_ms": latency_ms,
    }


def _tensors(rules: Rules, model: ModelFile) -> dict[str, Any]:
    """Inputs and outputs in the file's order; outputs with their role and stride."""
    side = model.inputs[0].shape[1] if model.inputs and len(model.inputs[0].shape) == 4 else 0
    outputs = []
    for tensor in model.outputs:
        box = tensor.shape[-1:] == (rules.box_channels,)
        cells = tensor.shape[1] if len(tensor.shape) == 3 else 0
        stride = round(side / cells**0.5) if cells else None
        outputs.append({**_tensor(tensor), "role": "box" if box else "class", "stride": stride})
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
