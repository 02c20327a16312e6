"""Holds the int8 ONNX file against the board's contract. The answer is a verdict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config
    from stages.schema.target import Output
    from vision.onnx_contract import OnnxRules, OnnxSubject
    from vision.onnx_ends import Ends
    from vision.onnx_facts import OnnxFacts

IMAGES = 32
"""Calibration images that both networks are run on: a second or two."""
SAMPLES = 3
"""Pictures made by arithmetic for a file from elsewhere."""


@dataclass(frozen=True)
class Params:
    """What the board demands, and what is known before the file is read."""

    rules: dict[str, Any] | None
    """The fields of `vision.onnx_contract.OnnxRules`; None: the lines say enough."""
    seen: dict[str, Any] | None = None
    """Of a file from elsewhere: its form, classes, outputs; None: head.json says it."""
    lines: list[dict[str, Any]] = field(default_factory=list)
    """Lines of the verdict that were written while planning."""


def plan(config: Config, model: Input, head: Step, export: Input, calibration: Input) -> Step:
    """`model`: the int8 ONNX file; `head`: the step that left head.onnx, the same network in
    float, and head.json; `export`: export.json; `calibration`: images on which its scores must
    be alive."""
    return Step(
        stage="check_onnx",
        params=Params(rules_of(config, config.output)),
        inputs={
            "model.q.onnx": model,
            "head.onnx": head["head.onnx"],
            "head.json": head["head.json"],
            "export.json": export,
            "calibration.npy": calibration,
        },
        outputs=("verdict.json",),
        toolchain=config.lock("images"),
        label=config.target.name,
    )


def plan_file(
    config: Config,
    file: Input,
    output: Output | None,
    seen: Mapping[str, Any],
    lines: list[dict[str, Any]],
) -> Step:
    """Of a file from elsewhere; `output`: the form that it fits; `seen`, `lines`: see Params."""
    rules = rules_of(config, output) if seen["kind"] == "onnx" else None
    return Step(
        stage="check_onnx",
        params=Params(rules, dict(seen), lines),
        inputs={"model.q.onnx": file},
        outputs=("verdict.json",),
        toolchain=config.lock("images") if rules else None,
        label=config.target.name,
    )


def rules_of(config: Config, output: Output | None) -> dict[str, Any]:
    """The fields of `vision.onnx_contract.OnnxRules`, as JSON values."""
    contract: Any = config.target.contract
    return {
        "firmware": contract.firmware,
        "max_opset": contract.max_opset,
        "max_ir": contract.max_ir,
        "max_classes": output.max_classes if output else 0,
        "min_imgsz": contract.min_imgsz,
        "imgsz_multiple": contract.imgsz_multiple,
        "score_threshold": output.score if output else 0.0,
        "tool": config.quant.kind,
        "unproven": dict(contract.unproven),
    }


def run(params: Params, work: Work) -> None:
    """Writes verdict.json: every rule's line, the figures, and the file's tensors.

    Raises StageError for a file that the library `onnx` makes nothing of.
    """
    from vision.contract import Line
    from vision.verdict import verdict

    lines = [Line(**line) for line in params.lines]
    seen = {} if params.seen is None else {"file": params.seen}
    if params.rules is None:
        text = verdict(lines, {}, {"inputs": [], "outputs": []}, **seen)
    else:
        text = _judged(params, lines, seen, work)
    (work.out / "verdict.json").write_text(text, encoding="utf-8")


def _judged(params: Params, lines: list[Any], seen: Mapping[str, Any], work: Work) -> str:
    from vision.judge_onnx import judge_onnx
    from vision.onnx_contract import OnnxRules
    from vision.verdict import verdict
    from vision.verdict_onnx import figures, tensors

    assert params.rules is not None
    rules = OnnxRules(**params.rules)
    if params.seen is None:
        outputs, subject = _built(rules, work)
    else:
        outputs, subject = params.seen["outputs"], _from_elsewhere(params.seen, work)
    size = work.inputs["model.q.onnx"].stat().st_size
    return verdict(
        [*lines, *judge_onnx(rules, subject)],
        figures(size, subject.file, subject.agreement),
        tensors(subject.file, outputs),
        **seen,
    )


def _built(rules: OnnxRules, work: Work) -> tuple[list[dict[str, Any]], OnnxSubject]:
    """The outputs as head.json describes them, and the build's own file beside its float one."""
    from vision.onnx_agreement import agree
    from vision.onnx_contract import Described, OnnxSubject

    head = json.loads(work.inputs["head.json"].read_text(encoding="utf-8"))
    networks = work.inputs["head.onnx"], work.inputs["model.q.onnx"]
    described = Described(
        imgsz=head["imgsz"],
        outputs=tuple((output["name"], tuple(output["shape"])) for output in head["outputs"]),
        classes=head["classes"],
    )
    images = work.inputs["calibration.npy"], IMAGES
    seen, fault = agree(networks, images, head, rules.score_threshold, work.progress)
    file, ends = _facts(networks[1])
    return head["outputs"], OnnxSubject(file, ends, described, seen, fault)


def _from_elsewhere(seen: Mapping[str, Any], work: Work) -> OnnxSubject:
    """A file of which only its bytes are known."""
    from vision.onnx_agreement import largest_score
    from vision.onnx_contract import Described, OnnxSubject

    path = work.inputs["model.q.onnx"]
    file, ends = _facts(path)
    described = Described(
        imgsz=seen["imgsz"],
        outputs=tuple((tensor.name, tensor.shape) for tensor in file.outputs),
        classes=seen["classes"],
    )
    work.progress(0, 1, "running the file")
    best, fault = largest_score(path, SAMPLES, seen)
    return OnnxSubject(file, ends, described, None, fault, best)


def _facts(path: Path) -> tuple[OnnxFacts, Ends]:
    """What the file is made of. Raises StageError for what the library makes nothing of."""
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from onnx.shape_inference import InferenceError

    from vision.onnx_ends import ends_of, lift_constants
    from vision.onnx_facts import facts_of

    try:
        model = onnx.load(path)
        lift_constants(model)
        return facts_of(model), ends_of(model)
    except (DecodeError, InferenceError, ValueError, KeyError, StopIteration) as fault:
        reason = str(fault).splitlines()[0] if str(fault) else type(fault).__name__
        raise StageError(f"onnx makes nothing of this file: {reason}; export it again") from None
