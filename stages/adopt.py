"""The user's own float ONNX file, checked and brought to the form in which `export` leaves one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgemake.step import Step, UserFile
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config


@dataclass(frozen=True)
class Params:
    """What the file must agree with."""

    task: str
    imgsz: int


def plan(config: Config) -> Step:
    """Raises UserError when `model.onnx` does not exist."""
    path = Path(str(config.model.onnx)).expanduser().absolute()
    return Step(
        stage="adopt",
        params=Params(config.model.task, config.model.imgsz),
        inputs={"model.onnx": UserFile(path)},
        outputs=("model.onnx", "export.json"),
        toolchain=config.lock("images"),
        label=path.stem,
    )


def run(params: Params, work: Work) -> None:
    """Writes model.onnx and export.json, as `export` does. Raises StageError."""
    raise StageError("not built yet")
