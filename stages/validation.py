"""Images of the validation split as a network takes them, for steps that cannot read pictures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgemake.step import Step
from edgemake.work import StageError, Work

if TYPE_CHECKING:
    from stages.schema import Config

LEAST = 64
"""Histograms of fewer images say little of the split they are drawn from."""


@dataclass(frozen=True)
class Params:
    """How many images, and how they are brought to size."""

    count: int
    imgsz: int
    preprocess: str


def plan(config: Config, source: Step) -> Step:
    """`source`: the data set's step."""
    return Step(
        stage="validation",
        params=Params(
            count=max(config.diagnose.images, LEAST),
            imgsz=config.model.imgsz,
            preprocess=config.target.preprocess,
        ),
        inputs={"manifest.json": source["manifest.json"], "data": source["data"]},
        outputs=("validation.npy",),
        toolchain=config.lock("images"),
        label=f"{max(config.diagnose.images, LEAST)} of val",
    )


def run(params: Params, work: Work) -> None:
    """Writes validation.npy: uint8 `[n, imgsz, imgsz, 3]` RGB, evenly spaced over the split by
    name; none of an empty split. Raises StageError for a picture that cannot be read."""
    import numpy as np

    from vision.preprocess import load

    manifest = json.loads(work.inputs["manifest.json"].read_text(encoding="utf-8"))
    names = sorted(entry["image"] for entry in manifest["splits"]["val"])
    few = min(params.count, len(names))
    chosen = [names[i * len(names) // few] for i in range(few)]
    pixels = np.empty((few, params.imgsz, params.imgsz, 3), np.uint8)
    for i, name in enumerate(chosen):
        work.progress(i, few, name)
        try:
            pixels[i] = load(work.inputs["data"] / name, params.imgsz, params.preprocess)
        except ValueError as fault:
            raise StageError(
                f"the data set's {name}: {fault}; mend or remove the picture"
            ) from None
    np.save(work.out / "validation.npy", pixels)
