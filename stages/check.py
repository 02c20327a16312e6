"""Holds the final file against the board's contract. The answer is a verdict, never a crash."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError
from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config
    from stages.schema.target import Output
    from vision.contract import Rules


@dataclass(frozen=True)
class Params:
    """What the board demands, and what is known before the file is read."""

    rules: dict[str, Any] | None
    """The fields of `vision.contract.Rules`; None: the lines say enough."""
    seen: dict[str, Any] | None = None
    """Of a file from elsewhere: its task, form, classes, keypoints; None: export.json says it."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Lines of the verdict that were written while planning."""


def plan(config: Config, model: Input, int8: Input, cost: Input, export: Input) -> Step:
    """`model`: the board's TFLite file; `int8`: the same before it was compiled; `cost`:
    vela.json, or arena.json where there is no NPU; `export`: export.json (names, keypoints).

    Raises UserError for an input size that the board keeps no memory for.
    """
    target, arenas, side = config.target, config.output.arena_bytes, config.model.imgsz
    if arenas and side not in arenas:
        raise UserError(
            f"model.imgsz={side}: {target.title} has an arena for {_listed(arenas)} only "
            f"(target.outputs.{config.model.task}); choose one of these sizes"
        )
    return Step(
        stage="check",
        params=Params(rules_of(target, config.output, side)),
        inputs={
            "model.tflite": model,
            "int8.tflite": int8,
            "cost.json": cost,
            "export.json": export,
        },
        outputs=("verdict.json",),
        label=target.name,
    )


def plan_file(
    config: Config,
    files: Mapping[str, Input],
    output: Output | None,
    seen: Mapping[str, Any],
    lines: list[dict[str, Any]],
) -> Step:
    """Of a file from elsewhere: `files` are the inputs of `plan`, as many as there are; `output`:
    the form that it fits; `seen`, `lines`: as in Params."""
    side = seen["imgsz"]
    rules = rules_of(config.target, output, side) if seen["kind"] == "tflite" else None
    return Step(
        stage="check",
        params=Params(rules, dict(seen), lines),
        inputs=files,
        outputs=("verdict.json",),
        label=config.target.name,
    )


def rules_of(target: Any, output: Output | None, side: int) -> dict[str, Any]:
    """The fields of `vision.contract.Rules`, as JSON values; `side` of the input, pixels."""
    contract, memory, vela = target.contract, target.memory, target.vela
    arenas = output.arena_bytes if output else {}
    return {
        "firmware": contract.firmware,
        "form": output.form if output else None,
        "order": list(output.order) if output else [],
        "max_classes": output.max_classes if output else 0,
        "max_scale": output.max_scale if output else None,
        "input_scale": contract.input_scale,
        "input_scale_tolerance": contract.input_scale_tolerance,
        "input_zero_point": contract.input_zero_point,
        "min_imgsz": contract.min_imgsz,
        "imgsz_multiple": contract.imgsz_multiple,
        "strides": list(contract.strides),
        "box_channels": contract.box_channels,
        "keypoint_values": contract.keypoint_values,
        "keypoints": contract.keypoints,
        "forbidden_class_counts": _by_text(output.forbidden_class_counts if output else {}),
        "operators": list(contract.operators),
        "arena_bytes": arenas.get(side, memory.arena_bytes),
        "arena_margin": memory.arena_margin,
        "arena_by_size": _by_text(arenas),
        "flash_bytes": memory.flash_bytes,
        "flash_slot_bytes": memory.flash_slot_bytes,
        "npu": None if vela is None else _npu(vela),
        "score_threshold": output.score if output else 0.0,
        "at_info_chars": target.at_info_chars,
        "unproven": dict(contract.unproven),
    }


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
    from vision.contract import Line, Npu, Rules
    from vision.verdict import verdict

    lines = [Line(**line) for line in params.lines]
    seen = {} if params.seen is None else {"file": params.seen}
    if params.rules is None:
        text = verdict(lines, {}, {"inputs": [], "outputs": []}, **seen)
    else:
        npu = params.rules["npu"]
        rules = Rules(**{**params.rules, "npu": None if npu is None else Npu(**npu)})
        text = _judged(rules, params.seen, lines, seen, work)
    (work.out / "verdict.json").write_text(text, encoding="utf-8")


def _judged(
    rules: Rules,
    told: Mapping[str, Any] | None,
    lines: list[Any],
    seen: Mapping[str, Any],
    work: Work,
) -> str:
    from vision.contract import Facts
    from vision.cost import cost_of
    from vision.judge import judge
    from vision.npu_payload import header
    from vision.tflite_file import read_model
    from vision.verdict import figures, tensors, verdict

    path = work.inputs["model.tflite"]
    model, known = read_model(path), told or _exported(work.inputs["export.json"])
    shape, names = known["keypoints"], known.get("names")
    before = work.inputs.get("int8.tflite")
    hidden = before is None and bool(model.payloads)
    facts = Facts(
        model=model,
        logits=None if hidden else read_model(before or path).logits,
        file_bytes=path.stat().st_size,
        classes=known["classes"],
        names=tuple(names) if names else None,
        keypoints=(shape[0], shape[1]) if shape else None,
        payloads=tuple(map(header, model.payloads)),
        cost=cost_of(model, work.inputs.get("cost.json")),
    )
    found = [*lines, *judge(rules, facts)]
    return verdict(found, figures(rules, facts), tensors(rules, model), **seen)


def _exported(export: Path) -> dict[str, Any]:
    """Classes and keypoints, as export.json has them."""
    told = json.loads(export.read_text(encoding="utf-8"))
    names = told["names"]
    return {"names": names, "classes": len(names), "keypoints": told.get("kpt_shape")}
