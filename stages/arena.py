"""How much memory TensorFlow Lite Micro's interpreter takes for a model: an estimate by a PC.

The same C++ allocator as on the board plans the tensors here, but pointers are twice as long and
kernels tuned for a processor ask for other scratch memory, so the board's figure differs.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgemake.step import Input, Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config

ROOM = 1 << 28
"""Bytes of arena to try in: the interpreter reports what it used of it, whatever its size (seen
to be the smallest that does, within 16 bytes). Pages that are not touched take no memory."""
USED = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
"""A line of `print_allocations`. Head: feature maps, planned over one another; tail: the rest."""


@dataclass(frozen=True)
class Params:
    """Nothing of the config: the model says it all."""


def plan(config: Config, model: Input) -> Step:
    """`model`: a fully quantized TFLite file."""
    return Step(
        stage="arena",
        params=Params(),
        inputs={"model.tflite": model},
        outputs=("arena.json",),
        toolchain=config.lock("tflm"),
        label=f"{config.model.name} {config.model.imgsz}",
    )


def run(params: Params, work: Work) -> None:
    """Writes arena.json; why the interpreter cannot run a model stands there, for `check`."""
    from importlib.metadata import version

    tflm = version("tflite-micro")
    used, fault = _measure(work)
    report = {
        "schema": 1,
        "tool": f"TFLite Micro {tflm} on x86-64",
        "tflm": tflm,
        "arena_bytes": used.get("total"),
        "growing_bytes": used.get("head"),
        "fixed_bytes": used.get("tail", 0),
        "fault": fault,
    }
    (work.out / "arena.json").write_text(json.dumps(report, indent=1) + "\n")


def _measure(work: Work) -> tuple[dict[str, int], str]:
    """Bytes by part, and an empty text; or nothing, and why the model cannot be run."""
    words = work.scratch / "stderr.txt"
    fault = ""
    with _told(words):
        try:
            interpreter = _interpreter(work.inputs["model.tflite"])
            work.progress(0, 1, "running the model once, with kernels that are not tuned")
            _invoke(interpreter)
            interpreter.print_allocations()
        except RuntimeError as error:
            fault = str(error)
    text = words.read_text(encoding="utf-8", errors="replace")
    print(text, flush=True)
    if fault:
        last = [line.strip() for line in text.splitlines() if line.strip()][-1:]
        return {}, ": ".join([fault, *last])
    used = {part: int(number) for part, number in USED.findall(text)}
    if used.keys() != {"total", "head", "tail"}:
        raise StageError(
            "this version of tflite-micro does not say how much memory a model takes; choose "
            "another in toolchains/tflite-micro.in"
        )
    return used, fault


def _interpreter(model: Path) -> Any:
    """Allocates all tensors. Raises RuntimeError for what the interpreter does not know."""
    from tflite_micro import runtime

    return runtime.Interpreter.from_file(str(model), arena_size=ROOM)


def _invoke(interpreter: Any) -> None:
    """Once, on zeros: only then it is known that every kernel takes its operands."""
    import numpy as np

    entry = interpreter.get_input_details(0)
    interpreter.set_input(np.zeros(entry["shape"], dtype=entry["dtype"]), 0)
    interpreter.invoke()


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What C++ prints on standard error meanwhile goes to `file`."""
    kept = os.dup(2)
    with file.open("wb") as words:
        os.dup2(words.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
