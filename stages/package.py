"""What people take away: the model files, the labels, and a description of them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import Work

if TYPE_CHECKING:
    from stages.schema import Config

SCHEMA = 2
"""Version of model.json; see docs/model_json.md."""
VERDICT = "contract.json"
"""The name under which the verdict is handed on."""
AT_INFO = "at_info.txt"
"""The command that tells the firmware the class names, for boards that are told so."""


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
    model: str
    """The delivered file that the board runs."""
    files: list[str]
    """Files handed on under their own names."""
    commands: dict[str, str]
    """Way of delivery -> command; {model} is the file."""
    at_info_chars: int | None
    """Longest AT command the firmware takes; None: it has none."""


def commands(config: Config) -> dict[str, str]:
    """Way of delivery -> command that puts the file {model} on the board."""
    address = config.output.address
    return {
        way: text.replace("{address}", address)
        for way, text in config.target.deliver.items()
        if text is not None
    }


def plan(
    config: Config,
    name: str,
    *,
    model: str,
    files: Mapping[str, Input],
    export: Input,
    verdict: Input,
) -> Step:
    """`name`: the deliverable's; `files`: delivered name -> file, `model` the board's."""
    target: Any = config.target
    output = config.output
    longest = getattr(target, "at_info_chars", None)  # not a word of boards that run ONNX
    told = () if longest is None else (AT_INFO,)
    return Step(
        stage="package",
        params=Params(
            name=name,
            target=target.name,
            title=target.title,
            firmware=target.contract.firmware,
            form=output.form,
            preprocess=target.preprocess,
            score_threshold=output.score,
            iou_threshold=output.iou,
            model=model,
            files=sorted(files),
            commands=commands(config),
            at_info_chars=longest,
        ),
        inputs={**files, "export.json": export, "verdict.json": verdict},
        outputs=(*sorted(files), *told, VERDICT, "model.json", "labels.txt"),
        label=name,
    )


def run(params: Params, work: Work) -> None:
    """Writes the files named in `plan`."""
    for name in params.files:
        shutil.copyfile(work.inputs[name], work.out / name)
    shutil.copyfile(work.inputs["verdict.json"], work.out / VERDICT)
    export = json.loads(work.inputs["export.json"].read_text(encoding="utf-8"))
    verdict = json.loads(work.inputs["verdict.json"].read_text(encoding="utf-8"))
    labels = "".join(f"{name}\n" for name in export["names"])
    (work.out / "labels.txt").write_text(labels, encoding="utf-8")
    files = sorted((*params.files, VERDICT, "labels.txt"))
    if params.at_info_chars is not None:
        (work.out / AT_INFO).write_text(_at_info(params, export, work), encoding="utf-8")
        files = sorted((*files, AT_INFO))
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
        "keypoints": _keypoints(export),
        "input": {"layout": "NHWC", **entry, "colour": "RGB", "preprocess": params.preprocess},
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
            way: text.replace("{model}", params.model) for way, text in params.commands.items()
        },
    }


def _keypoints(export: dict[str, Any]) -> dict[str, int] | None:
    """How many there are, and the values of each; None for a network without."""
    shape = export.get("kpt_shape")
    return {"count": shape[0], "values": shape[1]} if shape else None


def _at_info(params: Params, export: dict[str, Any], work: Work) -> str:
    """One line, the command; a comment before it where the firmware would cut it off."""
    from vision.at_info import at_info

    size = work.inputs[params.model].stat().st_size
    command = at_info(params.name, export["task"], export["names"], size)
    assert params.at_info_chars is not None
    if len(command) > params.at_info_chars:
        return (
            f"# {len(command)} characters, but the firmware takes {params.at_info_chars}: "
            f"shorten the class names\n{command}\n"
        )
    return f"{command}\n"


def _stamp(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
