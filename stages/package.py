"""What people take away: the model files, the labels, and a description of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

SCHEMA = 1
"""Version of model.json; see docs/model_json.md."""
MODEL = "model_vela.tflite"
COPIES = {MODEL: MODEL, "model_int8.tflite": "model_int8.tflite", "verdict.json": "contract.json"}
"""Input -> the name under which it is handed on, byte for byte."""


@dataclass(frozen=True)
class Params:
    """What no earlier step's output says."""

    name: str
    target: str
    title: str
    firmware: str
    form: str
    preprocess: str
    score_threshold: float
    iou_threshold: float
    commands: dict[str, str]
    """Way of delivery -> command; {model} is the file."""


def plan(
    config: Config, name: str, *, model: Input, int8: Input, export: Input, verdict: Input
) -> Step:
    """`name`: the deliverable's; `model`: the compiled file; `int8`: the one it came from."""
    target = config.target
    return Step(
        stage="package",
        params=Params(
            name=name,
            target=target.name,
            title=target.title,
            firmware=target.contract.firmware,
            form=target.head,
            preprocess=target.preprocess,
            score_threshold=target.thresholds.score,
            iou_threshold=target.thresholds.iou,
            commands=dict(target.deliver),
        ),
        inputs={
            MODEL: model,
            "model_int8.tflite": int8,
            "export.json": export,
            "verdict.json": verdict,
        },
        outputs=(*COPIES.values(), "model.json", "labels.txt"),
        label=name,
    )


def run(params: Params, work: Work) -> None:
    """Writes the files named in `plan`."""
    for name, handed_on in COPIES.items():
        shutil.copyfile(work.inputs[name], work.out / handed_on)
    export = json.loads(work.inputs["export.json"].read_text(encoding="utf-8"))
    verdict = json.loads(work.inputs["verdict.json"].read_text(encoding="utf-8"))
    labels = "".join(f"{name}\n" for name in export["names"])
    (work.out / "labels.txt").write_text(labels, encoding="utf-8")
    files = sorted((*COPIES.values(), "labels.txt"))
    description = describe(params, export, verdict)
    description["files"] = {name: _stamp(work.out / name) for name in files}
    text = json.dumps(description, indent=1, ensure_ascii=False) + "\n"
    (work.out / "model.json").write_text(text, encoding="utf-8")


def describe(params: Params, export: dict[str, Any], verdict: dict[str, Any]) -> dict[str, Any]:
    """model.json but for `files`; its fields are explained in docs/model_json.md."""
    [entry] = verdict["tensors"]["inputs"]
    return {
        "schema": SCHEMA,
        "name": params.name,
        "task": export["task"],
        "target": {"name": params.target, "title": params.title},
        "classes": export["names"],
        "input": {**entry, "layout": "NHWC", "colour": "RGB", "preprocess": params.preprocess},
        "form": params.form,
        "outputs": verdict["tensors"]["outputs"],
        "thresholds": {"score": params.score_threshold, "iou": params.iou_threshold},
        "contract": {
            "firmware": params.firmware,
            "passed": verdict["passed"],
            "lines": verdict["lines"],
        },
        "figures": verdict["figures"],
        "commands": {
            way: command.replace("{model}", MODEL) for way, command in params.commands.items()
        },
    }


def _stamp(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
