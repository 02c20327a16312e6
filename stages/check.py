"""Holds the final file against the board's contract. The answer is a verdict, never a crash."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config
    from vision.contract import Cost, Facts, Rules
    from vision.npu_payload import Payload
    from vision.tflite_file import ModelFile, Tensor


@dataclass(frozen=True)
class Params:
    """What the board demands: the fields of `vision.contract.Rules`."""

    rules: dict[str, Any]


def plan(config: Config, model: Input, int8: Input, cost: Input, export: Input) -> Step:
    """`model`: the board's TFLite file; `int8`: the same before it was compiled; `cost`:
    vela.json, or arena.json where there is no NPU; `export`: export.json (names, keypoints).

    Raises UserError for an input size that the board keeps no memory for.
    """
    target: Any = config.target
    contract, output, vela = target.contract, config.output, target.vela
    arenas, side = output.arena_bytes, config.model.imgsz
    if arenas and side not in arenas:
        raise UserError(
            f"model.imgsz={side}: {target.title} has an arena for {_listed(arenas)} only "
            f"(target.outputs.{config.model.task}); choose one of these sizes"
        )
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
        "keypoints": contract.keypoints,
        "forbidden_class_counts": _by_text(output.forbidden_class_counts),
        "operators": list(contract.operators),
        "arena_bytes": arenas.get(side, target.memory.arena_bytes),
        "arena_margin": target.memory.arena_margin,
        "arena_by_size": _by_text(arenas),
        "flash_bytes": target.memory.flash_bytes,
        "flash_slot_bytes": target.memory.flash_slot_bytes,
        "npu": None if vela is None else _npu(vela),
        "score_threshold": output.score,
    }
    return Step(
        stage="check",
        params=Params(rules),
        inputs={
            "model.tflite": model,
            "int8.tflite": int8,
            "cost.json": cost,
            "export.json": export,
        },
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


def _by_text(numbered: Mapping[int, Any]) -> dict[str, Any]:
    """JSON has only text for keys."""
    return {str(number): numbered[number] for number in sorted(numbered)}


def _listed(sizes: Collection[int]) -> str:
    return ", ".join(map(str, sorted(sizes)))


def run(params: Params, work: Work) -> None:
    """Writes verdict.json: every rule's line, the figures, and the file's tensors."""
    from vision.contract import Facts, Npu, Rules
    from vision.judge import judge
    from vision.tflite_file import read_logits, read_model

    path = work.inputs["model.tflite"]
    export = json.loads(work.inputs["export.json"].read_text(encoding="utf-8"))
    model = read_model(path)
    shape = export.get("kpt_shape")
    facts = Facts(
        model=model,
        logits=read_logits(work.inputs["int8.tflite"]),
        file_bytes=path.stat().st_size,
        classes=tuple(export["names"]),
        keypoints=(shape[0], shape[1]) if shape else None,
        payloads=tuple(_payload(data) for data in model.payloads),
        cost=_cost(json.loads(work.inputs["cost.json"].read_text(encoding="utf-8"))),
    )
    npu = params.rules["npu"]
    rules = Rules(**{**params.rules, "npu": None if npu is None else Npu(**npu)})
    lines = judge(rules, facts)
    verdict = {
        "schema": 2,
        "passed": all(line.result != "fail" for line in lines),
        "lines": [asdict(line) for line in lines],
        "figures": _figures(rules, facts),
        "tensors": _tensors(rules, model),
    }
    text = json.dumps(verdict, indent=1, ensure_ascii=False) + "\n"
    (work.out / "verdict.json").write_text(text, encoding="utf-8")


def _cost(told: dict[str, Any]) -> Cost:
    """What vela.json or arena.json says."""
    from vision.contract import Cost

    if "vela" in told:
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


def _payload(data: bytes) -> Payload | None:
    from vision.npu_payload import read_payload

    try:
        return read_payload(data)
    except ValueError:
        return None


def _figures(rules: Rules, facts: Facts) -> dict[str, Any]:
    """Bytes and what they are held against; placement and latency only where there is an NPU."""
    from vision.rules_memory import arena_limit

    cost = facts.cost
    figures: dict[str, Any] = {
        "arena_bytes": cost.arena_bytes,
        "arena_limit_bytes": arena_limit(rules, cost),
        "arena_source": cost.source,
        "flash_bytes": facts.file_bytes,
        "flash_limit_bytes": rules.flash_bytes,
    }
    if rules.npu is not None:
        figures |= {"npu_percent": cost.npu_percent, "latency_ms": cost.latency_ms}
    return figures


def _tensors(rules: Rules, model: ModelFile) -> dict[str, Any]:
    """Inputs and outputs in the file's order; outputs with their role and stride."""
    from vision.tensor_roles import roles

    return {
        "inputs": [_tensor(tensor) for tensor in model.inputs],
        "outputs": [
            {**_tensor(tensor), "role": role.kind, "stride": role.stride}
            for tensor, role in zip(model.outputs, roles(rules, model), strict=True)
        ],
    }


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
