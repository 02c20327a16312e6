"""What `doit check-model` runs: a file of any origin, held against the board's contract."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edgemake.step import Input, Step, UserFile
from stages import arena, check, check_onnx, compile, foreign

if TYPE_CHECKING:
    from stages.foreign import Foreign
    from stages.schema import Config


def check_file(config: Config, path: Path) -> Step:
    """The step that leaves the verdict. Raises UserError for what is no whole model file."""
    given = foreign.look(config, path)
    seen, lines, file = given.seen, given.lines, UserFile(path.absolute())
    if config.target.kind == "onnx":
        return check_onnx.plan_file(config, file, given.output, seen, lines)
    return check.plan_file(config, _files(config, given, file), given.output, seen, lines)


def _files(config: Config, given: Foreign, file: UserFile) -> Mapping[str, Input]:
    """The file, and what the board's own tools make of it and say of its cost.

    vela compiles what is int8 and was not compiled before; where there is no NPU, TFLite Micro
    runs it.
    """
    seen = given.seen
    if seen["kind"] != "tflite":
        return {"model.tflite": file}
    if getattr(config.target, "vela", None) is None:
        cost = arena.plan(config, file)["arena.json"]
        return {"model.tflite": file, "int8.tflite": file, "cost.json": cost}
    if seen["compiled"] or not seen["int8"]:
        return {"model.tflite": file}
    made = compile.plan(config, file)
    return {
        "model.tflite": made["model_vela.tflite"],
        "int8.tflite": file,
        "cost.json": made["vela.json"],
    }
